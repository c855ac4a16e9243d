/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/instant.h"

#include <time.h>

static int64_t ns_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

vt_mono instant_mono(void)
{
	return (vt_mono){ ns_of(CLOCK_MONOTONIC_RAW) };
}

vt_real instant_real(void)
{
	return (vt_real){ ns_of(CLOCK_REALTIME) };
}

int instant_timeout_ms(vt_mono deadline)
{
	const int64_t left_ns = vt_mono_since(deadline, instant_mono()).ns;

	if (left_ns <= 0)
		return 0;
	return left_ns < INT64_C(60000000000) ? (int)((left_ns + 999999) / 1000000) : 60000;
}
