/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/history.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* 64 of these are 53 minutes at the least, 64 minutes at one a minute. */
#define PEACE_EACH VT_SEC(50)

static float to_float(vt_span uncertainty)
{
	return nextafterf((float)uncertainty.ns, FLT_MAX);
}

static void put(struct history_ring *ring, const struct fleet_point *point)
{
	ring->points[ring->next] = (struct history_point){
		.at = point->at,
		.offset = point->offset,
		.uncertainty_ns = point->has_offset ? to_float(point->uncertainty) : -1,
		.mark = (unsigned char)point->mark,
		.reason = (unsigned char)point->reason,
	};
	ring->next = (unsigned char)((ring->next + 1) % HISTORY_EACH);
	if (ring->n < HISTORY_EACH)
		ring->n++;
}

/* The @i-th of @ring, oldest first. */
static const struct history_point *at(const struct history_ring *ring, unsigned i)
{
	return &ring->points[(HISTORY_EACH + ring->next + i - ring->n) % HISTORY_EACH];
}

void history_add(struct history *h, const struct fleet_point *point, bool is_trouble)
{
	const struct history_ring *peace = &h->peace;

	if (is_trouble) {
		put(&h->trouble, point);
		return;
	}
	if (peace->n) {
		vt_span since = vt_real_since(point->at, at(peace, peace->n - 1u)->at);

		/* Below 0 the host's clock was stepped back. */
		if (since.ns >= 0 && since.ns < PEACE_EACH.ns)
			return;
	}
	put(&h->peace, point);
}

static struct fleet_point unpack(const struct history_point *point)
{
	bool has_offset = point->uncertainty_ns >= 0;

	return (struct fleet_point){
		.at = point->at,
		.mark = (enum fleet_mark)point->mark,
		.reason = (enum host_reason)point->reason,
		.has_offset = has_offset,
		.offset = point->offset,
		.uncertainty = has_offset ? vt_span_from_ns((double)point->uncertainty_ns)
		                          : VT_NS(0),
	};
}

size_t history_read(const struct history *h, struct fleet_point points[FLEET_HISTORY_MAX])
{
	unsigned i = 0, k = 0;
	size_t n = 0;

	while (i < h->peace.n || k < h->trouble.n) {
		const struct history_point *a = i < h->peace.n ? at(&h->peace, i) : NULL;
		const struct history_point *b = k < h->trouble.n ? at(&h->trouble, k) : NULL;

		if (a && (!b || a->at.ns <= b->at.ns)) {
			points[n++] = unpack(a);
			i++;
		} else {
			points[n++] = unpack(b);
			k++;
		}
	}
	return n;
}
