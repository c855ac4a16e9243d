/* SPDX-License-Identifier: Apache-2.0 */
#include "core/servo.h"

#include <math.h>

#define FAST_PPB  500e3 /* above this a slew is issued in pieces */
#define PIECE     VT_MS(50)

/* Below it a correction is of the order of what readings and rates are uncertain by. */
#define SMALL VT_US(1)

/* The larger ones aim at nine tenths, for a wake-up that is late by a tenth; then comes the rest. */
#define SHARE    0.9
#define SHORTEST VT_NS(62500000)

/* All of an offset takes a second at least, except that this pace overdoes 5 us at worst. */
#define PACE_PER_NS 0.97 /* ppb */
#define EASY_PPB    16e3

void servo_init(struct servo *s)
{
	*s = (struct servo){ { 0 } };
}

static struct servo_plan slew_over(double size, vt_span time, double fastest)
{
	return (struct servo_plan){ { fmin(size / vt_span_seconds(time), fastest) }, time };
}

/* As fast as the pace allows, then coast: what is left to do late is over sooner. */
static struct servo_plan slew_at(double fastest, double size, vt_span interval)
{
	vt_span needed = vt_span_from_ns(SHARE * size / fastest * 1e9);
	vt_span hold = vt_span_min(vt_span_max(needed, SHORTEST), interval);
	struct servo_plan plan = slew_over(SHARE * size, hold, fastest);

	/* Too much for one gentle interval: a piece at a time. */
	return plan.rate.ppb > FAST_PPB ? slew_over(SHARE * size, vt_span_min(PIECE, hold), fastest)
	                                : plan;
}

struct servo_plan servo_plan(struct servo *s, vt_span correction, vt_rate base, vt_span interval,
                             vt_rate max_slew)
{
	double size = fabs((double)correction.ns);
	struct servo_plan plan;
	double fastest;

	s->pace.ppb = size <= (double)SMALL.ns ? 0 : fmax(s->pace.ppb, PACE_PER_NS * size);
	fastest = fmin(fmax(s->pace.ppb, EASY_PPB), max_slew.ppb);
	plan = s->pace.ppb > 0 ? slew_at(fastest, size, interval)
	                       : slew_over(size, interval, fastest);
	plan.rate.ppb = base.ppb + (correction.ns < 0 ? -plan.rate.ppb : plan.rate.ppb);
	return plan;
}
