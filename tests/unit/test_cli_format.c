/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_cli_format.c - the tables that the command line prints
 *
 * The rows of the tables are what chronyc 4.3 prints for the same values; the
 * system test chronyc_columns compares them with a chronyc that is installed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "cli/table.h"

#include "cli_printed.h"

static void test_ages(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		bool is_known;
		int64_t ns;
		const char *want;
	} cases[] = {
		{ false, 0,                    "   -" },
		{ false, 5000000000,           "   -" },
		{ true,  -1000000000,          "   0" },
		{ true,  0,                    "   0" },
		{ true,  999999999,            "   0" },
		{ true,  1000000000,           "   1" },
		{ true,  1200000000000 - 1,    "1199" },
		{ true,  1200000000000,        " 20m" },
		{ true,  10 * HOUR - 1,        "599m" },
		{ true,  10 * HOUR,            " 10h" },
		{ true,  4 * DAY - 1,          " 95h" },
		{ true,  4 * DAY,              "  4d" },
		{ true,  1000 * DAY - 1,       "999d" },
		{ true,  1000 * DAY,           "  2y" },
		{ true,  INT64_MAX,            "292y" },
	};
	/* clang-format on */
	char cell[TABLE_CELL_MAX];

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(table_age(cell, cases[i].is_known, VT_NS(cases[i].ns)),
		                    cases[i].want);
}

static void test_offsets(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		int64_t ns;
		const char *is_signed, *is_plain;
	} cases[] = {
		{ 0,                       "   +0ns", "   0ns"  },
		{ 1,                       "   +1ns", "   1ns"  },
		{ -928,                    " -928ns", " 928ns"  },
		{ 9999,                    "+9999ns", "9999ns"  },
		{ 10000,                   "  +10us", "  10us"  },
		{ -10000,                  "  -10us", "  10us"  },
		{ 9999499,                 "+9999us", "9999us"  },
		{ 9999500,                 "  +10ms", "  10ms"  },
		{ 9999499999,              "+9999ms", "9999ms"  },
		{ 9999500000,              " +10.0s", " 10.0s"  },
		{ -10002000000,            " -10.0s", " 10.0s"  },
		{ 999400000000,            "+999.4s", "999.4s"  },
		{ 999500000000,            " +1000s", " 1000s"  }, /* chronyc rounds half to even */
		{ 1001000000000,           " +1001s", " 1001s"  },
		{ 99999 * INT64_C(1000000000),  "+99999s", "99999s" },
		{ 100000 * INT64_C(1000000000), " +1667m", " 1667m" },
		{ 99999 * MINUTE,          "+99999m", "99999m"  },
		{ 100000 * MINUTE,         " +1667h", " 1667h"  },
		{ 99999 * HOUR,            "+99999h", "99999h"  },
		{ 100000 * HOUR,           " +4167d", " 4167d"  },
		{ -99999 * DAY,            "-99999d", "99999d"  },
		{ 100000 * DAY,            "  +274y", "  274y"  },
		{ INT64_MAX,               "  +292y", "  292y"  },
		{ INT64_MIN,               "  -292y", "  292y"  },
	};
	/* clang-format on */
	char cell[TABLE_CELL_MAX];

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_string_equal(table_offset(cell, VT_NS(cases[i].ns), true),
		                    cases[i].is_signed);
		assert_string_equal(table_offset(cell, VT_NS(cases[i].ns), false),
		                    cases[i].is_plain);
	}
}

static void test_frequencies(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		double ppm;
		const char *is_signed, *is_plain;
	} cases[] = {
		{ 0,          "    +0.000", "     0.000" },
		{ 0.0004,     "    +0.000", "     0.000" },
		{ -0.0006,    "    -0.001", "    -0.001" },
		{ 1234.567,   " +1234.567", "  1234.567" },
		{ -12345.678, "-12345.678", "-12345.678" },
		{ 99999.4,    "+99999.400", " 99999.400" },
		{ 99999.5,    "   +100000", "    100000" },
		{ 123456.789, "   +123457", "    123457" },
		{ 1e300,      "         ?", "         ?" },
	};
	/* clang-format on */
	char cell[TABLE_CELL_MAX];

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_string_equal(table_ppm(cell, cases[i].ppm, true), cases[i].is_signed);
		assert_string_equal(table_ppm(cell, cases[i].ppm, false), cases[i].is_plain);
	}
	assert_string_equal(table_ppm(cell, (double)NAN, true), "         ?");
}

static void test_seconds_are_exact(void **state)
{
	(void)state;
	char cell[TABLE_CELL_MAX];

	assert_string_equal(table_seconds(cell, VT_NS(0), true), "+0.000000000");
	assert_string_equal(table_seconds(cell, VT_NS(-1), true), "-0.000000001");
	assert_string_equal(table_seconds(cell, VT_NS(-1500000000), false), "1.500000000");
	assert_string_equal(table_seconds(cell, VT_NS(INT64_MIN), true), "-9223372036.854775808");
	assert_string_equal(table_seconds(cell, VT_NS(INT64_MAX), true), "+9223372036.854775807");
}

