/* SPDX-License-Identifier: Apache-2.0 */

/* augeas_absent.c - in the place of augeas_edit.c where there is no libaugeas to build with */

#include <stdio.h>

#include "audit/augeas_edit.h"

enum augeas_end augeas_edit(const char *lens, struct slice before,
			    const struct augeas_change *changes, size_t n, size_t lines,
			    struct text *after, char *why, size_t size)
{
	(void)lens;
	(void)before;
	(void)changes;
	(void)n;
	(void)lines;
	(void)after;
	snprintf(why, size, "this vmtime was built without Augeas");
	return AUGEAS_ABSENT;
}
