/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "guestd/candm_limit.h"
#include "rng.h"

static const struct candm_limit_conf CONF = { .interval = { .ns = 1000000 }, .burst = 10 };

static unsigned flood(struct candm_limit *l, uint32_t sender, unsigned n, int64_t at_ns)
{
	unsigned answered = 0;

	for (unsigned i = 0; i < n; i++)
		answered += candm_limit_allows(l, &sender, sizeof sender, (vt_mono){ at_ns });
	return answered;
}

static void test_burst_and_rate(void **state)
{
	(void)state;
	struct candm_limit l;

	candm_limit_init(&l, &CONF, 1);
	/* The burst of each of its two places, then one a millisecond and place. */
	assert_int_equal(flood(&l, 7, 1000, 0), 20);
	assert_int_equal(flood(&l, 7, 1000, 999999), 0);
	assert_int_equal(flood(&l, 7, 1000, 1000000), 2);
	assert_int_equal(flood(&l, 7, 1000, 3000000), 4);
	/* Not more than the burst comes back, however long nobody asks. */
	assert_int_equal(flood(&l, 7, 1000, INT64_C(3600000000000)), 20);
}

static void test_no_limit(void **state)
{
	(void)state;
	const struct candm_limit_conf none = { .interval = { .ns = 0 } };
	struct candm_limit l;

	candm_limit_init(&l, &none, 1);
	assert_int_equal(flood(&l, 7, 100000, 0), 100000);
}

/* Whoever floods, and whoever else there is: at most one in a hundred has to suffer for it. */
static void test_others_are_served(void **state)
{
	struct rng rng;
	unsigned served = 0;

	(void)state;
	rng_start(&rng);
	for (int i = 0; i < 2000; i++) {
		struct candm_limit l;
		uint32_t flooder = (uint32_t)rng_next(&rng), other = (uint32_t)rng_next(&rng);

		candm_limit_init(&l, &CONF, rng_next(&rng));
		flood(&l, flooder, 100, 0);
		served += flood(&l, other, 1, 0) == 1 || other == flooder;
	}
	assert_in_range(served, 1980, 2000);
}

static void test_leak(void **state)
{
	struct rng rng;

	(void)state;
	rng_start(&rng);
	for (unsigned leak = 1; leak <= 4; leak++) {
		struct candm_limit_conf conf = CONF;
		struct candm_limit l;
		unsigned n = 16000, want = n >> leak;

		conf.leak = leak;
		candm_limit_init(&l, &conf, rng_next(&rng));
		assert_true(flood(&l, 7, 20, 0) == 20);
		assert_in_range(flood(&l, 7, n, 0), want - want / 4, want + want / 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_and_rate),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_others_are_served),
		cmocka_unit_test(test_leak),
	};

	return cmocka_run_group_tests_name("candm_limit", tests, NULL, NULL);
}
