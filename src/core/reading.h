/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_READING_H
#define CORE_READING_H

/*
 * reading.h - what a comparison of two clocks yields
 *
 * A *burst* is what the world gives: brackets, each "before" and "after" on the
 * local CLOCK_MONOTONIC_RAW around one value of the remote clock.  A *reading*
 * is what core works with: one local instant, the remote time at it, and how
 * far that can be wrong.  Nothing here knows which device it came from.
 */

#include "base/units.h"

#define BURST_MAX 25 /* as many as PTP_SYS_OFFSET_EXTENDED gives in one call */

/* How a source is read, best first.  METHOD_NONE: not read yet. */
enum method {
	METHOD_NONE,
	METHOD_PRECISE,  /* one hardware instant on both clocks: PTP_SYS_OFFSET_PRECISE  */
	METHOD_EXTENDED, /* the kernel brackets each value: PTP_SYS_OFFSET_EXTENDED      */
	METHOD_BASIC,    /* our own bracket: RAW, the remote clock, RAW                  */
	METHOD_VMCLOCK,  /* our own: RAW, the processor's counter, RAW, and the host's page */
};

/* The remote clock showed @remote at some instant in [@before, @after]. */
struct bracket {
	vt_mono before;
	vt_mono after;
	vt_real remote;
};

/*
 * The system clock showed @local (CLOCK_REALTIME) at @raw, give or take @radius.
 * With a precise reading both come from one counter value and @radius is 0.
 */
struct clock_pair {
	vt_mono raw;
	vt_real local;
	vt_span radius;
};

struct burst {
	enum method method;
	/*
	 * A number that changes when readings before and after must not be mixed: the
	 * counter beneath CLOCK_MONOTONIC_RAW changed (current_clocksource).
	 */
	unsigned epoch;
	unsigned n; /* brackets in use, 1 to BURST_MAX */
	struct bracket brackets[BURST_MAX];
	struct clock_pair pair; /* taken within the same call as the brackets */
};

struct reading {
	enum method method;
	unsigned epoch;
	vt_mono raw;          /* local instant                                           */
	vt_real remote;       /* the source's time at @raw ...                           */
	vt_span radius;       /* ... is within +/- this                                  */
	vt_real local;        /* what our own system clock showed at @raw                */
	vt_span local_radius; /* ... within +/- this                                     */
	unsigned contradicted; /* brackets of the burst that cannot be true beside it   */
};

#endif
