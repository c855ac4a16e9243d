/* SPDX-License-Identifier: Apache-2.0 */
#include "core/estimator.h"

#include <math.h>

/* How much the rate of a quiet oscillator wanders: 1 ppb per root second, as VM hosts were seen to. */
#define WANDER_PPB2_PER_S 1.0

/* A clock that is read exactly still shows whole nanoseconds. */
#define NOISE_FLOOR_NS 1.0

/* Beyond this many standard deviations a reading is no noise. */
#define SHOCK_SIGMAS 5.0

/* Nor are several that lean to one side; twice a day or less by chance. */
#define LEANS         1.0
#define LEANS_TOO_FAR 5.0

void estimator_init(struct estimator *e, vt_rate rate, vt_rate sigma)
{
	*e = (struct estimator){ .rate_ppb = rate.ppb, .var_rate = sigma.ppb * sigma.ppb };
	noise_init(&e->noise);
}

void estimator_restart(struct estimator *e, vt_rate sigma)
{
	e->is_started = false;
	e->is_shocked = false;
	e->readings = 0;
	e->rising = e->falling = 0;
	e->var_rate += sigma.ppb * sigma.ppb;
	e->covariance = 0;
	noise_break(&e->noise);
}

void estimator_shift(struct estimator *e, vt_span change)
{
	e->remote = vt_real_add(e->remote, change);
}

void estimator_doubt(struct estimator *e, vt_rate sigma, const struct reading *r)
{
	e->var_rate += sigma.ppb * sigma.ppb;
	e->began = r->raw;
	e->began_radius = r->radius;
}

/* A value anywhere in +/- radius with equal chance has this variance; whole nanoseconds add theirs. */
static double said_variance(const struct reading *r)
{
	double radius = (double)r->radius.ns;

	return radius * radius / 3 + NOISE_FLOOR_NS * NOISE_FLOOR_NS;
}

static double noise_variance(const struct estimator *e, const struct reading *r)
{
	return said_variance(r) + e->noise.variance;
}

/* The expected change of the source's time from the latest reading to @elapsed later, in ns beyond it. */
static double drift_ns(const struct estimator *e, vt_span elapsed)
{
	return e->phase_ns + e->rate_ppb * vt_span_seconds(elapsed);
}

static double phase_variance_after(const struct estimator *e, double s)
{
	return e->var_phase + 2 * s * e->covariance + s * s * e->var_rate +
	       WANDER_PPB2_PER_S * s * s * s / 3;
}

/* One standard deviation of the innovation that @r may have @elapsed after the latest reading. */
static double innovation_sigma(const struct estimator *e, const struct reading *r, vt_span elapsed)
{
	return sqrt(phase_variance_after(e, vt_span_seconds(elapsed)) + noise_variance(e, r));
}

/* Read minus expected; the big parts are subtracted as integers first. */
static double innovation_ns(const struct estimator *e, const struct reading *r, vt_span elapsed)
{
	vt_span moved = vt_real_since(r->remote, e->remote);

	return (double)vt_span_sub(moved, elapsed).ns - drift_ns(e, elapsed);
}

bool estimator_expect(const struct estimator *e, const struct reading *r, struct innovation *ret)
{
	vt_span elapsed = vt_mono_since(r->raw, e->at);

	if (!e->is_started || elapsed.ns <= 0)
		return false;
	*ret = (struct innovation){
		.size = vt_span_from_ns(innovation_ns(e, r, elapsed)),
		.sigma = vt_span_from_ns(innovation_sigma(e, r, elapsed)),
		.since = elapsed,
	};
	return true;
}

static void start(struct estimator *e, const struct reading *r)
{
	e->is_started = true;
	e->readings = 1;
	e->began = r->raw;
	e->began_radius = r->radius;
	e->at = r->raw;
	e->remote = r->remote;
	e->phase_ns = 0;
	e->var_phase = noise_variance(e, r);
	e->covariance = 0;
	noise_add(&e->noise, r, said_variance(r));
}

