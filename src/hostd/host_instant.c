/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/host_instant.h"

#include <time.h>

static int64_t read_ns(clockid_t id)
{
	struct timespec t = { .tv_sec = 0 };

	clock_gettime(id, &t); /* does not fail for these two */
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct host_instant host_instant_now(void)
{
	struct host_instant now;

	now.real.ns = read_ns(CLOCK_REALTIME);
	now.mono.ns = read_ns(CLOCK_MONOTONIC_RAW);
	return now;
}
