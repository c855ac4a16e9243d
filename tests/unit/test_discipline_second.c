/* SPDX-License-Identifier: Apache-2.0 */
/* Two sources: one to follow, and one that knows whether the other's jump was ours. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "living.h"

static void settle_in(struct world *w, uint64_t seed, const struct source_conf *second)
{
	struct discipline_conf conf = world_conf(false);
	struct source_conf sources[2] = { SOURCE_CONF_DEFAULT, SOURCE_CONF_DEFAULT };

	if (second)
		sources[1] = *second;
	world_init(w, seed, VT_NS(0));
	w->reference_ppb = 9000;
	w->sources[1].width = VT_US(20);
	w->sources[1].is_asymmetry_random = true;
	world_start(w, &conf, sources, 2);
	world_run(w, VT_SEC(60));
	world_run(w, vt_span_from_ns(1e9 * world_uniform(w)));
	assert_int_equal(w->discipline.selected, 0);
	assert_int_equal(w->kinds[EVENT_DISRUPTED], 0);
}

static void lie(struct world *w, int source, vt_span size)
{
	world_plan(w, (struct world_change){
			      .at = w->now, .kind = WORLD_OFFSET, .source = source, .span = size });
}

static void pause_all(struct world *w, vt_span size)
{
	world_plan(w, (struct world_change){ .at = w->now, .kind = WORLD_JUMP, .span = size });
}

static const struct disruption *repaired(const struct world *w, unsigned n)
{
	const struct discipline_event *event = world_event(w, EVENT_REPAIRED, n);

	if (!event)
		fail_msg("no disruption %u was told", n);
	return &event->disruption;
}

static void test_second_that_jumped_alike_names_the_cause(void **state)
{
	(void)state;
	static const vt_span sizes[] = { { 10000000000 }, { -3600000000000 }, { 5000000 } };

	for (uint64_t seed = 0; seed < 24; seed++) {
		struct world w;

		settle_in(&w, seed, NULL);
		pause_all(&w, sizes[seed % 3]);
		world_run(&w, VT_SEC(2));
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(repaired(&w, 0)->cause, STEP_PAUSE);
		assert_int_equal(repaired(&w, 0)->end, DISRUPTION_STEPPED);
		assert_int_equal(repaired(&w, 0)->evidence, EVIDENCE_READINGS | EVIDENCE_SECOND_AGREES);
		assert_int_equal(w.discipline.selected, 0);
		assert_true(fabs(world_error_ns(&w)) < 10000);
		assert_int_equal(w.violations, 0);
	}
}

/* It is held, told, and the other followed until it comes back. */
static void test_jump_that_the_second_contradicts_is_held(void **state)
{
	(void)state;
	static const vt_span sizes[] = { { 3600000000000 }, { -10000000000 }, { 5000000 } };

	for (uint64_t seed = 0; seed < 24; seed++) {
		struct world w;

		settle_in(&w, seed, NULL);
		lie(&w, 0, sizes[seed % 3]);
		world_run(&w, VT_SEC(2));
		assert_int_equal(w.clock.steps, 0);
		assert_int_equal(w.discipline.selected, 1);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
		assert_int_equal(w.kinds[EVENT_REPAIRED], 1);
		assert_int_equal(repaired(&w, 0)->end, DISRUPTION_HELD);
		assert_int_equal(repaired(&w, 0)->cause, STEP_JUMP);
		assert_true(fabs((double)(repaired(&w, 0)->size.ns - sizes[seed % 3].ns)) < 50000);
		assert_true(repaired(&w, 0)->evidence & EVIDENCE_CONTRADICTED);
		world_run(&w, VT_SEC(300));
		assert_int_equal(w.discipline.selected, 1);
		lie(&w, 0, VT_NS(0));
		world_run(&w, VT_SEC(3));
		assert_int_equal(w.discipline.selected, 0);
		world_run(&w, VT_SEC(60));
		assert_true(fabs(world_error_ns(&w)) < 1000);
		assert_int_equal(w.clock.steps, 0);
		assert_int_equal(w.kinds[EVENT_REPAIRED], 1);
		assert_int_equal(w.violations, 0);
	}
}

