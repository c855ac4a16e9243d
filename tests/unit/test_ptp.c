/* SPDX-License-Identifier: Apache-2.0 */
/* Which method is taken, and what happens when it fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "played_ptp.h"

static void test_best_method_that_works(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		bool nocrossts;
		int precise, extended, basic;
		bool knows_clock_id;
		enum method want;
	} cases[] = {
		{ "all work",                false, 0,          0,          0,          true,  METHOD_PRECISE  },
		{ "nocrossts",               true,  0,          0,          0,          true,  METHOD_EXTENDED },
		{ "ptp_kvm on kvm-clock",    false, 0,          EOPNOTSUPP, 0,          true,  METHOD_PRECISE  },
		{ "ptp_kvm on tsc",          false, ENODEV,     EOPNOTSUPP, 0,          true,  METHOD_BASIC    },
		{ "an old kernel",           false, ENOTTY,     ENOTTY,     0,          false, METHOD_BASIC    },
		{ "a NIC, new kernel",       false, EOPNOTSUPP, 0,          0,          true,  METHOD_EXTENDED },
		{ "no clock id by fd",       false, EOPNOTSUPP, 0,          EINVAL,     true,  METHOD_EXTENDED },
		{ "nor by EXTENDED",         false, EOPNOTSUPP, 0,          EINVAL,     false, METHOD_EXTENDED },
		{ "odd errno above",         false, EIO,        EFAULT,     0,          true,  METHOD_BASIC    },
		{ "only precise",            false, 0,          ENODEV,     ENODEV,     true,  METHOD_PRECISE  },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bench b;

		bench_init(&b, NULL, cases[i].nocrossts);
		b.device.precise = (struct failing){ cases[i].precise, ALWAYS };
		b.device.extended = (struct failing){ cases[i].extended, ALWAYS };
		b.device.basic = (struct failing){ cases[i].basic, ALWAYS };
		b.device.knows_clock_id = cases[i].knows_clock_id;
		for (int again = 0; again < 3; again++) {
			if (bench_read(&b, 5) != SOURCE_READ)
				fail_msg("%s: not read, errno %d", cases[i].what, b.ptp.port.error);
			if (b.burst.method != cases[i].want)
				fail_msg("%s: by %s", cases[i].what, ptp_method_name(b.burst.method));
		}
		if (cases[i].nocrossts)
			assert_int_equal(b.device.precise_calls, 0);
		assert_int_equal(b.burst.n, cases[i].want == METHOD_PRECISE ? 1 : 5);
		assert_int_equal(b.burst.epoch, 0);
	}
}

static void test_precise_is_exact(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, false);
	assert_int_equal(bench_read(&b, 25), SOURCE_READ);
	assert_int_equal(b.burst.n, 1);
	assert_int_equal(b.burst.brackets[0].before.ns, b.burst.brackets[0].after.ns);
	assert_int_equal(b.burst.pair.raw.ns, b.burst.brackets[0].before.ns);
	assert_int_equal(b.burst.pair.radius.ns, 0);
	assert_int_equal(b.burst.pair.local.ns, real_of(&b.device, b.burst.pair.raw.ns));
}

static void test_outcome_of_an_errno_that_all_methods_give(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		int error;
		enum source_outcome want;
	} cases[] = {
		{ EBUSY,      SOURCE_BUSY    }, { EAGAIN,     SOURCE_BUSY    }, { EINTR,  SOURCE_BUSY    },
		{ ENODEV,     SOURCE_MISSING }, { ENXIO,      SOURCE_MISSING }, { ENOENT, SOURCE_MISSING },
		{ EOPNOTSUPP, SOURCE_REFUSED },
		{ EACCES,     SOURCE_DENIED  }, { EPERM,      SOURCE_DENIED  },
		{ EINVAL,     SOURCE_BROKEN  }, { EIO,        SOURCE_BROKEN  }, { ENOTTY, SOURCE_BROKEN  },
		{ EFAULT,     SOURCE_BROKEN  }, { EBADF,      SOURCE_BROKEN  }, { ETIMEDOUT, SOURCE_BROKEN },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct failing f = { cases[i].error, ALWAYS };
		struct bench b;

		bench_init(&b, NULL, false);
		b.device.precise = b.device.extended = b.device.basic = f;
		for (int again = 0; again < 3; again++) {
			enum source_outcome got = bench_read(&b, 5);

			if (got != cases[i].want)
				fail_msg("%s: got %d", strerror(cases[i].error), got);
			assert_int_equal(b.ptp.port.error, cases[i].error);
		}
		assert_true(b.device.calls < 300); /* bounded: it never blocks */
		b.device.precise.times = 0;
		assert_int_equal(bench_read(&b, 5), SOURCE_READ); /* and it recovers */
		assert_int_equal(b.burst.method, METHOD_PRECISE);
	}
}

