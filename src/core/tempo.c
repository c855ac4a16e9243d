/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tempo.h"

#include <math.h>

/*
 * A source this far from its usual rate is being slewed, which ends as suddenly as it began.  If
 * it does not end for so long, that is its usual rate from then on.
 */
#define SLEWING    VT_PPM(50)
#define SLEW_LASTS VT_SEC(600)

/* At first, and after a migration, it is not known; but no crystal is farther off than this. */
#define CRYSTAL  VT_PPM(200)
#define LEARNING 16

/* A rate that changed by more than this is believed when it is seen twice. */
#define DOUBTFUL VT_PPM(10)

#define RATE_SIGMAS 3 /* how many count as certain */

void tempo_init(struct tempo *t, vt_rate steered, vt_rate known, vt_rate known_sigma)
{
	*t = (struct tempo){
		.known = known,
		.known_sigma = known_sigma,
		.base = steered,
		.usual = known,
		.learning = LEARNING,
	};
}

void tempo_relearn(struct tempo *t)
{
	t->learning = LEARNING;
}

/*
 * The first reading of a shock tells that something has changed, not what: where it is more than
 * an NTP daemon changes a rate by, it may have been the time.  The next reading tells, and until then
 * the rate stays.
 */
static bool is_doubtful(const struct tempo *t, const struct estimator *estimator)
{
	return t->has_seen && estimator->is_shocked &&
	       fabs(estimator_rate(estimator).ppb - t->base.ppb) > DOUBTFUL.ppb;
}

static void believe(struct tempo *t, vt_rate rate, vt_mono at)
{
	/*
	 * While learning, what any crystal can do is taken for usual, wherever we found the clock: it
	 * may have been left in the middle of a slew.
	 */
	bool is_usual = fabs(rate.ppb - t->usual.ppb) <= SLEWING.ppb ||
	                (t->learning > 0 && fabs(rate.ppb) <= CRYSTAL.ppb);

	if (is_usual || (t->has_seen && vt_mono_since(at, t->usual_seen).ns > SLEW_LASTS.ns))
		t->usual = rate;
	if (is_usual || !t->has_seen)
		t->usual_seen = at;
	if (t->learning > 0)
		t->learning--;
	t->base = rate;
}

void tempo_note(struct tempo *t, const struct estimator *estimator, vt_mono at)
{
	vt_rate rate = estimator_rate(estimator);

	t->changed.ppb = fabs(rate.ppb - (t->has_seen ? t->seen : t->known).ppb);
	t->seen = rate;
	if (!is_doubtful(t, estimator))
		believe(t, rate, at);
	t->has_seen = true;
}

void tempo_hold(struct tempo *t)
{
	t->base = t->usual;
}

void tempo_keep(struct tempo *t, const struct estimator *estimator)
{
	t->known = estimator_rate(estimator);
	t->known_sigma = estimator_rate_sigma(estimator);
}

/*
 * What lies beyond all that a reading can be wrong by has moved there since the reading before, however
 * little the estimate makes of a wide bracket.  As fast as that it may go on.
 */
static double proven_ppb(const struct source *s)
{
	vt_span surprise = vt_span_abs(s->surprise), error = source_error(s);

	if (s->compared_after.ns <= 0 || surprise.ns <= error.ns)
		return 0;
	return (double)vt_span_add(surprise, error).ns / vt_span_seconds(s->compared_after);
}

vt_rate tempo_fastest_drift(const struct tempo *t, const struct source *s)
{
	double drift = TEMPO_MAX_DRIFT.ppb + RATE_SIGMAS * estimator_rate_sigma(&s->estimator).ppb;
	double slew = fabs(t->base.ppb - t->usual.ppb);
	double unproven = source_unproven_rate(s).ppb;

	/* What one reading says of the rate, a small jump would say as well. */
	drift += fmax(fmax(fabs(t->seen.ppb - t->base.ppb), t->changed.ppb), proven_ppb(s));
	if (unproven > 0)
		drift += fmax(RATE_SIGMAS * t->known_sigma.ppb, unproven);
	return (vt_rate){ slew > SLEWING.ppb ? drift + slew : drift };
}
