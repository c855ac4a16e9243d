/* SPDX-License-Identifier: Apache-2.0 */
/* Sources that fail, clocks that cannot be moved, others who move ours, wake-ups that come late. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "living.h"

static void plan(struct world *w, vt_span wait, struct world_change change)
{
	change.at = vt_mono_add(w->now, wait);
	world_plan(w, change);
}

static void answer(struct world *w, vt_span wait, enum source_outcome outcome)
{
	plan(w, wait, (struct world_change){ .kind = WORLD_OUTCOME, .outcome = outcome });
}

static void settle_in(struct world *w, uint64_t seed)
{
	struct discipline_conf conf = world_conf(true);

	world_init(w, seed, VT_MS(566));
	w->reference_ppb = 11000;
	world_start(w, &conf, NULL, 1);
	world_run(w, VT_SEC(60));
	world_run(w, vt_span_from_ns(1e9 * world_uniform(w)));
	world_forget(w);
}

static void read_once(struct world *w)
{
	unsigned reads = w->sources[0].reads;

	while (w->sources[0].reads == reads)
		world_run(w, VT_US(200));
	world_run(w, VT_US(200));
}

static void test_busy_is_lost_after_two_seconds(void **state)
{
	(void)state;
	struct world w;
	vt_mono good;

	settle_in(&w, 1);
	answer(&w, VT_NS(0), SOURCE_BUSY);
	good = w.discipline.sources[0].latest.raw;
	/* Busy for a while is no loss: it is asked again sixteen times a second. */
	do {
		read_once(&w);
		assert_int_equal(w.discipline.sources[0].trouble, TROUBLE_BUSY);
		if (vt_mono_since(w.now, good).ns >= 2000000000)
			break;
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
		assert_int_equal(w.kinds[EVENT_LOST], 0);
	} while (true);
	assert_true(w.discipline.sources[0].failures_in_a_row > 3);
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_HOLDOVER);
	assert_int_equal(w.kinds[EVENT_LOST], 1);
	answer(&w, VT_NS(0), SOURCE_READ);
	read_once(&w);
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	assert_int_equal(w.kinds[EVENT_SELECTED], 2);
	world_run(&w, VT_SEC(10));
	assert_true(w.tally.worst_ns < 100);
	assert_int_equal(w.clock.steps, 1);
}

static void test_lasting_trouble_is_lost_at_once_and_found_again(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		enum source_outcome outcome;
		enum source_trouble trouble;
		vt_span             patience;
	} cases[] = {
		{ SOURCE_MISSING, TROUBLE_MISSING, { 0 } },
		{ SOURCE_REFUSED, TROUBLE_REFUSED, { 0 } },
		{ SOURCE_DENIED,  TROUBLE_DENIED,  { 0 } },
		{ SOURCE_BROKEN,  TROUBLE_BROKEN,  { 2000000000 } },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct world w;
		vt_mono good;

		settle_in(&w, i);
		answer(&w, VT_NS(0), cases[i].outcome);
		good = w.discipline.sources[0].latest.raw;
		do {
			assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
			read_once(&w);
		} while (vt_mono_since(w.now, good).ns < cases[i].patience.ns);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_HOLDOVER);
		assert_int_equal(w.discipline.sources[0].trouble, cases[i].trouble);
		assert_int_equal(world_event(&w, EVENT_LOST, 0)->source, 0);
		assert_int_equal(w.kinds[EVENT_LOST], 1);
		/* Holdover: the source's own rate and nothing of a slew. */
		assert_true(fabs(w.clock.rate.ppb - 11000) < 20);
		answer(&w, VT_SEC(20), SOURCE_READ);
		world_run(&w, VT_MS(21200)); /* it is asked at least once a second */
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
		world_run(&w, VT_SEC(10));
		assert_true(w.tally.worst_ns < 1000);
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(w.violations, 0);
	}
}

