/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/slice.h"
#include "rng.h"

static void expect_slice(const char *what, struct slice got, const char *want)
{
	if (!slice_equals(got, want))
		fail_msg("%s: got \"%.*s\", want \"%s\"", what, (int)got.n, got.p, want);
}

static void test_cut_takes_what_stands_before(void **state)
{
	(void)state;
	static const struct {
		const char *text, *head, *rest;
	} cases[] = {
		{ "a:b", "a", "b" }, { ":b", "", "b" }, { "a:", "a", "" },
		{ "ab", "ab", "" },  { "", "", "" },    { "a:b:c", "a", "b:c" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice rest = slice_of(cases[i].text);

		expect_slice(cases[i].text, slice_cut(&rest, ':'), cases[i].head);
		expect_slice(cases[i].text, rest, cases[i].rest);
	}
}

static void test_trim_and_words(void **state)
{
	(void)state;
	struct slice rest = slice_of(" \t one\vtwo \r\n");

	expect_slice("trim", slice_trim(rest), "one\vtwo");
	expect_slice("blank only", slice_trim(slice_of(" \t\r\n\v\f")), "");
	expect_slice("first", slice_word(&rest), "one");
	expect_slice("second", slice_word(&rest), "two");
	expect_slice("none left", slice_word(&rest), "");
	expect_slice("none left", slice_word(&rest), "");
}

static void test_nothing_is_a_slice_too(void **state)
{
	(void)state;
	struct slice none = { NULL, 0 };
	char to[1] = { 'x' };

	assert_int_equal(slice_trim(none).n, 0);
	assert_int_equal(slice_word(&none).n, 0);
	assert_int_equal(slice_cut(&none, ':').n, 0);
	assert_true(slice_equals(none, ""));
	assert_true(slice_copy(none, to, sizeof to));
	assert_int_equal(to[0], '\0');
}

static void test_equals(void **state)
{
	(void)state;
	assert_true(slice_equals(slice_of("poll"), "poll"));
	assert_false(slice_equals(slice_of("poll"), "Poll"));
	assert_false(slice_equals(slice_of("poll"), "pol"));
	assert_false(slice_equals(slice_of("pol"), "poll"));
	assert_true(slice_equals_nocase(slice_of("pOlL"), "Poll"));
	assert_false(slice_equals_nocase(slice_of("[oll"), "{oll")); /* only letters have cases */
	assert_false(slice_equals_nocase(slice_of("poll"), "poll "));
}

static void test_copy_is_whole_or_not_at_all(void **state)
{
	(void)state;
	char to[4] = "xyz";

	assert_true(slice_copy(slice_of("abc"), to, sizeof to));
	assert_string_equal(to, "abc");
	assert_false(slice_copy(slice_of("defg"), to, sizeof to));
	assert_false(slice_copy((struct slice){ "d\0f", 3 }, to, sizeof to));
	assert_false(slice_copy(slice_of(""), to, 0));
	assert_string_equal(to, "abc");
}

static void test_whole_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool is_number;
		int64_t want;
	} cases[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "+7", true, 7 },
		{ "007", true, 7 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "92233720368547758070", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ "--1", false, 0 },
		{ "1-", false, 0 },
		{ " 1", false, 0 },
		{ "1.0", false, 0 },
		{ "1e3", false, 0 },
		{ "0x10", false, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t got = -77;
		bool is_number = slice_to_int(slice_of(cases[i].text), &got);

		if (is_number != cases[i].is_number)
			fail_msg("\"%s\": taken for %sa number", cases[i].text,
			         is_number ? "" : "not ");
		assert_int_equal(got, is_number ? cases[i].want : -77);
	}
}

static const char *const NO_NUMBERS[] = {
	"",
	"-",
	".",
	"-.",
	"e",
	"e5",
	".e5",
	"1e",
	"1e+",
	"1e5.0",
	"1 ",
	" 1",
	"1,5",
	"0x1",
	"inf",
	"infinity",
	"nan",
	"NaN",
	"1.2.3",
	"--1",
	"1e--",
	"1e1e",
	"1_0",
	"1f",
	"1e1001",
	"0e1001",
	"1e-1001",
	"-1e1001",
	"+-1",
	"1d5",
	"1e99999999999999999999",
};

static void test_what_is_no_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(NO_NUMBERS); i++) {
		struct slice s = slice_of(NO_NUMBERS[i]);
		int64_t scaled = -77;
		double got = -77;

		if (slice_to_double(s, &got) || slice_to_scaled(s, 9, &scaled))
			fail_msg("\"%s\" was taken for a number", NO_NUMBERS[i]);
		assert_true(got == -77);
		assert_int_equal(scaled, -77);
	}
	/* A number, but one that no double holds. */
	double got = -77;
	assert_false(slice_to_double(slice_of("1e309"), &got));
	assert_true(got == -77);
}

