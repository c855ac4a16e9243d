/* SPDX-License-Identifier: Apache-2.0 */
/* Pauses, restores, host steps, host slews and migrations, as the discipline goes through them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "living.h"

static struct world_change in(const struct world *w, vt_span wait, struct world_change change)
{
	change.at = vt_mono_add(w->now, wait);
	return change;
}

static void plan_jump(struct world *w, vt_span wait, vt_span size)
{
	world_plan(w, in(w, wait, (struct world_change){ .kind = WORLD_JUMP, .span = size }));
}

static void plan_rate(struct world *w, vt_span wait, double ppm)
{
	world_plan(w, in(w, wait, (struct world_change){ .kind = WORLD_RATE, .ppb = ppm * 1e3 }));
}

/* Booted, in sync, and at no special phase of the polling. */
static void settle_in(struct world *w, uint64_t seed, const struct source_conf *source)
{
	struct discipline_conf conf = world_conf(true);

	/* As a stock configuration has it; jumps are none of its business. */
	conf.step.is_makestep_given = true;
	conf.step.makestep_threshold = VT_SEC(1);
	conf.step.makestep_limit = 3;
	world_init(w, seed, VT_MS(566));
	w->reference_ppb = -7000;
	world_start(w, &conf, source, 1);
	world_run(w, VT_SEC(60));
	world_run(w, vt_span_from_ns(1e9 * world_uniform(w)));
	assert_int_equal(w->clock.steps, 1);
	world_forget(w);
}

static void check_event(const struct world *w, const char *what, vt_span size)
{
	const struct discipline_event *event = world_event(w, EVENT_STEPPED, 1);

	if (!event)
		fail_msg("%s: no event", what);
	if (event->cause != STEP_JUMP)
		fail_msg("%s: cause %d", what, (int)event->cause);
	if (llabs(event->size.ns - size.ns) > 20000)
		fail_msg("%s: size %lld", what, (long long)event->size.ns);
	if (event->noticed_after.ns <= 0 || event->noticed_after.ns > 1050000000)
		fail_msg("%s: noticed after %lld", what, (long long)event->noticed_after.ns);
	if (event->repaired_after.ns < 25000000 || event->repaired_after.ns > 250000000)
		fail_msg("%s: repaired after %lld", what, (long long)event->repaired_after.ns);
	assert_true(llabs(event->at.ns - w->reference.ns) < 60000000000);
}

static void test_jump_is_stepped_within_its_time(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		vt_span     size;
		bool        is_dpoll_given;
		vt_span     width;
	} cases[] = {
		{ "pause of 10 s",           { 10000000000 },          false, { 0 }    },
		{ "pause of an hour",        { 3600000000000 },        false, { 0 }    },
		{ "pause of 10 ms",          { 10000000 },             false, { 0 }    },
		{ "pause of 300 us",         { 300000 },               false, { 0 }    },
		{ "restored after 10 years", { 315576000000000000 },   false, { 0 }    },
		{ "back by 10 ms",           { -10000000 },            false, { 0 }    },
		{ "back by an hour",         { -3600000000000 },       false, { 0 }    },
		{ "back by 300 us",          { -300000 },              false, { 0 }    },
		{ "10 s, fixed 1/s",         { 10000000000 },          true,  { 0 }    },
		{ "10 s, wide brackets",     { 10000000000 },          false, { 1000 } },
	};
	/* clang-format on */

	for (size_t i = 0; i < 8 * sizeof cases / sizeof *cases; i++) {
		size_t c = i / 8;
		struct source_conf source = SOURCE_CONF_DEFAULT;
		struct world w;

		source.is_dpoll_given = cases[c].is_dpoll_given;
		settle_in(&w, i, &source);
		w.sources[0].width = cases[c].width;
		w.sources[0].asymmetry = 0.5;
		world_run(&w, VT_SEC(5));
		plan_jump(&w, VT_NS(0), cases[c].size);
		world_run(&w, VT_MS(1300));
		world_forget(&w);
		w.look = VT_MS(10);
		world_run(&w, VT_SEC(30));
		if (w.tally.worst_ns >= 1e6)
			fail_msg("%s: %.0f ns off after 1.3 s", cases[c].what, w.tally.worst_ns);
		if (w.tally.worst_ns >= 5000)
			fail_msg("%s: badly settled, %.0f ns", cases[c].what, w.tally.worst_ns);
		assert_int_equal(w.clock.steps, 2);
		assert_int_equal(w.kinds[EVENT_SUSPECTED], 1);
		assert_int_equal(w.discipline.jumps, 1);
		/* The average tells of the discipline, not of the jumps that it mended. */
		assert_true(w.discipline.rms_offset_ns < 10000);
		check_event(&w, cases[c].what, cases[c].size);
		if (w.violations)
			fail_msg("%s: %.0f ns off with a bound of %.0f", cases[c].what,
			         w.violation_error_ns, w.violation_bound_ns);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	}
}

