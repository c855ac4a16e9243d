/* SPDX-License-Identifier: Apache-2.0 */
/* No precise reading: brackets of 1 to 5 us, the clock's error and its bound.  Prints its figures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "living.h"

#define SEEDS 8
#define RUN_S 300

struct figure {
	double rms_ns, bound_ns, readings_per_second;
};

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static struct figure live(double asymmetry, bool is_random, double steps_ppb, uint64_t seed)
{
	struct discipline_conf conf = world_conf(true);
	double bounds[RUN_S];
	struct world w;
	unsigned reads;

	world_init(&w, seed, VT_MS(566));
	w.reference_ppb = 10e3;
	w.walk_ppb = steps_ppb > 0 ? 0 : 1;
	w.sources[0].width = VT_NS(1700); /* the others of a burst are up to three times as wide */
	w.sources[0].asymmetry = asymmetry;
	w.sources[0].is_asymmetry_random = is_random;
	for (double at = 8; at < RUN_S + 20 && steps_ppb > 0; at += 8 + world_uniform(&w))
		world_plan(&w, (struct world_change){
				       .at = vt_mono_add(w.now, vt_span_from_ns(at * 1e9)),
				       .kind = WORLD_RATE,
				       .ppb = 10e3 + steps_ppb * world_gaussian(&w) });
	world_start(&w, &conf, NULL, 1);
	world_run(&w, VT_SEC(20));
	world_forget(&w);
	reads = w.sources[0].reads;
	for (int i = 0; i < RUN_S; i++) {
		world_run(&w, VT_SEC(1));
		bounds[i] = (double)w.discipline.bound.radius.ns;
	}
	qsort(bounds, RUN_S, sizeof *bounds, compare);
	assert_int_equal(w.violations, 0);
	assert_int_equal(w.kinds[EVENT_SUSPECTED], 0);
	return (struct figure){ world_rms_ns(&w), bounds[RUN_S / 2],
		                (w.sources[0].reads - reads) / (double)RUN_S };
}

static void test_error_and_bound(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		double      asymmetry;
		bool        is_random;
		double      steps_ppb;
		double      most_ns, most_bound_ns;
	} cases[] = {
		{ "anywhere, walk",       0,   true,  0,   90,   900 },
		{ "anywhere, steps",      0,   true,  100, 550,  1200 },
		{ "one-sided, walk",      0,   false, 0,   1200, 1400 },
		{ "one-sided, steps",     1,   false, 100, 1500, 1900 },
		{ "in the middle, walk",  0.5, false, 0,   90,   1300 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double rms[SEEDS], bounds[SEEDS], readings = 0;

		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			struct figure figure = live(cases[i].asymmetry, cases[i].is_random,
			                            cases[i].steps_ppb, seed);

			rms[seed] = figure.rms_ns;
			bounds[seed] = figure.bound_ns;
			readings = fmax(readings, figure.readings_per_second);
		}
		qsort(rms, SEEDS, sizeof *rms, compare);
		qsort(bounds, SEEDS, sizeof *bounds, compare);
		printf("%-20s RMS %5.0f ns (at most %5.0f), bound %5.0f ns (at most %5.0f), "
		       "%.2f readings/s\n",
		       cases[i].what, rms[SEEDS / 2], cases[i].most_ns, bounds[SEEDS / 2],
		       cases[i].most_bound_ns, readings);
		if (rms[SEEDS / 2] > cases[i].most_ns ||
		    bounds[SEEDS / 2] > cases[i].most_bound_ns || readings > 1.5)
			fail_msg("%s: more than that", cases[i].what);
	}
}

/*
 * The host begins to slew, and one wide bracket shows it, beyond all that it can be wrong by; then the
 * source is silent.  Too wide to make a new rate of it, but the bound has to count on it.
 */
static void test_one_wide_bracket_proves_a_slew(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 16; seed++) {
		struct source_conf source = SOURCE_CONF_DEFAULT;
		struct discipline_conf conf = world_conf(true);
		double rate = seed % 2 ? 250e3 : -200e3;
		unsigned reads;
		struct world w;

		source.is_dpoll_given = true;
		source.dpoll = -2;
		world_init(&w, seed, VT_MS(1));
		w.sources[0].width = VT_US(13);
		w.sources[0].is_asymmetry_random = true;
		world_start(&w, &conf, &source, 1);
		world_run(&w, VT_SEC(300));
		w.sources[0].width = VT_US(48);
		reads = w.sources[0].reads;
		while (w.sources[0].reads == reads)
			world_run(&w, VT_MS(1));
		world_plan(&w, (struct world_change){ .at = w.now, .kind = WORLD_SLEW, .ppb = rate });
		reads = w.sources[0].reads;
		while (w.sources[0].reads == reads)
			world_run(&w, VT_MS(1));
		w.sources[0].outcome = SOURCE_BUSY;
		assert_int_equal(w.kinds[EVENT_SUSPECTED], 0);
		for (int i = 0; i < 15; i++) {
			vt_span radius;

			assert_int_equal(discipline_state(&w.discipline), DISCIPLINE_OK);
			assert_int_equal(bound_at(&w.discipline.bound, w.now, &radius), BOUND_HOLDS);
			if (fabs(world_error_ns(&w)) > (double)radius.ns)
				fail_msg("seed %" PRIu64 ", %d ms later: %.0f ns off, bound %" PRId64,
				         seed, i * 100, world_error_ns(&w), radius.ns);
			world_run(&w, VT_MS(100));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_and_bound),
		cmocka_unit_test(test_one_wide_bracket_proves_a_slew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