static void test_doubles_as_the_compiler_reads_them(void **state)
{
	(void)state;
#define EXACT(number)           \
	{                       \
#number, number \
	}
	static const struct {
		const char *text;
		double want;
	} cases[] = {
		EXACT(0.0),         EXACT(0.1),     EXACT(1e-9),     EXACT(-83333.333),
		EXACT(1.),          EXACT(.5),      EXACT(1E3),      EXACT(1e+22),
		EXACT(12345.6789),  EXACT(1e-22),   EXACT(0.000001), EXACT(-0.25e-3),
		EXACT(123456789.0), EXACT(100e-09), EXACT(-1.5e0),   EXACT(0e999),
	};
#undef EXACT

	for (size_t i = 0; i < COUNT(cases); i++) {
		double got = NAN;

		assert_true(slice_to_double(slice_of(cases[i].text), &got));
		if (got != cases[i].want)
			fail_msg("%s: got %.17g", cases[i].text, got);
	}
}

static void test_double_at_the_far_ends(void **state)
{
	(void)state;
	char text[1024];
	double got;

	assert_true(slice_to_double(slice_of("1e-400"), &got));
	assert_true(got == 0);
	assert_true(slice_to_double(slice_of("1.7e308"), &got));
	assert_true(got > 1.69e308 && got < 1.71e308);

	memset(text, '0', sizeof text);
	memcpy(text, "0.1", 3);
	assert_true(slice_to_double((struct slice){ text, sizeof text }, &got));
	assert_true(got == 0.1);
	memset(text, '0', sizeof text);
	text[sizeof text - 1] = '7';
	assert_true(slice_to_double((struct slice){ text, sizeof text }, &got));
	assert_true(got == 7);
	memset(text, '9', sizeof text);
	assert_false(slice_to_double((struct slice){ text, sizeof text }, &got));
}

/* Within a few units of the last place of what the C library reads, for whatever it writes. */
static void test_double_near_the_library(void **state)
{
	struct rng *rng = *state;

	for (int i = 0; i < 100000; i++) {
		double magnitude = exp((double)rng_in(rng, -600000, 600000) / 1e3);
		double number = (rng_in(rng, 0, 1) ? 1 : -1) * magnitude, got = NAN;
		char text[64];

		snprintf(text, sizeof text, "%.*g", (int)rng_in(rng, 1, 20), number);
		number = strtod(text, NULL);
		assert_true(slice_to_double(slice_of(text), &got));
		if (!(fabs(got - number) <= fabs(number) * 1e-14))
			fail_msg("%s: got %.17g", text, got);
	}
}

static void test_scaled(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int scale;
		bool is_number;
		int64_t want;
	} cases[] = {
		{ "1", 9, true, 1000000000 },
		{ "-0.5", 9, true, -500000000 },
		{ "1e-9", 9, true, 1 },
		{ "4e-10", 9, true, 0 },
		{ "5e-10", 9, true, 1 },
		{ "0.500000000000000000", 0, true, 1 }, /* all eighteen digits round */
		{ "0.499999999999999999", 0, true, 0 },
		{ "-5e-10", 9, true, -1 },
		{ "0.0000000014999999999999999999", 9, true, 1 },
		{ "9223372036.854775807", 9, true, 9223372036854775800 }, /* eighteen digits */
		{ "9223372036.85477580", 9, true, 9223372036854775800 },
		{ "9223372037", 9, false, 0 },
		{ "-9223372037", 9, false, 0 },
		{ "1000000000000000000", 0, true, 1000000000000000000 },
		{ "10000000000000000000", 0, false, 0 },
		{ "0.00000000000000000000000000000001e32", 0, true, 1 },
		{ "100000000000000000000000000000000e-32", 0, true, 1 },
		{ "0e1000", 9, true, 0 },
		{ "1e-1000", 9, true, 0 },
		{ "83333.333", 9, true, 83333333000000 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t got = -77;
		bool is_number = slice_to_scaled(slice_of(cases[i].text), cases[i].scale, &got);

		if (is_number != cases[i].is_number)
			fail_msg("\"%s\": taken for %sa number", cases[i].text,
			         is_number ? "" : "not ");
		if (got != (is_number ? cases[i].want : -77))
			fail_msg("\"%s\": got %lld", cases[i].text, (long long)got);
	}
}

/* Every number of nanoseconds, written as seconds, is read back as itself. */
static void test_scaled_is_exact(void **state)
{
	struct rng *rng = *state;

	for (int i = 0; i < 100000; i++) {
		int64_t shift = rng_in(rng, 0, 62);
		int64_t ns = (int64_t)(rng_next(rng) >> 4 >> shift), got = -77;
		char text[64];

		if (ns >= 1000000000000000000)
			ns /= 10;
		snprintf(text, sizeof text, "-%lld.%09lld", (long long)(ns / 1000000000),
		         (long long)(ns % 1000000000));
		assert_true(slice_to_scaled(slice_of(text), 9, &got));
		assert_int_equal(got, -ns);
	}
}

int main(void)
{
	struct rng rng;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_takes_what_stands_before),
		cmocka_unit_test(test_trim_and_words),
		cmocka_unit_test(test_nothing_is_a_slice_too),
		cmocka_unit_test(test_equals),
		cmocka_unit_test(test_copy_is_whole_or_not_at_all),
		cmocka_unit_test(test_whole_numbers),
		cmocka_unit_test(test_what_is_no_number),
		cmocka_unit_test(test_doubles_as_the_compiler_reads_them),
		cmocka_unit_test(test_double_at_the_far_ends),
		cmocka_unit_test_prestate(test_double_near_the_library, &rng),
		cmocka_unit_test(test_scaled),
		cmocka_unit_test_prestate(test_scaled_is_exact, &rng),
	};

	rng_start(&rng);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