/* Where the host says that it stepped its clock, a guest follows its host. */
static void test_host_that_says_so_is_followed(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct world w;

		settle_in(&w, (uint64_t)late, NULL);
		lie(&w, 0, VT_SEC(3600));
		if (!late)
			discipline_witness(&w.discipline, EVIDENCE_HOST_STEPPED, VT_NS(0), w.now);
		world_run(&w, VT_SEC(2));
		assert_int_equal(w.clock.steps, !late);
		if (late)
			discipline_witness(&w.discipline, EVIDENCE_HOST_STEPPED, VT_NS(0), w.now);
		world_run(&w, VT_SEC(2));
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(w.discipline.selected, 0);
		assert_int_equal(world_event(&w, EVENT_STEPPED, 0)->cause, STEP_HOST_STEP);
		assert_true(fabs(world_error_ns(&w) - 3600e9) < 100000);
	}
}

/* It knows too little to contradict, so it does not. */
static void test_who_cannot_know_is_not_asked(void **state)
{
	(void)state;
	enum { NOSELECT, SELDOM, COARSE, GONE, SAME_CLOCK, CASES };

	for (int what = 0; what < CASES; what++) {
		struct source_conf second = SOURCE_CONF_DEFAULT;
		struct world w;

		second.noselect = what == NOSELECT;
		if (what == SELDOM) {
			second.is_dpoll_given = true;
			second.dpoll = 6;
		}
		settle_in(&w, (uint64_t)what, &second);
		w.sources[0].port.shows_host = true;
		w.sources[1].port.shows_host = what == SAME_CLOCK;
		if (what == COARSE)
			w.sources[1].width = VT_MS(20);
		if (what == GONE)
			world_plan(&w, (struct world_change){ .at = w.now,
			                                      .kind = WORLD_OUTCOME,
			                                      .source = 1,
			                                      .outcome = SOURCE_MISSING });
		world_run(&w, VT_SEC(70));
		lie(&w, 0, what == COARSE ? VT_MS(3) : VT_MS(1));
		world_run(&w, VT_SEC(2));
		if (w.clock.steps != 1 || world_event(&w, EVENT_STEPPED, 0)->cause != STEP_JUMP)
			fail_msg("%d: %u steps", what, w.clock.steps);
	}
}

/* When the other one goes, what was held is all that there is. */
static void test_held_one_is_followed_when_it_is_the_last(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 1, NULL);
	lie(&w, 0, VT_SEC(10));
	world_run(&w, VT_SEC(10));
	assert_int_equal(w.discipline.selected, 1);
	world_plan(&w, (struct world_change){
			       .at = w.now, .kind = WORLD_OUTCOME, .source = 1, .outcome = SOURCE_MISSING });
	world_run(&w, VT_SEC(10));
	assert_int_equal(w.discipline.selected, 0);
	assert_int_equal(w.clock.steps, 1);
	assert_int_equal(world_event(&w, EVENT_STEPPED, 0)->cause, STEP_JUMP);
}

/* The one that is not followed notices first: the other is read at once. */
static void test_second_makes_it_faster(void **state)
{
	(void)state;
	struct source_conf second = SOURCE_CONF_DEFAULT;
	double slowest_s = 0;

	second.is_dpoll_given = true;
	second.dpoll = -4;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct world w;
		vt_mono from;

		settle_in(&w, seed, &second);
		pause_all(&w, VT_SEC(10));
		from = w.now;
		while (w.clock.steps == 0)
			world_run(&w, VT_MS(1));
		slowest_s = fmax(slowest_s, vt_span_seconds(vt_mono_since(w.now, from)));
		assert_int_equal(w.violations, 0);
	}
	if (slowest_s > 0.13)
		fail_msg("%.3f s", slowest_s);
}

/* The followed one cannot be read just then: the other one says that all is not well, and what to do. */
static void test_second_alone_sees_the_jump(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 3, NULL);
	w.sources[0].outcome = SOURCE_BUSY;
	pause_all(&w, VT_MS(30));
	world_run(&w, VT_MS(1200));
	assert_int_equal(w.discipline.selected, 0);
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_DISRUPTED);
	world_run(&w, VT_SEC(5));
	assert_int_equal(w.discipline.selected, 1);
	assert_int_equal(w.clock.steps, 1);
	assert_int_equal(world_event(&w, EVENT_STEPPED, 0)->cause, STEP_JUMP);
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
}

/* The followed one is silent for half a minute; it answers again at its next try, a second away at most. */
static void silence_first(struct world *w, uint64_t seed)
{
	struct source_conf second = SOURCE_CONF_DEFAULT;

	second.is_dpoll_given = true;
	second.dpoll = 1;
	settle_in(w, seed, &second);
	w->sources[0].outcome = SOURCE_BROKEN;
	world_run(w, VT_SEC(33));
	assert_int_equal(w->discipline.selected, 1);
	w->sources[0].outcome = SOURCE_READ;
}

