/* SPDX-License-Identifier: Apache-2.0 */
/* What speaks of a disruption besides the readings, and what is told of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "living.h"

/* In sync, at no special phase of the polling, and nothing told that is not looked at. */
static void settle_in(struct world *w, uint64_t seed, enum step_resume resume)
{
	struct discipline_conf conf = world_conf(false);

	conf.step.resume = resume;
	world_init(w, seed, VT_NS(0));
	w->reference_ppb = -7000;
	world_start(w, &conf, NULL, 1);
	world_run(w, VT_SEC(30));
	world_run(w, vt_span_from_ns(1e9 * world_uniform(w)));
	assert_int_equal(discipline_state(&w->discipline), DISCIPLINE_OK);
	assert_int_equal(w->kinds[EVENT_DISRUPTED], 0);
}

static void jump(struct world *w, vt_span size)
{
	world_plan(w, (struct world_change){ .at = w->now, .kind = WORLD_JUMP, .span = size });
	world_advance(w, vt_mono_add(w->now, VT_NS(1)));
}

static void witness(struct world *w, unsigned evidence)
{
	discipline_witness(&w->discipline, evidence, VT_NS(0), w->now);
}

static const struct disruption *told(const struct world *w, enum discipline_event_kind kind, unsigned n)
{
	const struct discipline_event *event = world_event(w, kind, n);

	if (!event)
		fail_msg("event %u of kind %d was not told", n, (int)kind);
	return &event->disruption;
}

static void test_marker_makes_it_so_at_once(void **state)
{
	(void)state;
	static const unsigned kinds[] = { EVIDENCE_MARKER, EVIDENCE_GENERATION, EVIDENCE_SUSPEND };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct world w;
		vt_span radius;
		unsigned reads;

		settle_in(&w, i, STEP_RESUME_STEP);
		jump(&w, VT_SEC(3600));
		reads = w.sources[0].reads;
		witness(&w, kinds[i]);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_DISRUPTED);
		assert_int_equal(bound_at(&w.discipline.bound, w.now, &radius), BOUND_EXPIRED);
		assert_false(w.clock.quality.is_synchronized);
		assert_true(discipline_deadline(&w.discipline).ns <= w.now.ns);
		assert_int_equal(w.sources[0].reads, reads);
		/* A reading and one that agrees. */
		world_run(&w, VT_MS(6));
		assert_int_equal(w.sources[0].reads, reads + 2);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
		assert_true(llabs((long long)world_error_ns(&w)) < 100000);
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(w.kinds[EVENT_DISRUPTED], 1);
		assert_int_equal(w.kinds[EVENT_REPAIRED], 1);
		assert_int_equal(told(&w, EVENT_DISRUPTED, 0)->evidence, kinds[i]);
		assert_int_equal(told(&w, EVENT_DISRUPTED, 0)->end, DISRUPTION_OPEN);
		assert_int_equal(told(&w, EVENT_REPAIRED, 0)->evidence, kinds[i] | EVIDENCE_READINGS);
		assert_int_equal(told(&w, EVENT_REPAIRED, 0)->end, DISRUPTION_STEPPED);
		assert_int_equal(world_event(&w, EVENT_STEPPED, 0)->cause,
		                 told(&w, EVENT_REPAIRED, 0)->cause);
	}
}

static void test_all_of_a_disruption_is_told(void **state)
{
	(void)state;
	struct world w;
	const struct disruption *it;
	vt_real before;

	settle_in(&w, 4, STEP_RESUME_STEP);
	before = (vt_real){ w.local.ns };
	jump(&w, VT_SEC(10));
	world_run(&w, VT_SEC(2));
	it = told(&w, EVENT_REPAIRED, 0);
	assert_int_equal(it->number, 1);
	assert_int_equal(it->end, DISRUPTION_STEPPED);
	assert_int_equal(it->cause, STEP_JUMP);
	assert_int_equal(it->evidence, EVIDENCE_READINGS);
	assert_int_equal(it->source, 0);
	assert_true(llabs(it->size.ns - 10000000000) < 20000);
	assert_in_range(it->noticed_at.ns - before.ns, 0, 1050000000);
	assert_in_range(it->repaired_at.ns - before.ns, 10000000000, 11200000000);
	assert_in_range(it->blind_for.ns, 900000000, 1050000000);
	assert_in_range(it->disrupted_for.ns, 50000000, 60000000);
	assert_int_equal(told(&w, EVENT_DISRUPTED, 0)->number, 1);
	assert_int_equal(told(&w, EVENT_DISRUPTED, 0)->size.ns, 0);
}

