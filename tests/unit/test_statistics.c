/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/statistics.h"

static void test_empty(void **state)
{
	(void)state;
	struct statistics statistics;
	struct statistics_summary summary;

	memset(&statistics, 0x5a, sizeof statistics);
	statistics_init(&statistics);
	summary = statistics_summarize(&statistics);
	assert_int_equal(summary.samples, 0);
	assert_int_equal(summary.runs, 0);
	assert_int_equal(summary.span.ns, 0);
	assert_int_equal(summary.standard_deviation.ns, 0);
}

static void test_summaries(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		unsigned    n;
		int64_t     residuals[6];
		unsigned    runs;
		int64_t     mean, deviation;
	} cases[] = {
		{ "one",          1, { 40 },                       1, 40, 0  },
		{ "two",          2, { 10, 30 },                   2, 20, 14 },
		{ "all alike",    4, { 7, 7, 7, 7 },               1, 7,  0  },
		{ "three runs",   6, { -9, -9, 9, 9, -9, 9 - 18 }, 3, -3, 9  },
		{ "to and fro",   6, { -5, 5, -5, 5, -5, 5 },      6, 0,  5  },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct statistics statistics;
		struct statistics_summary summary;

		statistics_init(&statistics);
		for (unsigned n = 0; n < cases[i].n; n++)
			statistics_add(&statistics, (vt_mono){ 100 + 10 * n },
			               VT_NS(cases[i].residuals[n]));
		summary = statistics_summarize(&statistics);
		assert_int_equal(summary.samples, cases[i].n);
		assert_int_equal(summary.span.ns, 10 * (cases[i].n - 1));
		if (summary.runs != cases[i].runs || summary.mean.ns != cases[i].mean ||
		    summary.standard_deviation.ns != cases[i].deviation)
			fail_msg("%s: %u runs, mean %lld, deviation %lld", cases[i].what,
			         summary.runs, (long long)summary.mean.ns,
			         (long long)summary.standard_deviation.ns);
	}
}

static void test_window_forgets_the_oldest(void **state)
{
	(void)state;
	struct statistics statistics;
	struct statistics_summary summary;

	statistics_init(&statistics);
	for (int n = 0; n < 5 * STATISTICS_WINDOW + 3; n++)
		statistics_add(&statistics, (vt_mono){ 1000 * n },
		               VT_NS(n < 5 * STATISTICS_WINDOW - 61 ? 100000 : 6));
	summary = statistics_summarize(&statistics);
	assert_int_equal(summary.samples, STATISTICS_WINDOW);
	assert_int_equal(summary.span.ns, 1000 * (STATISTICS_WINDOW - 1));
	assert_int_equal(summary.mean.ns, 6);
	assert_int_equal(summary.runs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_summaries),
		cmocka_unit_test(test_window_forgets_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
