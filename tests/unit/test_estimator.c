/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/estimator.h"

#define NOW INT64_C(1800000000000000000) /* 2027 */

/* At @ms after the start, of a source that runs @ppb fast and is @more_ns off that line. */
static struct reading at(int64_t ms, double ppb, double more_ns)
{
	return (struct reading){
		.method = METHOD_PRECISE,
		.raw = { 7000000000 + ms * 1000000 },
		.remote = { NOW + ms * 1000000 + llround((double)ms * ppb / 1000 + more_ns) },
	};
}

static void test_learns_phase_and_rate(void **state)
{
	(void)state;
	static const double rates[] = { 0, 12345.6, -49000, 83e6 };

	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		struct estimator e;

		estimator_init(&e, (vt_rate){ rates[i] > 1e6 ? 82.9e6 : 0 }, VT_PPM(50));
		for (int64_t s = 0; s < 60; s++) {
			struct reading r = at(1000 * s, rates[i], 0);
			enum estimator_verdict verdict = estimator_update(&e, &r);

			assert_int_equal(verdict, s == 0 ? ESTIMATOR_FIRST : ESTIMATOR_FITS);
			assert_true(
				llabs(vt_real_since(estimator_remote_at(&e, r.raw), r.remote).ns) <=
				1);
		}
		assert_true(fabs(estimator_rate(&e).ppb - rates[i]) < 1);
		assert_true(estimator_rate_sigma(&e).ppb < 2);
		/* And says where the source will be. */
		assert_true(llabs(vt_real_since(estimator_remote_at(&e, at(90000, 0, 0).raw),
		                                at(90000, rates[i], 0).remote)
		                          .ns) < 40);
	}
}

static void test_uncertainty_grows_with_time(void **state)
{
	(void)state;
	struct estimator e;
	int64_t before = 0;

	estimator_init(&e, (vt_rate){ 0 }, VT_PPM(50));
	for (int64_t s = 0; s < 60; s++)
		(void)estimator_update(&e,
		                       &(struct reading){ .raw = at(1000 * s, 0, 0).raw,
		                                          .remote = at(1000 * s, 0, 0).remote });
	for (int64_t s = 59; s < 4000; s += 97) {
		int64_t now = estimator_uncertainty(&e, at(1000 * s, 0, 0).raw).ns;

		assert_true(now >= before);
		before = now;
	}
	assert_true(before > 1000 && before < 1000000);
}

/* A change at a time that nobody knows: after the second reading it is known all the same. */
static void test_shock_is_learnt_with_two_readings(void **state)
{
	(void)state;
	for (int part = 1; part <= 9; part++) {
		const double change = 300;
		double missed = change * part / 10; /* it began so late in the second */
		struct estimator e;
		struct reading r;
		int64_t s = 0;

		estimator_init(&e, (vt_rate){ 0 }, VT_PPM(50));
		for (; s < 30; s++) {
			r = at(1000 * s, 0, 0);
			(void)estimator_update(&e, &r);
		}
		r = at(1000 * s, change, -change * 29 - missed);
		assert_int_equal(estimator_update(&e, &r), ESTIMATOR_SHOCK);
		assert_true(llabs(vt_real_since(estimator_remote_at(&e, r.raw), r.remote).ns) <= 2);
		/* It is not surer of the new rate than one reading can make it. */
		assert_true(estimator_rate_sigma(&e).ppb > 0.9 * (change - missed));
		r = at(1000 * s + 63, change, -change * 29 - missed);
		(void)estimator_update(&e, &r);
		if (fabs(estimator_rate(&e).ppb - change) > 60)
			fail_msg("0.%d s: %.0f ppb", part, estimator_rate(&e).ppb);
	}
}

static void test_expectation(void **state)
{
	(void)state;
	struct estimator e;
	struct innovation i = { .size = { -7 } };
	struct reading r = at(0, 0, 0);

	estimator_init(&e, (vt_rate){ 5000 }, VT_PPM(1));
	assert_false(estimator_expect(&e, &r, &i)); /* there is nothing to compare with */
	assert_int_equal(i.size.ns, -7);
	(void)estimator_update(&e, &r);
	r = at(2000, 5000, 300);
	assert_true(estimator_expect(&e, &r, &i));
	assert_int_equal(i.size.ns, 300);
	assert_int_equal(i.since.ns, 2000000000);
	assert_true(llabs(i.sigma.ns - 2000) < 10); /* 1 ppm for two seconds */
}

