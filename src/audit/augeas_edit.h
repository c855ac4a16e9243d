/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_AUGEAS_EDIT_H
#define AUDIT_AUGEAS_EDIT_H

/*
 * augeas_edit.h - changing one thing in a file of configuration, by Augeas
 *
 * Augeas knows the grammar of a file (a lens), keeps comments and layout, and
 * refuses what it does not understand.  Only its way from text to text is used:
 * it reads and writes no file of the system, what is written is os/swap.h's.
 *
 * The library is loaded when the first edit asks for it, and not linked: check
 * must not pay for it (40 ms and more), and a machine without it can be checked,
 * and fixed in other ways.  A build without its headers has augeas_absent.c.
 */

#include <stddef.h>

#include "audit/text.h"
#include "base/attr.h"
#include "base/slice.h"

enum augeas_end {
	AUGEAS_EDITED,
	AUGEAS_REFUSED, /* the lens does not understand the file, or would change more than this */
	AUGEAS_ABSENT,  /* no library, no lens, or built without                           */
};

/* One node that gets a value; `path` is relative to the file's tree, "makestep/limit". */
struct augeas_change {
	const char *path;
	const char *value; /* NULL: a node without one */
};

/*
 * Reads @before with @lens ("Chrony.lns"), makes the @n changes in order and adds the text that
 * results to @after.  It counts only where nothing but one run of at most @lines lines has become
 * another such run.  Otherwise @after is untouched and @why, of @size bytes, is half a sentence.
 */
enum augeas_end augeas_edit(const char *lens, struct slice before,
			    const struct augeas_change *changes, size_t n, size_t lines,
			    struct text *after, char *why, size_t size) must_check;

#endif
