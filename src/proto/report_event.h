/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_REPORT_EVENT_H
#define PROTO_REPORT_EVENT_H

/*
 * report_event.h - an event as it is kept, as a reader is told of it
 *
 * For the daemon, which tells what it remembers, and for the command line, which
 * reads what a daemon wrote that does not run any more.
 */

#include "proto/report.h"
#include "wire/event_record.h"

void report_event_fill(const struct event_record *r, struct report_event *ret);

#endif
