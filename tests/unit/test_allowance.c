/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/allowance.h"

static vt_mono at_ms(int64_t ms)
{
	return (vt_mono){ ms * 1000000 };
}

static void test_some_at_once_then_one_each_interval(void **state)
{
	(void)state;
	struct allowance a = ALLOWANCE(3, VT_MS(100));

	for (int i = 0; i < 3; i++)
		assert_true(allowance_take(&a, at_ms(1000)));
	assert_false(allowance_take(&a, at_ms(1000)));
	assert_false(allowance_has(&a, at_ms(1099)));
	assert_true(allowance_take(&a, at_ms(1100)));
	assert_false(allowance_take(&a, at_ms(1101)));
	/* Time that was not used is not lost: 1100 + 100, though it is asked at 1250. */
	assert_true(allowance_take(&a, at_ms(1250)));
	assert_false(allowance_take(&a, at_ms(1250)));
	assert_true(allowance_take(&a, at_ms(1300)));
	/* Never more at once than at first. */
	for (int i = 0; i < 3; i++)
		assert_true(allowance_take(&a, at_ms(90000)));
	assert_false(allowance_take(&a, at_ms(90000)));
}

/* For who has to wait: awake at that instant there is one, and just before it there is none. */
static void test_it_says_when(void **state)
{
	(void)state;
	struct allowance a = ALLOWANCE(2, VT_MS(20));

	assert_true(allowance_take(&a, at_ms(1000)));
	assert_true(allowance_is_left(&a));
	assert_true(allowance_take(&a, at_ms(1007)));
	assert_false(allowance_is_left(&a));
	assert_int_equal(allowance_next(&a).ns, at_ms(1020).ns);
	assert_false(allowance_has(&a, vt_mono_add(allowance_next(&a), VT_NS(-1))));
	assert_true(allowance_has(&a, allowance_next(&a)));
	assert_true(allowance_take(&a, at_ms(1020)));
	assert_int_equal(allowance_next(&a).ns, at_ms(1040).ns);
}

static void test_asked_all_the_time_it_gives_no_more(void **state)
{
	(void)state;
	struct allowance a = ALLOWANCE(4, VT_SEC(1));
	unsigned given = 0;

	for (int64_t ms = 5000; ms < 65000; ms++)
		given += allowance_take(&a, at_ms(ms));
	assert_in_range(given, 63, 64);
}

static void test_a_clock_that_went_back_gives_anew(void **state)
{
	(void)state;
	struct allowance a = ALLOWANCE(2, VT_SEC(1));

	assert_true(allowance_take(&a, at_ms(9000)));
	assert_true(allowance_take(&a, at_ms(9000)));
	assert_false(allowance_take(&a, at_ms(9000)));
	assert_true(allowance_take(&a, at_ms(10)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_some_at_once_then_one_each_interval),
		cmocka_unit_test(test_it_says_when),
		cmocka_unit_test(test_asked_all_the_time_it_gives_no_more),
		cmocka_unit_test(test_a_clock_that_went_back_gives_anew),
	};

	return cmocka_run_group_tests_name("allowance", tests, NULL, NULL);
}
