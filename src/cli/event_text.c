/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/event_text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "cli/words.h"

#define TIME_WIDTH 19 /* "2026-11-23 14:55:03" */

static bool is_size_known(const struct report_event *e)
{
	return e->size.ns != 0 || e->end == REPORT_END_NOTHING;
}

/* "+10.002 s": what was added to the clock, or would have been. */
static void write_correction(const struct report_event *e, char *to, size_t size)
{
	char span[WORDS_SPAN_MAX];

	if (!is_size_known(e))
		snprintf(to, size, "?");
	else
		snprintf(to, size, "%s%s", e->size.ns < 0 ? "-" : e->size.ns > 0 ? "+" : "",
		         words_span(span, e->size));
}

static void print_row(FILE *out, const struct report_event *e)
{
	char noticed[WORDS_TIME_MAX], correction[WORDS_SPAN_MAX + 2], wrong[WORDS_SPAN_MAX];
	char cause[WORDS_SAFE_MAX];

	write_correction(e, correction, sizeof correction);
	fprintf(out, "%4" PRIu64 " %.*s %-20.20s %12s %10s %s\n", e->number, TIME_WIDTH,
	        words_time(noticed, e->noticed), words_safe(e->cause, cause, sizeof cause), correction,
	        e->is_repaired ? words_bound(wrong, e->wrong_for) : "?", report_end_name(e->end));
}

/* What keeps them from being kept, and what was lost. */
static void print_remarks(FILE *out, const struct report_events *events)
{
	char safe[WORDS_SAFE_MAX];

	if (events->trouble[0])
		fprintf(out, "Kept in memory alone: %s\n",
		        words_safe(events->trouble, safe, sizeof safe));
	if (events->unreadable > 0)
		fprintf(out, "%" PRIu64 " damaged record%s in %s: left out\n", events->unreadable,
		        events->unreadable == 1 ? "" : "s",
		        words_safe(events->path, safe, sizeof safe));
}

void event_text_table(FILE *out, const struct report_events *events)
{
	if (events->n > 0)
		fprintf(out, "%4s %-*s %-20s %12s %10s %s\n", "No", TIME_WIDTH, "Noticed (UTC)", "Cause",
		        "Correction", "Wrong for", "End");
	else
		fprintf(out, "Nothing has happened to the clock.\n");
	for (unsigned i = 0; i < events->n; i++)
		print_row(out, &events->events[i]);
	print_remarks(out, events);
}

static const char *end_in_words(enum report_end end)
{
	switch (end) {
	case REPORT_END_OPEN: return "it is being measured";
	case REPORT_END_STEPPED: return "it was stepped";
	case REPORT_END_SLEWED: return "it was slewed";
	case REPORT_END_NOTHING: return "nothing had to be done";
	case REPORT_END_LEFT: return "it was left as it was";
	case REPORT_END_HELD: return "the sources contradicted each other: none was followed";
	case REPORT_END_UNFINISHED: return "vmtimed ended before it was repaired";
	case REPORT_ENDS: break;
	}
	return "";
}

/* Nothing was wrong for any time. */
static bool was_right(const struct report_event *e)
{
	return e->end == REPORT_END_NOTHING && e->size.ns == 0;
}

void event_text_deviation(FILE *out, const struct report_event *e)
{
	char span[WORDS_SPAN_MAX];

	if (!is_size_known(e))
		fputs("it is not known how far the clock was off", out);
	else if (e->size.ns == 0)
		fputs("the clock was right", out);
	else
		fprintf(out, "the clock was %s %s", words_span(span, e->size),
		        e->size.ns > 0 ? "behind" : "ahead");
}

static void print_evidence(FILE *out, unsigned evidence)
{
	const char *between = "";

	fputs("  Evidence  ", out);
	for (unsigned bit = 0; bit < REPORT_EVIDENCE_BITS; bit++)
		if (evidence & 1u << bit) {
			fprintf(out, "%s%s", between, report_evidence_name(bit));
			between = ", ";
		}
	fprintf(out, "%s\n", *between ? "" : "none");
}

static void print_paragraph(FILE *out, const struct report_event *e)
{
	char safe[WORDS_SAFE_MAX], span[WORDS_SPAN_MAX], time[WORDS_TIME_MAX];

	fprintf(out, "%" PRIu64 ": %s: ", e->number, words_safe(e->cause, safe, sizeof safe));
	event_text_deviation(out, e);
	fprintf(out, "; %s\n", end_in_words(e->end));
	fprintf(out, "  Noticed   %s as the clock showed it,", words_time(time, e->noticed));
	fprintf(out, " at most %s after it happened\n", words_bound(span, e->noticed_after));
	if (e->is_repaired) {
		fprintf(out, "  Ended     %s, ", words_time(time, e->at));
		fprintf(out, "%s after it was noticed\n", words_span(span, e->repaired_after));
		if (!was_right(e))
			fprintf(out, "  Wrong for at most %s in all\n", words_bound(span, e->wrong_for));
	}
	print_evidence(out, e->evidence);
	if (e->source[0])
		fprintf(out, "  Source    %s\n", words_safe(e->source, safe, sizeof safe));
	if (e->boot[0])
		fprintf(out, "  Boot      %s\n", words_safe(e->boot, safe, sizeof safe));
}

void event_text_paragraphs(FILE *out, const struct report_events *events)
{
	if (events->n == 0)
		fprintf(out, "Nothing has happened to the clock.\n");
	for (unsigned i = 0; i < events->n; i++) {
		if (i > 0)
			fputc('\n', out);
		print_paragraph(out, &events->events[i]);
	}
	print_remarks(out, events);
}

void event_text_notice(FILE *out, const struct report_notice *notice)
{
	char safe[WORDS_SAFE_MAX], span[WORDS_SPAN_MAX], time[WORDS_TIME_MAX];
	const struct report_event *e = &notice->event;

	fprintf(out, "%.*s ", TIME_WIDTH, words_time(time, notice->at));
	if (!e->is_there) {
		fprintf(out, "state %s", report_state_name(notice->state));
		if (notice->reason[0])
			fprintf(out, ": %s", words_safe(notice->reason, safe, sizeof safe));
		fputc('\n', out);
		return;
	}
	fprintf(out, "%s %" PRIu64 ": %s", report_happening_name(notice->what), e->number,
	        words_safe(e->cause, safe, sizeof safe));
	if (notice->what != REPORT_HAPPENING_OPENED) {
		fputs(": ", out);
		event_text_deviation(out, e);
		if (!was_right(e))
			fprintf(out, " for at most %s", words_bound(span, e->wrong_for));
		fprintf(out, "; %s", end_in_words(e->end));
	}
	fputc('\n', out);
}
