/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DISRUPTION_H
#define CORE_DISRUPTION_H

/*
 * disruption.h - one jump of the world, from its first sign to its repair
 *
 * Opened by the first evidence, closed when the clock is right again or when
 * nothing turned out to be wrong.  It is what `vmtime events` lists.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"
#include "core/cause.h"

enum disruption_end {
	DISRUPTION_OPEN,     /* still being measured                                           */
	DISRUPTION_STEPPED,
	DISRUPTION_SLEWED,   /* small enough, or `resume slew`                                 */
	DISRUPTION_NOTHING,  /* the clock was right: a nudge, a marker without a loss, an outlier */
	DISRUPTION_LEFT,     /* `resume ignore`, -x, or somebody else's clock: not ours to repair */
	DISRUPTION_HELD,     /* another source contradicts: nothing was followed               */
};

struct disruption {
	uint64_t number;       /* counts from 1 since the start of the daemon                      */
	enum disruption_end end;
	enum step_cause cause;
	unsigned evidence;     /* of enum evidence, all that was known at its end                  */
	int source;            /* index of the source that told its size, or -1                    */
	vt_span size;          /* correction: positive where the clock was behind; 0 while unknown */
	vt_real noticed_at;    /* by the clock as it showed then                                   */
	vt_real repaired_at;   /* by the repaired clock                                            */
	vt_span blind_for;     /* from the last good reading to its notice: at most so long the
	                          clock was wrong and the status still said ok                     */
	vt_span disrupted_for; /* from its notice to its end: so long the status said "disrupted"  */
};

#endif
