/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_LINE_DIFF_H
#define AUDIT_LINE_DIFF_H

/*
 * line_diff.h - how two files differ, as `diff -u` shows it
 *
 * Our own, because diff(1) is missing on small systems, and because what fix is
 * about to do must be shown wherever fix runs.  It applies with patch(1).  The
 * lines that two files have in common are found by the longest common
 * subsequence; where that would take too much memory (the changed middle of both
 * longer than about 2000 lines) all of the middle is shown as exchanged, which is
 * longer and just as right.
 *
 * What a byte that is no text looks like on a terminal is the printer's to decide.
 */

#include "audit/text.h"
#include "base/slice.h"

/*
 * Adds to @to what makes @after of @before, under the names @old_name and @new_name; nothing where
 * they are equal.
 */
void line_diff(struct text *to, const char *old_name, const char *new_name, struct slice before,
	       struct slice after);

#endif
