/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#include "base/attr.h"
#include "base/units.h"
#include "rng.h"

static void test_sums_saturate(void **state)
{
	(void)state;
	static const struct {
		int64_t a, b, sum, difference;
	} cases[] = {
		{ 1, 2, 3, -1 },
		{ INT64_MAX, 1, INT64_MAX, INT64_MAX - 1 },
		{ INT64_MIN, -1, INT64_MIN, INT64_MIN + 1 },
		{ INT64_MIN, 1, INT64_MIN + 1, INT64_MIN },
		{ INT64_MAX, -1, INT64_MAX - 1, INT64_MAX },
		{ 0, INT64_MIN, INT64_MIN, INT64_MAX },
		{ -1, INT64_MIN, INT64_MIN, INT64_MAX },
		{ INT64_MIN, INT64_MAX, -1, INT64_MIN },
		{ INT64_MIN, INT64_MIN, INT64_MIN, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		vt_span a = VT_NS(cases[i].a), b = VT_NS(cases[i].b);

		assert_int_equal(vt_span_add(a, b).ns, cases[i].sum);
		assert_int_equal(vt_span_sub(a, b).ns, cases[i].difference);
		assert_int_equal(vt_mono_add((vt_mono){ a.ns }, b).ns, cases[i].sum);
		assert_int_equal(vt_mono_since((vt_mono){ a.ns }, (vt_mono){ b.ns }).ns,
				 cases[i].difference);
		assert_int_equal(vt_real_add((vt_real){ a.ns }, b).ns, cases[i].sum);
		assert_int_equal(vt_real_since((vt_real){ a.ns }, (vt_real){ b.ns }).ns,
				 cases[i].difference);
	}
}

__extension__ typedef __int128 wide;

static int64_t saturated(wide n)
{
	if (n > INT64_MAX)
		return INT64_MAX;
	return n < INT64_MIN ? INT64_MIN : (int64_t)n;
}

static void test_sums_as_wide_arithmetic(void **state)
{
	struct rng *rng = *state;

	for (int i = 0; i < 100000; i++) {
		int64_t a = (int64_t)rng_next(rng) >> rng_in(rng, 0, 62);
		int64_t b = (int64_t)rng_next(rng) >> rng_in(rng, 0, 62);

		assert_int_equal(vt_sat_add(a, b), saturated((wide)a + b));
		assert_int_equal(vt_sat_sub(a, b), saturated((wide)a - b));
	}
}

static void test_abs_min_max(void **state)
{
	(void)state;
	assert_int_equal(vt_span_abs(VT_NS(-5)).ns, 5);
	assert_int_equal(vt_span_abs(VT_NS(INT64_MIN)).ns, INT64_MAX);
	assert_int_equal(vt_span_min(VT_NS(-5), VT_NS(3)).ns, -5);
	assert_int_equal(vt_span_max(VT_NS(-5), VT_NS(3)).ns, 3);
	assert_int_equal(vt_mono_min((vt_mono){ 7 }, VT_MONO_NEVER).ns, 7);
}

static void test_units_of_the_macros(void **state)
{
	(void)state;
	assert_int_equal(VT_US(-3).ns, -3000);
	assert_int_equal(VT_MS(3).ns, 3000000);
	assert_int_equal(VT_SEC(3).ns, 3000000000);
	assert_true(VT_PPM(0.5).ppb == 500);
	assert_true(vt_span_seconds(VT_MS(1500)) == 1.5);
}

static void test_rounds_to_the_nearest_nanosecond(void **state)
{
	(void)state;
	static const struct {
		double ns;
		int64_t want;
	} cases[] = {
		{ 0.0, 0 },
		{ -0.0, 0 },
		{ 0.5, 1 },
		{ -0.5, -1 },
		{ 0x1.fffffffffffffp-2, 0 }, /* the largest double below a half */
		{ -0x1.fffffffffffffp-2, 0 },
		{ 1.4999, 1 },
		{ -1.5, -2 },
		{ 0x1p52 + 1, INT64_C(4503599627370497) }, /* odd, where adding a half rounds */
		{ -0x1p52 - 1, -INT64_C(4503599627370497) },
		{ 0x1p52 - 0.5, INT64_C(4503599627370496) },
		{ 0x1p62, INT64_C(1) << 62 },
		{ 0x1p63, INT64_MAX },
		{ -0x1p63, INT64_MIN },
		{ 1e300, INT64_MAX },
		{ -1e300, INT64_MIN },
		{ INFINITY, INT64_MAX },
		{ -INFINITY, INT64_MIN },
		{ NAN, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t got = vt_span_from_ns(cases[i].ns).ns;

		if (got != cases[i].want)
			fail_msg("%.17g: got %lld", cases[i].ns, (long long)got);
	}
}

static void test_whole_nanoseconds_stay(void **state)
{
	struct rng *rng = *state;

	for (int i = 0; i < 100000; i++) {
		int64_t ns = (int64_t)rng_next(rng) >> rng_in(rng, 11, 62);

		assert_int_equal(vt_span_from_ns((double)ns).ns, ns);
	}
}

static void test_rate_over_a_time(void **state)
{
	(void)state;
	assert_int_equal(vt_rate_over((vt_rate){ 1000 }, VT_SEC(1)).ns, 1000);
	assert_int_equal(vt_rate_over((vt_rate){ -1000 }, VT_SEC(1)).ns, -1000);
	assert_int_equal(vt_rate_over((vt_rate){ 1000 }, VT_SEC(-1)).ns, -1000);
	assert_int_equal(vt_rate_over((vt_rate){ 1e30 }, VT_SPAN_MAX).ns, INT64_MAX);
}

int main(void)
{
	struct rng rng;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_saturate),
		cmocka_unit_test_prestate(test_sums_as_wide_arithmetic, &rng),
		cmocka_unit_test(test_abs_min_max),
		cmocka_unit_test(test_units_of_the_macros),
		cmocka_unit_test(test_rounds_to_the_nearest_nanosecond),
		cmocka_unit_test_prestate(test_whole_nanoseconds_stay, &rng),
		cmocka_unit_test(test_rate_over_a_time),
	};

	rng_start(&rng);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
