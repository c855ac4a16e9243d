/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PRINTED_H
#define CLI_PRINTED_H

/*
 * cli_printed.h - for the tests of what is printed: a source, and what a function writes of it
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/report.h"

#define MINUTE INT64_C(60000000000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static const struct report_source PHC0 = {
	.name = "PHC0",
	.device = "/dev/ptp0",
	.clock_name = "KVM virtual PTP",
	.method = "precise",
	.poll = 2,
	.reading_interval = { 1000000000 },
	.selection = REPORT_SELECTED,
	.is_host = true,
	.reach = 0377,
	.has_sample = true,
	.since_sample = { 3999999999 },
	.adjusted_offset = { 928 },
	.measured_offset = { -392 },
	.error = { 4054 },
	.bracket = { 7 },
	.samples = 15,
	.runs = 9,
	.span = { 12000000000 },
	.frequency_ppm = 0.001,
	.frequency_skew_ppm = 0.047,
	.estimated_offset = { 1 },
	.standard_deviation = { 164 },
	.readings = 7391,
};

/* What @print writes, to be freed. */
static inline char *printed(void (*print)(FILE *out, const void *what), const void *what)
{
	const size_t size = 65536;
	char *text = calloc(1, size);
	FILE *out = text ? fmemopen(text, size, "w") : NULL;

	assert_non_null(out);
	print(out, what);
	assert_int_equal(fclose(out), 0);
	return text;
}

static inline void assert_printed(void (*print)(FILE *out, const void *what), const void *what,
                                  const char *want)
{
	char *text = printed(print, what);

	assert_string_equal(text, want);
	free(text);
}

static inline void assert_prints(void (*print)(FILE *out, const void *what), const void *what,
                                 const char *part)
{
	char *text = printed(print, what);

	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
	free(text);
}

#endif
