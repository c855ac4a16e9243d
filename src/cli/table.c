/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "cli/words.h"

static const char MODE = '#'; /* every source so far is a reference clock */

static const char SELECTION_LETTERS[] = {
	[REPORT_SELECTED] = '*', [REPORT_UNUSABLE] = '?', [REPORT_FALSETICKER] = 'x',
	[REPORT_JITTERY] = '~',  [REPORT_COMBINED] = '+', [REPORT_NOT_COMBINED] = '-',
};

static const char *const LEAP_TEXTS[] = {
	[REPORT_LEAP_NORMAL] = "Normal",
	[REPORT_LEAP_INSERT] = "Insert second",
	[REPORT_LEAP_DELETE] = "Delete second",
	[REPORT_LEAP_UNSYNCHRONISED] = "Not synchronised",
};

/* Its magnitude; INT64_MIN has none that is an int64_t. */
static uint64_t magnitude(vt_span span)
{
	return span.ns < 0 ? 0 - (uint64_t)span.ns : (uint64_t)span.ns;
}

const char *table_age(char *to, bool is_known, vt_span age)
{
	const uint64_t s = age.ns < 0 ? 0 : (uint64_t)age.ns / 1000000000;
	const uint64_t days = s / 86400;

	if (!is_known)
		snprintf(to, TABLE_CELL_MAX, "   -");
	else if (s < 1200)
		snprintf(to, TABLE_CELL_MAX, "%4" PRIu64, s);
	else if (s < 36000)
		snprintf(to, TABLE_CELL_MAX, "%3" PRIu64 "m", s / 60);
	else if (s < 345600)
		snprintf(to, TABLE_CELL_MAX, "%3" PRIu64 "h", s / 3600);
	else if (days <= 999)
		snprintf(to, TABLE_CELL_MAX, "%3" PRIu64 "d", days);
	else
		snprintf(to, TABLE_CELL_MAX, "%3" PRIu64 "y", days / 365);
	return to;
}

/*
 * These tables are chronyc's, in which an offset is positive where our clock is ahead; a report's is
 * positive where it is behind.
 */
static vt_span ahead(vt_span offset)
{
	return vt_span_sub(VT_NS(0), offset);
}

const char *table_offset(char *to, vt_span offset, bool is_signed)
{
	/* Each unit serves below its limit; the last one serves for ever. */
	static const struct {
		double below_ns, unit_ns;
		int width, digits;
		const char *suffix;
	} units[] = {
		{ 9999.5, 1, 4, 0, "ns" },
		{ 9999.5e3, 1e3, 4, 0, "us" },
		{ 9999.5e6, 1e6, 4, 0, "ms" },
		{ 999.5e9, 1e9, 5, 1, "s" },
		{ 99999.5e9, 1e9, 5, 0, "s" },
		{ 99999.5 * 60e9, 60e9, 5, 0, "m" },
		{ 99999.5 * 3600e9, 3600e9, 5, 0, "h" },
		{ 99999.5 * 86400e9, 86400e9, 5, 0, "d" },
		{ INFINITY, 365 * 86400e9, 5, 0, "y" },
	};
	const double ns = (double)magnitude(offset);
	size_t u = 0;

	while (u + 1 < COUNT(units) && ns >= units[u].below_ns)
		u++;
	if (is_signed)
		snprintf(to, TABLE_CELL_MAX, "%+*.*f%s", units[u].width + 1, units[u].digits,
		         (offset.ns < 0 ? -ns : ns) / units[u].unit_ns, units[u].suffix);
	else
		snprintf(to, TABLE_CELL_MAX, "%*.*f%s", units[u].width, units[u].digits,
		         ns / units[u].unit_ns, units[u].suffix);
	return to;
}

const char *table_ppm(char *to, double ppm, bool is_signed)
{
	const int digits = fabs(ppm) < 99999.5 ? 3 : 0;

	if (!(fabs(ppm) < 1e9)) /* or it would not fit its cell; NaN too */
		snprintf(to, TABLE_CELL_MAX, "%10s", "?");
	else if (is_signed)
		snprintf(to, TABLE_CELL_MAX, "%+10.*f", digits, ppm);
	else
		snprintf(to, TABLE_CELL_MAX, "%10.*f", digits, ppm);
	return to;
}

