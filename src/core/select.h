/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SELECT_H
#define CORE_SELECT_H

/*
 * select.h - which source to follow
 *
 * Among the sources that answer: one marked `prefer` before others, then the
 * lower stratum, then the host's own clock before a device that the
 * administrator named besides it, then the smaller error, with the one that is
 * followed already keeping its place unless another is better by a class.  With
 * a `require` in the configuration nothing is followed until such a source
 * answers.  `noselect` is never followed.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/units.h"

struct candidate {
	bool is_usable; /* it answers, and its clock is a clock */
	bool prefer, noselect, require;
	bool is_host;
	int stratum;
	vt_span error; /* half width of what a reading can be wrong by */
};

#define SELECT_NONE (-1)

/* Returns an index into @candidates, or SELECT_NONE.  @current: the one followed now, or SELECT_NONE. */
int select_source(const struct candidate *candidates, size_t n, int current);

#endif
