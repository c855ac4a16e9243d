/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FIX_TEXT_H
#define CLI_FIX_TEXT_H

/*
 * fix_text.h - what fix and undo print
 *
 * Files of a system may hold any byte.  What is shown of them stays text: control
 * characters other than line ends and tabs, and bytes above 0x7e, are shown as \xNN.
 */

#include <stdio.h>

#include "audit/plan.h"
#include "audit/work.h"

/* The diffs, then the commands, in the order in which they will come. */
void fix_text_plan(FILE *out, const struct plan *plan);

/* What is said and not done; a line or more for each. */
void fix_text_notes(FILE *out, const struct plan *plan);

/* What one step did; nothing for one that did nothing. */
void fix_text_step(FILE *out, const struct work_report *report);

/* Why the work stopped, on standard error. */
void fix_text_stop(enum work_end end, const struct work_report *report);

/* Text of a file, made harmless. */
void fix_text_safe(FILE *out, const char *text, size_t n);

#endif