static void print_sources(FILE *out, const void *what)
{
	table_sources(out, what, false);
}

static void print_sources_verbosely(FILE *out, const void *what)
{
	table_sources(out, what, true);
}

static void print_sourcestats(FILE *out, const void *what)
{
	table_sourcestats(out, what);
}

static void print_tracking(FILE *out, const void *what)
{
	table_tracking(out, what);
}

#define SOURCES_HEADER                                                                      \
	"MS Name/IP address         Stratum Poll Reach LastRx Last sample               \n" \
	"===============================================================================\n"

static void test_rows_of_sources(void **state)
{
	(void)state;
	struct report_sources sources = { .n = 0 };

	assert_printed(print_sources, &sources, SOURCES_HEADER);
	sources = (struct report_sources){ .n = 2, .sources = { PHC0, { .name = "PPS" } } };
	sources.sources[1].poll = -7;
	sources.sources[1].stratum = 15;
	sources.sources[1].reach = 8;
	sources.sources[1].selection = REPORT_UNUSABLE;
	sources.sources[1].adjusted_offset = VT_SEC(9); /* means nothing without a sample */
	assert_printed(
		print_sources, &sources,
		SOURCES_HEADER
		"#* PHC0                          0   2   377     3   -928ns[ +392ns] +/- 4054ns\n"
		"#? PPS                          15  -7    10     -     +0ns[   +0ns] +/-    0ns\n");
}

static void test_letters_of_selection(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		enum report_selection selection;
		const char *start;
	} cases[] = {
		{ REPORT_SELECTED,     "\n#* PHC0 " },
		{ REPORT_UNUSABLE,     "\n#? PHC0 " },
		{ REPORT_FALSETICKER,  "\n#x PHC0 " },
		{ REPORT_JITTERY,      "\n#~ PHC0 " },
		{ REPORT_COMBINED,     "\n#+ PHC0 " },
		{ REPORT_NOT_COMBINED, "\n#- PHC0 " },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct report_sources sources = { .n = 1, .sources = { PHC0 } };

		sources.sources[0].selection = cases[i].selection;
		assert_prints(print_sources, &sources, cases[i].start);
	}
}

static void test_foreign_names_are_cut_and_harmless(void **state)
{
	(void)state;
	struct report_sources sources = { .n = 1, .sources = { PHC0 } };
	struct report_tracking tracking = { .refid = 1, .name = "\x1b[2J" };

	strcpy(sources.sources[0].name, "a-name-that-is-far-too-long-for-its-column");
	assert_prints(print_sources, &sources, "\n#* a-name-that-is-far-too-lon>   0   2 ");
	assert_prints(print_sourcestats, &sources, "\na-name-that-is-far-too-l>  15   9 ");
	strcpy(sources.sources[0].name, "\x1b]0;x\x07\xc2\x9b\n");
	assert_prints(print_sources, &sources, "\n#* \\x1b]0;x\\x07\\xc2\\x9b\\x0a      0   2 ");
	assert_prints(print_tracking, &tracking, "00000001 (\\x1b[2J)\n");
}

static void test_verbose_sources_tell_everything(void **state)
{
	(void)state;
	struct report_sources sources = { .n = 2, .sources = { PHC0, PHC0 } };

	sources.sources[1] = (struct report_source){ .name = "PHC1",
		                                     .selection = REPORT_UNUSABLE,
		                                     .trouble = "no such device" };
	assert_prints(print_sources_verbosely, &sources, "Reach   the last eight polls, octal");
	assert_prints(print_sources_verbosely, &sources,
	              "\nPHC0, the clock of this guest's host\n"
	              "    device   /dev/ptp0\n"
	              "    clock    KVM virtual PTP\n"
	              "    method   precise: both clocks read at one instant by the hardware\n"
	              "    bracket  +/- 7 ns, of the last sample\n"
	              "    readings 7391 good, 0 failed, 0 outliers, one in 1 s at present\n"
	              "    trouble  none\n");
	assert_prints(print_sources_verbosely, &sources,
	              "\nPHC1\n"
	              "    device   none at present\n"
	              "    method   not read yet\n"
	              "    readings 0 good, 0 failed, 0 outliers\n"
	              "    trouble  no such device\n");
}

static void test_rows_of_sourcestats(void **state)
{
	(void)state;
	struct report_sources sources = { .n = 2, .sources = { PHC0, { .name = "PPS" } } };

	sources.sources[1].samples = 999;
	sources.sources[1].runs = 64;
	sources.sources[1].span = VT_NS(4 * DAY);
	sources.sources[1].frequency_ppm = -99999.5;
	sources.sources[1].frequency_skew_ppm = 2000;
	sources.sources[1].estimated_offset = VT_NS(-10500000000);
	sources.sources[1].standard_deviation = VT_SEC(4);
	assert_printed(
		print_sourcestats, &sources,
		"Name/IP Address            NP  NR  Span  Frequency  Freq Skew  Offset  Std Dev\n"
		"==============================================================================\n"
		"PHC0                       15   9    12     +0.001      0.047     -1ns   164ns\n"
		"PPS                       999  64    4d    -100000   2000.000   +10.5s  4000ms\n");
}

