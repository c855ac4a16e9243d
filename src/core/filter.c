/* SPDX-License-Identifier: Apache-2.0 */
#include "core/filter.h"

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
	/* Half the width, rounded up: the bound errs outwards. */
	vt_span half = { (width(best).ns + 1) / 2 };
	vt_mono middle = vt_mono_add(best->before, (vt_span){ width(best).ns / 2 });

	if (remote.ns < FILTER_EARLIEST.ns || remote.ns > FILTER_LATEST.ns)
		return FILTER_INSANE;

	*ret = (struct reading){
		.method = burst->method,
		.epoch = burst->epoch,
		.raw = middle,
		.remote = remote,
		.radius = vt_span_max(half, conf->precision),
		.local = local_at(&burst->pair, middle, conf->steered),
		.local_radius = burst->pair.radius,
	};
	return FILTER_READING;
}