const char *table_seconds(char *to, vt_span span, bool is_signed)
{
	const uint64_t ns = magnitude(span);

	snprintf(to, TABLE_CELL_MAX, "%s%" PRIu64 ".%09" PRIu64,
	         !is_signed    ? ""
	         : span.ns < 0 ? "-"
	                       : "+",
	         ns / 1000000000, ns % 1000000000);
	return to;
}

/* Pads with blanks or, with '>' as its last character, cuts to exactly @width. */
static void print_name(FILE *out, const char *name, int width)
{
	char safe[WORDS_SAFE_MAX];

	words_safe(name, safe, sizeof safe);
	if (strlen(safe) > (size_t)width)
		fprintf(out, "%.*s>", width - 1, safe);
	else
		fprintf(out, "%-*s", width, safe);
}

static void print_source(FILE *out, const struct report_source *source)
{
	static const vt_span none = { 0 };
	const bool has = source->has_sample;
	char age[TABLE_CELL_MAX], adjusted[TABLE_CELL_MAX], measured[TABLE_CELL_MAX];
	char error[TABLE_CELL_MAX];

	fprintf(out, "%c%c ", MODE, SELECTION_LETTERS[source->selection]);
	print_name(out, source->name, 27);
	fprintf(out, "  %2d  %2d   %3o  %s  %s[%s] +/- %s\n", source->stratum, source->poll,
	        source->reach, table_age(age, has, source->since_sample),
	        table_offset(adjusted, has ? ahead(source->adjusted_offset) : none, true),
	        table_offset(measured, has ? ahead(source->measured_offset) : none, true),
	        table_offset(error, has ? source->error : none, false));
}

static void print_legend(FILE *out)
{
	fputs("\n"
	      "  Column M, the kind of source:  '#' a reference clock (a device of this machine)\n"
	      "  Column S, what it is good for: '*' followed    '+' combined with it\n"
	      "                                 '-' usable, another one is followed\n"
	      "                                 '?' not usable now    '~' too restless\n"
	      "                                 'x' contradicts the others\n"
	      "  Poll    log2 of seconds         Reach   the last eight polls, octal: 377 is all\n"
	      "  LastRx  age of the last sample  Last sample   aaaa[mmmm] +/- eeee, where\n"
	      "          aaaa is the offset as of now, mmmm as it was measured, eeee its error;\n"
	      "          a positive offset: this machine's clock is ahead of the source\n"
	      "\n",
	      out);
}

static void print_detail(FILE *out, const char *label, const char *text)
{
	char safe[WORDS_SAFE_MAX];

	if (text[0])
		fprintf(out, "    %-9s%s\n", label, words_safe(text, safe, sizeof safe));
}

static void print_details(FILE *out, const struct report_source *source)
{
	char safe[WORDS_SAFE_MAX], span[WORDS_SPAN_MAX];

	fprintf(out, "\n%s%s\n", words_safe(source->name, safe, sizeof safe),
	        source->is_host ? ", the clock of this guest's host" : "");
	print_detail(out, "device", source->device[0] ? source->device : "none at present");
	print_detail(out, "clock", source->clock_name);
	print_detail(out, "method",
	             source->method[0] ? words_method(source->method) : "not read yet");
	if (source->has_sample)
		fprintf(out, "    %-9s+/- %s, of the last sample\n", "bracket",
		        words_span(span, source->bracket));
	fprintf(out, "    %-9s%" PRIu64 " good, %" PRIu64 " failed, %" PRIu64 " outliers",
	        "readings", source->readings, source->failures, source->outliers);
	if (source->reading_interval.ns > 0)
		fprintf(out, ", one in %s at present", words_span(span, source->reading_interval));
	fputc('\n', out);
	print_detail(out, "trouble", source->trouble[0] ? source->trouble : "none");
}

