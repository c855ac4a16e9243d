/* SPDX-License-Identifier: Apache-2.0 */
/* How exact: the two workloads on which vmtime is compared with others.  Prints its figures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "living.h"

#define SEEDS 8
#define HALF  VT_SEC(2000)

enum workload {
	STEPS, /* the rate is redrawn from N(0, 100 ppb) every 8 s + uniform(0, 1) s      */
	WALK,  /* 10 ppm and a random walk of 1 ppb per root second, readings 1 ns noise  */
};

struct figure {
	double rms_ns;
	double readings_per_second;
};

static void plan(struct world *w, enum workload workload)
{
	if (workload == WALK) {
		w->reference_ppb = 10e3;
		w->walk_ppb = 1;
		w->sources[0].noise_ns = 1;
		w->slack_ns = 8; /* at first nobody can know that readings are not what they say */
		return;
	}
	for (double at = world_uniform(w); at < 2 * vt_span_seconds(HALF);
	     at += 8 + world_uniform(w))
		world_plan(w, (struct world_change){
				      .at = vt_mono_add(w->now, vt_span_from_ns(at * 1e9)),
				      .kind = WORLD_RATE,
				      .ppb = 100 * world_gaussian(w) });
}

static struct figure live(enum workload workload, const struct source_conf *source, uint64_t seed)
{
	struct discipline_conf conf = world_conf(true);
	struct world w;
	unsigned reads;

	world_init(&w, seed, VT_MS(566));
	plan(&w, workload);
	world_start(&w, &conf, source, 1);
	world_run(&w, HALF);
	reads = w.sources[0].reads;
	world_forget(&w);
	world_run(&w, HALF);
	assert_int_equal(w.clock.steps, 1);
	assert_int_equal(w.violations, 0);
	assert_int_equal(w.looks_disrupted, 0);
	return (struct figure){
		.rms_ns = world_rms_ns(&w),
		.readings_per_second = (w.sources[0].reads - reads) / vt_span_seconds(HALF),
	};
}

static int compare(const void *a, const void *b)
{
	double left = ((const struct figure *)a)->rms_ns,
	       right = ((const struct figure *)b)->rms_ns;

	return (left > right) - (left < right);
}

static void test_rms_of_the_error(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char    *what;
		enum workload  workload;
		int            poll;
		bool           is_dpoll_given;
		int            dpoll;
		double         most_ns, most_readings_per_second;
	} cases[] = {
		{ "steps, by default",    STEPS, 4, false, 0,  20,   2   },
		{ "steps, poll 2",        STEPS, 2, false, 0,  25,   2   },
		{ "steps, dpoll 0",       STEPS, 2, true,  0,  60,   1.1 },
		{ "steps, dpoll -3",      STEPS, 2, true,  -3, 3,    8.1 },
		{ "walk, dpoll 0",        WALK,  2, true,  0,  1.7,  1.1 },
		{ "walk, dpoll -3",       WALK,  2, true,  -3, 0.75, 8.1 },
		{ "walk, dpoll 2",        WALK,  2, true,  2,  6.5,  0.3 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct source_conf source = SOURCE_CONF_DEFAULT;
		struct figure figures[SEEDS];
		struct figure median;

		source.poll = cases[i].poll;
		source.is_dpoll_given = cases[i].is_dpoll_given;
		source.dpoll = cases[i].dpoll;
		for (uint64_t seed = 0; seed < SEEDS; seed++)
			figures[seed] = live(cases[i].workload, &source, seed);
		qsort(figures, SEEDS, sizeof *figures, compare);
		median.rms_ns = (figures[SEEDS / 2 - 1].rms_ns + figures[SEEDS / 2].rms_ns) / 2;
		median.readings_per_second = figures[SEEDS / 2].readings_per_second;
		printf("%-18s RMS %6.2f ns (at most %5.2f) with %.2f readings/s\n", cases[i].what,
		       median.rms_ns, cases[i].most_ns, median.readings_per_second);
		if (median.rms_ns > cases[i].most_ns ||
		    median.readings_per_second > cases[i].most_readings_per_second)
			fail_msg("%s: %.2f ns, %.2f readings/s", cases[i].what, median.rms_ns,
			         median.readings_per_second);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rms_of_the_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
