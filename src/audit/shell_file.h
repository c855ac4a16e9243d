/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_SHELL_FILE_H
#define AUDIT_SHELL_FILE_H

/*
 * shell_file.h - files of shell variables, read without a shell
 *
 * os-release, /etc/default/grub, /etc/sysconfig/cpupower and the like are pieces of shell that are
 * meant to hold nothing but assignments: NAME=value, with the shell's quotes, escapes and comments,
 * lines that a backslash continues, LF or CR LF.  This reads those as a shell would, and runs
 * nothing.  What is more than that (a substitution, an if) is not an error: the assignment it
 * stands in is given with `is_plain` false, lines that are no assignment are skipped.
 *
 * Takes (pointer, length), allocates nothing; every assignment of the text is handed out in order,
 * so that who wants the value keeps the last and who edits knows where each one stands.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/slice.h"

/* Walks through a text; begin with { text, 0, 1 }. */
struct shell_file {
	struct slice text;
	size_t at;     /* the next byte to be read   */
	unsigned line; /* of that byte, from 1       */
};

struct shell_assignment {
	struct slice name;
	bool is_exported;     /* "export" stands before it                                   */
	bool is_append;       /* NAME+=value                                                 */
	bool is_plain;        /* its value is all there: nothing in it that a shell would expand */
	bool is_array;        /* NAME=(...), which none of these files means: the value is empty */
	bool is_unterminated; /* a quote that is not closed before the end of the text       */
	unsigned line;        /* where it begins                                             */
	size_t begin, end;    /* its bytes in the text, from its name to the end of its value */
	size_t value_begin;   /* the first byte of the value as written, quotes included     */
	struct slice raw;     /* the value as written                                        */
};

/* The next assignment; false, and *@ret untouched, where there is none left. */
bool shell_file_next(struct shell_file *file, struct shell_assignment *ret) must_check;

/*
 * Writes the value of @assignment with quotes and escapes taken away, and a terminator.  False,
 * and @to an empty string, where it does not fit or holds a NUL.  "$NAME", "${NAME}" and the rest
 * of what a shell would expand stay as they are written; is_plain tells.
 */
bool shell_assignment_value(const struct shell_assignment *assignment, char *to,
			    size_t size) must_check;

/*
 * Follows one variable through @text: *@value, of @size bytes, is what it was before and becomes
 * what it is after.  NAME+= is added, and $NAME or ${NAME} within its own value is put in.  True
 * where the text assigns it.  *@is_plain becomes false where a value is not all there, or does not
 * fit and is left out; nothing makes it true but an assignment that is complete in itself.
 */
bool shell_file_follow(struct slice text, const char *name, char *value, size_t size,
		       bool *is_plain);

/* As shell_file_follow, from nothing: "" and plain before.  @is_plain may be NULL. */
bool shell_file_value(struct slice text, const char *name, char *to, size_t size, bool *is_plain);

/*
 * Writes @value so that a shell reads it back: in double quotes.  False, and @to an empty string,
 * where it does not fit.
 */
bool shell_quote(const char *value, char *to, size_t size) must_check;

#endif
