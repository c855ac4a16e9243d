/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_MEASURE_H
#define HOSTD_MEASURE_H

/*
 * measure.h - what one question for the time proves of a guest's clock
 *
 * The guest read its clock at some instant between the request and the answer.  So at that
 * instant it was behind the host by something in
 *
 *     [sent - shown - 1 us, answered - shown]
 *
 * since the agent tells whole microseconds, cut off, not rounded.  The offset is the middle,
 * and the uncertainty reaches over both ends and what our own clock can be wrong by: the
 * truth always lies inside, however unequal the two ways are.
 *
 * That holds as long as the host's own clock runs evenly.  Where it moved against
 * CLOCK_MONOTONIC_RAW meanwhile, what it moved by is added; where it was stepped, or slewed by more
 * than a daemon that keeps it does, the measurement is none.
 */

#include "hostd/work.h"

struct measurement {
	vt_span offset;      /* positive: the guest is behind         */
	vt_span uncertainty; /* the offset is known to +/- this       */
	vt_span round_trip;  /* by CLOCK_MONOTONIC_RAW                */
};

enum measure_result {
	MEASURE_GOOD,
	MEASURE_MOVED, /* the host's own clock did, or the instants make no sense */
};

/*
 * From WORK_GET_TIME, done.  @clock_error: what each reading of the host's clock can be wrong by.
 * *@ret is written only for MEASURE_GOOD.
 */
enum measure_result measure(const struct work_outcome *outcome, vt_span clock_error,
                            struct measurement *ret);

#endif
