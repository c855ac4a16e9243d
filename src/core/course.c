/* SPDX-License-Identifier: Apache-2.0 */
#include "core/course.h"

#include <math.h>

/* Our clock was moved by somebody else when it is off its own course by more than this. */
#define ASTRAY VT_MS(1)

void course_init(struct course *c, vt_rate steered)
{
	*c = (struct course){ .steered = steered };
}

/* How far our clock has run beyond nominal at @at, with the part that no clock shows. */
static double gain_ns(const struct course *c, vt_mono at)
{
	return c->rest_ns + c->steered.ppb * vt_span_seconds(vt_mono_since(at, c->seen.raw));
}

vt_real course_at(const struct course *c, vt_mono at)
{
	vt_span elapsed = vt_mono_since(at, c->seen.raw);

	return vt_real_add(vt_real_add(c->seen.local, elapsed), vt_span_from_ns(gain_ns(c, at)));
}

static void move_on(struct course *c, vt_mono at)
{
	double gain = gain_ns(c, at);

	c->seen.local = course_at(c, at);
	c->rest_ns = gain - (double)vt_span_from_ns(gain).ns;
	c->seen.raw = at;
}

/*
 * A clock shows whole nanoseconds.  We know better where it is, by the rate that the kernel's
 * frequency could really be set to, as long as that is within what it shows.
 */
void course_see(struct course *c, const struct clock_pair *seen)
{
	double most = 0.5 + (double)seen->radius.ns;
	double rest = 0;

	if (c->is_known) {
		move_on(c, seen->raw);
		rest = (double)vt_real_since(c->seen.local, seen->local).ns + c->rest_ns;
	}
	c->seen = *seen;
	c->rest_ns = fabs(rest) > (double)ASTRAY.ns ? 0 : fmax(-most, fmin(rest, most));
	c->is_known = true;
}

void course_steer(struct course *c, vt_rate rate, vt_mono at)
{
	move_on(c, at);
	c->steered = rate;
}

void course_step(struct course *c, vt_span correction)
{
	c->seen.local = vt_real_add(c->seen.local, correction);
}

vt_span course_astray(const struct course *c, const struct clock_pair *seen)
{
	vt_span astray;

	if (!c->is_known)
		return VT_NS(0);
	astray = vt_real_since(seen->local, course_at(c, seen->raw));
	return vt_span_abs(astray).ns > ASTRAY.ns ? astray : VT_NS(0);
}
