/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_FILTER_H
#define CORE_FILTER_H

/*
 * filter.h - the best reading that a burst holds
 *
 * A bracket tells that the remote clock showed a value at some instant between
 * two local ones: the difference of the two clocks lies in an interval.  It lies
 * in those of all brackets of a burst, so in their intersection, whose middle is
 * the reading and whose half is all that can be wrong with it.  Nothing is
 * averaged: the truth lies inside every bracket, not at the mean of their middles.
 *
 * To be compared, the brackets are carried to one instant by the source's rate,
 * and widened by what is not known of that.  Brackets that have no instant in
 * common cannot all be true (the source jumped in the middle of the burst, or
 * jitters by more than its brackets say).  Then nothing is concluded from how they
 * lie to each other: the narrowest is taken as it is, and those that contradict
 * the others are counted.
 *
 * A reference outside the years that vmtime was made for is not a clock.  The
 * *difference* to our own clock is no objection: a guest may wake up in 1970.
 */

#include "core/reading.h"

/* VMTIME_EPOCH: the release's date, seconds since 1970, set by the build. */
#define FILTER_EARLIEST ((vt_real){ VMTIME_EPOCH * INT64_C(1000000000) })
#define FILTER_LATEST   ((vt_real){ (VMTIME_EPOCH + INT64_C(50) * 31557600) * INT64_C(1000000000) })

enum filter_outcome {
	FILTER_READING,
	FILTER_EMPTY,  /* no bracket, or none whose end does not precede its beginning */
	FILTER_INSANE, /* the reference is outside [release, release + 50 years]       */
};

/* What is done to a reading besides choosing it. */
struct filter_conf {
	vt_span offset;    /* added to the remote time (`offset`, and UTC - TAI)  */
	vt_span precision; /* no reading is taken for better than +/- this        */
	vt_rate steered;   /* the rate our clock runs at, to carry the local pair */
	vt_rate rate;      /* the source's, against CLOCK_MONOTONIC_RAW ...       */
	vt_rate unknown;   /* ... which cannot be farther off than this           */
};

/* Writes *@ret only for FILTER_READING. */
enum filter_outcome filter_best(const struct burst *burst, const struct filter_conf *conf,
                                struct reading *ret);

#endif
