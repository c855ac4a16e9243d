/* SPDX-License-Identifier: Apache-2.0 */
/* Boot, first reading, drift: what the discipline does in a world where nothing happens. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "living.h"

static struct discipline_conf with_makestep(struct discipline_conf conf, vt_span threshold,
                                            int limit)
{
	conf.step.is_makestep_given = true;
	conf.step.makestep_threshold = threshold;
	conf.step.makestep_limit = limit;
	return conf;
}

static void test_boot_is_right_within_a_tenth_of_a_second(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		vt_span     correction;
		bool        has_makestep;
		double      crystal_ppb;
	} cases[] = {
		{ "the lab's guest",              { 566000000 },             false,      0 },
		{ "ahead instead",                { -566000000 },            false,   1000 },
		{ "with makestep 1 3",            { 566000000 },             true,   -1000 },
		{ "a crystal off by 40 ppm",      { 300000000 },             true,   40000 },
		{ "off by -40 ppm",               { -11000 },                false, -40000 },
		{ "a guest that wakes in 1970",   { 1799999000000000000 },   true,    5000 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct discipline_conf conf = world_conf(true);
		struct world w;

		if (cases[i].has_makestep)
			conf = with_makestep(conf, VT_SEC(1), 3);
		world_init(&w, i, cases[i].correction);
		w.reference_ppb = cases[i].crystal_ppb;
		world_start(&w, &conf, NULL, 1);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_STARTING);
		world_run(&w, VT_MS(1));
		if (w.clock.steps != 1 || !world_event(&w, EVENT_STEPPED, 0))
			fail_msg("%s: not stepped at the first reading", cases[i].what);
		assert_int_equal(world_event(&w, EVENT_STEPPED, 0)->cause, STEP_BOOT);
		world_run(&w, VT_MS(99));
		world_forget(&w);
		w.look = VT_MS(3);
		world_run(&w, VT_SEC(30));
		if (w.tally.worst_ns >= 1000)
			fail_msg("%s: %.0f ns off after 0.1 s", cases[i].what, w.tally.worst_ns);
		assert_int_equal(w.clock.steps, 1);
		assert_int_equal(w.violations, 0);
		assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	}
}

/* Until the rate is known the bound allows for any crystal. */
static void test_bound_allows_for_an_unknown_crystal(void **state)
{
	(void)state;
	for (int is_slow = 0; is_slow < 2; is_slow++) {
		struct source_conf source = SOURCE_CONF_DEFAULT;
		struct discipline_conf conf = world_conf(true);
		struct world w;

		source.is_dpoll_given = is_slow;
		world_init(&w, 1, VT_MS(566));
		w.reference_ppb = 150e3;
		world_start(&w, &conf, &source, 1);
		w.look = VT_US(500);
		world_run(&w, VT_SEC(5));
		assert_int_equal(w.violations, 0);
		assert_true(w.discipline.bound.max_drift.ppb < 60e3); /* it knows it by now */
	}
}

/* The clock goes on at the old rate while we are still on the way to setting the new one. */
static void test_slow_calls_are_within_the_bound(void **state)
{
	(void)state;
	struct discipline_conf conf = with_makestep(world_conf(false), VT_SEC(1), 3);
	struct world w;

	for (uint64_t i = 0; i < 16; i++) {
		world_init(&w, i, VT_MS(200 + (int64_t)i));
		w.clock.cost = VT_US(300);
		world_start(&w, &conf, NULL, 1);
		w.look = VT_US(300);
		world_run(&w, VT_SEC(5));
		if (w.violations)
			fail_msg("%.0f ns off with a bound of %.0f", w.violation_error_ns,
			         w.violation_bound_ns);
		assert_int_equal(w.clock.steps, 0);
	}
}

static void test_boot_below_ten_microseconds_is_slewed(void **state)
{
	(void)state;
	struct discipline_conf conf = world_conf(true);
	struct world w;

	world_init(&w, 1, VT_NS(9990));
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_SEC(3));
	assert_int_equal(w.clock.steps, 0);
	world_forget(&w);
	world_run(&w, VT_SEC(3));
	assert_true(w.tally.worst_ns < 100);
}

