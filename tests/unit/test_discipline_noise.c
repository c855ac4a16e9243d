/* SPDX-License-Identifier: Apache-2.0 */
/* Precise readings that jitter: the noise is learnt, the clock stays quiet.  Prints its figures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "living.h"

#define SEEDS 8
#define HALF  VT_SEC(1000)

struct figure {
	double rms_ns, readings_per_second;
};

static struct figure live(double noise_ns, double steps_ppb, int dpoll, uint64_t seed)
{
	struct source_conf source = SOURCE_CONF_DEFAULT;
	struct discipline_conf conf = world_conf(true);
	struct world w;
	unsigned reads;

	source.is_dpoll_given = dpoll != 0;
	source.dpoll = dpoll;
	world_init(&w, seed, VT_MS(566));
	w.reference_ppb = 10e3;
	w.walk_ppb = steps_ppb > 0 ? 0 : 1;
	w.sources[0].noise_ns = noise_ns;
	w.slack_ns = 8 * noise_ns;
	for (double at = 8; steps_ppb > 0 && at < 2 + 2 * vt_span_seconds(HALF); at += 8 + world_uniform(&w))
		world_plan(&w, (struct world_change){
				       .at = vt_mono_add(w.now, vt_span_from_ns(at * 1e9)),
				       .kind = WORLD_RATE,
				       .ppb = 10e3 + steps_ppb * world_gaussian(&w) });
	world_start(&w, &conf, &source, 1);
	/* Before a dozen readings nobody can know that they are not what they say. */
	world_run(&w, VT_SEC(2));
	w.violations = 0;
	world_run(&w, HALF);
	world_forget(&w);
	reads = w.sources[0].reads;
	world_run(&w, HALF);
	/* The bound is five standard deviations of what is, in the end, only learnt. */
	if (w.violations > 2)
		fail_msg("%u violations in %u looks", (unsigned)w.violations, (unsigned)w.looks_ok);
	assert_int_equal(w.kinds[EVENT_SUSPECTED], 0);
	return (struct figure){ world_rms_ns(&w),
		                (w.sources[0].reads - reads) / vt_span_seconds(HALF) };
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void test_jitter_is_learnt(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		double noise_ns, steps_ppb;
		int    dpoll;
		double most_ns, most_readings;
	} cases[] = {
		{ 1,   0,    0, 1.8,  1.1 },
		{ 20,  0,    0, 14,   1.1 }, /* a Kalman filter that knows it all: 12 */
		{ 50,  0,    0, 28,   1.1 }, /* the same: 23                          */
		{ 500, 0,    0, 170,  1.1 }, /* the same: 126                         */
		{ 50,  0,    2, 50,   0.3 },
		{ 5,   100,  0, 25,   2   },
		{ 20,  100,  0, 55,   2   },
		{ 50,  100,  0, 110,  2   },
		{ 50,  1000, 0, 230,  2   },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double rms[SEEDS], readings[SEEDS];

		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			struct figure figure = live(cases[i].noise_ns, cases[i].steps_ppb,
			                            cases[i].dpoll, seed);

			rms[seed] = figure.rms_ns;
			readings[seed] = figure.readings_per_second;
		}
		qsort(rms, SEEDS, sizeof *rms, compare);
		qsort(readings, SEEDS, sizeof *readings, compare);
		printf("jitter %3.0f ns, steps of %4.0f ppb, dpoll %d: RMS %6.1f ns (at most %5.1f), "
		       "%.2f readings/s (at most %.1f)\n",
		       cases[i].noise_ns, cases[i].steps_ppb, cases[i].dpoll, rms[SEEDS / 2],
		       cases[i].most_ns, readings[SEEDS / 2], cases[i].most_readings);
		if (rms[SEEDS / 2] > cases[i].most_ns ||
		    readings[SEEDS / 2] > cases[i].most_readings)
			fail_msg("more than that");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jitter_is_learnt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