/* A clock that is right stays ok: no event, no step, no blind moment. */
static void test_who_only_asks_claims_nothing(void **state)
{
	(void)state;
	static const unsigned kinds[] = { EVIDENCE_NUDGE, EVIDENCE_CLOCK_SET, EVIDENCE_LATE,
		                          EVIDENCE_HOST_PAUSED, EVIDENCE_HOST_MIGRATED };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct world w;
		unsigned reads;

		settle_in(&w, i, STEP_RESUME_STEP);
		reads = w.sources[0].reads;
		witness(&w, kinds[i]);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
		world_run(&w, VT_US(100));
		assert_int_equal(w.sources[0].reads, reads + 1);
		world_run(&w, VT_SEC(5));
		assert_int_equal(w.looks_disrupted, 0);
		assert_int_equal(w.kinds[EVENT_DISRUPTED] + w.kinds[EVENT_REPAIRED], 0);
		assert_int_equal(w.clock.steps, 0);
	}
}

static void test_marker_without_a_loss_ends_with_the_next_reading(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 1, STEP_RESUME_STEP);
	witness(&w, EVIDENCE_MARKER);
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_DISRUPTED);
	world_run(&w, VT_US(100));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	assert_true(w.clock.quality.is_synchronized);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->end, DISRUPTION_NOTHING);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->evidence, EVIDENCE_MARKER);
	/* Another host has another crystal, and who knows how this one runs. */
	assert_true(w.discipline.bound.max_drift.ppb > 100e3);
	world_run(&w, VT_SEC(10));
	assert_true(w.discipline.bound.max_drift.ppb < 60e3);
	assert_int_equal(w.clock.steps, 0);
}

/* It came too early, and is right all the same. */
static void test_host_that_tells_before_the_reading(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 2, STEP_RESUME_STEP);
	jump(&w, VT_SEC(10));
	witness(&w, EVIDENCE_NUDGE | EVIDENCE_HOST_PAUSED);
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	world_run(&w, VT_MS(15));
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->cause, STEP_PAUSE);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->evidence,
	                 EVIDENCE_READINGS | EVIDENCE_NUDGE | EVIDENCE_HOST_PAUSED);
	assert_int_equal(world_event(&w, EVENT_STEPPED, 0)->cause, STEP_PAUSE);
	assert_int_equal(w.kinds[EVENT_REPAIRED], 1);
}

static void test_host_that_tells_afterwards(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 3, STEP_RESUME_STEP);
	jump(&w, VT_SEC(10));
	world_run(&w, VT_SEC(2));
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->cause, STEP_JUMP);
	witness(&w, EVIDENCE_HOST_PAUSED);
	world_run(&w, VT_SEC(1));
	assert_int_equal(w.kinds[EVENT_REPAIRED], 2);
	assert_int_equal(told(&w, EVENT_REPAIRED, 1)->cause, STEP_PAUSE);
	assert_int_equal(told(&w, EVENT_REPAIRED, 1)->number, told(&w, EVENT_REPAIRED, 0)->number);
	assert_int_equal(told(&w, EVENT_REPAIRED, 1)->size.ns, told(&w, EVENT_REPAIRED, 0)->size.ns);
	assert_int_equal(w.clock.steps, 1);
	assert_int_equal(w.looks_disrupted > 0, true);
}

/* Between a nudge and its outcome a host or an administrator waits. */
static void test_nudge_makes_it_fast(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct world w;

		settle_in(&w, seed, STEP_RESUME_STEP);
		w.sources[0].width = seed % 2 ? VT_US(1) : VT_NS(0);
		world_run(&w, VT_SEC(3));
		jump(&w, VT_SEC(seed % 3 ? 10 : -10));
		witness(&w, EVIDENCE_NUDGE);
		world_run(&w, VT_MS(12));
		assert_true(llabs((long long)world_error_ns(&w)) < 100000);
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(w.violations, 0);
	}
}

