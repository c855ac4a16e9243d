/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/noise.h"
#include "rng.h"

#define NOW INT64_C(1800000000000000000) /* 2027 */

static double gaussian(struct rng *rng)
{
	double u = (double)(rng_next(rng) >> 11) / 0x1p53, v = (double)(rng_next(rng) >> 11) / 0x1p53;

	return sqrt(-2 * log(1 - u)) * cos(2 * 3.14159265358979323846 * v);
}

/* What the readings of a source are made of. */
struct making {
	double noise_ns, walk_ppb; /* the latter per root second                        */
	double steps_ppb;          /* redrawn at each @every readings                   */
	int every;
	double interval_s;         /* or, where 0, from 1/16 s, doubling up to 1 s      */
	double outlier_ns;         /* every tenth                                       */
};

struct source_clock {
	double s, ns, ppb;
};

static struct reading make(struct source_clock *c, const struct making *m, struct rng *rng, int i)
{
	double s = m->interval_s > 0 ? m->interval_s : 0x1p-4 * (double)(1 << i % 5);
	double noise = m->noise_ns * gaussian(rng) + (i % 10 == 0 ? m->outlier_ns : 0);

	if (m->steps_ppb > 0 && i % m->every == 0)
		c->ppb = m->steps_ppb * gaussian(rng);
	c->ppb += m->walk_ppb * sqrt(s) * gaussian(rng);
	c->ns += c->ppb * s;
	c->s += s;
	return (struct reading){
		.raw = { llround(c->s * 1e9) },
		.remote = { NOW + llround(c->s * 1e9) + llround(c->ns + noise) },
	};
}

/* What is learnt, on average, as a standard deviation. */
static void test_learns_noise_and_nothing_else(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char   *what;
		struct making making;
		double        least_ns, most_ns; /* on average */
	} cases[] = {
		{ "nothing",              { .interval_s = 1 },                                   0,   1   },
		{ "20 ns",                { .interval_s = 1, .noise_ns = 20 },                   17,  22  },
		{ "500 ns",               { .interval_s = 1, .noise_ns = 500 },                  420, 550 },
		{ "500 ns, slowly",       { .interval_s = 16, .noise_ns = 500 },                 420, 550 },
		{ "50 ns, irregularly",   { .noise_ns = 50 },                                    42,  55  },
		{ "50 ns and outliers",   { .interval_s = 1, .noise_ns = 50, .outlier_ns = 1e4 }, 42, 160 },
		{ "a walk",               { .interval_s = 1, .walk_ppb = 100 },                  0,   10  },
		{ "steps",                { .interval_s = 1, .steps_ppb = 100, .every = 8 },     0,   2   },
		{ "steps, slowly",        { .interval_s = 4, .steps_ppb = 100, .every = 2 },     0,   20  },
		{ "steps and 50 ns",      { .interval_s = 1, .noise_ns = 50, .steps_ppb = 100,
		                            .every = 8 },                                        40,  60  },
	};
	/* clang-format on */
	struct rng rng;

	rng_start(&rng);
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct source_clock clock = { .s = 7, .ppb = 12345 };
		struct noise n;
		double sum = 0;

		noise_init(&n);
		for (int i = 0; i < 20000; i++) {
			struct reading r = make(&clock, &cases[k].making, &rng, i);

			noise_add(&n, &r, 1.0);
			sum += sqrt(n.variance);
		}
		printf("%-20s %6.1f ns\n", cases[k].what, sum / 20000);
		if (sum / 20000 < cases[k].least_ns || sum / 20000 > cases[k].most_ns)
			fail_msg("%s", cases[k].what);
	}
}

/* After a jump there is no line through the readings before and after it. */
static void test_break_is_no_noise(void **state)
{
	(void)state;
	static const struct making making = { .interval_s = 1, .noise_ns = 20 };
	struct source_clock clock = { .s = 7 };
	struct rng rng;
	struct noise n;
	unsigned odd = 0;

	rng_start(&rng);
	noise_init(&n);
	for (int i = 0; i < 20000; i++) {
		struct reading r = make(&clock, &making, &rng, i);

		if (i % 5 == 0) {
			clock.ns += 1e9;
			noise_break(&n);
			r = make(&clock, &making, &rng, i);
		}
		noise_add(&n, &r, 1.0);
		odd += i >= 100 && !(n.variance > 0 && n.variance < 40 * 40 * 4);
	}
	/* Fifteen samples of chance are none at all now and then; a jump taken for noise is always odd. */
	assert_true(odd < 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns_noise_and_nothing_else),
		cmocka_unit_test(test_break_is_no_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
