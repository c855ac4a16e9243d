/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/frames.h"

static int setup(void **state)
{
	struct frames *f = malloc(sizeof *f);

	if (!f)
		return -1;
	frames_init(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	frames_fini(*state);
	frames_fini(*state);
	free(*state);
	return 0;
}

static void check_line(struct frames *f, struct slice *input, const char *want)
{
	struct slice line;

	assert_int_equal(frames_next(f, input, &line), FRAME_LINE);
	assert_int_equal(line.n, strlen(want));
	assert_memory_equal(line.p, want, line.n);
}

static void check_kind(struct frames *f, struct slice *input, enum frame_kind want)
{
	static const struct slice UNTOUCHED = { "untouched", 9 };
	struct slice line = UNTOUCHED;

	assert_int_equal(frames_next(f, input, &line), want);
	assert_ptr_equal(line.p, UNTOUCHED.p);
	assert_int_equal(line.n, UNTOUCHED.n);
}

static void test_lines_with_either_end(void **state)
{
	struct slice input = slice_of("one\r\ntwo\n\r\n\nthree");

	check_line(*state, &input, "one");
	check_line(*state, &input, "two");
	check_line(*state, &input, "");
	check_line(*state, &input, "");
	check_kind(*state, &input, FRAME_NONE);
	input = slice_of(" and\r");
	check_kind(*state, &input, FRAME_NONE);
	input = slice_of("\nfour\n");
	check_line(*state, &input, "three and");
	check_line(*state, &input, "four");
	check_kind(*state, &input, FRAME_NONE);
}

static void test_a_whole_line_is_not_copied(void **state)
{
	struct frames *f = *state;
	struct slice input = slice_of("whole\nhalf");
	const char *at = input.p;
	struct slice line;

	assert_int_equal(frames_next(f, &input, &line), FRAME_LINE);
	assert_ptr_equal(line.p, at);
	assert_null(f->kept);
	check_kind(f, &input, FRAME_NONE);
	assert_non_null(f->kept);
	input = slice_of("\n");
	check_line(f, &input, "half");
	check_kind(f, &input, FRAME_NONE);
	assert_null(f->kept); /* a quiet connection keeps nothing */
}

static void test_a_mark_voids_what_came_before_it(void **state)
{
	struct slice input = slice_of("{\"ret");

	check_kind(*state, &input, FRAME_NONE);
	input = slice_of("urn\"\xff{}\n\xff\xff");
	check_kind(*state, &input, FRAME_MARK);
	check_line(*state, &input, "{}");
	check_kind(*state, &input, FRAME_MARK);
	check_kind(*state, &input, FRAME_MARK);
	check_kind(*state, &input, FRAME_NONE);
}

static void test_the_longest_line(void **state)
{
	char *text = malloc(FRAMES_MAX + 2);
	struct slice input = { text, FRAMES_MAX + 1 }, line;

	assert_non_null(text);
	memset(text, 'x', FRAMES_MAX + 2);
	text[FRAMES_MAX] = '\n';
	assert_int_equal(frames_next(*state, &input, &line), FRAME_LINE);
	assert_int_equal(line.n, FRAMES_MAX);

	text[FRAMES_MAX] = 'x';
	text[FRAMES_MAX + 1] = '\n';
	input = (struct slice){ text, FRAMES_MAX + 2 };
	check_kind(*state, &input, FRAME_TOO_LONG);
	check_kind(*state, &input, FRAME_NONE);
	input = slice_of("next\n");
	check_line(*state, &input, "next");
	free(text);
}

static void test_100_mb_without_an_end_are_not_kept(void **state)
{
	struct frames *f = *state;
	char portion[10000];
	unsigned told = 0;
	struct slice line, input;

	memset(portion, 'x', sizeof portion);
	for (unsigned i = 0; i < 10000; i++) {
		input = (struct slice){ portion, sizeof portion };
		told += frames_next(f, &input, &line) == FRAME_TOO_LONG;
		if (input.n)
			check_kind(f, &input, FRAME_NONE);
		assert_true(f->size <= FRAMES_MAX);
	}
	assert_int_equal(told, 1);
	assert_null(f->kept);
	input = slice_of("end\nnext\n");
	check_line(f, &input, "next");
}

static void test_a_mark_ends_a_line_that_is_too_long(void **state)
{
	char *text = calloc(1, 2 * FRAMES_MAX);
	struct slice input = { text, 2 * FRAMES_MAX };

	assert_non_null(text);
	memset(text, 'x', 2 * FRAMES_MAX);
	check_kind(*state, &input, FRAME_TOO_LONG);
	check_kind(*state, &input, FRAME_NONE);
	input = slice_of("xx\xffnext\n");
	check_kind(*state, &input, FRAME_MARK);
	check_line(*state, &input, "next");
	free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_lines_with_either_end),
		TEST(test_a_whole_line_is_not_copied),
		TEST(test_a_mark_voids_what_came_before_it),
		TEST(test_the_longest_line),
		TEST(test_100_mb_without_an_end_are_not_kept),
		TEST(test_a_mark_ends_a_line_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
