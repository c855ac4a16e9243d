/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/servo.h"

static const struct {
	const char *what;
	vt_span correction;
	double base;
	vt_span interval;
	double max_slew;
	double rate;
	vt_span hold;
} CASES[] = {
	{ "nothing to do", { 0 }, 12e3, { 1000000000 }, 83e6, 12e3, { 1000000000 } },
	{ "behind: faster", { 1000 }, 0, { 1000000000 }, 83e6, 1000, { 1000000000 } },
	{ "ahead: slower", { -1000 }, 0, { 1000000000 }, 83e6, -1000, { 1000000000 } },
	{ "on top of the source's", { 1000 }, -5e3, { 500000000 }, 83e6, -3000, { 500000000 } },
	{ "500 ppm are gentle", { 500000 }, 0, { 1000000000 }, 83e6, 500e3, { 1000000000 } },
	{ "beyond them: one piece", { 600000 }, 0, { 1000000000 }, 83e6, 12e6, { 50000000 } },
	{ "as fast as is allowed",
	  { 566000000 },
	  1e3,
	  { 1000000000 },
	  83e6,
	  83e6 + 1e3,
	  { 50000000 } },
	{ "backwards as well",
	  { -566000000 },
	  1e3,
	  { 1000000000 },
	  83e6,
	  -83e6 + 1e3,
	  { 50000000 } },
	{ "pieces end with the interval",
	  { 566000000 },
	  0,
	  { 20000000 },
	  83e6,
	  83e6,
	  { 20000000 } },
	{ "a gentle limit needs none",
	  { 566000000 },
	  0,
	  { 1000000000 },
	  400e3,
	  400e3,
	  { 1000000000 } },
	{ "its last bit", { 200000 }, 0, { 1000000000 }, 400e3, 200e3, { 1000000000 } },
	{ "decades", { INT64_MAX }, 0, { 1000000000 }, 83e6, 83e6, { 50000000 } },
};

static void test_plans(void **state)
{
	(void)state;

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct servo_plan plan =
			servo_plan(CASES[i].correction, (vt_rate){ CASES[i].base },
		                   CASES[i].interval, (vt_rate){ CASES[i].max_slew });

		if (fabs(plan.rate.ppb - CASES[i].rate) > 1e-3 || plan.hold.ns != CASES[i].hold.ns)
			fail_msg("%s: %.3f ppb for %lld ns", CASES[i].what, plan.rate.ppb,
			         (long long)plan.hold.ns);
	}
}

/* Whatever is asked for: a daemon killed in the middle leaves at most 5 ms, and nothing is
 * overdone. */
static void test_limits_hold_everywhere(void **state)
{
	(void)state;
	for (double correction = 1; correction < 1e18; correction *= 3.7)
		for (double interval = 1e3; interval < 1e12; interval *= 2.9)
			for (double slew = 1e3; slew <= 100e6; slew *= 7.3) {
				struct servo_plan plan =
					servo_plan(vt_span_from_ns(correction), (vt_rate){ 0 },
				                   vt_span_from_ns(interval), (vt_rate){ slew });
				double done = plan.rate.ppb * vt_span_seconds(plan.hold);

				assert_true(plan.hold.ns > 0 &&
				            (double)plan.hold.ns <= interval + 1);
				assert_true(plan.rate.ppb >= 0 &&
				            plan.rate.ppb <= slew * (1 + 1e-9));
				assert_true(done <= correction + 1);
				if (plan.rate.ppb > 500.001e3)
					assert_true(done <= 5e6 * (1 + 1e-9));
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_limits_hold_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