static void test_first_reading_is_stepped_above_its_threshold(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		vt_span     correction;
		bool        has_makestep;
		vt_span     threshold;
		int         limit;
		unsigned    steps;
	} cases[] = {
		{ "above 1 ms",                  { 1000100 },     false, { 0 },          0,  1 },
		{ "above 1 ms, ahead",           { -1000100 },    false, { 0 },          0,  1 },
		{ "below 1 ms",                  { 999900 },      false, { 0 },          0,  0 },
		{ "makestep 1 3, below",         { 566000000 },   true,  { 1000000000 }, 3,  0 },
		{ "makestep 1 3, above",         { 1566000000 },  true,  { 1000000000 }, 3,  1 },
		{ "makestep 0.1 3, above",       { -566000000 },  true,  { 100000000 },  3,  1 },
		{ "makestep 0.1 0: switched off", { 566000000 },  true,  { 100000000 },  0,  0 },
		{ "makestep 0.1 -1",             { 566000000 },   true,  { 100000000 },  -1, 1 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct discipline_conf conf = world_conf(false);
		struct world w;

		if (cases[i].has_makestep)
			conf = with_makestep(conf, cases[i].threshold, cases[i].limit);
		world_init(&w, i, cases[i].correction);
		w.reference_ppb = 7000;
		world_start(&w, &conf, NULL, 1);
		world_run(&w, VT_SEC(20));
		if (w.clock.steps != cases[i].steps)
			fail_msg("%s: %u steps", cases[i].what, w.clock.steps);
		if (cases[i].steps)
			assert_int_equal(world_event(&w, EVENT_STEPPED, 0)->cause, STEP_FIRST);
		world_forget(&w);
		world_run(&w, VT_SEC(20));
		if (w.tally.worst_ns > 100)
			fail_msg("%s: still %.0f ns off", cases[i].what, w.tally.worst_ns);
		assert_int_equal(w.violations, 0);
	}
}

/* A killed daemon leaves at most 5 ms behind: fast slews are short, and nobody exceeds maxslewrate.
 */
static void test_slews_within_maxslewrate_and_in_pieces(void **state)
{
	(void)state;
	static const double rates_ppm[] = { 100, 499, 1000, 83333.333, 100000 };

	for (size_t i = 0; i < sizeof rates_ppm / sizeof *rates_ppm; i++) {
		struct discipline_conf conf = with_makestep(world_conf(false), VT_SEC(1), 3);
		struct world w;

		conf.max_slew = VT_PPM(rates_ppm[i]);
		world_init(&w, i, VT_MS(100));
		world_start(&w, &conf, NULL, 1);
		for (int piece = 0; piece < 3000; piece++) {
			double before = world_error_ns(&w);
			double rate;

			world_run(&w, VT_MS(1));
			rate = fabs(world_error_ns(&w) - before) / 1e-3;
			if (rate > rates_ppm[i] * 1e3 + 1000)
				fail_msg("%.0f ppm allowed, %.0f ppm seen", rates_ppm[i],
				         rate / 1e3);
			/* Whoever is killed here leaves this behind until the next piece would
			 * begin. */
			if (fabs(w.clock.rate.ppb) > 501e3)
				assert_true(vt_mono_since(discipline_deadline(&w.discipline), w.now)
				                    .ns <= 50000000);
		}
		assert_int_equal(w.clock.steps, 0);
		assert_int_equal(w.violations, 0);
		assert_true(w.clock.fastest.ppb >= fmin(rates_ppm[i], 90000) * 990);
	}
}

static void test_maxchange_governs_unproven_offsets_only(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		int         start, ignore;
		bool        is_jump;      /* else it drifts away in holdover */
		unsigned    refused, gave_up;
		bool        is_mended;
	} cases[] = {
		{ "a drift within the start",       1000, 0,  false, 0, 0, true  },
		{ "a drift, none may be ignored",   0,    0,  false, 0, 1, false },
		{ "a drift, two may be ignored",    0,    2,  false, 2, 1, false },
		{ "a proven jump is not governed",  0,    0,  true,  0, 0, true  },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct discipline_conf conf = world_conf(false);
		struct world w;

		conf.step.is_max_change_given = true;
		conf.step.max_change = VT_US(100);
		conf.step.max_change_start = cases[i].start;
		conf.step.max_change_ignore = cases[i].ignore;
		world_init(&w, i, VT_US(50));
		world_start(&w, &conf, NULL, 1);
		world_run(&w, VT_SEC(20));
		if (cases[i].is_jump) {
			world_plan(&w, (struct world_change){ .at = w.now,
			                                      .kind = WORLD_JUMP,
			                                      .span = VT_SEC(1) });
		} else {
			/* Out of sight for a minute, in which the host's rate changes by 10 ppm. */
			world_plan(&w, (struct world_change){ .at = w.now,
			                                      .kind = WORLD_OUTCOME,
			                                      .outcome = SOURCE_MISSING });
			world_run(&w, VT_SEC(2));
			world_plan(&w, (struct world_change){
					       .at = w.now, .kind = WORLD_RATE, .ppb = 10e3 });
			world_run(&w, VT_SEC(60));
			world_plan(&w, (struct world_change){ .at = w.now,
			                                      .kind = WORLD_OUTCOME,
			                                      .outcome = SOURCE_READ });
		}
		for (int ms = 0; ms < 30000 && w.kinds[EVENT_GAVE_UP] == 0; ms++)
			world_run(&w, VT_MS(1));
		if (w.kinds[EVENT_REFUSED] != cases[i].refused ||
		    w.kinds[EVENT_GAVE_UP] != cases[i].gave_up)
			fail_msg("%s: refused %u, gave up %u", cases[i].what,
			         w.kinds[EVENT_REFUSED], w.kinds[EVENT_GAVE_UP]);
		if ((fabs(world_error_ns(&w)) < 1000) != cases[i].is_mended)
			fail_msg("%s: %.0f ns off", cases[i].what, world_error_ns(&w));
		assert_int_equal(w.clock.steps, cases[i].is_jump);
	}
}

