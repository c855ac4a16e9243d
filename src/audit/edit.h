/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_EDIT_H
#define AUDIT_EDIT_H

/*
 * edit.h - one change in the text of a file of configuration
 *
 * Text in, text out; no file is touched.  Augeas makes the change where its lens
 * understands the file (audit/augeas_edit.h).  Where it does not, a line is
 * appended, which in these languages counts more than what stands before it.
 * Either way the new text is read again with our own parsers, and only counts
 * where it says what it was to say.  What cannot be proven so is refused.
 */

#include <stdbool.h>
#include <stddef.h>

#include "audit/text.h"
#include "base/attr.h"
#include "base/slice.h"

enum edit_end {
	EDIT_NOTHING,  /* it says so already; nothing was added to @after  */
	EDIT_DONE,
	EDIT_APPENDED, /* not by Augeas: `why` says what it had against it */
	EDIT_REFUSED,  /* `why`: half a sentence                           */
};

struct edit_reason {
	char text[256];
};

/* Each adds the new text to @after; nothing for EDIT_NOTHING and EDIT_REFUSED. */

/* The shell variable @name gets @value. */
enum edit_end edit_shell(struct slice before, const char *name, const char *value,
			 struct text *after, struct edit_reason *why) must_check;

/*
 * The shell variable @name, a kernel command line, gets @argument and loses what contradicts it;
 * or, with @is_removal, loses every word of @argument's name.  A variable that is not there is
 * made; one that a shell would compute is only ever added to.
 */
enum edit_end edit_kernel_line(struct slice before, const char *name, const char *argument,
			       bool is_removal, struct text *after,
			       struct edit_reason *why) must_check;

/* A chrony configuration gets the line "refclock PHC @device poll 0 dpoll -2". */
enum edit_end edit_refclock(struct slice before, const char *device, struct text *after,
			    struct edit_reason *why) must_check;

/* ... "makestep @threshold @limit" in the place of any other. */
enum edit_end edit_makestep(struct slice before, const char *threshold, const char *limit,
			    struct text *after, struct edit_reason *why) must_check;

/* ... the line "rtcsync". */
enum edit_end edit_rtcsync(struct slice before, struct text *after,
			   struct edit_reason *why) must_check;

/* Any file of lines gets @line at its end. */
enum edit_end edit_line(struct slice before, const char *line, struct text *after) must_check;

#endif
