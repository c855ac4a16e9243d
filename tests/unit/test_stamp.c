/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "os/stamp.h"
#include "scratch.h"

static void test_stamp_of_this_boot(void **state)
{
	struct scratch *s = *state;

	assert_false(stamp_exists(scratch_path(s, "steered")));
	assert_int_equal(stamp_make(scratch_path(s, "steered")), 0);
	assert_true(stamp_exists(scratch_path(s, "steered")));
	assert_int_equal(stamp_make(scratch_path(s, "steered")), 0);
	assert_true(stamp_exists(scratch_path(s, "steered")));
}

static void test_another_boots_stamp_is_none(void **state)
{
	struct scratch *s = *state;

	scratch_write_text(s, "steered", "00000000-0000-4000-8000-000000000000\n");
	assert_false(stamp_exists(scratch_path(s, "steered")));
	scratch_write_text(s, "steered", "");
	assert_false(stamp_exists(scratch_path(s, "steered")));
	assert_int_equal(stamp_make(scratch_path(s, "steered")), 0);
	assert_true(stamp_exists(scratch_path(s, "steered")));
}

static void test_no_folder(void **state)
{
	assert_int_equal(stamp_make(scratch_path(*state, "none/steered")), -ENOENT);
	assert_false(stamp_exists(scratch_path(*state, "none/steered")));
}

#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SCRATCH(test_stamp_of_this_boot),
		WITH_SCRATCH(test_another_boots_stamp_is_none),
		WITH_SCRATCH(test_no_folder),
	};

	return cmocka_run_group_tests_name("stamp", tests, NULL, NULL);
}
