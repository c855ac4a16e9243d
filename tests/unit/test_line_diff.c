/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/line_diff.h"
#include "rng.h"

static const struct row {
	const char *name, *before, *after, *diff;
} ROWS[] = {
	{ "equal", "a\nb\n", "a\nb\n", "" },
	{ "made", "", "a\nb\n", "--- x\n+++ y\n@@ -0,0 +1,2 @@\n+a\n+b\n" },
	{ "emptied", "a\n", "", "--- x\n+++ y\n@@ -1 +0,0 @@\n-a\n" },
	{ "in the middle", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nV\n6\n7\n8\n9\n",
	  "--- x\n+++ y\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+V\n 6\n 7\n 8\n" },
	{ "no last line end", "a\nb", "a\nb\n",
	  "--- x\n+++ y\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n" },
	{ "two hunks", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "I\n2\n3\n4\n5\n6\n7\n8\nIX\n",
	  "--- x\n+++ y\n@@ -1,4 +1,4 @@\n-1\n+I\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n"
	  "+IX\n" },
	{ "one hunk across six lines", "1\n2\n3\n4\n5\n6\n7\n8\n", "I\n2\n3\n4\n5\n6\n7\nVIII\n",
	  "--- x\n+++ y\n@@ -1,8 +1,8 @@\n-1\n+I\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+VIII\n" },
	{ "only a CR", "a\r\n", "a\n", "--- x\n+++ y\n@@ -1 +1 @@\n-a\r\n+a\n" },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		struct text text = { 0 };

		print_message("%s\n", ROWS[i].name);
		line_diff(&text, "x", "y", slice_of(ROWS[i].before), slice_of(ROWS[i].after));
		assert_string_equal(text.p ? text.p : "", ROWS[i].diff);
		text_fini(&text);
	}
}

/* Applies a diff without its last-line notes to @before: a patch(1) of the test's own. */
static void apply(const char *before, const char *diff, char *to)
{
	unsigned at = 1, old;

	*to = '\0';
	diff = strchr(strchr(diff, '\n') + 1, '\n') + 1;
	while (*diff) {
		const char *end = strchr(diff, '\n') + 1;

		if (diff[0] == '@') {
			const char *comma = strchr(diff, ',');

			assert_int_equal(sscanf(diff, "@@ -%u", &old), 1);
			/* "-5,0" means behind line 5. */
			if (comma && comma < strchr(diff, '+') && comma[1] == '0')
				old++;
			for (; at < old; at++) {
				strncat(to, before, (size_t)(strchr(before, '\n') + 1 - before));
				before = strchr(before, '\n') + 1;
			}
		} else {
			if (diff[0] != '-')
				strncat(to, diff + 1, (size_t)(end - diff - 1));
			if (diff[0] != '+') {
				assert_memory_equal(before, diff + 1, (size_t)(end - diff - 1));
				before = strchr(before, '\n') + 1;
				at++;
			}
		}
		diff = end;
	}
	strcat(to, before);
}

static void draw_lines(struct rng *rng, char *to)
{
	int64_t n = rng_in(rng, 0, 30);

	*to = '\0';
	for (int64_t i = 0; i < n; i++)
		sprintf(to + strlen(to), "%c\n", "abcd"[rng_in(rng, 0, 3)]);
}

static void test_any_diff_applies(void **state)
{
	(void)state;
	struct rng rng;

	rng_start(&rng);
	for (int i = 0; i < 3000; i++) {
		char before[128], after[128], patched[512];
		struct text text = { 0 };

		draw_lines(&rng, before);
		draw_lines(&rng, after);
		line_diff(&text, "x", "y", slice_of(before), slice_of(after));
		if (text.n)
			apply(before, text.p, patched);
		else
			snprintf(patched, sizeof patched, "%s", before);
		assert_string_equal(patched, after);
		text_fini(&text);
	}
}

/* Past the table's size the middle is exchanged as a whole, which still is a right diff. */
static void test_large(void **state)
{
	(void)state;
	size_t n = 3000;
	char *before = calloc(n, 16), *after = calloc(n, 16), *patched = calloc(n, 64);
	struct text text = { 0 };

	assert_true(before && after && patched);
	for (size_t i = 0, a = 0, b = 0; i < n; i++) {
		a += (size_t)sprintf(before + a, "line %zu\n", i);
		b += (size_t)sprintf(after + b, "row %zu\n", i + (i % 2));
	}
	line_diff(&text, "x", "y", slice_of(before), slice_of(after));
	assert_non_null(strstr(text.p, "@@ -1,3000 +1,3000 @@\n"));
	apply(before, text.p, patched);
	assert_string_equal(patched, after);
	text_fini(&text);
	free(before);
	free(after);
	free(patched);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_any_diff_applies),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
