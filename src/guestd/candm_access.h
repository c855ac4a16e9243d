/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_CANDM_ACCESS_H
#define GUESTD_CANDM_ACCESS_H

/*
 * candm_access.h - from which addresses commands are accepted (cmdallow, cmddeny)
 *
 * chrony's rules: without a rule nobody is let in; of the rules that fit an address the one with
 * the longest prefix decides; a rule for the same subnet replaces the older one; `all` also removes
 * the rules for every part of its subnet.  Loopback addresses need no rule.
 */

#include <stdbool.h>

#include "wire/candm_scalar.h"

#define CANDM_ACCESS_MAX 32

struct candm_access_rule {
	struct candm_address subnet; /* the bits behind the prefix are 0 */
	int bits;
	bool is_allowed;
};

struct candm_access {
	unsigned n;
	struct candm_access_rule rules[CANDM_ACCESS_MAX];
};

/*
 * Adds a rule for the first @bits bits of @subnet; an unspecified address stands for all of IPv4
 * and of IPv6.  False, and nothing is changed, for a subnet that is none, and when there are too
 * many rules.
 */
bool candm_access_add(struct candm_access *a, const struct candm_address *subnet, int bits,
		      bool is_allowed, bool is_for_all);

bool candm_access_check(const struct candm_access *a, const struct candm_address *address);

#endif
