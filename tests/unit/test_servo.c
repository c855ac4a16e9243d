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
	{ "small: all of it", { -999 }, 0, { 1000000000 }, 83e6, -999, { 1000000000 } },
	{ "larger: a little less", { 100000 }, 0, { 1000000000 }, 83e6, 97e3, { 927835052 } },
	{ "and in no less than a second", { 100000 }, 0, { 62500000 }, 83e6, 97e3, { 62500000 } },
	{ "unless it is easy", { 1001 }, 0, { 10000000 }, 83e6, 16e3, { 10000000 } },
	{ "500 ppm are gentle", { 510000 }, 0, { 1000000000 }, 83e6, 494.7e3, { 927835052 } },
	{ "beyond them: one piece", { 600000 }, 0, { 1000000000 }, 83e6, 582e3, { 50000000 } },
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
	{ "its last bit", { 200000 }, 0, { 1000000000 }, 400e3, 194e3, { 927835052 } },
	{ "decades", { INT64_MAX }, 0, { 1000000000 }, 83e6, 83e6, { 50000000 } },
};

static void test_plans(void **state)
{
	(void)state;

	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct servo_plan plan =
			servo_plan(&(struct servo){ { 0 } }, CASES[i].correction, (vt_rate){ CASES[i].base },
		                   CASES[i].interval, (vt_rate){ CASES[i].max_slew });

		if (fabs(plan.rate.ppb - CASES[i].rate) > 1e-3 || plan.hold.ns != CASES[i].hold.ns)
			fail_msg("%s: %.3f ppb for %lld ns", CASES[i].what, plan.rate.ppb,
			         (long long)plan.hold.ns);
	}
}

/* The pace of a slew is that of its beginning, until the clock is right. */
static void test_pace_lasts_until_the_clock_is_right(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		int64_t correction_ns;
		double  rate; /* over 62.5 ms */
	} steps[] = {
		{ 100000, 97e3 },
		{ 50000,  97e3 },
		{ -7000,  -97e3 },
		{ 3000,   0.9 * 3000 / 0.0625 },
		{ 200000, 194e3 },
		{ 100000, 194e3 },
		{ 900,    900 / 0.0625 },
		{ 2000,   16e3 },
		{ 100000, 97e3 },
	};
	/* clang-format on */
	struct servo s;

	servo_init(&s);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		struct servo_plan plan = servo_plan(&s, VT_NS(steps[i].correction_ns), (vt_rate){ 0 },
		                                    VT_NS(62500000), VT_PPM(83333));

		if (fabs(plan.rate.ppb - steps[i].rate) > 1e-3)
			fail_msg("%zu: %.3f ppb", i, plan.rate.ppb);
		assert_int_equal(plan.hold.ns, 62500000);
	}
}

/* Late by a tenth, and by 0.3 s beside: what is overdone, in one interval of a second or in many. */
static void test_overshoot_is_limited(void **state)
{
	(void)state;
	static const int64_t intervals_ms[] = { 10, 50, 62, 125, 250, 500, 1000, 4000 };

	for (size_t i = 0; i < sizeof intervals_ms / sizeof *intervals_ms; i++)
		for (int late = 0; late < 120; late++) {
			double left = 100e3, worst = 0;
			struct servo s;

			servo_init(&s);
			for (int n = 0; n < 300; n++) {
				struct servo_plan plan = servo_plan(&s, vt_span_from_ns(left), (vt_rate){ 0 },
				                                    VT_MS(intervals_ms[i]), VT_PPM(83333));
				double lasts = 1.1 * vt_span_seconds(plan.hold);

				left -= plan.rate.ppb * (lasts + (n == late ? 0.3 : 0));
				worst = fmax(worst, -left);
			}
			assert_true(worst <= 30e3);
			assert_true(fabs(left) < 10);
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
					servo_plan(&(struct servo){ { 0 } }, vt_span_from_ns(correction), (vt_rate){ 0 },
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
		cmocka_unit_test(test_pace_lasts_until_the_clock_is_right),
		cmocka_unit_test(test_overshoot_is_limited),
		cmocka_unit_test(test_limits_hold_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
