/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_KERNEL_WORDS_H
#define AUDIT_KERNEL_WORDS_H

/*
 * kernel_words.h - the arguments in a kernel command line, put in and taken out
 *
 * A command line is words between blanks; double quotes keep blanks in a word,
 * as the kernel itself has it.  To Augeas a whole line is one opaque string, so
 * this is ours.  What is not touched stays byte for byte, blanks included.
 */

#include <stdbool.h>

#include "audit/text.h"
#include "base/attr.h"
#include "base/slice.h"

/* Is every double quote in it closed?  Else a word put behind it would be a part of the last one. */
bool kernel_words_are_whole(struct slice line);

/* Has @line the word @argument, exactly? */
bool kernel_words_have(struct slice line, const char *argument);

/* Has it a word with the same name (what stands before "=") and another value? */
bool kernel_words_contradict(struct slice line, const char *argument);

/* Is the last word of that name @argument?  That is what counts for the kernel. */
bool kernel_words_end_in(struct slice line, const char *argument);

/* Adds to @to the @line with @argument at its end, and without words that contradict it. */
void kernel_words_put(struct slice line, const char *argument, struct text *to);

/* Adds to @to the @line without words that are @argument, or that contradict it. */
void kernel_words_drop(struct slice line, const char *argument, struct text *to);

#endif