static void test_observing_touches_nothing(void **state)
{
	(void)state;
	struct discipline_conf conf = world_conf(true);
	struct world w;
	vt_span correction;

	conf.is_observing = true;
	world_init(&w, 1, VT_MS(566));
	w.reference_ppb = 3000;
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_SEC(20));
	assert_int_equal(w.kinds[EVENT_UNSTEPPED], 1);
	world_plan(&w,
	           (struct world_change){ .at = w.now, .kind = WORLD_JUMP, .span = VT_SEC(10) });
	world_plan(&w, (struct world_change){ .at = { w.now.ns + 20000000000 },
	                                      .kind = WORLD_SET,
	                                      .span = VT_SEC(10) });
	world_run(&w, VT_SEC(40));
	discipline_leave(&w.discipline);
	assert_int_equal(w.clock.steps + w.clock.steers + w.clock.publishes, 0);
	assert_int_equal(w.kinds[EVENT_STEPPED], 0);
	assert_int_equal(w.kinds[EVENT_UNSTEPPED], 2);
	assert_int_equal(world_event(&w, EVENT_UNSTEPPED, 1)->cause, STEP_JUMP);
	/* It knows what it does not mend. */
	assert_true(discipline_correction(&w.discipline, w.now, &correction));
	assert_true(fabs((double)correction.ns + world_error_ns(&w)) < 100);
	assert_int_equal(w.violations, 0);
}

/* With `makestep` for ever each reading asks for the step that nobody makes: told when it changes. */
static void test_observing_tells_a_step_once(void **state)
{
	(void)state;
	struct discipline_conf conf = with_makestep(world_conf(true), VT_MS(10), -1);
	struct world w;

	conf.is_observing = true;
	world_init(&w, 1, VT_MS(566));
	w.reference_ppb = 30e3;
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_SEC(60));
	assert_int_equal(w.kinds[EVENT_UNSTEPPED], 1);
	/* Somebody else moves the clock: to elsewhere, to where it should be, and away again. */
	for (int i = 0; i < 3; i++) {
		static const int64_t by_ms[] = { -500, 1066, -566 };

		world_plan(&w, (struct world_change){ .at = w.now,
		                                      .kind = WORLD_SET,
		                                      .span = VT_MS(by_ms[i]) });
		world_run(&w, VT_SEC(20));
		assert_int_equal(w.kinds[EVENT_UNSTEPPED], i == 0 ? 2 : i + 1);
	}
	assert_int_equal(w.clock.steps, 0);
}

static void test_leaving_ends_the_slew_and_keeps_the_rate(void **state)
{
	(void)state;
	struct discipline_conf conf = with_makestep(world_conf(false), VT_SEC(1), 3);
	struct world w;

	world_init(&w, 1, VT_MS(900));
	w.reference_ppb = 12345;
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_MS(3020));
	assert_true(fabs(w.clock.rate.ppb) > 1e6); /* in the middle of it */
	discipline_leave(&w.discipline);
	assert_true(fabs(w.clock.rate.ppb - w.reference_ppb) < 100);
}

/* A new configuration in the middle of a slew: nothing of it is mistaken for somebody else's doing.
 */
