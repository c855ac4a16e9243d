/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/shell_file.h"
#include "base/attr.h"

/* clang-format off */
static const struct {
	const char *what, *text, *want;
	bool is_assigned, is_plain;
} CASES[] = {
	{ "bare word",            "V=quiet\n",                    "quiet",      true, true },
	{ "double quotes",        "V=\"a b\"\n",                  "a b",        true, true },
	{ "single quotes",        "V='a $b \"c\" \\d'\n",         "a $b \"c\" \\d", true, true },
	{ "empty",                "V=\n",                         "",           true, true },
	{ "empty quotes",         "V=\"\"\n",                     "",           true, true },
	{ "absent",               "W=1\n",                        "",           false, true },
	{ "longer name",          "V2=1\nXV=2\n",                 "",           false, true },
	{ "escapes in quotes",    "V=\"a\\\"b\\\\c\\$d\"\n",      "a\"b\\c$d",  true, true },
	{ "other escape stays",   "V=\"a\\nb\"\n",                "a\\nb",      true, true },
	{ "escape outside",       "V=a\\ b\n",                    "a b",        true, true },
	{ "joined pieces",        "V=a\"b c\"'d e'f\n",           "ab cd ef",   true, true },
	{ "comment behind",       "V=\"a\" # b\n",                "a",          true, true },
	{ "comment's number sign","V=a#b\n",                      "a#b",        true, true },
	{ "commented out",        "#V=a\n # V=b\n",               "",           false, true },
	{ "quoted number sign",   "V=\"a # b\"\n",                "a # b",      true, true },
	{ "continued in quotes",  "V=\"a \\\nb\"\n",              "a b",        true, true },
	{ "continued outside",    "V=a\\\nb\n",                   "ab",         true, true },
	{ "continued, CR LF",     "V=\"a \\\r\nb\"\r\n",          "a b",        true, true },
	{ "two lines in quotes",  "V=\"a\nb\"\n",                 "a\nb",       true, true },
	{ "CR LF",                "V=\"a b\"\r\nW=1\r\n",         "a b",        true, true },
	{ "CR LF, bare",          "V=ab\r\nW=1\r\n",              "ab",         true, true },
	{ "CR at the end of all", "V=ab\r",                       "ab",         true, true },
	{ "no last newline",      "V=\"a b\"",                    "a b",        true, true },
	{ "several: the last",    "V=a\nV=b\nW=c\nV=d\n",         "d",          true, true },
	{ "two in a line",        "W=a V=b\n",                    "b",          true, true },
	{ "behind a semicolon",   "W=a;V=b\n",                    "b",          true, true },
	{ "exported",             "export V=a\n",                 "a",          true, true },
	{ "indented",             "\t V=a\n",                     "a",          true, true },
	{ "append",               "V=\"a\"\nV+=\" b\"\n",         "a b",        true, true },
	{ "itself",               "V=\"a\"\nV=\"$V b\"\n",        "a b",        true, true },
	{ "itself in braces",     "V='a'\nV=\"${V} b\"\n",        "a b",        true, true },
	{ "itself, unset",        "V=\"$V b\"\n",                 " b",         true, true },
	{ "longer than itself",   "V=a\nV=\"$VV b\"\n",           "$VV b",      true, false },
	{ "not in single quotes", "V=a\nV='$V'\n",                "$V",         true, true },
	{ "another variable",     "V=\"$W\"\n",                   "$W",         true, false },
	{ "plain again",          "V=\"$W\"\nV=a\n",              "a",          true, true },
	{ "a lone dollar",        "V=\"a$ b\"\n",                 "a$ b",       true, true },
	{ "command, backticks",   "V=`lsb_release -i || echo D`\n", "`lsb_release -i || echo D`", true, false },
	{ "command with quotes",  "V=\"$(sed 's, x.*$,,g' /etc/f)\"\nW=1\n", "$(sed 's, x.*$,,g' /etc/f)", true, false },
	{ "parameter expansion",  "V=${W:-a b}\n",                "${W:-a b}",  true, false },
	{ "open quote",           "V=\"a b\n",                    "a b\n",      true, false },
	{ "open single quote",    "V='a",                         "a",          true, false },
	{ "open command",         "V=$(a",                        "$(a",        true, false },
	{ "within a command",     "echo \"x\nV=b\ny\" V=c\n",     "",           false, true },
	{ "behind a command",     "echo 'a;b'; V=c\n",            "c",          true, true },
	{ "a condition's body",   "if [ -e /x ]; then\n V=a\nfi\n", "a",        true, true },
	{ "no name",              "=a\n1V=b\nV =c\n",             "",           false, true },
	{ "an array",             "V=(a b)\n",                    "",           true, false },
	{ "nothing",              "",                             "",           false, true },
	{ "a backslash",          "\\",                           "",           false, true },
	{ "ends in a backslash",  "V=a\\",                        "a",          true, true },
};
/* clang-format on */

