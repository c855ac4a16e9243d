/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TEMPO_H
#define CORE_TEMPO_H

/*
 * tempo.h - how fast the followed source runs, and how far that can be trusted
 *
 * One source's rate has several readings.  The one that was just *seen* may be
 * a jump in disguise; the *base* is what the clock is steered by; the *usual*
 * one is what a source runs at when its host does not slew it, and what is kept
 * when no source answers.  How far these lie apart tells how fast the source
 * and a clock that is left alone may drift apart, which is what a bound is made
 * of (see bound.h).
 */

#include <stdbool.h>

#include "core/source.h"

/*
 * Between readings the clock and its source may drift apart by this much at worst: a crystal
 * moves by less, a host that slews faster than this is recognised as a disruption.
 */
#define TEMPO_MAX_DRIFT VT_PPM(50)

struct tempo {
	vt_rate known, known_sigma; /* beforehand (drift file), or from the sources before */
	vt_rate seen;               /* as of the latest reading ...                        */
	vt_rate changed;            /* ... and by how much that reading alone changed it   */
	vt_rate base;               /* what is believed, without any slew of ours          */
	vt_rate usual;              /* the same, without any slew of the source's own: what holdover keeps ... */
	vt_mono usual_seen;         /* ... and when the source last ran at it              */
	unsigned learning;          /* updates until we claim to know what is usual        */
	bool has_seen;              /* a reading has told                                  */
};

/* @steered: the rate that the clock was found at.  @known: what is known of the source's. */
void tempo_init(struct tempo *t, vt_rate steered, vt_rate known, vt_rate known_sigma);

/* The world jumped, perhaps to another crystal: what is usual is to be learnt anew. */
void tempo_relearn(struct tempo *t);

/* @estimator has learnt a reading of the source that is followed. */
void tempo_note(struct tempo *t, const struct estimator *estimator, vt_mono at);

/* No source answers any more: what it was slewed by goes with it. */
void tempo_hold(struct tempo *t);

/* The sources are forgotten; what @estimator knows of the rate is known beforehand for the next ones. */
void tempo_keep(struct tempo *t, const struct estimator *estimator);

/*
 * The fastest that the source and an unsteered clock may drift apart.  Two readings make a rate, but
 * a jump between them looks the same: only the third shows that it was one.
 */
vt_rate tempo_fastest_drift(const struct tempo *t, const struct source *s);

#endif
