/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TIME_SCALE_H
#define CORE_TIME_SCALE_H

/*
 * time_scale.h - does a clock show UTC or TAI?
 *
 * The two are more than half a minute apart, so a clock that is right on one of
 * them can be told by comparing it with anything that is right to a few seconds.
 */

#include <stdbool.h>

#include "base/units.h"

enum time_scale {
	SCALE_UNKNOWN, /* near neither */
	SCALE_UTC,
	SCALE_TAI,
};

/*
 * Of a clock that is @ahead of what is about UTC.  @tai_minus_utc: as far as it is known, else 0:
 * then the clock's own whole seconds are believed, between 30 and 60.
 */
enum time_scale time_scale_of(vt_span ahead, vt_span tai_minus_utc);

#endif