static void test_tracking_of_a_followed_source(void **state)
{
	(void)state;
	struct report_tracking tracking = {
		.refid = 0x50484330,
		.name = "PHC0",
		.stratum = 1,
		.ref_time = { INT64_C(1790000000123456789) },
		.system_offset = { 1 },
		.last_offset = { -1500000001 },
		.rms_offset = { 999 },
		.frequency_ppm = -1.5,
		.residual_ppm = 0.0004,
		.skew_ppm = 0.01,
		.root_delay = { 1 },
		.root_dispersion = { 1000 },
		.update_interval = { 16040000000 },
		.leap = REPORT_LEAP_NORMAL,
	};

	assert_printed(print_tracking, &tracking,
	               "Reference ID    : 50484330 (PHC0)\n"
	               "Stratum         : 1\n"
	               "Ref time (UTC)  : Mon Sep 21 14:13:20 2026\n"
	               "System time     : 0.000000001 seconds slow of NTP time\n"
	               "Last offset     : +1.500000001 seconds\n"
	               "RMS offset      : 0.000000999 seconds\n"
	               "Frequency       : 1.500 ppm slow\n"
	               "Residual freq   : +0.000 ppm\n"
	               "Skew            : 0.010 ppm\n"
	               "Root delay      : 0.000000001 seconds\n"
	               "Root dispersion : 0.000001000 seconds\n"
	               "Update interval : 16.0 seconds\n"
	               "Leap status     : Normal\n");
}

static void test_tracking_of_nothing(void **state)
{
	(void)state;
	const struct report_tracking tracking = { .leap = REPORT_LEAP_UNSYNCHRONISED,
		                                  .root_delay = { 1000000000 },
		                                  .root_dispersion = { 1000000000 } };

	assert_printed(print_tracking, &tracking,
	               "Reference ID    : 00000000 ()\n"
	               "Stratum         : 0\n"
	               "Ref time (UTC)  : Thu Jan 01 00:00:00 1970\n"
	               "System time     : 0.000000000 seconds fast of NTP time\n"
	               "Last offset     : +0.000000000 seconds\n"
	               "RMS offset      : 0.000000000 seconds\n"
	               "Frequency       : 0.000 ppm slow\n"
	               "Residual freq   : +0.000 ppm\n"
	               "Skew            : 0.000 ppm\n"
	               "Root delay      : 1.000000000 seconds\n"
	               "Root dispersion : 1.000000000 seconds\n"
	               "Update interval : 0.0 seconds\n"
	               "Leap status     : Not synchronised\n");
}

static void test_edges_of_tracking(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		struct report_tracking tracking;
		const char *part;
	} cases[] = {
		{ { .leap = REPORT_LEAP_INSERT },            "Leap status     : Insert second\n" },
		{ { .leap = REPORT_LEAP_DELETE },            "Leap status     : Delete second\n" },
		{ { .frequency_ppm = 0.0004 },               "Frequency       : 0.000 ppm fast\n" },
		{ { .frequency_ppm = 12345.6789 },           "Frequency       : 12345.679 ppm fast\n" },
		{ { .residual_ppm = -0.0004 },               "Residual freq   : -0.000 ppm\n" },
		{ { .system_offset = { -1 } },               "System time     : 0.000000001 seconds fast of" },
		{ { .system_offset = { INT64_MIN } },        "System time     : 9223372036.854775808 seconds fast of" },
		{ { .ref_time = { 951782400000000000 } },    "Ref time (UTC)  : Tue Feb 29 00:00:00 2000\n" },
		{ { .ref_time = { 4102444799999999999 } },   "Ref time (UTC)  : Thu Dec 31 23:59:59 2099\n" },
		{ { .ref_time = { -1 } },                    "Ref time (UTC)  : Wed Dec 31 23:59:59 1969\n" },
		{ { .update_interval = { 1000000000000000 }},"Update interval : 1000000.0 seconds\n" },
		{ { .refid = 0xabcdef12, .name = "x" },      "Reference ID    : ABCDEF12 (x)\n" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_prints(print_tracking, &cases[i].tracking, cases[i].part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_frequencies),
		cmocka_unit_test(test_seconds_are_exact),
		cmocka_unit_test(test_rows_of_sources),
		cmocka_unit_test(test_letters_of_selection),
		cmocka_unit_test(test_foreign_names_are_cut_and_harmless),
		cmocka_unit_test(test_verbose_sources_tell_everything),
		cmocka_unit_test(test_rows_of_sourcestats),
		cmocka_unit_test(test_tracking_of_a_followed_source),
		cmocka_unit_test(test_tracking_of_nothing),
		cmocka_unit_test(test_edges_of_tracking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
