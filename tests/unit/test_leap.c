/* SPDX-License-Identifier: Apache-2.0 */
/* A second that is inserted or left out: by whom, and who knows of it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/leap.h"
#include "living.h"

#define S   INT64_C(1000000000)
#define DAY (86400 * S)

/* 2027-01-16 00:00:00 UTC. */
static const vt_real MIDNIGHT = { (INT64_C(1800000000) - 8 * 3600) * S + DAY };

static vt_real from_midnight(double s)
{
	return (vt_real){ MIDNIGHT.ns + (int64_t)(s * 1e9) };
}

static void test_nobody_reads_about_it(void **state)
{
	(void)state;
	static const struct {
		int seconds;
		double at;
		enum leap_phase want;
	} cases[] = {
		{ 1, -3600, LEAP_NONE }, { 1, -2.01, LEAP_NONE }, { 1, -2, LEAP_NEAR },
		{ 1, 0, LEAP_NEAR },     { 1, 2.99, LEAP_NEAR },  { 1, 3, LEAP_DONE },
		{ -1, -2, LEAP_NEAR },   { -1, 1.99, LEAP_NEAR }, { -1, 2, LEAP_DONE },
		{ 0, 0, LEAP_NONE },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		vt_real now = from_midnight(cases[i].at);
		struct leap l = { 0 };

		leap_announce(&l, cases[i].seconds, from_midnight(-7200));
		/* Told again and again, also in the last second. */
		leap_announce(&l, cases[i].seconds, from_midnight(-0.5));
		leap_announce(&l, cases[i].seconds, from_midnight(0.5));
		if (leap_phase_at(&l, now) != cases[i].want)
			fail_msg("%d: %.2f s", cases[i].seconds, cases[i].at);
		if (cases[i].want == LEAP_NEAR)
			assert_int_equal(leap_phase_at(&l, vt_real_add(now, leap_wait(&l, now))), LEAP_DONE);
		leap_announce(&l, 0, from_midnight(-10));
		assert_int_equal(leap_phase_at(&l, now), LEAP_NONE);
	}
}

