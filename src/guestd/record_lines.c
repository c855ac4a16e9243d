/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/record_lines.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

/* clang-format off */
static const struct {
	const char *file, *columns;
} KINDS[] = {
	[RECORD_TRACKING] = { "tracking.log",
		"   Date (UTC) Time     IP Address   St   Freq ppm   Skew ppm     Offset L Co  "
		"Offset sd Rem. corr. Root delay Root disp. Max. error" },
	[RECORD_STATISTICS] = { "statistics.log",
		"   Date (UTC) Time     IP Address    Std dev'n Est offset  Offset sd  Diff freq   "
		"Est skew  Stress  Ns  Bs  Nr  Asym" },
	[RECORD_REFCLOCKS] = { "refclocks.log",
		"   Date (UTC) Time         Refid  DP L P  Raw offset   Cooked offset      Disp." },
};
/* clang-format on */

_Static_assert(COUNT(KINDS) == RECORD_KINDS, "a row for each kind");

/* How long the lines above and below the columns are. */
static const int RULES[] = {
	[RECORD_TRACKING] = 131,
	[RECORD_STATISTICS] = 116,
	[RECORD_REFCLOCKS] = 79,
};

const char *record_file_name(enum record_kind kind)
{
	return KINDS[kind].file;
}

size_t record_banner(enum record_kind kind, char *to)
{
	char rule[160];
	int n;

	memset(rule, '=', sizeof rule);
	n = snprintf(to, RECORD_BANNER_MAX, "%.*s\n%s\n%.*s\n", RULES[kind], rule,
	             KINDS[kind].columns, RULES[kind], rule);
	assert(n > 0 && n < RECORD_BANNER_MAX);
	return (size_t)n;
}

#define TIME_MAX 32

struct date {
	int year, month, day;
};

/*
 * Of the Gregorian calendar, @days after 1970-01-01.  The C library's functions would do, with time
 * zones that nobody asks for and a tenth of the static daemon.
 */
static struct date date_of(int64_t days)
{
	/* Counted from 1 March 1600, the leap day is the last of its year, and of 400 years. */
	int64_t since = days + 135080;
	int64_t era = (since >= 0 ? since : since - 146096) / 146097;
	int of_era = (int)(since - era * 146097);
	int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int of_year = of_era - (365 * year + year / 4 - year / 100);
	int month = (5 * of_year + 2) / 153; /* March: 0; five months have 153 days */

	return (struct date){
		.year = (int)(era * 400) + 1600 + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = of_year - (153 * month + 2) / 5 + 1,
	};
}

/* 2026-11-23 18:25:16; @ret_us: the microseconds behind it. */
static const char *format_time(vt_real at, char to[TIME_MAX], int *ret_us)
{
	int64_t rest = at.ns % 1000000000;
	int64_t seconds = at.ns / 1000000000;
	struct date date;
	int of_day;

	if (rest < 0) {
		rest += 1000000000;
		seconds--;
	}
	if (ret_us)
		*ret_us = (int)(rest / 1000);
	of_day = (int)((seconds % 86400 + 86400) % 86400);
	date = date_of((seconds - of_day) / 86400);
	snprintf(to, TIME_MAX, "%04d-%02d-%02d %02d:%02d:%02d", date.year, date.month, date.day,
	         of_day / 3600, of_day / 60 % 60, of_day % 60);
	return to;
}

/* A line ends, however long its numbers are. */
static size_t finish(char *to, int n)
{
	assert(n > 0);
	if (n < RECORD_LINE_MAX)
		return (size_t)n;
	to[RECORD_LINE_MAX - 2] = '\n';
	return RECORD_LINE_MAX - 1;
}

size_t record_tracking_line(const struct record_tracking *r, char *to)
{
	bool is_followed = r->name[0] != '\0';
	char time[TIME_MAX];

	return finish(to, snprintf(to, RECORD_LINE_MAX,
	                           "%s %-15s %2d %10.3f %10.3f %10.3e %c %2d %10.3e %10.3e %10.3e "
	                           "%10.3e %10.3e\n",
	                           format_time(r->at, time, NULL),
	                           is_followed ? r->name : "0.0.0.0", r->stratum, r->frequency_ppm,
	                           r->skew_ppm, vt_span_seconds(r->offset), is_followed ? 'N' : '?',
	                           is_followed ? 1 : 0, vt_span_seconds(r->offset_sigma),
	                           vt_span_seconds(r->remaining), vt_span_seconds(r->root_delay),
	                           vt_span_seconds(r->root_dispersion),
	                           vt_span_seconds(r->max_error)));
}

/* No reading is dropped from the beginning as no longer fitting, and no path is asymmetric. */
size_t record_statistics_line(const struct record_statistics *r, char *to)
{
	char time[TIME_MAX];

	return finish(to, snprintf(to, RECORD_LINE_MAX,
	                           "%s %-15s %10.3e %10.3e %10.3e %10.3e %10.3e %7.1e %3u %3d %3u "
	                           "%5.2f\n",
	                           format_time(r->at, time, NULL), r->name,
	                           vt_span_seconds(r->deviation), vt_span_seconds(r->offset),
	                           vt_span_seconds(r->offset_sigma), r->frequency, r->skew,
	                           r->stress, r->samples, 0, r->runs, 0.0));
}

size_t record_refclock_line(const struct record_refclock *r, char *to)
{
	char time[TIME_MAX];
	int us;

	format_time(r->at, time, &us);
	if (r->is_filtered)
		return finish(to, snprintf(to, RECORD_LINE_MAX,
		                           "%s.%06d %-5s   - N -       -       %13.6e %10.3e\n", time,
		                           us, r->name, vt_span_seconds(r->offset),
		                           vt_span_seconds(r->dispersion)));
	return finish(to, snprintf(to, RECORD_LINE_MAX, "%s.%06d %-5s %3u N 0 %13.6e %13.6e %10.3e\n",
	                           time, us, r->name, r->number, vt_span_seconds(r->raw),
	                           vt_span_seconds(r->offset), vt_span_seconds(r->dispersion)));
}
