/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LEAP_H
#define CORE_LEAP_H

/*
 * leap.h - the second that is inserted or left out at a UTC midnight
 *
 * Where it was announced to the kernel, the kernel does it: the clock goes back
 * (or on) by a second at midnight, and so does the host's.  The two are not done
 * in the same instant, so readings near it would be wrong by a second, and
 * nobody reads then.  Afterwards both clocks are expected to be elsewhere by
 * that second, and nothing has jumped.
 *
 * Where only one of the two clocks did it, or nobody had announced it, it shows
 * as a jump by a second about midnight, and is called what it is.
 */

#include <stdbool.h>

#include "base/units.h"

/* Readings nearer to it than this are not used. */
#define LEAP_GUARD VT_SEC(2)

struct leap {
	bool is_due;
	vt_real midnight; /* at the end of this UTC day; what follows is told by @change */
	vt_span change;   /* of both clocks: -1 s for a second that is inserted          */
};

enum leap_phase {
	LEAP_NONE, /* nothing near: read as always    */
	LEAP_NEAR, /* read nothing                    */
	LEAP_DONE, /* it is over: take @change in     */
};

/*
 * The kernel will insert (1) or leave out (-1) a second at the end of the UTC day of @now, by our clock
 * without the leap second; 0: neither, which is no news while it is near.
 */
void leap_announce(struct leap *l, int seconds, vt_real now);

/* @expected: what our clock would show without the leap second. */
enum leap_phase leap_phase_at(const struct leap *l, vt_real expected);

/* How long until nothing is near any more; of LEAP_NEAR. */
vt_span leap_wait(const struct leap *l, vt_real expected);

/*
 * Whether a clock that shows @at may have jumped by @size because of a leap second; nobody has compared
 * it for @unseen.
 */
bool leap_explains(vt_real at, vt_span size, vt_span unseen);

#endif