static void test_only_a_second_about_midnight_is_one(void **state)
{
	(void)state;
	static const struct {
		double at, size;
		bool want;
		double unseen;
	} cases[] = {
		{ 0.3, -1, true, 0 },  { -0.3, -1, true, 0 }, { 59, 1, true, 0 },
		{ 5, 1.009, true, 0 }, { 61, -1, false, 0 },  { -3, -1, false, 0 },
		{ 5, 2, false, 0 },    { 5, 0, false, 0 },    { 43200, -1, false, 0 },
		{ 5, -0.98, false, 0 }, { 5, 1.011, false, 0 }, { -86399.5, 1, true, 0 },
		{ 68, 1, true, 9 },    { 68, 1, false, 7 },   { 43200, 1, true, 43200 },
		{ -3, 1, false, 43200 }, { -3, 1, true, 86400 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (leap_explains(from_midnight(cases[i].at), vt_span_from_ns(cases[i].size * 1e9),
		                  vt_span_from_ns(cases[i].unseen * 1e9)) != cases[i].want)
			fail_msg("%.1f s at %.1f s", cases[i].size, cases[i].at);
}

/* In sync, and midnight is in a minute. */
static void before_midnight(struct world *w, uint64_t seed)
{
	struct discipline_conf conf = world_conf(false);
	vt_span jitter;

	world_init(w, seed, VT_NS(0));
	jitter = vt_span_from_ns(1e9 * world_uniform(w));
	w->reference.ns = w->local.ns = MIDNIGHT.ns - 120 * S - jitter.ns;
	world_start(w, &conf, NULL, 1);
	world_run(w, vt_span_add(VT_SEC(60), jitter));
}

static void plan(struct world *w, vt_span wait, enum world_change_kind kind, double s)
{
	world_plan(w, (struct world_change){ .at = vt_mono_add(w->now, wait),
	                                     .kind = kind,
	                                     .span = vt_span_from_ns(s * 1e9) });
}

static void test_announced_one_is_left_to_the_kernel(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		int seconds = i % 2 ? 1 : -1;
		unsigned reads;
		struct world w;

		before_midnight(&w, (uint64_t)i);
		discipline_set_leap(&w.discipline, seconds, w.now);
		/* The kernel's tick, either side of the host's. */
		plan(&w, VT_SEC(60), WORLD_JUMP, -seconds);
		plan(&w, VT_MS(60000 + i % 5), WORLD_SET, -seconds);
		world_run(&w, VT_MS(58100));
		reads = w.sources[0].reads;
		world_run(&w, VT_MS(3700));
		assert_int_equal(w.sources[0].reads, reads);
		world_run(&w, VT_SEC(60));
		assert_int_equal(w.clock.steps, 0);
		assert_int_equal(w.kinds[EVENT_SUSPECTED] + w.kinds[EVENT_DISRUPTED], 0);
		assert_int_equal(w.looks_disrupted, 0);
		assert_true(fabs(world_error_ns(&w)) < 100);
		assert_int_equal(w.violations, 0);
	}
}

/* Only one of the two clocks had it: called by its name, and mended at once. */
static void test_half_a_leap_second_is_mended(void **state)
{
	(void)state;
	enum { HOST_ALONE, KERNEL_ALONE, HOST_WITHOUT_NOTICE, KERNEL_WITHOUT_NOTICE, CASES };

	for (int what = 0; what < CASES; what++) {
		struct world w;

		before_midnight(&w, (uint64_t)what);
		if (what == HOST_ALONE || what == KERNEL_ALONE)
			discipline_set_leap(&w.discipline, 1, w.now);
		plan(&w, VT_SEC(60),
		     what == HOST_ALONE || what == HOST_WITHOUT_NOTICE ? WORLD_JUMP : WORLD_SET, -1);
		world_run(&w, VT_SEC(70));
		if (w.clock.steps != 1 || world_event(&w, EVENT_STEPPED, 0)->cause != STEP_LEAP)
			fail_msg("%d: %u steps, %s", what, w.clock.steps,
			         w.clock.steps ? step_cause_name(world_event(&w, EVENT_STEPPED, 0)->cause)
			                       : "");
		assert_int_equal(w.kinds[EVENT_REPAIRED], 1);
		assert_true(world_event(&w, EVENT_REPAIRED, 0)->disruption.evidence & EVIDENCE_LEAP);
		assert_true(fabs(world_error_ns(&w)) < 1000);
		assert_int_equal(w.violations, 0);
	}
}

/* Announced to nobody, and done by both: a jump that needs no step. */
/* No source answered for hours before and after it: it is still that second by which they differ. */
static void test_half_a_leap_second_in_an_outage(void **state)
{
	(void)state;
	for (int announced = 0; announced < 2; announced++) {
		struct world w;

		before_midnight(&w, (uint64_t)announced);
		if (announced)
			discipline_set_leap(&w.discipline, 1, w.now);
		w.sources[0].outcome = SOURCE_MISSING;
		plan(&w, VT_SEC(60), WORLD_SET, -1);
		world_run(&w, VT_SEC(3600));
		assert_int_equal(w.clock.steps, 0);
		w.sources[0].outcome = SOURCE_READ;
		world_run(&w, VT_SEC(3));
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(world_event(&w, EVENT_STEPPED, 0)->cause, STEP_LEAP);
		assert_true(fabs(world_error_ns(&w)) < 100);
		assert_int_equal(w.uncaused, 0);
	}
}

static void test_both_did_and_nobody_knew(void **state)
{
	(void)state;
	struct world w;

	before_midnight(&w, 1);
	plan(&w, VT_SEC(60), WORLD_JUMP, -1);
	plan(&w, VT_MS(60004), WORLD_SET, -1);
	world_run(&w, VT_SEC(70));
	assert_int_equal(w.clock.steps, 0);
	assert_int_equal(world_event(&w, EVENT_REPAIRED, 0)->disruption.end, DISRUPTION_NOTHING);
	assert_int_equal(world_event(&w, EVENT_REPAIRED, 0)->disruption.cause, STEP_LEAP);
	assert_int_equal(w.violations, 0);
}

/* Paused over the midnight that it was announced for: what was announced is no more. */
static void test_step_ends_the_announcement(void **state)
{
	(void)state;
	struct world w;

	before_midnight(&w, 2);
	discipline_set_leap(&w.discipline, 1, w.now);
	plan(&w, VT_SEC(10), WORLD_JUMP, 3600);
	world_run(&w, VT_SEC(30));
	assert_int_equal(w.clock.steps, 1);
	assert_int_equal(w.kinds[EVENT_DISRUPTED], 1);
	assert_int_equal(w.kinds[EVENT_SUSPECTED], 1);
	assert_true(fabs(world_error_ns(&w)) < 1000);
}

/* The same size at noon is a jump like any other. */
static void test_second_at_another_time_is_none(void **state)
{
	(void)state;
	struct world w;

	before_midnight(&w, 1);
	w.reference.ns += DAY / 2;
	w.local.ns += DAY / 2;
	world_run(&w, VT_SEC(60));
	w.n_events = 0;
	plan(&w, VT_SEC(1), WORLD_JUMP, -1);
	world_run(&w, VT_SEC(10));
	assert_int_equal(world_event(&w, EVENT_STEPPED, 0)->cause, STEP_JUMP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_reads_about_it),
		cmocka_unit_test(test_only_a_second_about_midnight_is_one),
		cmocka_unit_test(test_announced_one_is_left_to_the_kernel),
		cmocka_unit_test(test_half_a_leap_second_is_mended),
		cmocka_unit_test(test_half_a_leap_second_in_an_outage),
		cmocka_unit_test(test_both_did_and_nobody_knew),
		cmocka_unit_test(test_step_ends_the_announcement),
		cmocka_unit_test(test_second_at_another_time_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
