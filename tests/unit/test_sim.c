/* SPDX-License-Identifier: Apache-2.0 */
/* Can the simulator's judge be believed?  Its reader, its oracle, its oscillators, its verdicts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "living.h"
#include "sim/draw.h"
#include "sim/figures.h"
#include "sim/scenario.h"

static void test_what_is_no_scenario_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned line;
	} cases[] = {
		{ "duration 10", 1 },
		{ "# fine\nduration 10s\nearthquake 3s 7ms", 3 },
		{ "pause 3s", 1 },
		{ "jump 3s sideways 7ms", 1 },
		{ "limit beauty 7ns", 1 },
		{ "\nlimit rms 7furlongs", 2 },
		{ "losses 101", 1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scenario s = { .seeds = 77 };
		struct conf_error error = { 0 };

		assert_int_equal(scenario_read("x", slice_of(cases[i].text), &s, &error), -22);
		assert_int_equal(error.place.line, cases[i].line);
		assert_int_equal(s.seeds, 77);
	}
}

static void test_scenario_is_read(void **state)
{
	(void)state;
	struct scenario s;
	struct conf_error error;
	const char *text = "duration 10s\nseeds 3\nleap 3s announced\nlimit rms 0.75us\n"
	                   "slew 4s slow 5ppm for 2s\nsource dpoll -3\n";

	assert_int_equal(scenario_read("x", slice_of(text), &s, &error), 0);
	assert_int_equal(s.duration.ns, 10000000000);
	assert_int_equal(s.n_changes, 4);
	assert_int_equal(s.changes[0].span.ns, -1000000000);
	assert_int_equal(s.changes[1].kind, WORLD_SET);
	assert_true(s.changes[2].ppb == -5000 && s.changes[3].ppb == 0);
	assert_int_equal(s.changes[3].at.ns, 6000000000);
	assert_true(s.limits[0].figure == FIGURE_RMS && s.limits[0].most == 750);
	assert_true(s.source.is_dpoll_given && s.source.dpoll == -3);
}

/* The bound is made too small behind core's back: the judge must see it, and only that. */
static void test_broken_promise_is_seen(void **state)
{
	(void)state;
	for (int broken = 0; broken < 2; broken++) {
		struct discipline_conf conf = world_conf(true);
		struct world w;

		world_init(&w, 1, VT_MS(1));
		world_start(&w, &conf, NULL, 1);
		world_run(&w, VT_MS(10500));
		assert_true(w.violations == 0 && w.looks_ok > 0);
		w.reference_ppb = broken ? 100e3 : 10e3;
		world_run(&w, VT_MS(400));
		assert_int_equal(w.violations > 0, broken);
	}
}

static void test_blind_window_ends_with_the_next_reading(void **state)
{
	(void)state;
	struct discipline_conf conf = world_conf(true);
	struct world w;

	world_init(&w, 1, VT_MS(1));
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_SEC(10));
	world_plan(&w, (struct world_change){ .at = vt_mono_add(w.now, VT_MS(1)),
	                                      .kind = WORLD_JUMP,
	                                      .span = VT_SEC(5) });
	world_run(&w, VT_SEC(5));
	assert_int_equal(w.blind_windows, 1);
	assert_true(w.blind_longest.ns > 0 && w.blind_longest.ns < 1050000000);
	assert_int_equal(w.violations, 0);
	assert_true(w.looks_disrupted > 0);
}

/* What theory says of a walk of 1 ppb per root second, read with 1 ns of noise once a second. */
static void test_oracle_is_as_good_as_theory(void **state)
{
	(void)state;
	struct random r = { 1 };
	struct oracle o;
	double phase = 0, rate = 0, sum = 0;

	oracle_init(&o, 1, 1);
	for (int i = 0; i < 40000; i++) {
		vt_mono now = { i * INT64_C(1000000000) };

		oracle_read(&o, now, phase + random_gaussian(&r));
		oracle_steer(&o, VT_SEC(1));
		for (int part = 1; part <= 10; part++) {
			double change = sqrt(0.1) * random_gaussian(&r);

			phase += 0.1 * rate + 0.05 * change +
			         0.1 * sqrt(0.1 / 12) * random_gaussian(&r);
			rate += change;
			if (i > 100)
				sum += pow(oracle_shows(&o, vt_mono_add(now, VT_MS(part * 100))) - phase, 2);
		}
	}
	sum = sqrt(sum / 10 / (40000 - 101));
	if (fabs(sum - 1.6) > 0.05)
		fail_msg("%.3f ns", sum);
}

