/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/clocksource.h"
#include "sys_tree.h"

#define CURRENT "/sys/devices/system/clocksource/clocksource0/current_clocksource"

static void test_each_change_is_seen_once(void **state)
{
	(void)state;
	struct clocksource c;
	struct sys_tree t;

	sys_tree_init(&t);
	sys_tree_file(&t, CURRENT, "kvm-clock\n");
	clocksource_init(&c, t.root);
	assert_string_equal(c.name, "kvm-clock");
	assert_int_equal(c.epoch, 0);
	assert_false(clocksource_check(&c));
	sys_tree_file(&t, CURRENT, "tsc\n"); /* shorter: nothing of the former name remains */
	assert_true(clocksource_check(&c));
	assert_string_equal(c.name, "tsc");
	assert_int_equal(c.epoch, 1);
	assert_false(clocksource_check(&c));
	sys_tree_file(&t, CURRENT, "kvm-clock\n");
	assert_true(clocksource_check(&c));
	assert_int_equal(c.epoch, 2);
	/* A file that tells nothing for a moment is no change. */
	sys_tree_file(&t, CURRENT, "");
	assert_false(clocksource_check(&c));
	sys_tree_file(&t, CURRENT, "\n");
	assert_false(clocksource_check(&c));
	sys_tree_file(&t, CURRENT, "kvm-clock\n");
	assert_false(clocksource_check(&c));
	assert_string_equal(c.name, "kvm-clock");
	/* Nor does a name of any length run over. */
	sys_tree_file(&t, CURRENT, "a-name-longer-than-any-clocksource-ever-had-until-today\n");
	assert_true(clocksource_check(&c));
	assert_int_equal(strlen(c.name), sizeof c.name - 1);
	assert_false(clocksource_check(&c));
	clocksource_fini(&c);
	sys_tree_fini(&t);
}

static void test_missing_is_fine(void **state)
{
	(void)state;
	struct clocksource c = CLOCKSOURCE_INIT;
	char root[2000];

	clocksource_fini(&c); /* before init */
	clocksource_init(&c, "/no/such/place");
	assert_int_equal(c.fd, -1);
	assert_string_equal(c.name, "");
	assert_false(clocksource_check(&c));
	assert_int_equal(c.epoch, 0);
	clocksource_fini(&c);
	clocksource_fini(&c);
	memset(root, 'x', sizeof root - 1);
	root[sizeof root - 1] = '\0';
	clocksource_init(&c, root);
	assert_int_equal(c.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_change_is_seen_once),
		cmocka_unit_test(test_missing_is_fine),
	};

	return cmocka_run_group_tests_name("clocksource", tests, NULL, NULL);
}
