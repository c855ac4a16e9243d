/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_METRICS_H
#define HOSTD_METRICS_H

/*
 * metrics.h - the fleet as Prometheus reads it
 *
 * The text format 0.0.4.  A guest is {guest="NAME",backend="libvirt"}; nothing that changes
 * with every scrape and nothing that a guest can choose at will is a label, so that the
 * number of series follows from the number of guests: about 17 each.  A guest's state is one
 * series, the state that it is in; vmtime_guests has all states.
 *
 * What has not been measured has no line.  docs/fleet.md has the list of them all.
 */

#include "base/attr.h"
#include "hostd/fleet.h"
#include "hostd/process.h"
#include "hostd/text.h"

/* Appends everything.  @now: by the host's clock. */
void metrics_write(const struct fleet_report *report, const struct fleet_counters *counters,
                   const struct process_usage *process, vt_real now, struct text *to);

#endif
