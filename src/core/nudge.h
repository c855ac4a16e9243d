/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_NUDGE_H
#define CORE_NUDGE_H

/*
 * nudge.h - how often others may make us read the clock
 *
 * A nudge asks for a reading at once.  Whoever may nudge could do it ten
 * thousand times a second, so there is a bucket of NUDGE_BURST looks that fills
 * by NUDGE_RATE a second.  What finds it empty is not lost: it waits, together
 * with all that comes meanwhile, for the next look.  So a flood costs NUDGE_RATE
 * readings a second, and the one nudge in it that mattered is late by 1/NUDGE_RATE
 * seconds at most.
 */

#include <stdbool.h>

#include "base/units.h"

#define NUDGE_RATE  4 /* looks a second */
#define NUDGE_BURST 8

struct nudge {
	double tokens;
	vt_mono refilled;
	bool is_waiting;
	unsigned evidence; /* of enum evidence: all that waits */
};

/* A full bucket at @now. */
void nudge_init(struct nudge *n, vt_mono now);

/* Somebody asks; @evidence is what he says. */
void nudge_ask(struct nudge *n, unsigned evidence);

/* When nudge_take has something to give; VT_MONO_NEVER: nobody asked. */
vt_mono nudge_deadline(const struct nudge *n);

/* The look that is due at @now, with all that was said: false, and *@ret_evidence untouched, if none. */
bool nudge_take(struct nudge *n, vt_mono now, unsigned *ret_evidence);

#endif
