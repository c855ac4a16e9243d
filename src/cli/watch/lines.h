/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCH_LINES_H
#define CLI_WATCH_LINES_H

/*
 * lines.h - watching without a screen: a line a second
 */

#include <stdio.h>

#include "base/attr.h"
#include "proto/report.h"

/* One line: the time, the state, the error with its bound, the source, and what is wrong. */
void lines_status(FILE *out, const struct report_status *status, vt_real real);

/* One line: what happened. */
void lines_event(FILE *out, const struct report_event *event);

/* Until nobody takes the lines any more.  Returns an exit status. */
int lines_run(const char *socket) must_check;

#endif
