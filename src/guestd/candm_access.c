/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/candm_access.h"

#include <string.h>

static int bits_of(unsigned family)
{
	return family == CANDM_IPV4 ? 32 : family == CANDM_IPV6 ? 128 : 0;
}

static struct candm_address prefix_of(const struct candm_address *a, int bits)
{
	struct candm_address prefix = { .family = a->family };

	for (int i = 0; i < bits; i++)
		prefix.bytes[i / 8] |= (uint8_t)(a->bytes[i / 8] & (0x80 >> i % 8));
	return prefix;
}

static bool is_within(const struct candm_address *a, const struct candm_access_rule *rule)
{
	struct candm_address prefix = prefix_of(a, rule->bits);

	return a->family == rule->subnet.family &&
	       memcmp(prefix.bytes, rule->subnet.bytes, sizeof prefix.bytes) == 0;
}

/* Removes the rules that @rule is about: the one for its subnet, or all within it. */
static void make_way(struct candm_access *a, const struct candm_access_rule *rule, bool is_for_all)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < a->n; i++) {
		const struct candm_access_rule *old = &a->rules[i];
		bool is_same = old->bits == rule->bits || (is_for_all && old->bits > rule->bits);

		if (!is_same || !is_within(&old->subnet, rule))
			a->rules[kept++] = *old;
	}
	a->n = kept;
}

bool candm_access_add(struct candm_access *a, const struct candm_address *subnet, int bits,
		      bool is_allowed, bool is_for_all)
{
	struct candm_access changed = *a;
	struct candm_access_rule rules[2] = { { .is_allowed = is_allowed } };
	unsigned n = 0;

	if (bits < 0 || bits > bits_of(subnet->family) || subnet->family == CANDM_ID)
		return false;
	rules[0].bits = bits;
	rules[0].subnet = prefix_of(subnet, bits);
	if (subnet->family == CANDM_UNSPECIFIED) {
		rules[1] = rules[0];
		rules[n++].subnet.family = CANDM_IPV4;
		rules[n].subnet.family = CANDM_IPV6;
	}
	for (unsigned i = 0; i <= n; i++)
		make_way(&changed, &rules[i], is_for_all);
	if (changed.n + n + 1 > CANDM_ACCESS_MAX)
		return false;
	for (unsigned i = 0; i <= n; i++)
		changed.rules[changed.n++] = rules[i];
	*a = changed;
	return true;
}

static bool is_loopback(const struct candm_address *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return (a->family == CANDM_IPV4 && a->bytes[0] == 127) ||
	       (a->family == CANDM_IPV6 && memcmp(a->bytes, one, sizeof one) == 0);
}

bool candm_access_check(const struct candm_access *a, const struct candm_address *address)
{
	int longest = -1;
	bool is_allowed = false;

	if (is_loopback(address))
		return true;
	for (unsigned i = 0; i < a->n; i++)
		if (a->rules[i].bits > longest && is_within(address, &a->rules[i])) {
			longest = a->rules[i].bits;
			is_allowed = a->rules[i].is_allowed;
		}
	return is_allowed;
}
