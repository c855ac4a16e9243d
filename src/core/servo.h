/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SERVO_H
#define CORE_SERVO_H

/*
 * servo.h - which rate takes the clock to where it should be
 *
 * The source's rate is fed forward, and the whole phase error is corrected
 * over the time to the next reading, within `maxslewrate`.
 *
 * A guest's wake-ups come late: by some share of the wait, and now and then by
 * 0.3 s, while its CPU is taken away.  All that time the slew goes on, so what is
 * larger than a reading's noise aims a little short, and is done at the pace that
 * takes a second for all of it, and no faster: 0.3 s of that are 30 %.  The pace
 * is set by the largest offset since the clock was last right, so that the end of
 * a slew is not slower than its beginning.
 *
 * A slew above 500 ppm is issued in pieces of at most 50 ms, so that a late wake-up
 * overdoes little.  A daemon that is killed in the middle leaves its rate to the
 * kernel, which keeps it until `vmtimed --restore-clock` ends it: the unit's
 * ExecStopPost does that at once.
 */

#include "base/units.h"

struct servo {
	vt_rate pace; /* of the slew in progress, 0 or more */
};

struct servo_plan {
	vt_rate rate; /* what the clock is to run at, against CLOCK_MONOTONIC_RAW      */
	vt_span hold; /* for this long; then ask again, there may be more to correct   */
};

void servo_init(struct servo *s);

/*
 * @correction is what must be added to the clock, @base the source's rate, @interval the time to
 * the next reading (> 0), @max_slew the largest rate beside @base.
 */
struct servo_plan servo_plan(struct servo *s, vt_span correction, vt_rate base, vt_span interval,
                             vt_rate max_slew);

#endif