/*
 * Alone it could have drifted as far in half a minute.  Not so where another has kept the clock
 * meanwhile: it jumped, and from its first reading on the status says so.
 */
static void test_jump_is_not_hidden_by_a_silence(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 24; seed++) {
		struct world w;
		unsigned reads;

		silence_first(&w, seed);
		pause_all(&w, seed % 2 ? VT_NS(1581302) : VT_NS(-2500000));
		reads = w.sources[0].reads;
		for (int ms = 0; ms < 2500 && w.clock.steps == 0; ms++) {
			world_run(&w, VT_MS(1));
			if (w.sources[0].reads != reads && w.clock.steps == 0)
				assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_DISRUPTED);
		}
		world_run(&w, VT_SEC(1));
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(repaired(&w, 0)->cause, STEP_PAUSE);
		assert_int_equal(repaired(&w, 0)->end, DISRUPTION_STEPPED);
		assert_int_equal(w.discipline.selected, 0);
		assert_true(fabs(world_error_ns(&w)) < 10000);
		assert_int_equal(w.kinds[EVENT_DISRUPTED], 1);
		assert_int_equal(w.violations + w.unnoticed, 0);
	}
}

/* What is no jump stays none: that the two disagree, that the crystal changed, that one drifted a little. */
static void test_who_comes_back_is_followed(void **state)
{
	(void)state;
	enum { DISAGREE, CRYSTAL, DRIFT, CASES };

	for (uint64_t seed = 0; seed < 24; seed++) {
		int what = (int)(seed % CASES);
		struct source_conf second = SOURCE_CONF_DEFAULT;
		struct world w;

		second.is_dpoll_given = true;
		settle_in(&w, seed, &second);
		if (what == DISAGREE) {
			lie(&w, 1, VT_MS(5));
			world_run(&w, VT_SEC(60));
			assert_int_equal(w.discipline.selected, 0);
		}
		w.sources[0].outcome = SOURCE_BROKEN;
		world_run(&w, VT_SEC(10));
		assert_int_equal(w.discipline.selected, 1);
		if (what != DRIFT)
			w.reference_ppb += what == CRYSTAL ? 45e3 : 15e3;
		world_run(&w, VT_SEC(30));
		if (what == DRIFT)
			lie(&w, 0, VT_US(900));
		w.sources[0].outcome = SOURCE_READ;
		w.kinds[EVENT_DISRUPTED] = 0;
		world_run(&w, VT_SEC(2));
		assert_int_equal(w.discipline.selected, 0);
		assert_int_equal(w.kinds[EVENT_DISRUPTED], 0);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
		world_run(&w, VT_SEC(10));
		assert_int_equal(w.clock.steps, 0);
		assert_true(fabs(world_error_ns(&w) - (what == DRIFT ? 900e3 : 0)) < 1000);
	}
}

/* It moved farther than that beside the other one: as if it had jumped while it was read. */
static void test_who_comes_back_elsewhere_is_held(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 12; seed++) {
		struct world w;

		silence_first(&w, seed);
		lie(&w, 0, VT_MS(2));
		world_run(&w, VT_SEC(3));
		assert_int_equal(w.discipline.selected, 1);
		assert_int_equal(repaired(&w, 0)->end, DISRUPTION_HELD);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
		assert_int_equal(w.clock.steps, 0);
		assert_true(fabs(world_error_ns(&w)) < 100000);
		assert_int_equal(w.violations, 0);
		lie(&w, 0, VT_NS(0));
		world_run(&w, VT_SEC(60));
		assert_int_equal(w.discipline.selected, 0);
		assert_int_equal(w.clock.steps, 0);
	}
}

/* The better one has never answered yet: alone its first reading shows nothing, but the other one's does. */
static void await_first(struct world *w, uint64_t seed)
{
	struct discipline_conf conf = world_conf(false);
	struct source_conf sources[2] = { SOURCE_CONF_DEFAULT, SOURCE_CONF_DEFAULT };

	sources[1].is_dpoll_given = true;
	sources[1].dpoll = (int)(seed % 4);
	world_init(w, seed, VT_NS(0));
	w->reference_ppb = 9000;
	w->sources[0].outcome = SOURCE_BROKEN;
	world_start(w, &conf, sources, 2);
	world_run(w, VT_SEC(60));
	world_run(w, vt_span_from_ns(1e9 * world_uniform(w)));
	assert_int_equal(w->discipline.selected, 1);
	w->sources[0].outcome = SOURCE_READ;
}