static void test_holdover_leaves_no_slew_behind(void **state)
{
	(void)state;
	struct discipline_conf conf = world_conf(false);
	struct world w;

	conf.step.is_makestep_given = true;
	world_init(&w, 3, VT_SEC(1));
	w.reference_ppb = 11000;
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_MS(3010));
	assert_true(fabs(w.clock.rate.ppb) > 1e7); /* it is catching up with a second */
	answer(&w, VT_NS(0), SOURCE_MISSING);
	read_once(&w);
	assert_true(fabs(w.clock.rate.ppb - 11000) < 100);
	/* The same for a source that is only busy: whatever the slew was planned for is over. */
	answer(&w, VT_NS(0), SOURCE_READ);
	read_once(&w);
	world_run(&w, VT_MS(100));
	answer(&w, VT_NS(0), SOURCE_BUSY);
	read_once(&w);
	assert_true(fabs(w.clock.rate.ppb - 11000) < 100);
	answer(&w, VT_NS(0), SOURCE_READ);
	world_run(&w, VT_SEC(30));
	assert_true(fabs(world_error_ns(&w)) < 100);
	assert_int_equal(w.clock.steps, 0);
	assert_int_equal(w.kinds[EVENT_SET_AWAY], 0);
}

static void test_device_gone_for_an_hour(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		struct world w;

		settle_in(&w, i);
		w.walk_ppb = 1;
		answer(&w, VT_NS(0), SOURCE_MISSING);
		answer(&w, VT_SEC(3600), SOURCE_READ);
		if (i >= 2) /* and the guest was paused meanwhile */
			plan(&w, VT_SEC(1800),
			     (struct world_change){ .kind = WORLD_JUMP, .span = VT_SEC(10) });
		world_run(&w, VT_SEC(3599));
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_HOLDOVER);
		world_run(&w, VT_SEC(4));
		world_forget(&w);
		world_run(&w, VT_SEC(60));
		assert_true(w.tally.worst_ns < 100);
		assert_int_equal(w.clock.steps, i < 2 ? 1 : 2);
		assert_int_equal(w.violations, 0);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	}
}

static void test_readings_that_go_backwards_are_trouble_and_pass(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 1);
	w.sources[0].stuck_raw = (vt_mono){ 7000000000 };
	read_once(&w);
	assert_int_equal(w.discipline.sources[0].trouble, TROUBLE_BACKWARDS);
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	world_run(&w, VT_SEC(1));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_HOLDOVER);
	w.sources[0].stuck_raw = (vt_mono){ 0 };
	world_run(&w, VT_SEC(10));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	assert_true(w.tally.worst_ns < 100);
	assert_int_equal(w.clock.steps, 1);
}

static void test_insane_reference_is_no_clock(void **state)
{
	(void)state;
	static const vt_real years[] = { { 1000000000 },
		                         { INT64_C(4102444800) * 1000000000 },
		                         { 0 } };

	for (size_t i = 0; i < sizeof years / sizeof *years; i++) {
		struct discipline_conf conf = world_conf(true);
		struct world w;

		world_init(&w, i, VT_MS(566));
		w.sources[0].offset = vt_real_since(years[i], WORLD_BEGIN);
		world_start(&w, &conf, NULL, 1);
		world_run(&w, VT_SEC(30));
		assert_int_equal(w.clock.steps + w.clock.steers, 0);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_STARTING);
		assert_int_equal(w.discipline.sources[0].trouble, TROUBLE_INSANE);
		w.sources[0].offset = VT_NS(0);
		world_run(&w, VT_SEC(2));
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	}
}

/* current_clocksource changed: the counter beneath RAW runs at another rate, nothing else happened.
 */
static void test_another_clocksource_is_no_jump(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 16; i++) {
		struct world w;

		settle_in(&w, i);
		plan(&w, VT_NS(0),
		     (struct world_change){ .kind = WORLD_EPOCH, .ppb = i % 2 ? 41e3 : -19e3 });
		world_run(&w, VT_SEC(3));
		assert_true(w.tally.worst_ns < 31000);
		world_forget(&w);
		world_run(&w, VT_SEC(30));
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(w.kinds[EVENT_SUSPECTED], 0);
		assert_true(w.tally.worst_ns < 100);
		assert_int_equal(w.violations, 0);
	}
}

static void test_jump_with_another_clocksource_is_stepped(void **state)
{
	(void)state;
	struct world w;
	const struct discipline_event *event;

	settle_in(&w, 1);
	plan(&w, VT_NS(0), (struct world_change){ .kind = WORLD_JUMP, .span = VT_SEC(10) });
	world_run(&w, VT_SEC(60));
	plan(&w, VT_NS(0), (struct world_change){ .kind = WORLD_EPOCH, .ppb = 0 });
	plan(&w, VT_NS(0), (struct world_change){ .kind = WORLD_JUMP, .span = VT_SEC(20) });
	world_run(&w, VT_SEC(2));
	assert_int_equal(w.clock.steps, 3);
	event = world_event(&w, EVENT_STEPPED, 2);
	assert_int_equal(event->cause, STEP_JUMP);
	/* The figures are this jump's, not the one's before. */
	assert_int_equal(event->repaired_after.ns, 0);
	assert_true(event->noticed_after.ns > 900000000 && event->noticed_after.ns < 1100000000);
	world_forget(&w);
	world_run(&w, VT_SEC(30));
	assert_true(w.tally.worst_ns < 100);
	assert_int_equal(w.violations, 0);
}

