/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/attr.h"
#include "hostd/measure.h"
#include "rng.h"

#define CLOCK_ERROR VT_NS(50)

static const struct host_instant SENT = { { 5000000000000 }, { 1800000000000000000 } };

/* The answer comes after @trip; the host's clock has gone @moved further by then. */
static struct work_outcome outcome(vt_span trip, vt_span moved, vt_real guest_time)
{
	return (struct work_outcome){
		.kind = WORK_GET_TIME,
		.was_sent = true,
		.sent = SENT,
		.answered = { vt_mono_add(SENT.mono, trip),
		              vt_real_add(SENT.real, vt_span_add(trip, moved)) },
		.guest_time = guest_time,
	};
}

static void test_half_the_round_trip_and_a_microsecond(void **state)
{
	(void)state;
	struct work_outcome o = outcome(VT_MS(2), VT_NS(0), vt_real_add(SENT.real, VT_MS(-9)));
	struct measurement m;

	assert_int_equal(measure(&o, CLOCK_ERROR, &m), MEASURE_GOOD);
	assert_int_equal(m.offset.ns, VT_MS(10).ns);
	assert_int_equal(m.round_trip.ns, VT_MS(2).ns);
	assert_in_range(m.uncertainty.ns, 1000000 + 1000, 1000000 + 1000 + 50 + 1);
}

/* However unequal the ways are, and wherever the microsecond is cut. */
static void test_the_truth_is_always_inside(void **state)
{
	(void)state;
	struct rng rng;

	rng_start(&rng);
	for (unsigned n = 0; n < 100000; n++) {
		vt_span trip = VT_NS(rng_in(&rng, 0, INT64_C(1) << rng_in(&rng, 0, 32)));
		vt_span there = VT_NS(n % 3 == 0 ? 0 : n % 3 == 1 ? trip.ns : rng_in(&rng, 0, trip.ns));
		vt_span off = VT_NS(rng_in(&rng, -(INT64_C(1) << 60), INT64_C(1) << 60));
		vt_real shown = vt_real_add(vt_real_add(SENT.real, there), VT_NS(-off.ns));
		struct work_outcome o;
		struct measurement m;

		shown.ns -= (shown.ns % 1000 + 1000) % 1000;
		o = outcome(trip, VT_NS(0), shown);
		assert_int_equal(measure(&o, VT_NS(0), &m), MEASURE_GOOD);
		if (vt_span_abs(vt_span_sub(m.offset, off)).ns > m.uncertainty.ns)
			fail_msg("off %lld, measured %lld +/- %lld", (long long)off.ns,
			         (long long)m.offset.ns, (long long)m.uncertainty.ns);
	}
}

static void test_a_clock_that_moved_meanwhile(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		vt_span trip, moved;
		enum measure_result want;
	} cases[] = {
		{ "a step forward",        { 1000000 },    { 500000000 },  MEASURE_MOVED },
		{ "a step back",           { 1000000 },    { -500000000 }, MEASURE_MOVED },
		{ "back by more than all", { 1000000 },    { -2000000 },   MEASURE_MOVED },
		{ "a trifle",              { 1000000 },    { 300000 },     MEASURE_GOOD  },
		{ "a slew of 500 ppm",     { 4000000000 }, { -2000000 },   MEASURE_GOOD  },
		{ "a slew of 10 %",        { 1000000000 }, { 100000000 },  MEASURE_MOVED },
		{ "answered before asked", { -1 },         { 0 },          MEASURE_MOVED },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct work_outcome o = outcome(cases[i].trip, cases[i].moved, SENT.real);
		struct measurement m = { .offset = { -7 }, .uncertainty = { -7 } };
		enum measure_result got = measure(&o, CLOCK_ERROR, &m);

		if (got != cases[i].want)
			fail_msg("%s: %d", cases[i].what, got);
		if (got == MEASURE_MOVED)
			assert_int_equal(m.offset.ns, -7);
		else /* the reading may be from before or after it moved */
			assert_true(m.uncertainty.ns >= vt_span_abs(cases[i].moved).ns);
	}
}

static void test_absurd_answers_do_not_overflow(void **state)
{
	(void)state;
	static const int64_t TIMES[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 4294967296000000000,
		                         INT64_MAX };

	for (size_t i = 0; i < COUNT(TIMES); i++) {
		struct work_outcome o = outcome(VT_MS(1), VT_NS(0), (vt_real){ TIMES[i] });
		struct measurement m;

		assert_int_equal(measure(&o, CLOCK_ERROR, &m), MEASURE_GOOD);
		assert_true((m.offset.ns > 0) == (TIMES[i] < SENT.real.ns));
		assert_true(vt_span_abs(m.offset).ns > VT_SEC(1000000000).ns);
		assert_true(m.uncertainty.ns < VT_MS(1).ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half_the_round_trip_and_a_microsecond),
		cmocka_unit_test(test_the_truth_is_always_inside),
		cmocka_unit_test(test_a_clock_that_moved_meanwhile),
		cmocka_unit_test(test_absurd_answers_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
