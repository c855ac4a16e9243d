/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ESTIMATOR_H
#define CORE_ESTIMATOR_H

/*
 * estimator.h - where a source's time is, and how fast it runs
 *
 * One source against CLOCK_MONOTONIC_RAW, which nothing steers: the estimator
 * never sees vmtime's own corrections, so estimation and control cannot disturb
 * each other.  A Kalman filter of two states, phase and rate.  The rate walks
 * at random a little; a *shock* (the host's own NTP changed its frequency) is
 * recognised by an innovation far beyond what the covariance allows, or by
 * several that lean to one side, and opens the rate up so that this reading and
 * the next teach the new one at once.
 *
 * A reading is as noisy as its bracket says, or as its source was learnt to be (see
 * noise.h), whichever is more.
 *
 * The phase is kept as an integer line plus a remainder below a nanosecond, so
 * no absolute time is ever held in a double.
 */

#include <stdbool.h>

#include "core/noise.h"
#include "core/reading.h"

struct estimator {
	bool is_started;
	bool is_shocked;   /* the latest reading was one of a changed rate */
	unsigned readings; /* since the (re)start ...                                */
	vt_mono began;     /* ... which was then, ...                                */
	vt_span began_radius; /* ... with a reading as exact as this                 */
	vt_mono at;        /* of the latest reading                                  */
	vt_real remote;    /* the source's time at @at, without ...                  */
	double phase_ns;   /* ... this remainder                                     */
	double rate_ppb;   /* how much faster than CLOCK_MONOTONIC_RAW it runs       */
	double var_phase, covariance, var_rate; /* ns^2, ns ppb, ppb^2               */
	double rising, falling; /* innovations that lean to one side, added up       */
	struct noise noise; /* of the readings, where it is more than they say       */
};

enum estimator_verdict {
	ESTIMATOR_FIRST, /* the reading started the estimator               */
	ESTIMATOR_FITS,  /* it was within the noise                         */
	ESTIMATOR_SHOCK, /* it was not: the rate has changed and is learnt  */
	ESTIMATOR_STALE, /* it does not follow the latest one: not used     */
};

/* How a reading differs from what was expected of it. */
struct innovation {
	vt_span size;  /* read minus expected                              */
	vt_span sigma; /* standard deviation that was expected of @size    */
	vt_span since; /* on CLOCK_MONOTONIC_RAW, since the latest reading */
};

/* Forgets everything; the rate is taken to be @rate within +/- @sigma (one standard deviation). */
void estimator_init(struct estimator *e, vt_rate rate, vt_rate sigma);

/* Forgets the phase and keeps the rate, trusting it within +/- @sigma more than before. */
void estimator_restart(struct estimator *e, vt_rate sigma);

/* The source is known to show @change more from now on. */
void estimator_shift(struct estimator *e, vt_span change);

/*
 * Trusts the rate by this much less from now on; where the source is stays known.  @r, the reading
 * that was learnt last, begins the proof of the rate anew.
 */
void estimator_doubt(struct estimator *e, vt_rate sigma, const struct reading *r);

/* False before the first reading, or where @r does not follow the latest one. */
bool estimator_expect(const struct estimator *e, const struct reading *r, struct innovation *ret);

enum estimator_verdict estimator_update(struct estimator *e, const struct reading *r);

/* The source's time at @at; only once started. */
vt_real estimator_remote_at(const struct estimator *e, vt_mono at);

/* One standard deviation of the above; grows with the time since the latest reading. */
vt_span estimator_uncertainty(const struct estimator *e, vt_mono at);

/* One standard deviation that readings were learnt to scatter by, beyond what they say themselves. */
vt_span estimator_noise(const struct estimator *e);

vt_rate estimator_rate(const struct estimator *e);
vt_rate estimator_rate_sigma(const struct estimator *e);

#endif
