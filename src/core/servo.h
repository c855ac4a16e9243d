/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SERVO_H
#define CORE_SERVO_H

/*
 * servo.h - which rate takes the clock to where it should be
 *
 * The source's rate is fed forward, and the whole phase error is corrected
 * over the time to the next reading, within `maxslewrate`.  A slew above
 * 500 ppm is issued in pieces of at most 50 ms, so that a daemon that is killed
 * in the middle leaves at most 5 ms of it behind (100000 ppm for 50 ms).
 */

#include "base/units.h"

struct servo_plan {
	vt_rate rate; /* what the clock is to run at, against CLOCK_MONOTONIC_RAW      */
	vt_span hold; /* for this long; then ask again, there may be more to correct   */
};

/*
 * @correction is what must be added to the clock, @base the source's rate, @interval the time to
 * the next reading (> 0), @max_slew the largest rate beside @base.
 */
struct servo_plan servo_plan(vt_span correction, vt_rate base, vt_span interval, vt_rate max_slew);

#endif