static void test_brackets_hold_the_truth(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		vt_span     width;
		double      asymmetry;
		bool        is_random;
	} cases[] = {
		{ "in the middle",     { 1000 },  0.5, false },
		{ "at the beginning",  { 1000 },  0,   false },
		{ "at the end",        { 1000 },  1,   false },
		{ "anywhere",          { 1000 },  0,   true  },
		{ "wide ones",         { 20000 }, 0,   true  },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct discipline_conf conf = world_conf(true);
		struct world w;

		world_init(&w, i, VT_MS(566));
		w.walk_ppb = 1;
		w.sources[0].width = cases[i].width;
		w.sources[0].asymmetry = cases[i].asymmetry;
		w.sources[0].is_asymmetry_random = cases[i].is_random;
		world_start(&w, &conf, NULL, 1);
		world_run(&w, VT_SEC(10));
		world_forget(&w);
		world_run(&w, VT_SEC(600));
		if (w.violations || w.kinds[EVENT_SUSPECTED] || w.clock.steps != 1)
			fail_msg("%s: %u suspected, %.0f ns off with a bound of %.0f",
			         cases[i].what, w.kinds[EVENT_SUSPECTED], w.violation_error_ns,
			         w.violation_bound_ns);
		if (w.tally.worst_ns > (double)cases[i].width.ns * 0.8)
			fail_msg("%s: %.0f ns off", cases[i].what, w.tally.worst_ns);
	}
}

static void test_set_by_another_is_repaired_once_a_minute(void **state)
{
	(void)state;
	static const vt_span sizes[] = {
		{ 5000000 }, { -5000000 }, { 3600000000000 }, { -315576000000000000 }
	};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct world_change set = { .kind = WORLD_SET, .span = sizes[i] };
		struct world w;

		settle_in(&w, i);
		plan(&w, VT_NS(0), set);
		world_run(&w, VT_MS(1100));
		assert_int_equal(w.clock.steps, 2);
		assert_int_equal(world_event(&w, EVENT_STEPPED, 1)->cause, STEP_SET_BY_ANOTHER);
		assert_true(llabs(world_event(&w, EVENT_STEPPED, 1)->size.ns + sizes[i].ns) < 1000);
		/* Whoever it is insists: he keeps his will for the rest of the minute. */
		plan(&w, VT_SEC(10), set);
		world_run(&w, VT_SEC(45));
		assert_int_equal(w.clock.steps, 2);
		assert_int_equal(w.kinds[EVENT_SET_AWAY], 1);
		assert_false(w.clock.quality.is_synchronized);
		assert_true(fabs(world_error_ns(&w) - (double)sizes[i].ns) < 1e5);
		world_run(&w, VT_SEC(20));
		assert_int_equal(w.clock.steps, 3);
		assert_true(w.clock.quality.is_synchronized);
		world_forget(&w);
		world_run(&w, VT_SEC(20));
		assert_true(w.tally.worst_ns < 100);
		assert_int_equal(w.violations, 0);
		assert_int_equal(w.kinds[EVENT_SUSPECTED], 0);
	}
}

/* Set while a piece of a slew is under way, and the end of the piece comes first. */
static void test_set_by_another_during_a_slew(void **state)
{
	(void)state;
	struct discipline_conf conf = world_conf(false);
	struct world w;

	conf.step.is_makestep_given = true;
	world_init(&w, 3, VT_SEC(1));
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_MS(3010));
	plan(&w, VT_NS(0), (struct world_change){ .kind = WORLD_SET, .span = VT_SEC(-3600) });
	world_run(&w, VT_SEC(2));
	assert_int_equal(w.clock.steps, 1);
	assert_int_equal(world_event(&w, EVENT_STEPPED, 0)->cause, STEP_SET_BY_ANOTHER);
	world_forget(&w);
	world_run(&w, VT_SEC(10));
	assert_true(w.tally.worst_ns < 100);
	assert_int_equal(w.violations, 0);
}