/* Too small to be told from a host that changed its rate: mended all the same, without a step. */
static void test_tiny_jump_is_slewed(void **state)
{
	(void)state;
	static const vt_span sizes[] = { { 50000 }, { -50000 }, { 2000 }, { 100 }, { -100 } };

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct world w;

		settle_in(&w, i, NULL);
		plan_jump(&w, VT_NS(0), sizes[i]);
		world_run(&w, VT_MS(2500));
		world_forget(&w);
		world_run(&w, VT_SEC(30));
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(w.violations, 0);
		if (w.tally.worst_ns > 300)
			fail_msg("%lld ns: %.0f ns off", (long long)sizes[i].ns, w.tally.worst_ns);
	}
}

static void test_state_leaves_ok_with_the_first_reading(void **state)
{
	(void)state;
	struct world w;
	unsigned reads;
	vt_span radius;

	settle_in(&w, 3, NULL);
	plan_jump(&w, VT_NS(0), VT_SEC(10));
	reads = w.sources[0].reads;
	while (w.sources[0].reads == reads) {
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
		world_run(&w, VT_US(200));
	}
	world_run(&w, VT_US(200));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_DISRUPTED);
	assert_int_equal(bound_at(&w.discipline.bound, w.now, &radius), BOUND_EXPIRED);
	assert_int_equal(w.clock.steps, 1);
	assert_false(w.clock.quality.is_synchronized);
	/* Two more readings, and it is over. */
	while (w.sources[0].reads < reads + 3)
		world_run(&w, VT_US(200));
	world_run(&w, VT_US(200));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	assert_int_equal(w.clock.steps, 2);
	assert_true(w.clock.quality.is_synchronized);
}

static void test_outlier_moves_nothing(void **state)
{
	(void)state;
	static const vt_span sizes[] = {
		{ 1000000 }, { -1000000 }, { 3600000000000 }, { -86400000000000 }
	};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct world w;
		unsigned reads;

		settle_in(&w, i, NULL);
		w.sources[0].offset = sizes[i];
		for (reads = w.sources[0].reads; w.sources[0].reads == reads;)
			world_run(&w, VT_US(200));
		w.sources[0].offset = VT_NS(0);
		world_run(&w, VT_SEC(30));
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(w.kinds[EVENT_SUSPECTED], 1);
		assert_int_equal(w.kinds[EVENT_DISMISSED], 1);
		assert_int_equal(w.sources[0].world->discipline.sources[0].outliers, 1);
		assert_true(w.tally.worst_ns < 100);
		assert_int_equal(w.violations, 0);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	}
}

static void test_second_jump_before_three_agree_begins_anew(void **state)
{
	(void)state;
	struct world w;
	unsigned reads;

	settle_in(&w, 5, NULL);
	plan_jump(&w, VT_NS(0), VT_SEC(10));
	for (reads = w.sources[0].reads; w.sources[0].reads < reads + 2;)
		world_run(&w, VT_US(200));
	plan_jump(&w, VT_NS(0), VT_SEC(-4));
	while (w.sources[0].reads < reads + 4)
		world_run(&w, VT_US(200));
	world_run(&w, VT_US(200));
	assert_int_equal(w.clock.steps, 1); /* four readings, but only two that agree */
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_DISRUPTED);
	world_run(&w, VT_MS(60));
	assert_int_equal(w.clock.steps, 2);
	assert_true(llabs(world_event(&w, EVENT_STEPPED, 1)->size.ns - 6000000000) < 20000);
	assert_int_equal(w.kinds[EVENT_SUSPECTED], 1);
	assert_int_equal(w.violations, 0);
}

