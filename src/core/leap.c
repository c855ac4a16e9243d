/* SPDX-License-Identifier: Apache-2.0 */
#include "core/leap.h"

#define DAY INT64_C(86400000000000)

/* It is noticed within a minute; a clock that was inserted a second into is before midnight again. */
#define BEFORE VT_SEC(2)
#define AFTER  VT_SEC(60)

/* A leap second is one second; the rest is what clocks are off by anyway. */
#define SIZE_GIVE VT_MS(10)

static vt_real day_end(vt_real at)
{
	int64_t into = ((at.ns % DAY) + DAY) % DAY;

	return vt_real_add(at, VT_NS(DAY - into));
}

/* When both clocks are beyond it and its guard: by the clock that goes on, one second later. */
static vt_real end_of(const struct leap *l)
{
	return vt_real_add(l->midnight, vt_span_sub(LEAP_GUARD, vt_span_min(l->change, VT_NS(0))));
}

enum leap_phase leap_phase_at(const struct leap *l, vt_real expected)
{
	if (!l->is_due || vt_real_since(l->midnight, expected).ns > LEAP_GUARD.ns)
		return LEAP_NONE;
	return expected.ns < end_of(l).ns ? LEAP_NEAR : LEAP_DONE;
}

void leap_announce(struct leap *l, int seconds, vt_real now)
{
	/* While the kernel does it, it says no more that it is going to. */
	if (seconds == 0 && leap_phase_at(l, now) == LEAP_NONE)
		*l = (struct leap){ 0 };
	else if (seconds != 0 && !l->is_due)
		*l = (struct leap){ true, day_end(now), VT_SEC(seconds > 0 ? -1 : 1) };
}

vt_span leap_wait(const struct leap *l, vt_real expected)
{
	return vt_real_since(end_of(l), expected);
}

bool leap_explains(vt_real at, vt_span size, vt_span unseen)
{
	vt_span off = vt_span_abs(vt_span_sub(vt_span_abs(size), VT_SEC(1)));
	vt_span left = vt_real_since(day_end(at), at);
	vt_span after = vt_span_add(AFTER, unseen);

	return off.ns <= SIZE_GIVE.ns && (left.ns <= BEFORE.ns || left.ns >= DAY - after.ns);
}