void table_sources(FILE *out, const struct report_sources *sources, bool is_verbose)
{
	if (is_verbose)
		print_legend(out);
	/* The blanks at the end are chronyc's as well. */
	fputs("MS Name/IP address         Stratum Poll Reach LastRx Last sample               \n"
	      "===============================================================================\n",
	      out);
	for (unsigned i = 0; i < sources->n; i++)
		print_source(out, &sources->sources[i]);
	for (unsigned i = 0; is_verbose && i < sources->n; i++)
		print_details(out, &sources->sources[i]);
}

void table_sourcestats(FILE *out, const struct report_sources *sources)
{
	fputs("Name/IP Address            NP  NR  Span  Frequency  Freq Skew  Offset  Std Dev\n"
	      "==============================================================================\n",
	      out);
	for (unsigned i = 0; i < sources->n; i++) {
		const struct report_source *source = &sources->sources[i];
		char span[TABLE_CELL_MAX], frequency[TABLE_CELL_MAX], skew[TABLE_CELL_MAX];
		char offset[TABLE_CELL_MAX], deviation[TABLE_CELL_MAX];

		print_name(out, source->name, 25);
		fprintf(out, " %3u %3u  %s %s %s  %s  %s\n", source->samples, source->runs,
		        table_age(span, true, source->span),
		        table_ppm(frequency, source->frequency_ppm, true),
		        table_ppm(skew, source->frequency_skew_ppm, false),
		        table_offset(offset, ahead(source->estimated_offset), true),
		        table_offset(deviation, source->standard_deviation, false));
	}
}

/* "Mon Nov 23 14:55:03 2026", the same in every locale. */
static void print_utc(FILE *out, vt_real at)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	/* Rounded down before 1970 too. */
	const time_t s = (time_t)(at.ns / 1000000000 - (at.ns % 1000000000 < 0 ? 1 : 0));
	struct tm tm;

	if (!gmtime_r(&s, &tm)) {
		fputs("?", out);
		return;
	}
	fprintf(out, "%s %s %02d %02d:%02d:%02d %d", days[tm.tm_wday], months[tm.tm_mon],
	        tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_year + 1900);
}

static void print_frequencies(FILE *out, const struct report_tracking *tracking)
{
	/* chronyc calls a frequency of exactly 0 slow. */
	fprintf(out, "Frequency       : %.3f ppm %s\n", fabs(tracking->frequency_ppm),
	        tracking->frequency_ppm > 0 ? "fast" : "slow");
	fprintf(out, "Residual freq   : %+.3f ppm\n", tracking->residual_ppm);
	fprintf(out, "Skew            : %.3f ppm\n", tracking->skew_ppm);
}

void table_tracking(FILE *out, const struct report_tracking *tracking)
{
	char cell[TABLE_CELL_MAX], safe[WORDS_SAFE_MAX];

	fprintf(out, "Reference ID    : %08" PRIX32 " (%s)\n", tracking->refid,
	        words_safe(tracking->name, safe, sizeof safe));
	fprintf(out, "Stratum         : %d\n", tracking->stratum);
	fprintf(out, "Ref time (UTC)  : ");
	print_utc(out, tracking->ref_time);
	fprintf(out, "\nSystem time     : %s seconds %s of NTP time\n",
	        table_seconds(cell, tracking->system_offset, false),
	        tracking->system_offset.ns > 0 ? "slow" : "fast");
	fprintf(out, "Last offset     : %s seconds\n",
	        table_seconds(cell, ahead(tracking->last_offset), true));
	fprintf(out, "RMS offset      : %s seconds\n",
	        table_seconds(cell, tracking->rms_offset, false));
	print_frequencies(out, tracking);
	fprintf(out, "Root delay      : %s seconds\n",
	        table_seconds(cell, tracking->root_delay, false));
	fprintf(out, "Root dispersion : %s seconds\n",
	        table_seconds(cell, tracking->root_dispersion, false));
	fprintf(out, "Update interval : %.1f seconds\n",
	        vt_span_seconds(tracking->update_interval));
	fprintf(out, "Leap status     : %s\n", LEAP_TEXTS[tracking->leap]);
}
