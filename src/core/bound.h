/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BOUND_H
#define CORE_BOUND_H

/*
 * bound.h - how wrong can the clock be, right now?
 *
 * A bound is taken when the clock is compared with a source and widens from
 * then on at the worst rate that the two may drift apart.  It errs outwards:
 * every rounding makes it larger, and past its shelf life it is no promise.
 * It is relative to the source: the source's own error is not in it.
 */

#include "base/units.h"

struct bound {
	vt_mono taken;      /* when the clock was last compared         */
	vt_span radius;     /* the source's time was within +/- this    */
	vt_rate max_drift;  /* and has moved away no faster than this   */
	vt_span shelf_life; /* for this long                            */
};

enum bound_state {
	BOUND_HOLDS,   /* *ret_radius is valid                              */
	BOUND_EXPIRED, /* nothing has been compared for too long, or never  */
	BOUND_BROKEN,  /* `now` precedes `taken`: the counter was disturbed */
};

/* Evaluates @b at @now.  *@ret_radius is written only for BOUND_HOLDS. */
enum bound_state bound_at(const struct bound *b, vt_mono now, vt_span *ret_radius);

#endif
