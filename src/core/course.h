/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_COURSE_H
#define CORE_COURSE_H

/*
 * course.h - what our clock should show by our own doing
 *
 * The clock was seen once, and since then it goes at the rate that it was
 * really given.  So we know it better than it shows, below a nanosecond, and
 * notice when somebody else moves it.
 */

#include <stdbool.h>

#include "core/reading.h"

struct course {
	bool is_known;
	struct clock_pair seen;
	double rest_ns;  /* the part below a nanosecond, which a clock does not show */
	vt_rate steered; /* the rate that the clock runs at now */
};

/* @steered: the rate that the clock is found at. */
void course_init(struct course *c, vt_rate steered);

/* What the clock shows at @at if nobody but us moved it. */
vt_real course_at(const struct course *c, vt_mono at);

/* The clock was looked at. */
void course_see(struct course *c, const struct clock_pair *seen);

/* From @at on it goes at @rate; until then it went at the old one. */
void course_steer(struct course *c, vt_rate rate, vt_mono at);

/* It was stepped. */
void course_step(struct course *c, vt_span correction);

/* By how much somebody else has moved the clock, as it shows in @seen; 0 where that is nothing to speak of. */
vt_span course_astray(const struct course *c, const struct clock_pair *seen);

#endif