/* What a shell would make of the variable V. */
static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(CASES); i++) {
		/* Of just its size, so that a sanitizer sees a read behind the end. */
		size_t n = strlen(CASES[i].text);
		char *exact = malloc(n + 1), value[64];
		bool is_plain = false, is_assigned;

		assert_non_null(exact);
		memcpy(exact, CASES[i].text, n);
		is_assigned = shell_file_value((struct slice){ exact, n }, "V", value,
					       sizeof value, &is_plain);
		if (is_assigned != CASES[i].is_assigned || is_plain != CASES[i].is_plain ||
		    strcmp(value, CASES[i].want) != 0)
			fail_msg("%s: got \"%s\", assigned %d, plain %d", CASES[i].what, value,
				 is_assigned, is_plain);
		free(exact);
	}
}

static void test_places(void **state)
{
	static const char TEXT[] = "# first\nA=1\n\nexport B=\"two\nlines\"  # c\nC='x' D=4\n";
	struct shell_file file = { { TEXT, sizeof TEXT - 1 }, 0, 1 };
	struct shell_assignment a;

	(void)state;
	assert_true(shell_file_next(&file, &a));
	assert_true(slice_equals(a.name, "A"));
	assert_int_equal(a.line, 2);
	assert_memory_equal(TEXT + a.begin, "A=1", a.end - a.begin);
	assert_true(shell_file_next(&file, &a));
	assert_true(slice_equals(a.name, "B"));
	assert_true(a.is_exported);
	assert_int_equal(a.line, 4);
	assert_true(slice_equals(a.raw, "\"two\nlines\""));
	assert_memory_equal(TEXT + a.value_begin, a.raw.p, a.raw.n);
	assert_true(shell_file_next(&file, &a));
	assert_int_equal(a.line, 6);
	assert_true(shell_file_next(&file, &a));
	assert_true(slice_equals(a.name, "D"));
	assert_int_equal(a.line, 6);
	a.line = 77;
	assert_false(shell_file_next(&file, &a));
	assert_int_equal(a.line, 77);
}

static void test_too_long_is_left_out(void **state)
{
	char value[6];
	bool is_plain = true;
	struct slice text = slice_of("V=12345\nV=123456\n");

	(void)state;
	assert_true(shell_file_value(text, "V", value, sizeof value, &is_plain));
	assert_string_equal(value, "12345");
	assert_false(is_plain);
}

/* What is quoted is read back as it was, whatever its bytes. */
static void test_quote_round_trip(void **state)
{
	static const char *const VALUES[] = { "", "a b", "a\"b", "$HOME `x` \\", "# x", "'", "a\tb" };
	char quoted[64], text[80], back[64];
	bool is_plain;

	(void)state;
	for (size_t i = 0; i < COUNT(VALUES); i++) {
		assert_true(shell_quote(VALUES[i], quoted, sizeof quoted));
		snprintf(text, sizeof text, "V=%s\n", quoted);
		assert_true(shell_file_value(slice_of(text), "V", back, sizeof back, &is_plain));
		assert_string_equal(back, VALUES[i]);
		assert_true(is_plain);
	}
	assert_false(shell_quote("12345", quoted, 7));
	assert_string_equal(quoted, "");
	assert_true(shell_quote("12345", quoted, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_too_long_is_left_out),
		cmocka_unit_test(test_quote_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