/* Who floods us gets his readings no faster, and no pause gets lost in it. */
static void test_flood_costs_little(void **state)
{
	(void)state;
	static const unsigned kinds[] = { EVIDENCE_NUDGE, EVIDENCE_MARKER, EVIDENCE_LATE };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct world w;
		unsigned reads;

		settle_in(&w, i, STEP_RESUME_STEP);
		reads = w.sources[0].reads;
		world_tell(&w, (struct world_input){ .at = w.now,
		                                     .until = vt_mono_add(w.now, VT_SEC(20)),
		                                     .every = VT_MS(1),
		                                     .evidence = kinds[i] });
		world_run(&w, VT_SEC(10));
		assert_in_range(w.sources[0].reads - reads, 30, 80);
		assert_int_equal(w.clock.steps, 0);
		assert_true(w.kinds[EVENT_DISRUPTED] <= 4);
		jump(&w, VT_SEC(10));
		world_run(&w, VT_MS(350));
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
		assert_int_equal(w.violations, 0);
	}
}

/* Left alone until somebody else has repaired it; the bound says how far it is off meanwhile. */
static void test_resume_ignore(void **state)
{
	(void)state;
	struct world w;
	vt_span radius;

	settle_in(&w, 5, STEP_RESUME_IGNORE);
	jump(&w, VT_SEC(10));
	world_run(&w, VT_SEC(20));
	assert_int_equal(w.clock.steps, 0);
	assert_int_equal(w.kinds[EVENT_LET_BE], 1);
	assert_int_equal(w.kinds[EVENT_REPAIRED], 1);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->end, DISRUPTION_LEFT);
	assert_true(world_error_ns(&w) < -9.9999e9);
	assert_int_equal(bound_at(&w.discipline.bound, w.now, &radius), BOUND_HOLDS);
	assert_true(radius.ns >= 10000000000 - 1000);
	assert_false(w.clock.quality.is_synchronized);
	world_plan(&w, (struct world_change){ .at = w.now, .kind = WORLD_SET, .span = VT_SEC(10) });
	world_run(&w, VT_SEC(5));
	assert_true(w.clock.quality.is_synchronized);
	assert_true(llabs((long long)world_error_ns(&w)) < 1000);
	assert_int_equal(w.clock.steps, 0);
	assert_int_equal(w.violations, 0);
}

static void test_resume_slew(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 6, STEP_RESUME_SLEW);
	jump(&w, VT_MS(500));
	/* At 83333 ppm half a second takes six: so long the clock is wrong, and that is said. */
	world_run(&w, VT_SEC(4));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_DISRUPTED);
	assert_false(w.clock.quality.is_synchronized);
	assert_int_equal(w.kinds[EVENT_DISRUPTED], 1);
	assert_int_equal(w.kinds[EVENT_REPAIRED], 0);
	world_run(&w, VT_SEC(11));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	assert_true(w.clock.quality.is_synchronized);
	assert_int_equal(w.clock.steps, 0);
	assert_true(llabs((long long)world_error_ns(&w)) < 1000);
	assert_int_equal(w.kinds[EVENT_REPAIRED], 1);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->end, DISRUPTION_SLEWED);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->cause, STEP_JUMP);
	assert_in_range(told(&w, EVENT_REPAIRED, 0)->size.ns, 499000000, 501000000);
	assert_in_range(told(&w, EVENT_REPAIRED, 0)->disrupted_for.ns, 5500000000, 7500000000);
	assert_int_equal(w.violations, 0);
}

static void test_set_by_another_is_told_too(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 7, STEP_RESUME_STEP);
	world_plan(&w, (struct world_change){ .at = w.now, .kind = WORLD_SET, .span = VT_SEC(100) });
	world_tell(&w, (struct world_input){ .at = w.now, .evidence = EVIDENCE_CLOCK_SET });
	world_run(&w, VT_MS(1));
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->cause, STEP_SET_BY_ANOTHER);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->evidence, EVIDENCE_CLOCK_SET);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->end, DISRUPTION_STEPPED);
	/* The second one within a minute is left, and told once. */
	world_plan(&w, (struct world_change){ .at = w.now, .kind = WORLD_SET, .span = VT_SEC(100) });
	world_run(&w, VT_SEC(5));
	assert_int_equal(w.kinds[EVENT_REPAIRED], 2);
	assert_int_equal(told(&w, EVENT_REPAIRED, 1)->end, DISRUPTION_LEFT);
	assert_int_equal(told(&w, EVENT_REPAIRED, 1)->number, 2);
}