static void test_new_sources_go_on_where_the_old_ones_were(void **state)
{
	(void)state;
	struct discipline_conf conf = with_makestep(world_conf(false), VT_SEC(1), 3);
	struct source_conf source = SOURCE_CONF_DEFAULT;
	struct world w;

	world_init(&w, 1, VT_MS(900));
	w.reference_ppb = 12345;
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_MS(3020));
	discipline_drop_sources(&w.discipline);
	assert_int_equal(discipline_deadline(&w.discipline).ns, VT_MONO_NEVER.ns);
	world_run(&w, VT_MS(700));
	assert_true(fabs(w.clock.rate.ppb - w.reference_ppb) < 100);
	assert_int_equal(discipline_add(&w.discipline, &w.sources[0].port, &source, true), 0);
	world_run(&w, VT_SEC(30));
	assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
	assert_true(fabs(world_error_ns(&w)) < 100);
	assert_int_equal(w.kinds[EVENT_STEPPED], w.clock.steps);
	for (unsigned i = 0; i < w.clock.steps; i++)
		assert_int_equal(world_event(&w, EVENT_STEPPED, i)->cause, STEP_JUMP);
}

static void test_kernel_is_told_only_with_rtcsync(void **state)
{
	(void)state;
	for (int is_kept = 0; is_kept < 2; is_kept++) {
		struct discipline_conf conf = world_conf(true);
		struct world w;

		conf.keeps_kernel_synchronized = is_kept;
		world_init(&w, 1, VT_MS(566));
		world_start(&w, &conf, NULL, 1);
		world_run(&w, VT_SEC(10));
		assert_int_equal(w.clock.quality.is_synchronized, is_kept);
		assert_true(w.clock.quality.max_error.ns < 10000);
	}
}

/* The kernel's maxerror is about true time: what is known of the host's own error belongs to it. */
static void test_kernel_is_told_the_hosts_error_too(void **state)
{
	(void)state;
	for (int is_host = 0; is_host < 2; is_host++) {
		struct discipline_conf conf = world_conf(true);
		struct world w;
		int64_t without;

		world_init(&w, 1, VT_MS(566));
		world_start(&w, &conf, NULL, 1);
		w.discipline.sources[0].is_host = is_host;
		world_run(&w, VT_SEC(10));
		without = w.clock.quality.max_error.ns;
		discipline_set_host_error(&w.discipline, VT_MS(3));
		world_run(&w, VT_SEC(5));
		/* Somebody else's clock is not the host's. */
		assert_in_range(w.clock.quality.max_error.ns, is_host ? 3000000 : 1,
		                is_host ? 3000000 + 2 * without : 2 * without);
		assert_true(w.discipline.bound.radius.ns < 2 * without);
		discipline_set_host_error(&w.discipline, VT_NS(0));
		world_run(&w, VT_SEC(5));
		assert_true(w.clock.quality.max_error.ns < 2 * without);
	}
}

/* By the very words of the issue: the first offset must not spoil the long-term average. */
static void test_reports_do_not_remember_the_boot(void **state)
{
	(void)state;
	struct discipline_conf conf = world_conf(true);
	struct world w;

	world_init(&w, 1, VT_MS(566));
	w.reference_ppb = -2500;
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_SEC(60));
	assert_true(w.discipline.rms_offset_ns < 20);
	assert_true(vt_span_abs(w.discipline.last_offset).ns < 20);
	assert_true(fabs(w.discipline.residual.ppb) < 20);
	assert_true(fabs(w.discipline.tempo.base.ppb + 2500) < 5);
	assert_int_equal(w.discipline.steps, 1);
	assert_true(llabs(w.discipline.update_interval.ns - 1000000000) < 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_is_right_within_a_tenth_of_a_second),
		cmocka_unit_test(test_bound_allows_for_an_unknown_crystal),
		cmocka_unit_test(test_slow_calls_are_within_the_bound),
		cmocka_unit_test(test_boot_below_ten_microseconds_is_slewed),
		cmocka_unit_test(test_first_reading_is_stepped_above_its_threshold),
		cmocka_unit_test(test_slews_within_maxslewrate_and_in_pieces),
		cmocka_unit_test(test_maxchange_governs_unproven_offsets_only),
		cmocka_unit_test(test_observing_touches_nothing),
		cmocka_unit_test(test_observing_tells_a_step_once),
		cmocka_unit_test(test_leaving_ends_the_slew_and_keeps_the_rate),
		cmocka_unit_test(test_new_sources_go_on_where_the_old_ones_were),
		cmocka_unit_test(test_kernel_is_told_only_with_rtcsync),
		cmocka_unit_test(test_kernel_is_told_the_hosts_error_too),
		cmocka_unit_test(test_reports_do_not_remember_the_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
