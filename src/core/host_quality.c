/* SPDX-License-Identifier: Apache-2.0 */
#include "core/host_quality.h"

#include <stddef.h>

bool host_quality_counts(const struct host_quality *q, vt_mono now)
{
	vt_span age = vt_mono_since(now, q->heard);

	return q->is_heard && age.ns >= 0 && age.ns <= HOST_QUALITY_LASTS.ns;
}

bool host_quality_error(const struct host_quality *q, const vt_span *floor, vt_mono now, vt_span *ret)
{
	vt_span age = vt_mono_since(now, q->heard), said;

	if (!host_quality_counts(q, now)) {
		if (floor)
			*ret = *floor;
		return floor != NULL;
	}
	if (!q->is_synchronized || q->root_distance.ns < 0)
		return false;
	/* Outwards: a nanosecond for what rounding took. */
	said = vt_span_add(q->root_distance, vt_rate_over(HOST_ERROR_GROWTH, age));
	said = vt_span_add(said, VT_NS(1));
	*ret = floor ? vt_span_max(said, *floor) : said;
	return true;
}
