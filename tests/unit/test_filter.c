/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/filter.h"
#include "rng.h"

#define NOW INT64_C(1800000000000000000) /* 2027 */

static struct bracket bracket(int64_t before, int64_t after, int64_t remote)
{
	return (struct bracket){ { before }, { after }, { NOW + remote } };
}

static struct burst burst_of(unsigned n, struct bracket a, struct bracket b, struct bracket c)
{
	return (struct burst){
		.method = METHOD_EXTENDED,
		.epoch = 7,
		.n = n,
		.brackets = { a, b, c },
		.pair = { .raw = { 1000 }, .local = { NOW - 500 }, .radius = { 40 } },
	};
}

static void test_chooses_the_narrowest(void **state)
{
	(void)state;
	static const struct filter_conf conf = { .steered = { 0 } };
	/* clang-format off */
	static const struct {
		const char *what;
		int64_t     width[3];
		int         best;
		int64_t     radius;
	} cases[] = {
		{ "the first",            { 100, 200, 300 },   0, 50  },
		{ "the last",             { 300, 200, 101 },   2, 51  },
		{ "alike: the first",     { 200, 200, 200 },   0, 100 },
		{ "an odd width",         { 301, 9000, 302 },  0, 151 },
		{ "no width at all",      { 10, 0, 1 },        1, 0   },
		{ "a negative is none",   { -10, 500, -1 },    1, 250 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct burst burst = burst_of(3, bracket(1000, 1000 + cases[i].width[0], 1),
		                              bracket(20000, 20000 + cases[i].width[1], 2),
		                              bracket(30000, 30000 + cases[i].width[2], 3));
		const struct bracket *best = &burst.brackets[cases[i].best];
		struct reading reading;

		assert_int_equal(filter_best(&burst, &conf, &reading), FILTER_READING);
		if (reading.remote.ns != best->remote.ns)
			fail_msg("%s: chose %lld", cases[i].what,
			         (long long)(reading.remote.ns - NOW));
		assert_int_equal(reading.radius.ns, cases[i].radius);
		/* The bracket lies within raw +/- radius. */
		assert_true(reading.raw.ns - reading.radius.ns <= best->before.ns);
		assert_true(reading.raw.ns + reading.radius.ns >= best->after.ns);
		assert_int_equal(reading.epoch, 7);
		assert_int_equal(reading.method, METHOD_EXTENDED);
		assert_int_equal(reading.local_radius.ns, 40);
	}
}

static void test_applies_offset_precision_and_rate(void **state)
{
	(void)state;
	struct burst burst =
		burst_of(1, bracket(10001000, 10001000, 0), bracket(0, 0, 0), bracket(0, 0, 0));
	struct filter_conf conf = {
		.offset = { -37000000000 },
		.precision = { 25 },
		.steered = { 100e3 }, /* 100 ppm fast: 10 ms after the pair it is 1 us ahead */
	};
	struct reading reading;

	assert_int_equal(filter_best(&burst, &conf, &reading), FILTER_READING);
	assert_int_equal(reading.remote.ns, NOW - 37000000000);
	assert_int_equal(reading.radius.ns, 25);
	assert_int_equal(reading.local.ns, NOW - 500 + 10000000 + 1000);
}

static void test_refusals_leave_the_output_alone(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char         *what;
		unsigned            n;
		int64_t             width, remote, offset;
		enum filter_outcome want;
	} cases[] = {
		{ "no bracket", 0, 10, NOW, 0, FILTER_EMPTY },
		{ "only a negative one", 1, -1, NOW, 0, FILTER_EMPTY },
		{ "1970", 1, 10, 0, 0, FILTER_INSANE },
		{ "before 1970", 1, 10, INT64_MIN, 0, FILTER_INSANE },
		{ "2100", 1, 10, 4102444800000000000, 0, FILTER_INSANE },
		{ "the end of int64", 1, 10, INT64_MAX, INT64_MAX, FILTER_INSANE },
		{ "the release itself", 1, 10, VMTIME_EPOCH * 1000000000LL, 0, FILTER_READING },
		{ "just before it", 1, 10, VMTIME_EPOCH * 1000000000LL - 1, 0, FILTER_INSANE },
		{ "by its offset", 1, 10, VMTIME_EPOCH * 1000000000LL, -1, FILTER_INSANE },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct filter_conf conf = { .offset = { cases[i].offset } };
		struct burst burst = { .n = cases[i].n };
		struct reading reading, untouched;
		enum filter_outcome got;

		burst.brackets[0] =
			(struct bracket){ { 500 }, { 500 + cases[i].width }, { cases[i].remote } };
		memset(&reading, 0x5a, sizeof reading);
		untouched = reading;
		got = filter_best(&burst, &conf, &reading);
		if (got != cases[i].want)
			fail_msg("%s: %d", cases[i].what, (int)got);
		if (got != FILTER_READING)
			assert_memory_equal(&reading, &untouched, sizeof reading);
	}
}

/* A guest may wake up in 1970: the difference to our own clock is no objection. */
static void test_any_difference_is_accepted(void **state)
{
	(void)state;
	struct burst burst =
		burst_of(1, bracket(1000, 1002, 0), bracket(0, 0, 0), bracket(0, 0, 0));
	struct filter_conf conf = { .steered = { 0 } };
	struct reading reading;

	burst.pair.local = (vt_real){ 0 };
	assert_int_equal(filter_best(&burst, &conf, &reading), FILTER_READING);
	assert_int_equal(vt_real_since(reading.remote, reading.local).ns, NOW - 1);
}

