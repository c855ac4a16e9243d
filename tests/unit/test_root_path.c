/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/attr.h"
#include "os/root_path.h"
#include "scratch.h"

/* clang-format off */
static const struct row {
	const char *path, *expected; /* below the scratch folder */
} ROWS[] = {
	{ "/etc/plain", "/etc/plain" },
	{ "/etc//./plain", "/etc/plain" },
	{ "/etc/none/deeper", "/etc/none/deeper" },
	{ "/etc/absolute", "/usr/share/target" },
	{ "/etc/relative", "/usr/share/target" },
	{ "/link-to-folder/target", "/usr/share/target" },
	{ "/link-to-folder/../x", "/usr/x" },
	{ "/../../etc/plain", "/etc/plain" },
	{ "/etc/outside", "/plain" },
	{ "/etc/dangling", "/var/none" },
	{ "/etc/chain", "/usr/share/target" },
};
/* clang-format on */

static void make_link(struct scratch *s, const char *target, const char *name)
{
	assert_int_equal(symlink(target, scratch_path(s, name)), 0);
}

static void test_table(void **state)
{
	struct scratch *s = *state;
	char to[ROOT_PATH_MAX];

	scratch_write_text(s, "etc/plain", "");
	scratch_write_text(s, "usr/share/target", "");
	make_link(s, "/usr/share/target", "etc/absolute");
	make_link(s, "../usr/share/target", "etc/relative");
	make_link(s, "usr/share", "link-to-folder");
	make_link(s, "../../../../../plain", "etc/outside");
	make_link(s, "/var/none", "etc/dangling");
	make_link(s, "absolute", "etc/chain");
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		print_message("%s\n", ROWS[i].path);
		assert_int_equal(root_path(s->folder, ROWS[i].path, to, ROOT_PATH_MAX), 0);
		assert_string_equal(to, scratch_path(s, ROWS[i].expected + 1));
	}
}

static void test_refusals(void **state)
{
	struct scratch *s = *state;
	char to[ROOT_PATH_MAX] = "before", longer[ROOT_PATH_MAX + 2];

	make_link(s, "two", "one");
	make_link(s, "one", "two");
	scratch_write_text(s, "short", "");
	assert_int_equal(root_path(s->folder, "/one", to, sizeof to), -ELOOP);
	assert_string_equal(to, "");
	assert_int_equal(root_path(s->folder, "/short", to, strlen(s->folder) + 6), -ENAMETOOLONG);
	assert_int_equal(root_path(s->folder, "/short", to, strlen(s->folder) + 7), 0);
	memset(longer, '/', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	assert_int_equal(root_path(s->folder, longer, to, sizeof to), -ENAMETOOLONG);
	assert_string_equal(to, "");
}

static void test_the_machine_itself(void **state)
{
	struct scratch *s = *state;
	char to[ROOT_PATH_MAX], link[512], target[512];

	scratch_write_text(s, "plain", "");
	snprintf(target, sizeof target, "%s", scratch_path(s, "plain"));
	make_link(s, target, "link");
	snprintf(link, sizeof link, "%s", scratch_path(s, "link"));
	assert_int_equal(root_path("", link, to, sizeof to), 0);
	assert_string_equal(to, scratch_path(s, "plain"));

	assert_int_equal(root_path("", "/proc/version", to, ROOT_PATH_MAX), 0);
	assert_string_equal(to, "/proc/version");
	assert_int_equal(root_path("", "/..", to, ROOT_PATH_MAX), 0);
	assert_string_equal(to, "/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_table, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_refusals, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_the_machine_itself, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
