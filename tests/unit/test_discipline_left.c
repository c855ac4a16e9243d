/* SPDX-License-Identifier: Apache-2.0 */
/* What a predecessor left behind, and a clock that is moved while no source answers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "living.h"

/* A daemon that was killed in the middle of a slew left its rate; it is nobody's usual one. */
static void test_leftover_rate_is_not_kept(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		double left_ppm, true_ppm;
	} cases[] = {
		{ "nothing left",           0,      12   },
		{ "a gentle slew",          -400,   0    },
		{ "the same, other way",    400,    -30  },
		{ "a fast slew",            -50000, 7    },
		{ "what a crystal can do",  150,    -150 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct discipline_conf conf = world_conf(false);
		struct world w;

		world_init(&w, i + 1, VT_US(300));
		w.reference_ppb = cases[i].true_ppm * 1e3;
		w.clock.rate = VT_PPM(cases[i].left_ppm);
		/* As drift_load has it: no more than crystals differ by is believed. */
		conf.rate = fabs(cases[i].left_ppm) <= 200 ? w.clock.rate : (vt_rate){ 0 };
		conf.rate_sigma = VT_PPM(100);
		world_start(&w, &conf, NULL, 1);
		world_run(&w, VT_SEC(5));
		if (fabs(w.discipline.tempo.usual.ppb - w.reference_ppb) > 100)
			fail_msg("%s: %.0f ppb is usual, not %.0f", cases[i].what,
			         w.discipline.tempo.usual.ppb, w.reference_ppb);
		discipline_leave(&w.discipline);
		if (fabs(w.clock.rate.ppb - w.reference_ppb) > 100)
			fail_msg("%s: left at %.0f ppb", cases[i].what, w.clock.rate.ppb);
	}
}

static void test_clock_set_in_holdover_has_no_bound(void **state)
{
	(void)state;
	struct discipline_conf conf = world_conf(true);
	struct world w;
	vt_span radius;

	world_init(&w, 1, VT_MS(566));
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_SEC(20));
	world_plan(&w, (struct world_change){ .at = w.now, .kind = WORLD_OUTCOME,
	                                      .outcome = SOURCE_MISSING });
	world_run(&w, VT_SEC(5));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_HOLDOVER);
	assert_int_equal(bound_at(&w.discipline.bound, w.now, &radius), BOUND_HOLDS);

	world_plan(&w, (struct world_change){ .at = w.now, .kind = WORLD_SET, .span = VT_SEC(100) });
	world_run(&w, VT_SEC(3));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_HOLDOVER);
	assert_int_equal(bound_at(&w.discipline.bound, w.now, &radius), BOUND_EXPIRED);
	assert_false(w.clock.quality.is_synchronized);
	assert_int_equal(w.kinds[EVENT_SET_AWAY], 1);

	/* The source comes back, and with it the truth. */
	world_plan(&w, (struct world_change){ .at = w.now, .kind = WORLD_OUTCOME,
	                                      .outcome = SOURCE_READ });
	world_run(&w, VT_SEC(3));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	assert_true(fabs(world_error_ns(&w)) < 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leftover_rate_is_not_kept),
		cmocka_unit_test(test_clock_set_in_holdover_has_no_bound),
	};

	return cmocka_run_group_tests_name("discipline_left", tests, NULL, NULL);
}
