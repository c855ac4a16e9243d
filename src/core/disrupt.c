/* SPDX-License-Identifier: Apache-2.0 */
#include "core/disrupt.h"

#include <math.h>

/*
 * A reading is suspicious beyond what noise and a change of rate can do.  Crystals differ by up to
 * 50 ppm and NTP steers within that; 100 ppm of the time since the last reading covers both.
 */
#define PLAUSIBLE_PPB   100e3
#define UNSUSPICIOUS_NS 20e3

/* What was known of the rate before any two readings may be another machine's. */
#define UNPROVEN_PPB 500e3
#define NOISE_SIGMAS    5.0

/* The kernel runs a clock at most this far from nominal, so a slewing host stays within it. */
#define FASTEST_PPB 100e6

/* Suspects agree when they lie on one line, give or take their brackets and this much change of rate. */
#define AGREE_NS  10e3
#define AGREE_PPB 200e3

/* For so many readings of 25 ms, to see whether it is a slew. */
#define PATIENCE 40

static const vt_span AGREE_WITHIN = { 250000000 };

void disrupt_init(struct disrupt *d)
{
	*d = (struct disrupt){ 0 };
}

static bool is_expected(const struct disrupt *d, const struct estimator *e, const struct reading *r)
{
	struct innovation i;
	vt_span since;
	double plausible = e->readings > 1 ? PLAUSIBLE_PPB : UNPROVEN_PPB, drifted;

	if (!estimator_expect(e, r, &i))
		return true; /* the first reading, or a stale one: no business of ours */
	/* What was suspicious once does not become plausible by being looked at again. */
	since = d->n > 0 ? vt_mono_since(d->noticed, d->since) : i.since;
	drifted = plausible * vt_span_seconds(since);
	if (d->is_witnessed)
		drifted = fmin(drifted, (double)d->drifted.ns);
	return fabs((double)i.size.ns) <= UNSUSPICIOUS_NS + (double)r->radius.ns +
	                                          NOISE_SIGMAS * (double)i.sigma.ns + drifted;
}

/* The source's advance beyond nominal from @a to @b, in ns. */
static double advance(const struct reading *a, const struct reading *b)
{
	return (double)vt_span_sub(vt_real_since(b->remote, a->remote),
	                           vt_mono_since(b->raw, a->raw)).ns;
}

static double seconds(const struct reading *a, const struct reading *b)
{
	return vt_span_seconds(vt_mono_since(b->raw, a->raw));
}

static double radii(const struct reading *a, const struct reading *b)
{
	return (double)a->radius.ns + (double)b->radius.ns;
}

/* Can one clock have shown both, without a jump between? */
static bool is_one_clock(const struct reading *a, const struct reading *b)
{
	return seconds(a, b) > 0 &&
	       fabs(advance(a, b)) <= AGREE_NS + radii(a, b) + FASTEST_PPB * seconds(a, b);
}

/* Do three lie on one line? */
static bool is_one_line(const struct reading *a, const struct reading *b, const struct reading *c)
{
	double slope = advance(a, b) / seconds(a, b);
	/* What the brackets of a and b leave open of the slope counts where it is carried to c. */
	double open = radii(a, b) / seconds(a, b);

	return fabs(advance(b, c) - slope * seconds(b, c)) <=
	       AGREE_NS + radii(b, c) + (AGREE_PPB + open) * seconds(b, c);
}

static void suspect(struct disrupt *d, const struct reading *r)
{
	if (d->n == DISRUPT_AGREEING) {
		d->suspects[0] = d->suspects[1];
		d->suspects[1] = d->suspects[2];
		d->n--;
	}
	d->suspects[d->n++] = *r;
	if (d->in_a_row++ == 0)
		d->first = *r;
}

static bool agrees(const struct disrupt *d, const struct reading *r)
{
	const struct reading *last = &d->suspects[d->n - 1];

	if (!is_one_clock(last, r))
		return false;
	return d->n < 2 || is_one_line(&d->suspects[d->n - 2], last, r);
}

static bool is_confirmed(const struct disrupt *d)
{
	if (d->n < (d->is_proven ? DISRUPT_PROVEN : DISRUPT_AGREEING))
		return false;
	return d->in_a_row >= DISRUPT_LATE ||
	       vt_mono_since(d->suspects[d->n - 1].raw, d->suspects[0].raw).ns <= AGREE_WITHIN.ns;
}

static const struct reading *latest(const struct disrupt *d)
{
	return &d->suspects[d->n - 1];
}

vt_rate disrupt_rate(const struct disrupt *d)
{
	return (vt_rate){ advance(&d->first, latest(d)) / seconds(&d->first, latest(d)) };
}

/* What the brackets leave open of that. */
static double rate_open(const struct disrupt *d)
{
	return radii(&d->first, latest(d)) / seconds(&d->first, latest(d));
}

/*
 * A source that was slewed since the last good reading is where its new rate would have taken it
 * by now, or nearer: the slew may have begun at any time in between.
 */
static bool is_explained_by_rate(const struct disrupt *d, const struct estimator *e)
{
	struct innovation i;
	double excess = disrupt_rate(d).ppb - estimator_rate(e).ppb;

	if (!estimator_expect(e, &d->first, &i))
		return false;

	double s = vt_span_seconds(i.since);
	double explained = excess * s;

	return fabs(excess) > PLAUSIBLE_PPB && (double)i.size.ns * explained > 0 &&
	       fabs((double)i.size.ns) <= fabs(explained) * 1.2 + AGREE_NS + rate_open(d) * s;
}

/* Is what the brackets leave open of the rate enough to make a slew of a jump? */
static bool is_ambiguous(const struct disrupt *d, const struct estimator *e)
{
	struct innovation i;

	if (d->is_proven || d->in_a_row >= PATIENCE || !estimator_expect(e, &d->first, &i))
		return false;
	return fabs((double)i.size.ns) <= 2 * rate_open(d) * vt_span_seconds(i.since);
}

enum disrupt_verdict disrupt_judge(struct disrupt *d, const struct estimator *e,
                                   const struct reading *r)
{
	bool was_suspicious = d->n > 0;

	if (is_expected(d, e, r)) {
		disrupt_init(d);
		return was_suspicious ? DISRUPT_DISMISSED : DISRUPT_QUIET;
	}
	if (!was_suspicious) {
		d->since = e->at;
		d->noticed = r->raw;
		suspect(d, r);
		return DISRUPT_SUSPECTED;
	}
	if (!agrees(d, r)) {
		d->n = d->in_a_row = 0;
		suspect(d, r);
		return DISRUPT_AGAIN;
	}
	suspect(d, r);
	if (!is_confirmed(d) || is_ambiguous(d, e))
		return DISRUPT_SUSPECTED;
	return !d->is_proven && is_explained_by_rate(d, e) ? DISRUPT_SLEWED : DISRUPT_JUMPED;
}
