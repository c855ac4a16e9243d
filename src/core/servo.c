/* SPDX-License-Identifier: Apache-2.0 */
#include "core/servo.h"

#include <math.h>

#define FAST_PPB  500e3 /* above this a slew is issued in pieces */
#define PIECE     VT_MS(50)

struct servo_plan servo_plan(vt_span correction, vt_rate base, vt_span interval, vt_rate max_slew)
{
	double slew = (double)correction.ns / vt_span_seconds(interval);

	if (fabs(slew) <= FAST_PPB || max_slew.ppb <= FAST_PPB) {
		slew = copysign(fmin(fabs(slew), max_slew.ppb), slew);
		return (struct servo_plan){ { base.ppb + slew }, interval };
	}

	/* Too much for one gentle interval: a piece at a time, as fast as is allowed. */
	vt_span piece = vt_span_min(PIECE, interval);
	double fast = (double)correction.ns / vt_span_seconds(piece);
	double limited = copysign(fmin(fabs(fast), max_slew.ppb), fast);

	return (struct servo_plan){ { base.ppb + limited }, piece };
}
