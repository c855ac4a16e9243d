/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/command.h"

/* Runs /bin/sh with @script; words are as they stand, one argument is one. */
static struct command_result run_script(const char *script)
{
	char shell[] = "sh", flag[] = "-c", name[] = "name", argument[] = "a  b";
	char *copy = strdup(script);
	char *const words[] = { shell, flag, copy, name, argument, NULL };
	struct command_result result;

	assert_int_equal(command_run(words, &result), 0);
	free(copy);
	return result;
}

/* clang-format off */
static const struct row {
	const char *name, *script;
	int status;
	const char *output;
} ROWS[] = {
	{ "both streams", "echo out; echo err >&2", 0, "out\nerr\n" },
	{ "its status", "exit 7", 7, "" },
	{ "a signal", "kill -9 $$", 137, "" },
	{ "arguments", "printf '<%s>' \"$1\"", 0, "<a  b>" },
	{ "nothing to read", "cat; echo end", 0, "end\n" },
	{ "a NUL", "printf 'a\\0b'", 0, "a?b" },
	{ "in English", "echo $LC_ALL", 0, "C\n" },
	{ "system's folders", "echo $PATH", 0, "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin\n" },
};
/* clang-format on */

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		struct command_result result = run_script(ROWS[i].script);

		print_message("%s\n", ROWS[i].name);
		assert_int_equal(result.status, ROWS[i].status);
		assert_string_equal(result.output, ROWS[i].output);
		command_result_fini(&result);
	}
}

/* Of much the end is kept. */
static void test_much(void **state)
{
	(void)state;
	struct command_result result = run_script("i=0; while [ $i -lt 20000 ]; do echo line $i; "
						  "i=$((i+1)); done");
	size_t n = strlen(result.output);

	assert_in_range(n, COMMAND_OUTPUT_MAX / 2, COMMAND_OUTPUT_MAX);
	assert_string_equal(result.output + n - 11, "line 19999\n");
	command_result_fini(&result);
}

static void test_none(void **state)
{
	(void)state;
	char name[] = "no-such-program-anywhere", path[] = "/nowhere/program";
	char *const by_name[] = { name, NULL }, *const by_path[] = { path, NULL };
	struct command_result result = { .status = 77 };

	assert_int_equal(command_run(by_name, &result), -ENOENT);
	assert_int_equal(command_run(by_path, &result), -ENOENT);
	assert_int_equal(result.status, 77);
	assert_null(result.output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_much),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
