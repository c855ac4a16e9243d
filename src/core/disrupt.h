/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DISRUPT_H
#define CORE_DISRUPT_H

/*
 * disrupt.h - did the world jump?
 *
 * A paused or restored guest's clocks stop together, so nothing inside it shows
 * the gap: only the reference, against CLOCK_MONOTONIC_RAW, does.  One reading
 * that no plausible rate explains is a suspicion.  Three that agree with each
 * other within 0.25 s (they lie on one line, of a rate that a host's clock can
 * have) confirm it, and so do six however long they take, for a guest that is
 * never woken up in time; where other evidence has proven that the world jumped,
 * two do, since they only have to tell where the source is now.  Readings so
 * inexact that a slew would look the same are gone on with, for a second at most,
 * until they tell.  One that agrees with the old expectation dismisses it as an
 * outlier; any other starts the suspicion anew, and nothing is followed while
 * it lasts.
 *
 * A source that was silent for long could have drifted far by itself.  Where another one has kept
 * our clock meanwhile that is no excuse, and the caller says how far it may be off at most.
 */

#include <stdbool.h>

#include "core/estimator.h"
#include "core/reading.h"

#define DISRUPT_AGREEING 3
#define DISRUPT_PROVEN   2
#define DISRUPT_LATE     6

struct disrupt {
	bool is_proven;                             /* other evidence says that it jumped         */
	bool is_urgent;                             /* somebody waits for the outcome             */
	bool is_witnessed;                          /* it cannot have drifted by more ...         */
	vt_span drifted;                            /* ... than this since the latest good reading */
	unsigned n;                                 /* suspicious readings that agree so far */
	unsigned in_a_row;                          /* the same, not only the latest ones       */
	struct reading suspects[DISRUPT_AGREEING];  /* the latest of them                        */
	struct reading first;                       /* of those that agree                       */
	vt_mono since;                              /* of the latest reading before the suspicion */
	vt_mono noticed;                            /* the suspicion's first reading              */
};

enum disrupt_verdict {
	DISRUPT_QUIET,     /* as expected: use the reading                                   */
	DISRUPT_DISMISSED, /* as expected, and what was suspected before it was an outlier   */
	DISRUPT_SUSPECTED, /* not as expected: read again at once, use nothing               */
	DISRUPT_AGAIN,     /* nor does it agree with the suspicion: that starts anew         */
	DISRUPT_JUMPED,    /* confirmed: the source is elsewhere, suspects[] hold where      */
	DISRUPT_SLEWED,    /* confirmed: no jump, the source runs at quite another rate      */
};

void disrupt_init(struct disrupt *d);

/* Judges @r before the estimator has seen it.  @e is where the source is expected. */
enum disrupt_verdict disrupt_judge(struct disrupt *d, const struct estimator *e,
                                   const struct reading *r);

/* The rate of the line through the suspects beyond nominal; after DISRUPT_JUMPED or DISRUPT_SLEWED. */
vt_rate disrupt_rate(const struct disrupt *d);

#endif