static void test_precise_enodev_is_no_missing_device(void **state)
{
	(void)state;
	struct bench b;

	/* What a migration to a host without a TSC clocksource gives on clocksource=tsc. */
	bench_init(&b, NULL, false);
	b.device.precise = (struct failing){ ENODEV, ALWAYS };
	b.device.extended = b.device.basic = (struct failing){ EOPNOTSUPP, ALWAYS };
	assert_int_equal(bench_read(&b, 5), SOURCE_REFUSED);
	assert_int_equal(b.ptp.port.error, EOPNOTSUPP);
}

static void test_every_method_may_fail_while_in_use(void **state)
{
	(void)state;
	static const int errors[] = { ENODEV, EOPNOTSUPP, EIO, EINVAL, EPERM };

	for (size_t i = 0; i < COUNT(errors); i++) {
		const struct failing f = { errors[i], ALWAYS };
		struct bench b;

		bench_init(&b, NULL, false);
		assert_int_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.burst.method, METHOD_PRECISE);
		b.device.precise = f;
		assert_int_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.burst.method, METHOD_EXTENDED);
		b.device.extended = f;
		assert_int_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.burst.method, METHOD_BASIC);
		b.device.basic = f;
		assert_int_not_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.ptp.port.error, errors[i]);
		b.device.extended.times = 0;
		assert_int_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.burst.method, METHOD_EXTENDED);
	}
}

static void test_busy_is_retried_three_times(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, false);
	b.device.precise = (struct failing){ EBUSY, 3 };
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_PRECISE);
	assert_int_equal(b.device.precise_calls, 4);

	/* A method that is known to work is waited for. */
	b.device.precise = (struct failing){ EBUSY, 4 };
	assert_int_equal(bench_read(&b, 1), SOURCE_BUSY);
	assert_int_equal(b.ptp.port.error, EBUSY);
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_PRECISE);
}

static void test_busy_at_first_does_not_demote_for_good(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, false);
	b.device.precise = (struct failing){ EBUSY, 4 };
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_PRECISE);
}

static void test_busy_for_ever_gives_way_to_a_lower_method(void **state)
{
	(void)state;
	struct bench b;
	unsigned busy = 0;

	bench_init(&b, NULL, false);
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	b.device.precise = (struct failing){ EBUSY, ALWAYS };
	while (bench_read(&b, 1) == SOURCE_BUSY)
		assert_true(++busy < 20);
	assert_true(busy >= 3);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);
}

static void test_a_better_method_that_comes_back_is_found(void **state)
{
	(void)state;
	struct bench b;
	unsigned readings = 0;

	bench_init(&b, NULL, false);
	b.device.precise = (struct failing){ ENODEV, ALWAYS };
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	b.device.precise.times = 0;
	do {
		assert_int_equal(bench_read(&b, 1), SOURCE_READ);
		assert_true(++readings < 2000);
	} while (b.burst.method != METHOD_PRECISE);
	assert_true(readings > 100); /* but it does not cost every reading */
}