/* At 1 us of @raw_ns the remote clock is @off ns ahead, and runs @ppb fast. */
static int64_t true_offset(double off, double ppb, int64_t raw_ns)
{
	return (int64_t)floor(off + (double)(raw_ns - 1000) * ppb / 1e9);
}

/* A burst as a hypervisor makes it: the value was taken anywhere in the bracket, or always at @place. */
static struct burst draw(struct rng *rng, double off, double ppb, int place)
{
	struct burst burst = { .method = METHOD_BASIC, .n = 25, .pair = { .local = { NOW } } };
	int64_t raw = 1000;

	for (unsigned i = 0; i < burst.n; i++) {
		int64_t width = rng_in(rng, 1000, 5000);
		int64_t taken = raw + (place < 0 ? rng_in(rng, 0, width) : width * place / 2);

		burst.brackets[i] = bracket(raw, raw + width, taken + true_offset(off, ppb, taken));
		raw += width + rng_in(rng, 0, 3000);
	}
	return burst;
}

static vt_span half_of_narrowest(const struct burst *burst)
{
	vt_span best = VT_SPAN_MAX;

	for (unsigned i = 0; i < burst->n; i++)
		best = vt_span_min(best, vt_mono_since(burst->brackets[i].after,
		                                       burst->brackets[i].before));
	return (vt_span){ (best.ns + 1) / 2 };
}

/* The truth is in the intersection, and that is no wider than the narrowest. */
static void test_intersection_holds_the_truth(void **state)
{
	(void)state;
	static const int places[] = { -1, 0, 1, 2 }; /* anywhere, the beginning, the middle, the end */
	struct rng rng;

	rng_start(&rng);
	for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
		double sum = 0, narrowest = 0, squares = 0;

		for (int n = 0; n < 5000; n++) {
			double off = (double)rng_in(&rng, -1000000000, 1000000000);
			double ppb = (double)rng_in(&rng, -50000, 50000);
			double astray = (double)rng_in(&rng, -100000, 100000);
			struct burst burst = draw(&rng, off, ppb, places[p]);
			struct filter_conf conf = { .rate = { ppb + astray }, .unknown = { 100e3 } };
			struct reading r;
			int64_t wrong;

			assert_int_equal(filter_best(&burst, &conf, &r), FILTER_READING);
			wrong = r.remote.ns - NOW - r.raw.ns - true_offset(off, ppb, r.raw.ns);
			if (llabs(wrong) > r.radius.ns + 1)
				fail_msg("off by %lld with a radius of %lld", (long long)wrong,
				         (long long)r.radius.ns);
			assert_true(r.radius.ns <= half_of_narrowest(&burst).ns);
			assert_int_equal(r.contradicted, 0);
			sum += (double)r.radius.ns;
			narrowest += (double)half_of_narrowest(&burst).ns;
			squares += (double)wrong * (double)wrong;
		}
		printf("place %2d: radius %4.0f ns (%4.0f of the narrowest), RMS %4.0f ns\n", places[p],
		       sum / 5000, narrowest / 5000, sqrt(squares / 5000));
		/* Taken anywhere, the brackets tell each other apart. */
		assert_true(places[p] >= 0 || sum < narrowest / 3);
	}
}

static void test_contradictions_are_counted_and_conclude_nothing(void **state)
{
	(void)state;
	static const struct filter_conf conf = { .steered = { 0 } };
	/* clang-format off */
	static const struct {
		const char *what;
		int64_t     low[3], high[3]; /* of the offset; the first is the narrowest */
		int64_t     want_low, want_high;
		unsigned    contradicted;
	} cases[] = {
		{ "agreement",            { 0, 50, -90 },   { 100, 200, 80 },   47, 83,  0 },
		{ "one is elsewhere",     { 0, 50, 5000 },  { 100, 200, 6000 }, 0,  100, 1 },
		{ "another epoch",        { 0, -9000000000, 50 }, { 100, -8000000000, 200 }, 0, 100, 1 },
		{ "with the best, but not with each other",
		                          { 0, 80, -90 },   { 100, 200, 20 },   0,  100, 1 },
		{ "two against one",      { 0, 500, 500 },  { 100, 700, 800 },  0,  100, 2 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct burst burst = { .method = METHOD_BASIC, .n = 3 };
		struct reading r;

		/* Each begins at 0: where remote - raw is within [low, high], remote is `high`. */
		for (int n = 0; n < 3; n++)
			burst.brackets[n] = bracket(0, cases[i].high[n] - cases[i].low[n],
			                            cases[i].high[n]);
		assert_int_equal(filter_best(&burst, &conf, &r), FILTER_READING);
		if (r.contradicted != cases[i].contradicted)
			fail_msg("%s: %u contradict", cases[i].what, r.contradicted);
		if (r.remote.ns - r.raw.ns - r.radius.ns - NOW > cases[i].want_low ||
		    r.remote.ns - r.raw.ns + r.radius.ns - NOW < cases[i].want_high ||
		    r.radius.ns != (cases[i].want_high - cases[i].want_low + 1) / 2)
			fail_msg("%s: %lld +/- %lld", cases[i].what,
			         (long long)(r.remote.ns - r.raw.ns - NOW), (long long)r.radius.ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chooses_the_narrowest),
		cmocka_unit_test(test_applies_offset_precision_and_rate),
		cmocka_unit_test(test_refusals_leave_the_output_alone),
		cmocka_unit_test(test_any_difference_is_accepted),
		cmocka_unit_test(test_intersection_holds_the_truth),
		cmocka_unit_test(test_contradictions_are_counted_and_conclude_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
