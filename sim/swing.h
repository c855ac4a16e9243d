/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SWING_H
#define SIM_SWING_H

/*
 * swing.h - how an oscillator's rate changes by itself, beside its random walk
 *
 * A sine, as of a machine in a room whose air conditioning comes and goes, and
 * flicker: a sum of processes that forget in 1, 4, 16, ... seconds, each with
 * an equal share of the variance, so that no averaging time is quieter than
 * another.  Both move ten times a second.
 */

#include <stdbool.h>

#include "base/units.h"

#define SWING_STEP    VT_MS(100)
#define SWING_OCTAVES 7

struct swing {
	double sine_ppb; /* amplitude */
	vt_span period;
	double flicker_ppb; /* standard deviation of the whole */
	double parts[SWING_OCTAVES];
	vt_mono next;
	double ppb; /* the rate now */
};

bool swing_is_still(const struct swing *s);

/* Moves on to @now, which is one step further; @gaussians: a normal number for each octave. */
void swing_move(struct swing *s, vt_mono now, const double gaussians[SWING_OCTAVES]);

#endif