static void test_source_that_jumps_to_and_fro_never_steps(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 6, NULL);
	w.sources[0].flip = VT_SEC(3600);
	world_run(&w, VT_SEC(600));
	assert_int_equal(w.clock.steps, 1);
	assert_true(w.tally.worst_ns < 1000);
	assert_int_equal(w.violations, 0);
}

/* For @span the host slews; then it is as it was. */
static void test_slewing_host_is_followed_without_a_step(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		double  ppm;
		vt_span span;
		double  most_ns; /* off, from one second and a half after each change on */
	} cases[] = {
		{ 100,    { 20000000000 }, 1000 },
		{ 500,    { 20000000000 }, 1000 },
		{ -500,   { 20000000000 }, 1000 },
		{ 1000,   { 20000000000 }, 1000 },
		{ -1000,  { 5000000000 },  1000 },
		{ 10000,  { 5000000000 },  1000 },
		{ -10000, { 20000000000 }, 1000 },
		{ 50000,  { 10000000000 }, 1000 },
		{ 83333,  { 20000000000 }, 1e8  }, /* the kernel has little left to catch up with */
		{ -83333, { 6000000000 },  1e8  },
	};
	/* clang-format on */

	for (size_t i = 0; i < 16 * sizeof cases / sizeof *cases; i++) {
		size_t c = i / 16;
		struct world w;
		uint64_t disrupted;

		settle_in(&w, i, NULL);
		plan_rate(&w, VT_NS(0), cases[c].ppm - 7);
		plan_rate(&w, cases[c].span, -7);
		world_run(&w, VT_MS(2500));
		disrupted = w.looks_disrupted;
		world_forget(&w);
		world_run(&w, vt_span_sub(cases[c].span, VT_MS(2600)));
		assert_int_equal(w.looks_disrupted, disrupted);
		if (w.tally.worst_ns > cases[c].most_ns)
			fail_msg("%.0f ppm: %.0f ns off", cases[c].ppm, w.tally.worst_ns);
		world_run(
			&w,
			VT_MS(15100)); /* to catch up, where it was as fast as the kernel's clock */
		world_forget(&w);
		disrupted = w.looks_disrupted;
		world_run(&w, VT_SEC(30));
		assert_int_equal(w.looks_disrupted, disrupted);
		if (w.tally.worst_ns > 100)
			fail_msg("after %.0f ppm: %.0f ns off", cases[c].ppm, w.tally.worst_ns);
		if (w.clock.steps != 1 || w.discipline.jumps != 0)
			fail_msg("%.0f ppm (%zu): %u steps", cases[c].ppm, i, w.clock.steps);
		if (w.violations)
			fail_msg("%.0f ppm: %.0f ns off with a bound of %.0f", cases[c].ppm,
			         w.violation_error_ns, w.violation_bound_ns);
	}
}

/* A host's slew does not outlast the host: what is held in its absence is the rate from before. */
static void test_slew_is_not_held_over(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 8, NULL);
	plan_rate(&w, VT_NS(0), 10000);
	world_run(&w, VT_SEC(5));
	assert_true(fabs(w.clock.rate.ppb - 1e7) < 1e4);
	/* It may end at any time, and the bound is ready for that. */
	assert_true(w.discipline.bound.max_drift.ppb > 0.999e7);
	world_plan(&w,
	           in(&w, VT_NS(0),
	              (struct world_change){ .kind = WORLD_OUTCOME, .outcome = SOURCE_MISSING }));
	world_run(&w, VT_SEC(5));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_HOLDOVER);
	assert_true(fabs(w.clock.rate.ppb + 7000) < 1000);
}

static void test_migration_to_another_crystal(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 16; i++) {
		double ppm = i % 2 ? 50 : -50;
		struct world w;

		settle_in(&w, i, NULL);
		plan_jump(&w, VT_NS(0), VT_MS(i < 8 ? 300 : 2));
		plan_rate(&w, VT_NS(0), -7 + ppm);
		world_run(&w, VT_MS(1300));
		world_forget(&w);
		world_run(&w, VT_SEC(30));
		assert_true(w.tally.worst_ns < 5000);
		assert_int_equal(w.clock.steps, 2);
		assert_int_equal(w.violations, 0);
		world_forget(&w);
		world_run(&w, VT_SEC(30));
		assert_true(w.tally.worst_ns < 100);
	}
}

