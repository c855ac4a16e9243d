/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

/* random.h - random numbers that come back with their seed: splitmix64, the same everywhere */

#include <math.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

/* [0, 1) */
static inline double random_uniform(struct random *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ z >> 31) >> 11) / 0x1p53;
}

/* Mean 0, standard deviation 1. */
static inline double random_gaussian(struct random *r)
{
	double radius = sqrt(-2 * log(1 - random_uniform(r)));

	return radius * cos(2 * 3.14159265358979323846 * random_uniform(r));
}

#endif
