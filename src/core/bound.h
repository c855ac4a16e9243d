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
 *
 * What is promised, and on what it rests:
 *
 *  - At @taken the difference was read.  A bracket is a proof; a precise reading is
 *    one as far as its device is exact, so what it was learnt to jitter counts five
 *    times.
 *  - From then on both clocks run on, and nobody looks.  Ours is steered and its rate
 *    known; a guest's counter and its host's clock rest on one crystal, so what can
 *    change unseen is what the host's NTP makes of it.  That is 0.1 ppm at a time in a
 *    host in sync, and tens of ppm where it has just begun to steer.  The promise
 *    is good for a change by 50 ppm beside the rate that was learnt, however short the
 *    readings are apart: known to 1 ppb, a rate is only known to have been so.
 *  - The kernel lets a host's daemon go further: 500 ppm by its own slewing, 83333 ppm
 *    with chrony's default, 100000 ppm at most.  A guest cannot know of it before it
 *    reads, no more than of a jump, and from the beginning of such a slew to the
 *    reading that shows it the bound may be missed, by 33 us for each second at 83
 *    ppm and in proportion.  It is the blind window of a jump, for the same reason,
 *    and only a bound of 10 % of the time since the reading would have none.
 *  - What such a reading shows is a rate or a small jump; until the second one
 *    tells, the bound widens by both.
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
