/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/poll.h"

static struct poll_state poll_of(int dpoll, bool is_given)
{
	struct source_conf conf = SOURCE_CONF_DEFAULT;
	struct poll_state poll;

	conf.dpoll = dpoll;
	conf.is_dpoll_given = is_given;
	poll_init(&poll, &conf);
	return poll;
}

static void test_interval_is_a_power_of_two(void **state)
{
	(void)state;
	assert_int_equal(poll_interval(-7).ns, 7812500);
	assert_int_equal(poll_interval(-1).ns, 500000000);
	assert_int_equal(poll_interval(0).ns, 1000000000);
	assert_int_equal(poll_interval(4).ns, 16000000000);
	assert_int_equal(poll_interval(24).ns, INT64_C(16777216) * 1000000000);
	assert_int_equal(poll_interval(99).ns, poll_interval(24).ns);
	assert_int_equal(poll_interval(-99).ns, poll_interval(-7).ns);
}

static void test_doubles_back_from_a_disturbance(void **state)
{
	(void)state;
	static const int64_t want_ms[] = { 125, 250, 500, 1000, 1000 };
	struct poll_state poll = poll_of(0, false);

	assert_int_equal(poll_quiet(&poll).ns, 1000000000);
	assert_int_equal(poll_disturbed(&poll).ns, 62500000);
	assert_int_equal(poll_disturbed(&poll).ns, 62500000);
	for (size_t i = 0; i < sizeof want_ms / sizeof *want_ms; i++)
		assert_int_equal(poll_quiet(&poll).ns, want_ms[i] * 1000000);
}

static void test_second_reading_follows_soon(void **state)
{
	(void)state;
	struct poll_state poll = poll_of(0, false);

	assert_int_equal(poll_first(&poll).ns, 10000000);
	assert_int_equal(poll_quiet(&poll).ns, 20000000);
}

/* `dpoll` in the file is both the longest and the shortest. */
static void test_given_interval_is_kept(void **state)
{
	(void)state;
	for (int dpoll = -6; dpoll <= 24; dpoll++) {
		struct poll_state poll = poll_of(dpoll, true);

		assert_int_equal(poll_first(&poll).ns, poll_interval(dpoll).ns);
		assert_int_equal(poll_disturbed(&poll).ns, poll_interval(dpoll).ns);
		assert_int_equal(poll_quiet(&poll).ns, poll_interval(dpoll).ns);
	}
}

static void test_suspicion_is_settled_within_a_quarter_second(void **state)
{
	(void)state;
	/* Three readings, each late by as much as it waited. */
	assert_true(poll_suspicious(false, VT_NS(0)).ns * 2 * 2 <= 250000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interval_is_a_power_of_two),
		cmocka_unit_test(test_doubles_back_from_a_disturbance),
		cmocka_unit_test(test_second_reading_follows_soon),
		cmocka_unit_test(test_given_interval_is_kept),
		cmocka_unit_test(test_suspicion_is_settled_within_a_quarter_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