static void test_interrupted_calls_are_repeated(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, false);
	b.device.precise = (struct failing){ EINTR, 5 };
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_PRECISE);

	bench_init(&b, NULL, true);
	b.device.extended = (struct failing){ EOPNOTSUPP, ALWAYS };
	b.device.basic = (struct failing){ EINTR, 2 };
	assert_int_equal(bench_read(&b, 4), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_BASIC);
	assert_int_equal(b.burst.n, 4);
}

static void test_extended_on_realtime_is_translated(void **state)
{
	(void)state;
	static const double rates[] = { 0, 1e-6, -500e-6, 0.1, -0.1 };

	for (size_t i = 0; i < 2 * COUNT(rates); i++) {
		struct bench b;

		bench_init(&b, NULL, true);
		b.device.knows_clock_id = false;
		b.device.real_rate = rates[i / 2];
		b.device.raw_cost_ns = i % 2 ? 5 : 55;
		b.device.real_cost_ns = i % 2 ? 55 : 5;
		assert_int_equal(bench_read(&b, 25), SOURCE_READ); /* check_truth does the rest */
		assert_int_equal(b.burst.method, METHOD_EXTENDED);
		for (unsigned k = 0; k < b.burst.n; k++) {
			struct bracket *x = &b.burst.brackets[k];

			/* Wider than the kernel's own bracket by the pairs, and not by more. */
			assert_true(x->after.ns - x->before.ns > b.device.extended_ns);
			assert_true(x->after.ns - x->before.ns < b.device.extended_ns + 200);
		}
	}
}

static void test_kernel_that_ignores_the_clock_id_is_caught(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, true);
	b.device.knows_clock_id = false;
	b.device.ignores_clock_id = true;
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);
}

static void test_basic_where_it_is_narrower(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, true);
	b.device.extended_ns = 5000;
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_BASIC);
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_BASIC);
	assert_int_equal(b.device.extended_calls, 1); /* found out once, not each time */
}

static void test_number_of_brackets(void **state)
{
	(void)state;
	static const unsigned wanted[] = { 0, 1, 7, 25, 26, 1000, UINT_MAX };
	static const unsigned got[] = { 1, 1, 7, 25, 25, 25, 25 };

	for (size_t i = 0; i < COUNT(wanted); i++) {
		struct bench b;

		for (int with_extended = 0; with_extended < 2; with_extended++) {
			bench_init(&b, NULL, true);
			if (!with_extended)
				b.device.extended = (struct failing){ EOPNOTSUPP, ALWAYS };
			assert_int_equal(bench_read(&b, wanted[i]), SOURCE_READ);
			assert_int_equal(b.burst.n, got[i]);
		}
	}
}

static void test_names_of_the_methods(void **state)
{
	(void)state;
	assert_string_equal(ptp_method_name(METHOD_NONE), "none");
	assert_string_equal(ptp_method_name(METHOD_PRECISE), "precise");
	assert_string_equal(ptp_method_name(METHOD_EXTENDED), "extended");
	assert_string_equal(ptp_method_name(METHOD_BASIC), "basic");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_best_method_that_works),
		cmocka_unit_test(test_precise_is_exact),
		cmocka_unit_test(test_outcome_of_an_errno_that_all_methods_give),
		cmocka_unit_test(test_precise_enodev_is_no_missing_device),
		cmocka_unit_test(test_every_method_may_fail_while_in_use),
		cmocka_unit_test(test_busy_is_retried_three_times),
		cmocka_unit_test(test_busy_at_first_does_not_demote_for_good),
		cmocka_unit_test(test_busy_for_ever_gives_way_to_a_lower_method),
		cmocka_unit_test(test_a_better_method_that_comes_back_is_found),
		cmocka_unit_test(test_interrupted_calls_are_repeated),
		cmocka_unit_test(test_extended_on_realtime_is_translated),
		cmocka_unit_test(test_kernel_that_ignores_the_clock_id_is_caught),
		cmocka_unit_test(test_basic_where_it_is_narrower),
		cmocka_unit_test(test_number_of_brackets),
		cmocka_unit_test(test_names_of_the_methods),
	};

	return cmocka_run_group_tests_name("ptp", tests, NULL, NULL);
}
