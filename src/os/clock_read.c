/* SPDX-License-Identifier: Apache-2.0 */
#include "os/clock_read.h"

#include <errno.h>
#include <stdint.h>

/* Enough that one of them is not interrupted; each costs some 100 ns. */
#define PAIR_TRIES 7

bool clock_to_ns(const struct timespec *t, int64_t *ret_ns)
{
	int64_t ns;

	if (t->tv_nsec < 0 || t->tv_nsec > 999999999)
		return false;
	if (__builtin_mul_overflow((int64_t)t->tv_sec, INT64_C(1000000000), &ns) ||
	    __builtin_add_overflow(ns, (int64_t)t->tv_nsec, &ns))
		return false;
	*ret_ns = ns;
	return true;
}

int clock_read_ns(const struct os_calls *calls, clockid_t id, int64_t *ret_ns)
{
	struct timespec t;
	int r = calls->gettime(calls->context, id, &t);

	if (r < 0)
		return r;
	return clock_to_ns(&t, ret_ns) ? 0 : -EPROTO;
}

int clock_read_bracket(const struct os_calls *calls, clockid_t id, struct bracket *ret)
{
	struct timespec before, inside, after;
	struct bracket b;
	int r;

	/* Nothing but the calls themselves between the calls: what is between them is our error. */
	r = calls->gettime(calls->context, CLOCK_MONOTONIC_RAW, &before);
	if (r < 0)
		return r;
	r = calls->gettime(calls->context, id, &inside);
	if (r < 0)
		return r;
	r = calls->gettime(calls->context, CLOCK_MONOTONIC_RAW, &after);
	if (r < 0)
		return r;

	if (!clock_to_ns(&before, &b.before.ns) || !clock_to_ns(&inside, &b.remote.ns) ||
	    !clock_to_ns(&after, &b.after.ns))
		return -EPROTO;
	if (b.after.ns < b.before.ns)
		return -EAGAIN;
	*ret = b;
	return 0;
}

int clock_read_pair(const struct os_calls *calls, struct clock_pair *ret)
{
	struct bracket best = { .before = { 0 } };
	bool has_best = false;

	for (unsigned i = 0; i < PAIR_TRIES; i++) {
		struct bracket b;
		int r = clock_read_bracket(calls, CLOCK_REALTIME, &b);

		if (r == -EAGAIN)
			continue;
		if (r < 0)
			return r;
		if (!has_best || vt_mono_since(b.after, b.before).ns <
		                         vt_mono_since(best.after, best.before).ns)
			best = b;
		has_best = true;
	}
	if (!has_best)
		return -EAGAIN;

	vt_span width = vt_mono_since(best.after, best.before);

	ret->raw = vt_mono_add(best.before, VT_NS(width.ns / 2));
	ret->local = best.remote;
	/* Half, rounded up, and the nanosecond by which each clock rounds down. */
	ret->radius = VT_NS(width.ns - width.ns / 2 + 1);
	return 0;
}