static void test_jump_is_not_hidden_by_a_first_reading(void **state)
{
	(void)state;
	static const vt_span sizes[] = { { 948413684266 }, { -3600000000000 }, { 5000000 } };

	for (uint64_t seed = 0; seed < 24; seed++) {
		struct world w;
		bool was_ok = true;
		unsigned reads;

		await_first(&w, seed);
		pause_all(&w, sizes[seed % 3]);
		reads = w.sources[0].reads;
		for (int ms = 0; ms < 9500 && w.clock.steps == 0; ms++) {
			bool has_read = w.sources[0].reads != reads || !was_ok;

			world_run(&w, VT_MS(1));
			was_ok = discipline_state(&w.discipline) == DISCIPLINE_OK;
			if (has_read && w.clock.steps == 0)
				assert_false(was_ok);
		}
		world_run(&w, VT_SEC(1));
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(repaired(&w, 0)->cause, STEP_JUMP);
		assert_int_equal(repaired(&w, 0)->end, DISRUPTION_STEPPED);
		assert_int_equal(w.discipline.selected, 0);
		assert_int_equal(w.kinds[EVENT_DISRUPTED], 1);
		assert_true(fabs(world_error_ns(&w)) < 10000);
		assert_int_equal(w.violations + w.unnoticed + w.uncaused, 0);
	}
}

/* Nothing jumped: the two disagree, and the better one is followed, as ever without a step. */
static void test_first_reading_elsewhere_is_no_jump(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 12; seed++) {
		struct world w;

		await_first(&w, seed);
		lie(&w, 0, seed % 2 ? VT_SEC(37) : VT_MS(-5));
		world_run(&w, VT_SEC(2));
		assert_int_equal(w.discipline.selected, 0);
		assert_int_equal(w.clock.steps, 0);
		assert_int_equal(w.kinds[EVENT_DISRUPTED], 0);
	}
}

/* Neither half of it is to be trusted: nothing is followed, and it says why, once. */
static void test_to_and_fro_is_given_up(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct discipline_conf conf = world_conf(false);
		vt_span radius;
		struct world w;

		world_init(&w, seed, VT_NS(0));
		w.reference_ppb = 9000;
		world_start(&w, &conf, NULL, 1);
		world_run(&w, VT_SEC(60));
		w.sources[0].flip = VT_SEC(3600);
		world_run(&w, VT_SEC(600));
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_DISRUPTED);
		assert_int_equal(w.discipline.sources[0].trouble, TROUBLE_UNSTEADY);
		assert_int_equal(bound_at(&w.discipline.bound, w.now, &radius), BOUND_EXPIRED);
		assert_false(w.clock.quality.is_synchronized);
		assert_int_equal(w.discipline.selected, -1);
		assert_int_equal(w.kinds[EVENT_LOST], 1);
		assert_true(w.kinds[EVENT_SUSPECTED] <= 3);
		assert_true(w.kinds[EVENT_DISRUPTED] <= 3);
		assert_true(w.kinds[EVENT_DISMISSED] <= 3);
		assert_int_equal(w.clock.steps, 0);
		assert_true(fabs(world_error_ns(&w)) < 1e6);
		/* And forgiven, when it has been steady for a while. */
		w.sources[0].flip = VT_NS(0);
		world_run(&w, VT_SEC(30));
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
		assert_int_equal(w.discipline.selected, 0);
		assert_int_equal(w.clock.steps, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_that_jumped_alike_names_the_cause),
		cmocka_unit_test(test_jump_that_the_second_contradicts_is_held),
		cmocka_unit_test(test_host_that_says_so_is_followed),
		cmocka_unit_test(test_who_cannot_know_is_not_asked),
		cmocka_unit_test(test_held_one_is_followed_when_it_is_the_last),
		cmocka_unit_test(test_second_makes_it_faster),
		cmocka_unit_test(test_second_alone_sees_the_jump),
		cmocka_unit_test(test_jump_is_not_hidden_by_a_silence),
		cmocka_unit_test(test_who_comes_back_is_followed),
		cmocka_unit_test(test_who_comes_back_elsewhere_is_held),
		cmocka_unit_test(test_jump_is_not_hidden_by_a_first_reading),
		cmocka_unit_test(test_first_reading_elsewhere_is_no_jump),
		cmocka_unit_test(test_to_and_fro_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
