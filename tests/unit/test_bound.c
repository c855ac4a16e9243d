/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/bound.h"

/* Good to 3 us when it was taken, 20 s after boot; 50 ppm at worst; for an hour. */
#define BOUND_INIT                                                                            \
	{                                                                                     \
		.taken = { INT64_C(20000000000) }, .radius = { 3000 }, .max_drift = { 50e3 }, \
		.shelf_life = { INT64_C(3600000000000) },                                     \
	}

static const struct bound BOUND = BOUND_INIT;

static void test_widens_at_its_worst_rate(void **state)
{
	(void)state;
	int64_t before = 0;

	for (int64_t ms = 0; ms <= 3600000; ms += 977) {
		vt_span radius;

		assert_int_equal(bound_at(&BOUND, vt_mono_add(BOUND.taken, VT_MS(ms)), &radius),
		                 BOUND_HOLDS);
		assert_true(radius.ns >= 3000 + 50 * ms);     /* never too narrow      */
		assert_true(radius.ns <= 3000 + 50 * ms + 2); /* and no wider than that */
		assert_true(radius.ns >= before);
		before = radius.ns;
	}
}

static void test_outcomes(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char      *what;
		struct bound     bound;
		vt_span          age;
		enum bound_state want;
	} cases[] = {
		{ "at once",            BOUND_INIT, { 0 },                      BOUND_HOLDS   },
		{ "at its very end",    BOUND_INIT, { INT64_C(3600000000000) }, BOUND_HOLDS   },
		{ "just past it",       BOUND_INIT, { INT64_C(3600000000001) }, BOUND_EXPIRED },
		{ "the counter fell",   BOUND_INIT, { -1 },                     BOUND_BROKEN  },
		{ "one never taken", { .shelf_life = { -1 } }, { 5 }, BOUND_EXPIRED },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		vt_span radius = { -7 };
		vt_mono now = vt_mono_add(cases[i].bound.taken, cases[i].age);
		enum bound_state got = bound_at(&cases[i].bound, now, &radius);

		if (got != cases[i].want)
			fail_msg("%s: %d", cases[i].what, (int)got);
		if (got != BOUND_HOLDS)
			assert_int_equal(radius.ns, -7);
	}
}

/* A radius of "for ever" stays so. */
static void test_saturates(void **state)
{
	(void)state;
	struct bound bound = BOUND;
	vt_span radius;

	bound.radius = VT_SPAN_MAX;
	assert_int_equal(bound_at(&bound, vt_mono_add(bound.taken, VT_SEC(9)), &radius),
	                 BOUND_HOLDS);
	assert_int_equal(radius.ns, INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widens_at_its_worst_rate),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_saturates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
