/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "core/time_scale.h"

static void test_near_one_of_the_two(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		int64_t ahead_ms, tai_ms;
		enum time_scale want;
	} cases[] = {
		{ "UTC",                            0, 37000, SCALE_UTC },
		{ "UTC, our clock is a bit off",    4999, 37000, SCALE_UTC },
		{ "... the other way",              -5000, 37000, SCALE_UTC },
		{ "TAI",                            37000, 37000, SCALE_TAI },
		{ "TAI, our clock is a bit off",    32000, 37000, SCALE_TAI },
		{ "... the other way",              42000, 37000, SCALE_TAI },
		{ "between the two",                18500, 37000, SCALE_UNKNOWN },
		{ "just beyond UTC",                5001, 37000, SCALE_UNKNOWN },
		{ "just before TAI",                31999, 37000, SCALE_UNKNOWN },
		{ "TAI taken off twice",            -37000, 37000, SCALE_UNKNOWN },
		{ "an hour off",                    3600000, 37000, SCALE_UNKNOWN },
		{ "TAI after a leap second to come", 38000, 38000, SCALE_TAI },
		{ "nobody knows TAI: UTC",          100, 0, SCALE_UTC },
		{ "nobody knows TAI: TAI",          37000, 0, SCALE_TAI },
		{ "nobody knows TAI: neither",      29000, 0, SCALE_UNKNOWN },
		{ "nobody knows TAI: beyond it",    61000, 0, SCALE_UNKNOWN },
		{ "for ever",                       INT64_MAX / 1000000, 37000, SCALE_UNKNOWN },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++)
		if (time_scale_of(VT_MS(cases[i].ahead_ms), VT_MS(cases[i].tai_ms)) != cases[i].want)
			fail_msg("%s", cases[i].what);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_near_one_of_the_two),
	};

	return cmocka_run_group_tests_name("time_scale", tests, NULL, NULL);
}