/* Carries the state and its covariance to @elapsed later. */
static void predict(struct estimator *e, vt_span elapsed)
{
	double s = vt_span_seconds(elapsed);
	double whole = floor(drift_ns(e, elapsed));

	e->phase_ns = drift_ns(e, elapsed) - whole;
	e->remote = vt_real_add(vt_real_add(e->remote, elapsed), vt_span_from_ns(whole));
	e->at = vt_mono_add(e->at, elapsed);
	e->var_phase = phase_variance_after(e, s);
	e->covariance += s * e->var_rate + WANDER_PPB2_PER_S * s * s / 2;
	e->var_rate += WANDER_PPB2_PER_S * s;
}

/*
 * The rate changed once in the last @s seconds, nobody knows when: on average in the middle, so
 * that it changed by twice of what @innovation shows.  For a change of one standard deviation D at
 * a time uniform in [0, s] before now the variances are D^2 times s^2/3, s/2 and 1.  They leave the
 * rate open after this reading; the next one settles it.  Where even that is a shock, it is still
 * the same change, which has lasted for all of the time since: then D^2 times s^2, s and 1.
 */
static void open_up(struct estimator *e, double innovation, double s)
{
	double change = (e->is_shocked ? 1 : 2) * innovation / s;
	double square = change * change;

	e->var_phase += square * s * s / (e->is_shocked ? 1 : 3);
	e->covariance += square * s / (e->is_shocked ? 1 : 2);
	e->var_rate += square;
}

/*
 * Noise goes to and fro; a rate that has changed by less than shows at once leans to one side,
 * reading after reading.  What leans by more than LEANS is added up until it is no noise either.
 */
static bool leans(struct estimator *e, double sigmas)
{
	e->rising = fmax(e->rising + sigmas - LEANS, 0);
	e->falling = fmax(e->falling - sigmas - LEANS, 0);
	return fmax(e->rising, e->falling) > LEANS_TOO_FAR;
}

static void correct(struct estimator *e, double innovation, double variance)
{
	double total = e->var_phase + variance;
	double gain_phase = e->var_phase / total;
	double gain_rate = e->covariance / total;

	e->phase_ns += gain_phase * innovation;
	e->rate_ppb += gain_rate * innovation;
	e->var_rate -= gain_rate * e->covariance;
	e->covariance *= 1 - gain_phase;
	e->var_phase *= 1 - gain_phase;
	/* Rounding must not make a variance negative. */
	e->var_rate = fmax(e->var_rate, 1e-12);
}

enum estimator_verdict estimator_update(struct estimator *e, const struct reading *r)
{
	struct innovation expected;
	enum estimator_verdict verdict = ESTIMATOR_FITS;

	if (!e->is_started) {
		start(e, r);
		return ESTIMATOR_FIRST;
	}
	if (!estimator_expect(e, r, &expected))
		return ESTIMATOR_STALE;

	double innovation = innovation_ns(e, r, expected.since);
	double sigma = innovation_sigma(e, r, expected.since);

	predict(e, expected.since);
	if ((!e->is_shocked && leans(e, innovation / sigma)) || fabs(innovation) > SHOCK_SIGMAS * sigma) {
		e->rising = e->falling = 0;
		open_up(e, innovation, vt_span_seconds(expected.since));
		verdict = ESTIMATOR_SHOCK;
	}
	correct(e, innovation, noise_variance(e, r));
	noise_add(&e->noise, r, said_variance(r));
	e->is_shocked = verdict == ESTIMATOR_SHOCK;
	e->readings++;
	return verdict;
}

vt_real estimator_remote_at(const struct estimator *e, vt_mono at)
{
	vt_span elapsed = vt_mono_since(at, e->at);

	return vt_real_add(vt_real_add(e->remote, elapsed), vt_span_from_ns(drift_ns(e, elapsed)));
}

vt_span estimator_uncertainty(const struct estimator *e, vt_mono at)
{
	double s = fmax(vt_span_seconds(vt_mono_since(at, e->at)), 0);

	return vt_span_from_ns(ceil(sqrt(phase_variance_after(e, s))));
}

vt_span estimator_noise(const struct estimator *e)
{
	return vt_span_from_ns(ceil(sqrt(e->noise.variance)));
}

vt_rate estimator_rate(const struct estimator *e)
{
	return (vt_rate){ e->rate_ppb };
}

vt_rate estimator_rate_sigma(const struct estimator *e)
{
	return (vt_rate){ sqrt(e->var_rate) };
}
