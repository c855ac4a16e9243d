/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_RNG_H
#define UNIT_RNG_H

/*
 * rng.h - random tests that can be run again
 *
 * The seed is printed; VMTIME_SEED=N in the environment brings the same numbers back.  Small and
 * fast (splitmix64), the same on every machine.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct rng {
	uint64_t state;
};

static inline void rng_start(struct rng *rng)
{
	const char *seed = getenv("VMTIME_SEED");

	rng->state = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
	printf("VMTIME_SEED=%llu\n", (unsigned long long)rng->state);
	fflush(stdout);
}

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* A whole number from @min to @max, both included; their distance is below 2^63. */
static inline int64_t rng_in(struct rng *rng, int64_t min, int64_t max)
{
	return min + (int64_t)(rng_next(rng) % ((uint64_t)(max - min) + 1));
}

#endif
