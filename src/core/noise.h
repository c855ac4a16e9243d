/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_NOISE_H
#define CORE_NOISE_H

/*
 * noise.h - how much a source's readings scatter, learnt from them
 *
 * A hardware clock that is read "at one instant" may jitter all the same: by its
 * own granularity, by the path to it.  Who takes such readings for exact sees a
 * changed rate in each of them.
 *
 * Of three readings in a row, how far is the middle one off the line through its
 * neighbours?  Noise and a change of rate both make it so; but what noise does to
 * one triple it undoes in the next, which it bends the other way, whereas a change
 * of rate bends both alike.  So the noise is what two successive deflections have
 * in common with opposite signs, on average over the latest ones.  A frequency
 * that walks at random counts against it, and so does one that is stepped, as
 * long as it is read twice between two steps.  A few large deflections count for
 * no more than an ordinary one.
 *
 * What the readings say themselves of their noise (a bracket leaves the reading
 * open by its half) is no news and is taken off: what is learnt comes on top, and
 * nothing is learnt where they scatter by no more than they say.
 */

#include <stdbool.h>

#include "core/reading.h"

#define NOISE_WINDOW 48
#define NOISE_ENOUGH 12 /* deflections before anything is said */

/* How far a middle reading was off, in standard deviations of noise of 1 ns. */
struct deflection {
	bool is_chained; /* it shares two readings with the one before it              */
	double size;
	double common;   /* minus the product with the one before to be expected of 1 ns^2 ... */
	double said;     /* ... and of what the readings say themselves                        */
};

struct noise {
	unsigned points;                  /* of the two latest readings, that are known */
	vt_mono raw[2];                   /* the older one first                        */
	vt_real remote[2];
	double said[2];                   /* the variances that they say, in ns^2      */
	bool is_chained;                  /* the latest deflection was of these two     */
	double share, norm;               /* its weight of the newer one, its length    */
	unsigned n, next;
	struct deflection window[NOISE_WINDOW];
	double variance;                  /* learnt, beyond what they say, in ns^2      */
};

void noise_init(struct noise *n);

/* What comes next is not to be compared with what was before; what was learnt stays. */
void noise_break(struct noise *n);

/* @r follows the reading before it, and says itself that its noise has the variance @said, in ns^2. */
void noise_add(struct noise *n, const struct reading *r, double said);

#endif
