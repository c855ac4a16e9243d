/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_CANDM_LIMIT_H
#define GUESTD_CANDM_LIMIT_H

/*
 * candm_limit.h - how often one sender is answered
 *
 * Senders are told apart by a hash, in a table that does not grow: each has two
 * places in it, which it may have to share, and is answered as long as one of
 * them has something left.  So one that floods empties its own two, and hardly
 * ever both of another's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

#define CANDM_LIMIT_PLACES 256

struct candm_limit_conf {
	vt_span interval; /* one answer in this time on average; 0: no limit      */
	unsigned burst;   /* but so many at once                                  */
	unsigned leak;    /* beyond that one in 2^leak is answered; 0: none is    */
};

struct candm_limit {
	struct candm_limit_conf conf;
	uint64_t secret; /* so that nobody outside can choose his places */
	uint64_t rolls;  /* of the die that lets one through            */
	vt_mono full_at[CANDM_LIMIT_PLACES]; /* when all that was used will have come back */
};

void candm_limit_init(struct candm_limit *l, const struct candm_limit_conf *conf, uint64_t secret);

/* May the sender who is told by @n bytes at @sender be answered now?  Counts it if so. */
bool candm_limit_allows(struct candm_limit *l, const void *sender, size_t n, vt_mono now);

#endif