static void test_stale_readings_change_nothing(void **state)
{
	(void)state;
	static const int64_t stale_ms[] = { 1000, 999, 0, -5000 };
	struct estimator e, before;
	struct reading first = at(0, 0, 0), second = at(1000, 0, 0);

	estimator_init(&e, (vt_rate){ 0 }, VT_PPM(50));
	(void)estimator_update(&e, &first);
	(void)estimator_update(&e, &second);
	before = e;
	for (size_t i = 0; i < sizeof stale_ms / sizeof *stale_ms; i++) {
		struct reading r = at(stale_ms[i], 0, 1e9);
		struct innovation innovation;

		assert_false(estimator_expect(&e, &r, &innovation));
		assert_int_equal(estimator_update(&e, &r), ESTIMATOR_STALE);
		assert_memory_equal(&e, &before, sizeof e);
	}
}

static void test_restart_keeps_the_rate(void **state)
{
	(void)state;
	struct estimator e;
	struct reading r;

	estimator_init(&e, (vt_rate){ 0 }, VT_PPM(50));
	for (int64_t s = 0; s < 30; s++) {
		r = at(1000 * s, 7000, 0);
		(void)estimator_update(&e, &r);
	}
	estimator_restart(&e, VT_PPM(10));
	r = at(31000, 0, 5e12); /* an hour and more away */
	assert_int_equal(estimator_update(&e, &r), ESTIMATOR_FIRST);
	assert_int_equal(estimator_remote_at(&e, r.raw).ns, r.remote.ns);
	assert_true(fabs(estimator_rate(&e).ppb - 7000) < 5);
	assert_true(fabs(estimator_rate_sigma(&e).ppb - 10000) < 5);
}

/* Wide brackets are believed less. */
static void test_radius_weighs(void **state)
{
	(void)state;
	struct estimator e;
	struct reading r;

	estimator_init(&e, (vt_rate){ 0 }, (vt_rate){ 10 });
	for (int64_t s = 0; s < 100; s++) {
		r = at(1000 * s, 0, s % 2 ? 900 : -900);
		r.radius = VT_US(1);
		assert_int_equal(estimator_update(&e, &r), s ? ESTIMATOR_FITS : ESTIMATOR_FIRST);
	}
	assert_true(
		llabs(vt_real_since(estimator_remote_at(&e, r.raw), at(99000, 0, 0).remote).ns) <
		400);
	assert_true(fabs(estimator_rate(&e).ppb) < 50);
}

/* A change that hides in the noise of a wide bracket shows by leaning to one side, reading after reading. */
static void test_change_within_the_noise_is_learnt(void **state)
{
	(void)state;
	static const double changes[] = { 0, 700, -700, 1500 };

	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		enum estimator_verdict verdict = ESTIMATOR_FITS;
		struct estimator e;
		int64_t s;

		estimator_init(&e, (vt_rate){ 0 }, VT_PPM(50));
		for (s = 0; s < 200; s++) {
			struct reading r = at(1000 * s, 0, 0);

			r.radius = VT_NS(500);
			assert_int_not_equal(estimator_update(&e, &r), ESTIMATOR_SHOCK);
		}
		for (; s < 210 && verdict == ESTIMATOR_FITS; s++) {
			struct reading r = at(1000 * s, changes[i], -199 * changes[i]);

			r.radius = VT_NS(500);
			verdict = estimator_update(&e, &r);
			if (s == 200)
				assert_int_equal(verdict, ESTIMATOR_FITS);
		}
		assert_int_equal(verdict, changes[i] != 0 ? ESTIMATOR_SHOCK : ESTIMATOR_FITS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns_phase_and_rate),
		cmocka_unit_test(test_uncertainty_grows_with_time),
		cmocka_unit_test(test_shock_is_learnt_with_two_readings),
		cmocka_unit_test(test_expectation),
		cmocka_unit_test(test_stale_readings_change_nothing),
		cmocka_unit_test(test_restart_keeps_the_rate),
		cmocka_unit_test(test_radius_weighs),
		cmocka_unit_test(test_change_within_the_noise_is_learnt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
