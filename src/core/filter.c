/* SPDX-License-Identifier: Apache-2.0 */
#include "core/filter.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

static vt_span width(const struct bracket *b)
{
	return vt_mono_since(b->after, b->before);
}

static const struct bracket *narrowest(const struct burst *burst)
{
	const struct bracket *best = NULL;

	for (unsigned i = 0; i < burst->n && i < BURST_MAX; i++) {
		const struct bracket *b = &burst->brackets[i];

		if (width(b).ns >= 0 && (!best || width(b).ns < width(best).ns))
			best = b;
	}
	return best;
}

/* The remote time at one instant lies within these. */
struct range {
	vt_real low, high;
};

/* Both clocks show whole nanoseconds, and the rate over a burst is rounded to one as well. */
#define ROUNDING 3

/* Where @b says that the remote clock was at @at, by all that is not known of its rate since then. */
static struct range range_at(const struct bracket *b, vt_mono at, const struct filter_conf *conf)
{
	vt_span early = vt_mono_since(at, b->before), late = vt_mono_since(at, b->after);
	vt_span farthest = vt_span_max(vt_span_abs(early), vt_span_abs(late));
	double open = (double)farthest.ns * conf->unknown.ppb / 1e9;
	vt_span wider = vt_span_from_ns(ceil(open) + ROUNDING);

	late = vt_span_add(late, vt_rate_over(conf->rate, late));
	early = vt_span_add(early, vt_rate_over(conf->rate, early));
	return (struct range){
		.low = vt_real_add(b->remote, vt_span_sub(late, wider)),
		.high = vt_real_add(b->remote, vt_span_add(early, wider)),
	};
}

static bool is_met(const struct range *a, const struct range *b)
{
	return a->low.ns <= b->high.ns && b->low.ns <= a->high.ns;
}

/* Narrows @best's @range by the others of the burst.  Returns how many contradict it. */
static unsigned intersect(const struct burst *burst, const struct bracket *best, vt_mono at,
                          const struct filter_conf *conf, struct range *range)
{
	const struct range alone = *range;
	unsigned contradicted = 0;

	for (unsigned i = 0; i < burst->n && i < BURST_MAX; i++) {
		const struct bracket *b = &burst->brackets[i];
		struct range other;

		if (b == best || width(b).ns < 0)
			continue;
		other = range_at(b, at, conf);
		if (!is_met(range, &other)) {
			contradicted++;
			continue;
		}
		range->low.ns = range->low.ns > other.low.ns ? range->low.ns : other.low.ns;
		range->high.ns = range->high.ns < other.high.ns ? range->high.ns : other.high.ns;
	}
	if (contradicted)
		*range = alone;
	return contradicted;
}

/* What our own clock showed at @raw, carried from the pair that was read nearby. */
static vt_real local_at(const struct clock_pair *pair, vt_mono raw, vt_rate steered)
{
	vt_span elapsed = vt_mono_since(raw, pair->raw);

	return vt_real_add(vt_real_add(pair->local, elapsed), vt_rate_over(steered, elapsed));
}

enum filter_outcome filter_best(const struct burst *burst, const struct filter_conf *conf,
                                struct reading *ret)
{
	const struct bracket *best = narrowest(burst);

	if (!best)
		return FILTER_EMPTY;

	vt_real remote = vt_real_add(best->remote, conf->offset);
	vt_mono middle = vt_mono_add(best->before, (vt_span){ width(best).ns / 2 });
	struct range range;
	unsigned contradicted;
	vt_span half;

	if (remote.ns < FILTER_EARLIEST.ns || remote.ns > FILTER_LATEST.ns)
		return FILTER_INSANE;

	range.low = vt_real_add(best->remote, vt_mono_since(middle, best->after));
	range.high = vt_real_add(best->remote, vt_mono_since(middle, best->before));
	contradicted = intersect(burst, best, middle, conf, &range);
	half = vt_real_since(range.high, range.low);
	remote = vt_real_add(range.high, (vt_span){ -(half.ns / 2) });
	/* Half of it, rounded up: the bound errs outwards. */
	half.ns -= half.ns / 2;
	*ret = (struct reading){
		.method = burst->method,
		.epoch = burst->epoch,
		.raw = middle,
		.remote = vt_real_add(remote, conf->offset),
		.radius = vt_span_max(half, conf->precision),
		.local = local_at(&burst->pair, middle, conf->steered),
		.local_radius = burst->pair.radius,
		.contradicted = contradicted,
	};
	return FILTER_READING;
}
