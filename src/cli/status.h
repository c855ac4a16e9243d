/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

/*
 * status.h - one screen that a person understands
 *
 * Is my clock right, how right, according to whom, since when, by what method,
 * what happened last, what is wrong and what can be done about it.  The first
 * line alone is an answer.
 */

#include <stdbool.h>
#include <stdio.h>

#include "proto/report.h"

/* The first line without its end: one sentence, or two joined. */
void status_headline(FILE *out, const struct report_status *status);

/* Errors of @out are the caller's to look at. */
void status_print(FILE *out, const struct report_status *status, bool is_coloured);

#endif
