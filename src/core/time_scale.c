/* SPDX-License-Identifier: Apache-2.0 */
#include "core/time_scale.h"

/* What is "about UTC" may be wrong by this much: an RTC, a clock that was not compared for long. */
#define ABOUT VT_SEC(5)

/* TAI - UTC is 37 s since 2017, and changed by 10 s in the thirty years before. */
#define TAI_LEAST VT_SEC(30)
#define TAI_MOST  VT_SEC(60)

static bool is_about(vt_span a, vt_span b)
{
	return vt_span_abs(vt_span_sub(a, b)).ns <= ABOUT.ns;
}

enum time_scale time_scale_of(vt_span ahead, vt_span tai_minus_utc)
{
	if (is_about(ahead, VT_NS(0)))
		return SCALE_UTC;
	if (tai_minus_utc.ns != 0)
		return is_about(ahead, tai_minus_utc) ? SCALE_TAI : SCALE_UNKNOWN;
	return ahead.ns >= TAI_LEAST.ns && ahead.ns <= TAI_MOST.ns ? SCALE_TAI : SCALE_UNKNOWN;
}
