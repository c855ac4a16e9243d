/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/log.h"
#include "rng.h"

static void test_quote(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t n, size;
		const char *want;
	} cases[] = {
		{ "two", 3, 80, "\"two\"" },
		{ "", 0, 80, "\"\"" },
		{ "a\nb\0c\x1b\x7f\xff", 8, 80, "\"a\\x0ab\\x00c\\x1b\\x7f\\xff\"" },
		{ "say \"\\\"", 7, 80, "\"say \\\"\\\\\\\"\"" },
		{ "two", 3, 3, "\"\"" },
		{ "two", 3, 2, "" },
		{ "two", 3, 1, "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char to[80] = "untouched";

		assert_ptr_equal(log_quote(cases[i].text, cases[i].n, to, cases[i].size), to);
		assert_string_equal(to, cases[i].want);
	}
}

static void test_quote_of_no_room_writes_nothing(void **state)
{
	(void)state;
	char to = 'x';

	log_quote("two", 3, &to, 0);
	assert_int_equal(to, 'x');
}

/* Whatever the bytes and the room: printable, terminated, whole escapes, nothing behind the end. */
static void test_quote_stays_in_bounds(void **state)
{
	struct rng *rng = *state;
	char text[64], to[128];

	for (int i = 0; i < 100000; i++) {
		size_t n = (size_t)rng_in(rng, 0, sizeof text);
		size_t size = (size_t)rng_in(rng, 3, sizeof to - 1);

		for (size_t k = 0; k < n; k++)
			text[k] = (char)rng_next(rng);
		memset(to, '~', sizeof to);
		log_quote(text, n, to, size);

		size_t length = strnlen(to, size);
		assert_true(length < size);
		assert_true(length >= 2 && to[0] == '"' && to[length - 1] == '"');
		for (size_t k = 0; k < length; k++)
			assert_true(to[k] >= ' ' && to[k] <= '~');
		for (size_t k = size; k < sizeof to; k++)
			assert_int_equal(to[k], '~');
	}
}

/* What the log writes to stderr while @say runs. */
static const char *heard(void (*say)(void), char *to, size_t size)
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	size_t n;

	assert_non_null(file);
	assert_true(kept >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
	say();
	fflush(stderr);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
	rewind(file);
	n = fread(to, 1, size - 1, file);
	to[n] = '\0';
	fclose(file);
	return to;
}

static void say_each_level(void)
{
	log_debug("one %d", 1);
	log_info("two");
	log_warn("three");
	log_fail("four");
}

static void say_an_error(void)
{
	assert_int_equal(log_err(-ENOENT, "open %s", "/x"), -ENOENT);
	assert_int_equal(log_cope(ENOENT, "open %s", "/y"), -ENOENT);
}

static void say_a_lot(void)
{
	char lots[3000];

	memset(lots, 'a', sizeof lots - 1);
	lots[sizeof lots - 1] = '\0';
	log_info("%s", lots);
	assert_int_equal(log_err(-ENOENT, "%s", lots), -ENOENT);
}

static void test_levels(void **state)
{
	(void)state;
	char line[256];

	log_open("test", LOG_SINK_STDERR, LOG_LEVEL_DEBUG);
	assert_string_equal(heard(say_each_level, line, sizeof line),
	                    "test: debug: one 1\ntest: two\ntest: warning: three\n"
	                    "test: error: four\n");
	log_open("test", LOG_SINK_STDERR, LOG_LEVEL_WARN);
	assert_string_equal(heard(say_each_level, line, sizeof line),
	                    "test: warning: three\ntest: error: four\n");
}

static void test_error_is_told_and_returned(void **state)
{
	(void)state;
	char line[256];

	log_open("test", LOG_SINK_STDERR, LOG_LEVEL_DEBUG);
	assert_string_equal(heard(say_an_error, line, sizeof line),
	                    "test: error: open /x: No such file or directory\n"
	                    "test: warning: open /y: No such file or directory\n");
	log_open("test", LOG_SINK_STDERR, LOG_LEVEL_ERR);
	assert_string_equal(heard(say_an_error, line, sizeof line),
	                    "test: error: open /x: No such file or directory\n");
}

static void test_long_lines_are_cut_and_end(void **state)
{
	(void)state;
	char text[8192];
	const char *end;

	log_open("test", LOG_SINK_STDERR, LOG_LEVEL_DEBUG);
	heard(say_a_lot, text, sizeof text);
	end = strchr(text, '\n');
	assert_non_null(end);
	assert_true(end - text < 1100);
	/* An error keeps its reason, which is what one reads the line for. */
	assert_non_null(strstr(end, "No such file or directory\n"));
}

int main(void)
{
	struct rng rng;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_quote_of_no_room_writes_nothing),
		cmocka_unit_test_prestate(test_quote_stays_in_bounds, &rng),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_error_is_told_and_returned),
		cmocka_unit_test(test_long_lines_are_cut_and_end),
	};

	rng_start(&rng);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