/* Unlike a slew, another crystal is there to stay. */
static void test_other_crystal_is_held_over(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 10, NULL);
	plan_jump(&w, VT_NS(0), VT_MS(300));
	plan_rate(&w, VT_NS(0), 80);
	world_run(&w, VT_SEC(30));
	assert_true(w.discipline.bound.max_drift.ppb < 60e3);
	world_plan(&w,
	           in(&w, VT_NS(0),
	              (struct world_change){ .kind = WORLD_OUTCOME, .outcome = SOURCE_MISSING }));
	world_run(&w, VT_SEC(5));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_HOLDOVER);
	assert_true(fabs(w.clock.rate.ppb - 80e3) < 100);
}

/* It looks like a crystal that is off by 125 ppm, until the third reading. */
static void test_jump_between_the_first_two_readings(void **state)
{
	(void)state;
	struct discipline_conf conf = world_conf(false);
	struct source_conf source = SOURCE_CONF_DEFAULT;
	struct world w;

	/* While a big slew is looked after in pieces, between readings. */
	conf.step.is_makestep_given = true;
	source.is_dpoll_given = true;
	source.dpoll = 1;
	world_init(&w, 11, VT_MS(500));
	world_start(&w, &conf, &source, 1);
	plan_jump(&w, VT_MS(100), VT_US(-250));
	w.look = VT_US(20); /* a piece begins with the narrowest bound */
	world_run(&w, VT_SEC(5));
	w.look = VT_MS(50);
	world_run(&w, VT_SEC(25));
	assert_int_equal(w.violations, 0);
	world_forget(&w);
	world_run(&w, VT_SEC(30));
	assert_true(w.tally.worst_ns < 100);
}

/* The host's agent was faster than our next reading: there is nothing left to step. */
/*
 * The readings that confirm a jump lie too close to show a rate: the next one after seconds does, and
 * a small jump before it looks the same.
 */
static void test_small_jump_after_a_jump_is_within_the_bound(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 40; i++) {
		struct source_conf source = SOURCE_CONF_DEFAULT;
		struct world w;

		source.is_dpoll_given = true;
		source.dpoll = 2;
		settle_in(&w, i, &source);
		plan_jump(&w, VT_MS(300), VT_SEC(2070));
		plan_jump(&w, VT_MS(4400), VT_US(i % 2 ? 330 : -330));
		w.sources[0].width = VT_US(2);
		w.look = VT_MS(10);
		world_run(&w, VT_SEC(30));
		assert_int_equal(w.clock.steps, 2);
		if (w.violations)
			fail_msg("%llu: %.0f ns off with a bound of %.0f", (unsigned long long)i,
			         w.violation_error_ns, w.violation_bound_ns);
	}
}

static void test_jump_that_another_has_mended_is_no_step(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 9, NULL);
	plan_jump(&w, VT_NS(0), VT_SEC(10));
	world_plan(&w, in(&w, VT_US(1),
	                  (struct world_change){ .kind = WORLD_SET, .span = VT_SEC(10) }));
	world_run(&w, VT_SEC(2));
	world_forget(&w);
	world_run(&w, VT_SEC(20));
	assert_int_equal(w.clock.steps, 1);
	assert_int_equal(w.discipline.jumps, 1);
	assert_true(w.tally.worst_ns < 100);
	assert_int_equal(w.violations, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jump_is_stepped_within_its_time),
		cmocka_unit_test(test_tiny_jump_is_slewed),
		cmocka_unit_test(test_state_leaves_ok_with_the_first_reading),
		cmocka_unit_test(test_outlier_moves_nothing),
		cmocka_unit_test(test_second_jump_before_three_agree_begins_anew),
		cmocka_unit_test(test_source_that_jumps_to_and_fro_never_steps),
		cmocka_unit_test(test_slewing_host_is_followed_without_a_step),
		cmocka_unit_test(test_slew_is_not_held_over),
		cmocka_unit_test(test_migration_to_another_crystal),
		cmocka_unit_test(test_other_crystal_is_held_over),
		cmocka_unit_test(test_jump_between_the_first_two_readings),
		cmocka_unit_test(test_small_jump_after_a_jump_is_within_the_bound),
		cmocka_unit_test(test_jump_that_another_has_mended_is_no_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
