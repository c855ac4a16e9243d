/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_record_lines.c - byte for byte what chronyd 4.3 wrote
 *
 * The lines are in the form of files that it made, with a reference clock on a socket; where a
 * figure was smaller than a nanosecond tells, another one stands in its columns.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "guestd/record_lines.h"

/* 2026-11-23 18:25:16 UTC */
#define AT ((vt_real){ INT64_C(1795458316) * 1000000000 })

static void test_tracking(void **state)
{
	(void)state;
	struct record_tracking r = {
		.at = AT,
		.name = "TEST",
		.stratum = 1,
		.frequency_ppm = -0.019,
		.skew_ppm = 23.406,
		.offset = VT_NS(-122800),
		.offset_sigma = VT_NS(211),
		.remaining = VT_NS(122700),
		.root_delay = VT_NS(1),
		.root_dispersion = VT_NS(55430),
		.max_error = VT_MS(1500),
	};
	char text[RECORD_LINE_MAX];
	size_t n = record_tracking_line(&r, text);

	assert_string_equal(text, "2026-11-23 18:25:16 TEST             1     -0.019     23.406 "
	                          "-1.228e-04 N  1  2.110e-07  1.227e-04  1.000e-09  5.543e-05  "
	                          "1.500e+00\n");
	assert_int_equal(n, strlen(text));

	r = (struct record_tracking){
		.at = AT,
		.skew_ppm = 1000000,
		.root_delay = VT_SEC(1),
		.root_dispersion = VT_SEC(1),
		.max_error = VT_MS(1500),
	};
	record_tracking_line(&r, text);
	assert_string_equal(text, "2026-11-23 18:25:16 0.0.0.0          0      0.000 1000000.000  "
	                          "0.000e+00 ?  0  0.000e+00  0.000e+00  1.000e+00  1.000e+00  "
	                          "1.500e+00\n");
}

static void test_statistics(void **state)
{
	(void)state;
	struct record_statistics r = {
		.at = AT,
		.name = "TEST",
		.deviation = VT_NS(220),
		.offset = VT_NS(-122800),
		.offset_sigma = VT_NS(211),
		.frequency = 1.530e-08,
		.skew = 2.341e-05,
		.stress = 7.7e-06,
		.samples = 3,
		.runs = 3,
	};
	char text[RECORD_LINE_MAX];
	size_t n = record_statistics_line(&r, text);

	assert_string_equal(text, "2026-11-23 18:25:16 TEST             2.200e-07 -1.228e-04  "
	                          "2.110e-07  1.530e-08  2.341e-05 7.7e-06   3   0   3  0.00\n");
	assert_int_equal(n, strlen(text));
}

static void test_refclocks(void **state)
{
	(void)state;
	struct record_refclock r = {
		.at = { AT.ns + 562259999 },
		.name = "TEST",
		.number = 4,
		.raw = VT_NS(123656),
		.offset = VT_NS(-123656),
		.dispersion = VT_NS(20),
	};
	char text[RECORD_LINE_MAX];
	size_t n = record_refclock_line(&r, text);

	assert_string_equal(text, "2026-11-23 18:25:16.562259 TEST    4 N 0  1.236560e-04 "
	                          "-1.236560e-04  2.000e-08\n");
	assert_int_equal(n, strlen(text));
	r.is_filtered = true;
	r.offset = VT_NS(122892);
	r.dispersion = VT_NS(301);
	record_refclock_line(&r, text);
	assert_string_equal(text, "2026-11-23 18:25:16.562259 TEST    - N -       -        "
	                          "1.228920e-04  3.010e-07\n");
}

static void test_before_1970(void **state)
{
	(void)state;
	struct record_refclock r = { .at = { -1 }, .name = "A" };
	char text[RECORD_LINE_MAX];

	record_refclock_line(&r, text);
	assert_memory_equal(text, "1969-12-31 23:59:59.999999 A  ", 30);
}

/* The C library is the judge of the calendar, a day after the other and beyond both ends. */
static void test_dates(void **state)
{
	(void)state;
	struct record_refclock r = { .name = "A" };
	char text[RECORD_LINE_MAX], want[64];

	for (int64_t day = -100000; day <= 100000; day++) {
		time_t seconds = (time_t)(day * 86400 + (day * 7919 % 86400 + 86400) % 86400);
		struct tm fields;

		assert_non_null(gmtime_r(&seconds, &fields));
		strftime(want, sizeof want, "%Y-%m-%d %H:%M:%S.000000 ", &fields);
		r.at = (vt_real){ (int64_t)seconds * 1000000000 };
		record_refclock_line(&r, text);
		if (strncmp(text, want, strlen(want)) != 0)
			fail_msg("%s is printed as %s", want, text);
	}
}

/* Whatever the numbers, a line is one line and fits. */
static void test_extremes(void **state)
{
	(void)state;
	struct record_tracking t = {
		.at = { INT64_MAX },
		.name = "ABCDEFGHIJKLMNO",
		.stratum = INT32_MIN,
		.frequency_ppm = -1e308,
		.skew_ppm = 1e308,
		.offset = VT_NS(INT64_MIN),
	};
	struct record_statistics s = { .at = { INT64_MIN }, .frequency = -1e308, .stress = 1e308,
		                       .samples = UINT32_MAX, .runs = UINT32_MAX };
	char text[RECORD_LINE_MAX];
	size_t n = record_tracking_line(&t, text);

	assert_true(n < RECORD_LINE_MAX && strlen(text) == n && text[n - 1] == '\n');
	n = record_statistics_line(&s, text);
	assert_true(n < RECORD_LINE_MAX && strlen(text) == n && text[n - 1] == '\n');
}

static void test_banners(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		enum record_kind kind;
		const char *file;
		int rule;
		const char *columns;
	} cases[] = {
		{ RECORD_TRACKING, "tracking.log", 131,
		  "   Date (UTC) Time     IP Address   St   Freq ppm   Skew ppm     Offset L Co  Offset sd Rem. corr. Root delay Root disp. Max. error" },
		{ RECORD_STATISTICS, "statistics.log", 116,
		  "   Date (UTC) Time     IP Address    Std dev'n Est offset  Offset sd  Diff freq   Est skew  Stress  Ns  Bs  Nr  Asym" },
		{ RECORD_REFCLOCKS, "refclocks.log", 79,
		  "   Date (UTC) Time         Refid  DP L P  Raw offset   Cooked offset      Disp." },
	};
	/* clang-format on */

	for (size_t i = 0; i < RECORD_KINDS; i++) {
		char rule[160] = "", want[RECORD_BANNER_MAX], text[RECORD_BANNER_MAX];

		memset(rule, '=', (size_t)cases[i].rule);
		snprintf(want, sizeof want, "%s\n%s\n%s\n", rule, cases[i].columns, rule);
		assert_int_equal(record_banner(cases[i].kind, text), strlen(want));
		assert_string_equal(text, want);
		assert_string_equal(record_file_name(cases[i].kind), cases[i].file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tracking),   cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_refclocks),  cmocka_unit_test(test_before_1970),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_extremes),   cmocka_unit_test(test_banners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