/* Where no source answers: right to a second, which is no bound. */
static void test_rtc_alone(void **state)
{
	(void)state;
	struct world w;
	vt_span radius;

	settle_in(&w, 8, STEP_RESUME_STEP);
	discipline_take_word(&w.discipline, EVIDENCE_RTC, VT_SEC(3600), w.now);
	assert_int_equal(w.clock.steps, 0); /* a source answers, and knows better */
	w.has_rtc = true;
	rtc_watch_init(&w.rtc, w.now);
	world_run(&w, VT_SEC(61));
	world_plan(&w, (struct world_change){
			       .at = w.now, .kind = WORLD_OUTCOME, .outcome = SOURCE_MISSING });
	world_run(&w, VT_SEC(61));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_HOLDOVER);
	assert_int_equal(bound_at(&w.discipline.bound, w.now, &radius), BOUND_HOLDS);
	jump(&w, VT_SEC(3600));
	world_run(&w, VT_SEC(12));
	assert_int_equal(w.clock.steps, 1);
	assert_true(llabs((long long)world_error_ns(&w)) < 1500000000);
	assert_int_equal(bound_at(&w.discipline.bound, w.now, &radius), BOUND_EXPIRED);
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_HOLDOVER);
	assert_false(w.clock.quality.is_synchronized);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->evidence, EVIDENCE_RTC);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->cause, STEP_JUMP);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->source, -1);
	world_run(&w, VT_SEC(120));
	assert_int_equal(w.clock.steps, 1);
}

static void test_rtc_leaves_it_where_resume_says_so(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 9, STEP_RESUME_IGNORE);
	world_plan(&w, (struct world_change){
			       .at = w.now, .kind = WORLD_OUTCOME, .outcome = SOURCE_MISSING });
	world_run(&w, VT_SEC(10));
	discipline_take_word(&w.discipline, EVIDENCE_RTC, VT_SEC(3600), w.now);
	world_run(&w, VT_SEC(1));
	assert_int_equal(w.clock.steps, 0);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->end, DISRUPTION_LEFT);
}

/* A host's agent told the time: believed where no source knows better, and no bound follows. */
static void test_told_the_time(void **state)
{
	(void)state;
	struct world w;
	vt_span radius;

	settle_in(&w, 10, STEP_RESUME_STEP);
	discipline_take_word(&w.discipline, EVIDENCE_TOLD, VT_SEC(-3600), w.now);
	assert_int_equal(w.clock.steps, 0); /* a source answers, and knows better */
	world_plan(&w, (struct world_change){
			       .at = w.now, .kind = WORLD_OUTCOME, .outcome = SOURCE_MISSING });
	world_run(&w, VT_SEC(61));
	discipline_take_word(&w.discipline, EVIDENCE_TOLD, VT_SEC(-3600), w.now);
	world_run(&w, VT_SEC(1));
	assert_int_equal(w.clock.steps, 1);
	assert_int_equal(bound_at(&w.discipline.bound, w.now, &radius), BOUND_EXPIRED);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->evidence, EVIDENCE_TOLD);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->cause, STEP_TOLD);
	assert_int_equal(told(&w, EVENT_REPAIRED, 0)->size.ns, VT_SEC(-3600).ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marker_makes_it_so_at_once),
		cmocka_unit_test(test_told_the_time),
		cmocka_unit_test(test_all_of_a_disruption_is_told),
		cmocka_unit_test(test_who_only_asks_claims_nothing),
		cmocka_unit_test(test_marker_without_a_loss_ends_with_the_next_reading),
		cmocka_unit_test(test_host_that_tells_before_the_reading),
		cmocka_unit_test(test_host_that_tells_afterwards),
		cmocka_unit_test(test_nudge_makes_it_fast),
		cmocka_unit_test(test_flood_costs_little),
		cmocka_unit_test(test_resume_ignore),
		cmocka_unit_test(test_resume_slew),
		cmocka_unit_test(test_set_by_another_is_told_too),
		cmocka_unit_test(test_rtc_alone),
		cmocka_unit_test(test_rtc_leaves_it_where_resume_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
