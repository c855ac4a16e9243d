/* SPDX-License-Identifier: Apache-2.0 */
#include "core/nudge.h"

#include <math.h>

void nudge_init(struct nudge *n, vt_mono now)
{
	*n = (struct nudge){ .tokens = NUDGE_BURST, .refilled = now };
}

void nudge_ask(struct nudge *n, unsigned evidence)
{
	n->is_waiting = true;
	n->evidence |= evidence;
}

vt_mono nudge_deadline(const struct nudge *n)
{
	if (!n->is_waiting)
		return VT_MONO_NEVER;
	if (n->tokens >= 1)
		return n->refilled;
	/* A nanosecond more, so that rounding never wakes us before the token is there. */
	return vt_mono_add(n->refilled, vt_span_from_ns((1 - n->tokens) / NUDGE_RATE * 1e9 + 1));
}

bool nudge_take(struct nudge *n, vt_mono now, unsigned *ret_evidence)
{
	vt_span since = vt_mono_since(now, n->refilled);

	/* A counter that went backwards fills nothing, and must not keep the bucket empty either. */
	if (since.ns > 0)
		n->tokens = fmin(NUDGE_BURST, n->tokens + vt_span_seconds(since) * NUDGE_RATE);
	n->refilled = now;
	if (!n->is_waiting || n->tokens < 1)
		return false;
	n->tokens--;
	*ret_evidence = n->evidence;
	n->is_waiting = false;
	n->evidence = 0;
	return true;
}
