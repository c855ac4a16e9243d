/* SPDX-License-Identifier: Apache-2.0 */
#include "core/noise.h"

#include <math.h>

/* Deflections beyond this many standard deviations count as this many. */
#define MOST_SIGMAS 2.5

/* Less than this many times the variance that readings say themselves is scattered by chance. */
#define CLEARLY_MORE 2

/* The median of |x| for a normal x of standard deviation 1. */
#define NORMAL_MEDIAN 0.6745

void noise_init(struct noise *n)
{
	*n = (struct noise){ .norm = 1 };
}

void noise_break(struct noise *n)
{
	n->points = 0;
	n->is_chained = false;
}

/* The median of the window's sizes without their signs. */
static double median_size(const struct noise *n)
{
	double sorted[NOISE_WINDOW];

	for (unsigned i = 0; i < n->n; i++) {
		double size = fabs(n->window[i].size);
		unsigned place = i;

		for (; place > 0 && sorted[place - 1] > size; place--)
			sorted[place] = sorted[place - 1];
		sorted[place] = size;
	}
	return sorted[n->n / 2];
}

static double limited(double size, double most)
{
	return fmax(-most, fmin(size, most));
}

static double learn(const struct noise *n)
{
	double most = MOST_SIGMAS * median_size(n) / NORMAL_MEDIAN;
	double opposed = 0, common = 0, said = 0;

	for (unsigned i = 0; i < n->n; i++) {
		const struct deflection *now = &n->window[i];
		const struct deflection *before = &n->window[(i + NOISE_WINDOW - 1) % NOISE_WINDOW];

		/* The oldest of a full window has lost the one before it. */
		if (!now->is_chained || (n->n == NOISE_WINDOW && i == n->next))
			continue;
		opposed -= limited(now->size, most) * limited(before->size, most);
		common += now->common;
		said += now->said;
	}
	return opposed > CLEARLY_MORE * said ? (opposed - said) / common : 0;
}

static void keep(struct noise *n, struct deflection deflection)
{
	n->window[n->next] = deflection;
	n->next = (n->next + 1) % NOISE_WINDOW;
	if (n->n < NOISE_WINDOW)
		n->n++;
	if (n->n >= NOISE_ENOUGH)
		n->variance = learn(n);
}

/* The source's advance beyond nominal from one reading to the next, in ns. */
static double advance(vt_mono raw, vt_real remote, const struct reading *to)
{
	return (double)vt_span_sub(vt_real_since(to->remote, remote), vt_mono_since(to->raw, raw)).ns;
}

/* How far the reading before @r is off the line from the one before it to @r. */
static void deflect(struct noise *n, const struct reading *r)
{
	struct reading middle = { .raw = n->raw[1], .remote = n->remote[1] };
	double whole = vt_span_seconds(vt_mono_since(r->raw, n->raw[0]));
	double share = vt_span_seconds(vt_mono_since(n->raw[1], n->raw[0])) / whole;
	double off = advance(n->raw[0], n->remote[0], &middle) -
	             share * advance(n->raw[0], n->remote[0], r);
	double norm = sqrt(1 + share * share + (1 - share) * (1 - share));

	/* The one before it had our middle as its newest, and our oldest as its middle. */
	keep(n, (struct deflection){
			.is_chained = n->is_chained,
			.size = off / norm,
			.common = (1 - share + n->share) / (norm * n->norm),
			.said = ((1 - share) * n->said[0] + n->share * n->said[1]) / (norm * n->norm),
		});
	n->is_chained = true;
	n->share = share;
	n->norm = norm;
}

void noise_add(struct noise *n, const struct reading *r, double said)
{
	if (n->points == 2)
		deflect(n, r);
	n->raw[0] = n->raw[1];
	n->remote[0] = n->remote[1];
	n->raw[1] = r->raw;
	n->remote[1] = r->remote;
	n->said[0] = n->said[1];
	n->said[1] = said;
	if (n->points < 2)
		n->points++;
}