static void test_flicker_is_as_large_as_it_says(void **state)
{
	(void)state;
	struct swing s = { .flicker_ppb = 10 };
	struct random r = { 1 };
	double sum = 0;
	int n = 3000000;

	for (int i = 0; i < n; i++) {
		double gaussians[SWING_OCTAVES];

		for (int k = 0; k < SWING_OCTAVES; k++)
			gaussians[k] = random_gaussian(&r);
		swing_move(&s, (vt_mono){ i * INT64_C(100000000) }, gaussians);
		sum += s.ppb * s.ppb;
	}
	if (fabs(sqrt(sum / n) - 10) > 1)
		fail_msg("%.2f ppb", sqrt(sum / n));
}

/* A walk must not depend on how often somebody looks. */
static void test_walk_is_the_same_however_it_is_cut(void **state)
{
	(void)state;
	for (int fine = 0; fine < 2; fine++) {
		double sum = 0;

		for (uint64_t seed = 0; seed < 400; seed++) {
			struct discipline_conf conf = world_conf(true);
			struct world w;

			world_init(&w, seed, VT_NS(0));
			w.walk_ppb = 10;
			w.look = fine ? VT_MS(5) : VT_MS(500);
			world_start(&w, &conf, NULL, 1);
			world_run(&w, VT_SEC(20));
			sum += w.reference_ppb * w.reference_ppb;
		}
		/* 10 ppb times the root of 20 */
		if (fabs(sqrt(sum / 400) - 44.7) > 6)
			fail_msg("%.1f ppb", sqrt(sum / 400));
	}
}

static void test_same_seed_same_world(void **state)
{
	(void)state;
	struct scenario s, again;

	for (uint64_t seed = 0; seed < 100; seed++) {
		struct world a, b;

		scenario_draw(&s, seed);
		scenario_draw(&again, seed);
		s.duration = again.duration = VT_SEC(5);
		s.n_changes = again.n_changes = 0;
		scenario_begin(&s, seed, &a);
		scenario_begin(&again, seed, &b);
		world_run(&a, s.duration);
		world_run(&b, s.duration);
		assert_true(a.local.ns == b.local.ns && a.reference.ns == b.reference.ns);
		assert_int_equal(a.dispatches, b.dispatches);
	}
}

static void test_figures_of_several_worlds(void **state)
{
	(void)state;
	struct figures each[3] = { { { 0 } } }, all;

	for (int i = 0; i < 3; i++) {
		each[i].value[FIGURE_RMS] = i == 0 ? 100 : i;
		each[i].value[FIGURE_VIOLATIONS] = i;
		each[i].value[FIGURE_REPAIR] = i == 1 ? 7 : 3;
	}
	all = figures_combine(each, 3);
	assert_true(all.value[FIGURE_RMS] == 2);
	assert_true(all.value[FIGURE_VIOLATIONS] == 3);
	assert_true(all.value[FIGURE_REPAIR] == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_no_scenario_is_refused),
		cmocka_unit_test(test_scenario_is_read),
		cmocka_unit_test(test_broken_promise_is_seen),
		cmocka_unit_test(test_blind_window_ends_with_the_next_reading),
		cmocka_unit_test(test_oracle_is_as_good_as_theory),
		cmocka_unit_test(test_flicker_is_as_large_as_it_says),
		cmocka_unit_test(test_walk_is_the_same_however_it_is_cut),
		cmocka_unit_test(test_same_seed_same_world),
		cmocka_unit_test(test_figures_of_several_worlds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
