/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_PLAN_TEXT_H
#define AUDIT_PLAN_TEXT_H

/*
 * plan_text.h - a plan as lines of text: the journal's file "plan"
 *
 * A line a step, words between blanks, and in a word every byte that is not a
 * plain character as %XX.  What files hold is not in it: the text says whether
 * there is a file, the caller reads and writes the bytes.
 */

#include "audit/plan.h"
#include "base/slice.h"

#define PLAN_TEXT_VERSION "vmtime-undo 1"

/* Adds @plan, made at @made, to @to. */
void plan_text_write(const struct plan *plan, const char *made, struct text *to);

/*
 * Reads what plan_text_write wrote.  The images of the steps only say whether there is a file
 * (`exists`).  0, -EBADMSG or -ENOMEM; on failure *@ret is untouched and @made may be written.
 */
int plan_text_read(struct slice text, char *made, size_t size, struct plan *ret) must_check;

#endif
