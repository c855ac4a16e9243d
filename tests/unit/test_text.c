/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hostd/text.h"

static void assert_takes(struct text *t, const char *want)
{
	char *text;
	size_t n;

	assert_int_equal(text_take(t, &text, &n), 0);
	assert_string_equal(text, want);
	assert_int_equal(n, strlen(want));
	free(text);
}

static void test_seconds_are_exact(void **state)
{
	(void)state;
	static const struct {
		int64_t ns;
		const char *want;
	} CASES[] = {
		{ 0, "0" },
		{ 1, "0.000000001" },
		{ -1, "-0.000000001" },
		{ 1500000000, "1.5" },
		{ -12300000000, "-12.3" },
		{ INT64_C(1793491200000000000), "1793491200" },
		{ INT64_C(1793491200123456789), "1793491200.123456789" },
		{ INT64_MIN, "-9223372036.854775808" },
		{ INT64_MAX, "9223372036.854775807" },
	};

	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct text t = TEXT_INIT;

		text_seconds(&t, VT_NS(CASES[i].ns));
		assert_takes(&t, CASES[i].want);
	}
}

static void test_integers(void **state)
{
	(void)state;
	struct text t = TEXT_INIT;

	text_int(&t, 0);
	text_put(&t, " ");
	text_int(&t, INT64_MIN);
	text_put(&t, " ");
	text_int(&t, 100);
	assert_takes(&t, "0 -9223372036854775808 100");
}

/* What comes out must be UTF-8 without control characters, and end no string before its time. */
static void test_foreign_text(void **state)
{
	(void)state;
	static const struct {
		const char *what, *given, *want;
	} CASES[] = {
		{ "plain", "web-1", "web-1" },
		{ "quote and backslash", "a\"b\\c", "a\\\"b\\\\c" },
		{ "lines", "a\nb\r\tc", "a?b??c" },
		{ "delete", "a\x7f", "a?" },
		{ "umlaut", "gr\xc3\xbcn", "gr\xc3\xbcn" },
		{ "four bytes", "\xf0\x9f\x95\x92", "\xf0\x9f\x95\x92" },
		{ "cut in the middle", "a\xc3", "a?" },
		{ "three bytes cut", "\xe2\x82", "??" },
		{ "too long a form", "\xc0\xaf", "??" },
		{ "surrogate", "\xed\xa0\x80", "???" },
		{ "beyond the last", "\xf5\x80\x80\x80", "????" },
		{ "latin-1", "caf\xe9 x", "caf? x" },
	};

	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct text t = TEXT_INIT;
		char *text;
		size_t n;

		text_escaped(&t, CASES[i].given);
		assert_int_equal(text_take(&t, &text, &n), 0);
		if (strcmp(text, CASES[i].want) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", CASES[i].what, text, CASES[i].want);
		free(text);
	}
}

static void test_grows(void **state)
{
	(void)state;
	struct text t = TEXT_INIT;
	char *text;
	size_t n;

	for (int i = 0; i < 100000; i++)
		text_add(&t, "0123456789", 10);
	assert_int_equal(text_take(&t, &text, &n), 0);
	assert_int_equal(n, 1000000);
	assert_int_equal(strlen(text), n);
	assert_memory_equal(text + n - 10, "0123456789", 10);
	free(text);
	assert_takes(&t, ""); /* empty again */
}

static void test_no_memory_is_told(void **state)
{
	(void)state;
	struct text t = TEXT_INIT;
	char *text = (char *)&t;
	size_t n = 7;

	text_put(&t, "x");
	text_add(&t, "y", SIZE_MAX / 2);
	text_put(&t, "z");
	assert_true(t.is_broken);
	assert_true(text_take(&t, &text, &n) < 0);
	assert_ptr_equal(text, (char *)&t);
	assert_int_equal(n, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seconds_are_exact), cmocka_unit_test(test_integers),
		cmocka_unit_test(test_foreign_text),      cmocka_unit_test(test_grows),
		cmocka_unit_test(test_no_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
