/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_LIVING_H
#define TESTS_UNIT_LIVING_H

/*
 * living.h - the simulator's world in a test
 *
 * Include it after cmocka's headers: a discipline that does not let the world sleep fails the test.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/world.h"

/* $VMTIME_SEED, or one of the moment; printed, so that a failure can be repeated. */
static inline uint64_t world_seed(void)
{
	const char *given = getenv("VMTIME_SEED");
	struct timespec now;
	uint64_t seed;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoull(given, NULL, 0)
	             : (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	printf("VMTIME_SEED=%" PRIu64 "\n", seed);
	return seed;
}

static inline void world_run(struct world *w, vt_span span)
{
	if (!world_live(w, span))
		fail_msg("the discipline does not sleep: %" PRIu64 " dispatches by %.3f s",
		         w->dispatches, vt_span_seconds((vt_span){ w->now.ns }));
}

#endif
