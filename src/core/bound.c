/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bound.h"

#include <assert.h>
#include <math.h>

/* How far a clock that may be off by @rate strays in @elapsed, rounded outwards. */
static vt_span stray(vt_rate rate, vt_span elapsed)
{
	return vt_span_add(vt_span_from_ns(ceil((double)elapsed.ns * rate.ppb / 1e9)), VT_NS(1));
}

enum bound_state bound_at(const struct bound *b, vt_mono now, vt_span *ret_radius)
{
	vt_span age = vt_mono_since(now, b->taken);

	assert(b->radius.ns >= 0);
	assert(b->max_drift.ppb >= 0);

	if (age.ns < 0)
		return BOUND_BROKEN;
	if (age.ns > b->shelf_life.ns)
		return BOUND_EXPIRED;

	*ret_radius = vt_span_add(b->radius, stray(b->max_drift, age));
	return BOUND_HOLDS;
}
