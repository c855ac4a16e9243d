/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_INCIDENT_H
#define CORE_INCIDENT_H

/*
 * incident.h - the disruption that is going on, or was the latest
 *
 * Evidence comes in any order.  A host's nudge comes before the reading that
 * proves what happened, its message about the cause perhaps a second after the
 * clock has been repaired.  So what claims nothing by itself is kept for a
 * while, in case a disruption is noticed soon, and what comes late is added to
 * the one that is over and may give it another name.
 *
 * A marker that changes all the time is no evidence of anything: after a few
 * without a loss, one in half a minute is believed.
 */

#include <stdbool.h>

#include "core/disruption.h"

struct incident {
	bool is_open;
	struct disruption it;  /* the open one, or the latest */
	vt_mono noticed, closed;
	unsigned hints;        /* evidence that claimed nothing, ... */
	vt_mono hinted;        /* ... the latest of it as of then */
	bool has_believed;
	double beliefs;        /* how many claims without a reading are believed for now */
	vt_mono believed;
};

/* Evidence that opens nothing by itself. */
void incident_hint(struct incident *i, unsigned evidence, vt_mono now);

/* Whether one more claim that the world jumped, which no reading shows yet, is to be believed. */
bool incident_believes(struct incident *i, vt_mono now);

/*
 * Opens a disruption, with what was hinted at lately, or adds @evidence to the one that is open.
 * @shows: our clock at @now.  @blind_for: since the last good reading.  Whether it was opened.
 */
bool incident_open(struct incident *i, unsigned evidence, vt_real shows, vt_span blind_for,
                   vt_mono now);

/* Closes the open one at @now, which is @at on the clock as it is from now on. */
void incident_close(struct incident *i, enum disruption_end end, enum step_cause cause,
                    vt_span size, vt_real at, vt_mono now);

/*
 * The latest one was nothing, and it begins again for the same reason: as if it had not been closed.
 */
void incident_reopen(struct incident *i, vt_mono now);

/* All that is known of what is going on at @now. */
unsigned incident_evidence(const struct incident *i, vt_mono now);

/* @evidence after the end: whether that gives the latest disruption another cause. */
bool incident_rename(struct incident *i, unsigned evidence, vt_mono now);

#endif
