/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/candm_limit.h"

void candm_limit_init(struct candm_limit *l, const struct candm_limit_conf *conf, uint64_t secret)
{
	*l = (struct candm_limit){ .conf = *conf, .secret = secret };
	for (unsigned i = 0; i < CANDM_LIMIT_PLACES; i++)
		l->full_at[i] = (vt_mono){ INT64_MIN };
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t hash(const struct candm_limit *l, const void *sender, size_t n)
{
	const uint8_t *bytes = sender;
	uint64_t h = l->secret;

	for (size_t i = 0; i < n; i++)
		h = mix(h ^ bytes[i]) + l->secret;
	return mix(h);
}

/* Takes one answer from a place that has one left. */
static bool take(struct candm_limit *l, uint64_t place, vt_mono now)
{
	vt_span all = { l->conf.interval.ns * (int64_t)l->conf.burst };
	vt_mono full_at = l->full_at[place];

	if (full_at.ns < now.ns)
		full_at = now;
	full_at = vt_mono_add(full_at, l->conf.interval);
	if (vt_mono_since(full_at, now).ns > all.ns)
		return false;
	l->full_at[place] = full_at;
	return true;
}

bool candm_limit_allows(struct candm_limit *l, const void *sender, size_t n, vt_mono now)
{
	uint64_t h, first, second;

	if (l->conf.interval.ns == 0)
		return true;
	h = hash(l, sender, n);
	first = h % CANDM_LIMIT_PLACES;
	second = (first + 1 + h / CANDM_LIMIT_PLACES % (CANDM_LIMIT_PLACES - 1)) % CANDM_LIMIT_PLACES;
	if (take(l, first, now) || take(l, second, now))
		return true;
	/* Chance, so that one who forges another's address cannot shut him out for good. */
	if (l->conf.leak == 0)
		return false;
	return (mix(l->secret + ++l->rolls) & ((UINT64_C(1) << l->conf.leak) - 1)) == 0;
}
