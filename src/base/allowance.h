/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ALLOWANCE_H
#define BASE_ALLOWANCE_H

/*
 * allowance.h - how often something may happen
 *
 * A few times at once, and one more each interval after that.  For whatever
 * comes from outside as often as it likes: what is not allowed now is looked at
 * later, or not told.
 */

#include <stdbool.h>

#include "base/units.h"

struct allowance {
	unsigned most;    /* at once                             */
	vt_span interval; /* until one more is given, above 0    */
	unsigned spent;   /* of @most                            */
	vt_mono given;    /* when the latest was given back      */
};

#define ALLOWANCE(at_once, every) ((struct allowance){ .most = (at_once), .interval = (every) })

/* Gives back what is due by @now. */
static inline void allowance_refill(struct allowance *a, vt_mono now)
{
	int64_t due = vt_mono_since(now, a->given).ns / a->interval.ns;

	if (a->spent == 0 || due < 0 || due >= a->spent) {
		a->spent = 0;
		a->given = now;
		return;
	}
	a->spent -= (unsigned)due;
	a->given = vt_mono_add(a->given, VT_NS(due * a->interval.ns));
}

/* Whether there is one as of the latest call that was told the time. */
static inline bool allowance_is_left(const struct allowance *a)
{
	return a->spent < a->most;
}

/* When there is one again; where one is left, an instant that is past or soon. */
static inline vt_mono allowance_next(const struct allowance *a)
{
	return vt_mono_add(a->given, a->interval);
}

static inline bool allowance_has(struct allowance *a, vt_mono now)
{
	allowance_refill(a, now);
	return allowance_is_left(a);
}

/* Takes one.  False where there is none now. */
static inline bool allowance_take(struct allowance *a, vt_mono now)
{
	if (!allowance_has(a, now))
		return false;
	a->spent++;
	return true;
}

#endif
