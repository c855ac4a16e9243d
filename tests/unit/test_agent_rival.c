/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "os/agent_rival.h"
#include "sys_tree.h"

static void test_where_it_is(void **state)
{
	(void)state;
	struct sys_tree tree;
	const char *path = NULL;

	sys_tree_init(&tree);
	sys_tree_file(&tree, "/usr/sbin/qemu-img", "");
	assert_false(agent_rival_find(tree.root, &path));
	assert_null(path);
	sys_tree_file(&tree, "/etc/systemd/system/qemu-guest-agent.service", "");
	assert_true(agent_rival_find(tree.root, &path));
	assert_string_equal(path, "/etc/systemd/system/qemu-guest-agent.service");
	sys_tree_file(&tree, "/usr/sbin/qemu-ga", "");
	assert_true(agent_rival_find(tree.root, &path));
	assert_string_equal(path, "/usr/sbin/qemu-ga");
	sys_tree_fini(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_where_it_is) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