static void test_clock_that_cannot_be_moved_is_reported_once(void **state)
{
	(void)state;
	struct discipline_conf conf = world_conf(true);
	struct world w;

	world_init(&w, 1, VT_MS(566));
	w.reference_ppb = 1000;
	w.clock.step_error = EPERM;
	w.clock.steer_error = EPERM;
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_SEC(60));
	assert_int_equal(world_event(&w, EVENT_FAILED, 0)->error, EPERM);
	assert_true(w.kinds[EVENT_FAILED] <= 2); /* the step and the rate; not once per reading */
	assert_int_equal(w.kinds[EVENT_STEPPED], 0);
	assert_int_equal(w.discipline.steps, 0);
	assert_int_equal(w.violations, 0);
	/* The right comes back: the clock is mended, and a new failure would be told again. */
	w.clock.step_error = w.clock.steer_error = 0;
	world_run(&w, VT_SEC(30));
	assert_true(fabs(world_error_ns(&w)) < 1000);
	w.clock.steer_error = EPERM;
	w.kinds[EVENT_FAILED] = 0;
	world_run(&w, VT_SEC(10));
	assert_int_equal(w.kinds[EVENT_FAILED], 1);
}

/* A clock that can be steered but not stepped: slewed as fast as is allowed, and honest meanwhile.
 */
static void test_step_that_fails_is_slewed(void **state)
{
	(void)state;
	struct discipline_conf conf = world_conf(true);
	struct world w;

	world_init(&w, 1, VT_MS(566));
	w.clock.step_error = EPERM;
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_SEC(10));
	world_forget(&w);
	world_run(&w, VT_SEC(10));
	assert_true(w.tally.worst_ns < 100);
	assert_int_equal(w.violations, 0);
}

static struct source_conf source_of(bool prefer, bool noselect, bool require, int stratum)
{
	struct source_conf conf = SOURCE_CONF_DEFAULT;

	conf.prefer = prefer;
	conf.noselect = noselect;
	conf.require = require;
	conf.stratum = stratum;
	return conf;
}

static void test_two_sources(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char         *what;
		bool                prefer, noselect, require; /* of the second           */
		int                 stratum;                   /* of the first            */
		enum source_outcome first;
		int                 selected;
	} cases[] = {
		{ "alike: the host's",         false, false, false, 0, SOURCE_READ,    0  },
		{ "the second is preferred",   true,  false, false, 0, SOURCE_READ,    1  },
		{ "the first is farther",      false, false, false, 1, SOURCE_READ,    1  },
		{ "the first is missing",      false, false, false, 0, SOURCE_MISSING, 1  },
		{ "and nobody else may",       false, true,  false, 0, SOURCE_MISSING, -1 },
		{ "the second is required",    false, false, true,  0, SOURCE_READ,    0  },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct source_conf sources[2] = {
			source_of(false, false, false, cases[i].stratum),
			source_of(cases[i].prefer, cases[i].noselect, cases[i].require, 0),
		};
		struct discipline_conf conf = world_conf(true);
		struct world w;

		world_init(&w, i, VT_MS(566));
		w.sources[0].outcome = cases[i].first;
		w.sources[1].offset = VT_NS(300); /* it has its own opinion */
		world_start(&w, &conf, sources, 2);
		world_run(&w, VT_SEC(30));
		if (w.discipline.selected != cases[i].selected)
			fail_msg("%s: %d is followed", cases[i].what, w.discipline.selected);
		if (cases[i].selected >= 0) {
			double want = cases[i].selected == 0 ? 0 : 300;

			world_run(&w, VT_SEC(1));
			assert_true(fabs(world_error_ns(&w) - want) < 20);
		}
	}
}

static void test_lost_source_is_taken_over_from_and_returns(void **state)
{
	(void)state;
	struct discipline_conf conf = world_conf(true);
	struct world w;

	world_init(&w, 4, VT_MS(566));
	world_start(&w, &conf, NULL, 2);
	world_run(&w, VT_SEC(20));
	answer(&w, VT_NS(0), SOURCE_MISSING);
	world_run(&w, VT_SEC(3));
	assert_int_equal(w.discipline.selected, 1);
	assert_int_equal(w.kinds[EVENT_LOST], 1);
	assert_int_equal(world_event(&w, EVENT_LOST, 0)->source, 0);
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	answer(&w, VT_NS(0), SOURCE_READ);
	world_run(&w, VT_SEC(3));
	assert_int_equal(w.discipline.selected, 0);
	assert_int_equal(w.kinds[EVENT_SELECTED], 3);
	world_forget(&w);
	world_run(&w, VT_SEC(20));
	assert_true(w.tally.worst_ns < 100);
	assert_int_equal(w.clock.steps, 1);
}

