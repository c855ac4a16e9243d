/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/measure.h"

/* The agent's answer is cut to this. */
#define RESOLUTION VT_US(1)

/* How far the host's clock may move against the raw one: a daemon's usual slew, and some. */
#define MOVED_MOST VT_MS(1)
#define SLEW_PARTS 1000 /* 1/1000: 1000 ppm */

enum measure_result measure(const struct work_outcome *outcome, vt_span clock_error,
                            struct measurement *ret)
{
	vt_span trip = vt_mono_since(outcome->answered.mono, outcome->sent.mono);
	vt_span shown = vt_real_since(outcome->answered.real, outcome->sent.real);
	vt_span moved = vt_span_abs(vt_span_sub(shown, trip));
	vt_span longest = vt_span_max(trip, shown);
	vt_real middle;

	if (trip.ns < 0 || moved.ns > vt_sat_add(MOVED_MOST.ns, trip.ns / SLEW_PARTS))
		return MEASURE_MOVED;

	middle = vt_real_add(outcome->sent.real, VT_NS(shown.ns / 2));
	ret->offset = vt_real_since(middle, outcome->guest_time);
	ret->uncertainty = vt_span_add(VT_NS(longest.ns / 2 + 1), RESOLUTION);
	ret->uncertainty = vt_span_add(ret->uncertainty, vt_span_add(moved, clock_error));
	ret->round_trip = trip;
	return MEASURE_GOOD;
}
