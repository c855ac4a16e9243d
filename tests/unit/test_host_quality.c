/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/host_quality.h"
#include "rng.h"

static const vt_mono HEARD = { INT64_C(1000000000000) };

static struct host_quality heard(bool is_synchronized, vt_span root_distance)
{
	return (struct host_quality){ true, HEARD, is_synchronized, root_distance };
}

static void test_who_said_what(void **state)
{
	(void)state;
	const struct host_quality nothing = { 0 };
	const vt_span floor = VT_MS(2);
	/* clang-format off */
	const struct {
		const char          *what;
		struct host_quality  q;
		const vt_span       *floor;
		vt_span              age;
		bool                 is_known;
		int64_t              want;
	} cases[] = {
		{ "nobody said anything",      nothing,                  NULL,   { 0 },       false, 0       },
		{ "the administrator did",     nothing,                  &floor, { 0 },       true,  2000000 },
		{ "the host did",              heard(true, VT_MS(5)),    NULL,   { 0 },       true,  5000001 },
		{ "both, the host more",       heard(true, VT_MS(5)),    &floor, { 0 },       true,  5000001 },
		{ "both, the host less",       heard(true, VT_US(5)),    &floor, { 0 },       true,  2000000 },
		{ "a host right to 0 ns",      heard(true, VT_NS(0)),    NULL,   { 0 },       true,  1       },
		{ "100 s later",               heard(true, VT_MS(5)),    NULL,   VT_SEC(100), true,  6500001 },
		{ "to the last nanosecond",    heard(true, VT_MS(5)),    NULL,   VT_SEC(300), true,  9500001 },
		{ "too old",                   heard(true, VT_MS(5)),    NULL,   { INT64_C(300000000001) }, false, 0 },
		{ "too old, and a floor",      heard(true, VT_MS(5)),    &floor, { INT64_C(300000000001) }, true, 2000000 },
		{ "from the future",           heard(true, VT_MS(5)),    NULL,   { -1 },      false, 0       },
		{ "not synchronised",          heard(false, VT_MS(5)),   NULL,   { 0 },       false, 0       },
		{ "not synchronised, a floor", heard(false, VT_MS(5)),   &floor, { 0 },       false, 0       },
		{ "a negative distance",       heard(true, VT_NS(-1)),   &floor, { 0 },       false, 0       },
		{ "as far as numbers go",      heard(true, VT_SPAN_MAX), &floor, VT_SEC(9),   true,  INT64_MAX },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		vt_span error = { -7 };
		bool is_known = host_quality_error(&cases[i].q, cases[i].floor,
		                              vt_mono_add(HEARD, cases[i].age), &error);

		if (is_known != cases[i].is_known)
			fail_msg("%s: known %d", cases[i].what, is_known);
		if (error.ns != (is_known ? cases[i].want : -7))
			fail_msg("%s: %lld ns", cases[i].what, (long long)error.ns);
	}
}

/* Whatever the host says, and whenever: never below the floor, never smaller as time goes by. */
static void test_messages_only_widen(void **state)
{
	(void)state;
	struct rng rng;

	rng_start(&rng);
	for (int i = 0; i < 200000; i++) {
		int64_t distance = rng_in(&rng, INT64_MIN / 2, INT64_MAX / 2);
		struct host_quality q = {
			.is_heard = rng_in(&rng, 0, 9) > 0,
			.heard = HEARD,
			.is_synchronized = rng_in(&rng, 0, 9) > 0,
			.root_distance = { distance >> rng_in(&rng, 0, 62) },
		};
		vt_span floor = { rng_in(&rng, 0, 1000000000) };
		vt_span first = { 0 }, later = { 0 };
		vt_mono now = vt_mono_add(HEARD, VT_NS(rng_in(&rng, -1000, 299000000000)));
		vt_mono then = vt_mono_add(now, VT_NS(rng_in(&rng, 0, 1000000000)));

		if (host_quality_error(&q, &floor, now, &first))
			assert_true(first.ns >= floor.ns);
		if (now.ns >= HEARD.ns && host_quality_error(&q, NULL, now, &first)) {
			assert_true(first.ns >= q.root_distance.ns);
			assert_true(host_quality_error(&q, NULL, then, &later));
			assert_true(later.ns >= first.ns);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_said_what),
		cmocka_unit_test(test_messages_only_widen),
	};

	return cmocka_run_group_tests_name("host_quality", tests, NULL, NULL);
}