static void test_required_source_that_is_lost_stops_everything(void **state)
{
	(void)state;
	struct source_conf sources[2] = {
		source_of(false, false, false, 0),
		source_of(false, false, true, 0),
	};
	struct discipline_conf conf = world_conf(true);
	struct world w;

	world_init(&w, 4, VT_MS(566));
	world_start(&w, &conf, sources, 2);
	world_run(&w, VT_SEC(20));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	plan(&w, VT_NS(0),
	     (struct world_change){
		     .kind = WORLD_OUTCOME, .source = 1, .outcome = SOURCE_MISSING });
	world_run(&w, VT_SEC(3));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_HOLDOVER);
}

/* Everything wakes up late, and now and then the whole guest gets no CPU for 300 ms. */
static void test_late_wake_ups_overshoot_little(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++) {
		struct discipline_conf conf = world_conf(false);
		struct world w;

		conf.step.is_makestep_given = true;
		conf.max_slew = VT_PPM(i < 4 ? 83333 : 1000);
		world_init(&w, i, VT_MS(20));
		w.lateness = 0.1;
		w.walk_ppb = 1;
		w.reference_ppb = 30e3;
		world_start(&w, &conf, NULL, 1);
		for (int s = 0; s < 100; s++)
			plan(&w, vt_span_from_ns(1e9 * (s + world_uniform(&w))),
			     (struct world_change){ .kind = WORLD_STEAL, .span = VT_MS(300) });
		w.look = VT_MS(10);
		world_run(&w, VT_SEC(60));
		/* Never farther off than at the beginning, or than 300 ms of the fastest slew. */
		assert_true(w.tally.worst_ns <= 25.1e6);
		assert_int_equal(w.violations, 0);
		world_forget(&w);
		world_run(&w, VT_SEC(60));
		if (w.tally.worst_ns > 200)
			fail_msg("%.0f ns off", w.tally.worst_ns);
		assert_int_equal(w.clock.steps, 0);
		assert_int_equal(w.kinds[EVENT_SET_AWAY] + w.kinds[EVENT_SUSPECTED], 0);
	}
}

/* Where no wake-up is ever in time three readings never fit in 0.25 s; the pause is mended all the
 * same. */
static void test_jump_under_lasting_steal(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w, 1);
	w.least_lateness = VT_MS(300);
	plan(&w, VT_NS(0), (struct world_change){ .kind = WORLD_JUMP, .span = VT_SEC(10) });
	world_run(&w, VT_SEC(5));
	assert_int_equal(w.clock.steps, 2);
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	assert_int_equal(w.violations, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_busy_is_lost_after_two_seconds),
		cmocka_unit_test(test_lasting_trouble_is_lost_at_once_and_found_again),
		cmocka_unit_test(test_holdover_leaves_no_slew_behind),
		cmocka_unit_test(test_device_gone_for_an_hour),
		cmocka_unit_test(test_readings_that_go_backwards_are_trouble_and_pass),
		cmocka_unit_test(test_insane_reference_is_no_clock),
		cmocka_unit_test(test_another_clocksource_is_no_jump),
		cmocka_unit_test(test_jump_with_another_clocksource_is_stepped),
		cmocka_unit_test(test_brackets_hold_the_truth),
		cmocka_unit_test(test_set_by_another_is_repaired_once_a_minute),
		cmocka_unit_test(test_set_by_another_during_a_slew),
		cmocka_unit_test(test_clock_that_cannot_be_moved_is_reported_once),
		cmocka_unit_test(test_step_that_fails_is_slewed),
		cmocka_unit_test(test_two_sources),
		cmocka_unit_test(test_lost_source_is_taken_over_from_and_returns),
		cmocka_unit_test(test_required_source_that_is_lost_stops_everything),
		cmocka_unit_test(test_late_wake_ups_overshoot_little),
		cmocka_unit_test(test_jump_under_lasting_steal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
