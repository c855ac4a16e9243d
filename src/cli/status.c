/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/status.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/attr.h"
#include "cli/event_text.h"
#include "cli/words.h"

#define GREEN  "\033[1;32m"
#define YELLOW "\033[1;33m"
#define RED    "\033[1;31m"
#define PLAIN  "\033[0m"

/* How bad each state is. */
static const char *const COLOURS[] = {
	[REPORT_STARTING] = YELLOW,  [REPORT_OK] = GREEN,         [REPORT_HOLDOVER] = RED,
	[REPORT_DISRUPTED] = YELLOW, [REPORT_CONTESTED] = YELLOW,
};

static void label(FILE *out, const char *name)
{
	fprintf(out, "  %-11s ", name);
}

/* The source that is followed, or NULL. */
static const struct report_source *followed(const struct report_status *status)
{
	for (unsigned i = 0; i < status->sources.n; i++)
		if (status->sources.sources[i].selection == REPORT_SELECTED)
			return &status->sources.sources[i];
	return NULL;
}

/* Whose clock the bound is meant against: the source's that is followed, else that was. */
static const char *reference(const struct report_status *status)
{
	const struct report_source *source = followed(status);

	for (unsigned i = 0; !source && i < status->sources.n; i++)
		if (status->sources.sources[i].is_host)
			source = &status->sources.sources[i];
	return source && source->is_host ? "its host's clock" : "its source";
}

static bool is_synchronised(const struct report_status *status)
{
	return status->tracking.stratum != 0 || status->tracking.refid != 0;
}

/* "12 ns behind" */
static void print_offset(FILE *out, vt_span offset)
{
	char span[WORDS_SPAN_MAX];

	fprintf(out, "%s %s", words_span(span, offset), offset.ns >= 0 ? "behind" : "ahead of");
}

static void print_right(FILE *out, const struct report_status *status)
{
	char bound[WORDS_SPAN_MAX];

	if (status->is_observing) {
		fprintf(out, "vmtimed only watches (-x): the clock is ");
		print_offset(out, status->tracking.system_offset);
		fprintf(out, " %s", reference(status));
	} else if (status->has_bound) {
		fprintf(out, "The clock is right: within %s of %s",
		        words_bound(bound, status->bound), reference(status));
	} else {
		fprintf(out, "The clock follows %s; how far it can be off is not known",
		        reference(status));
	}
}

void status_headline(FILE *out, const struct report_status *status)
{
	char safe[WORDS_SAFE_MAX];

	switch (status->state) {
	case REPORT_STARTING:
		fprintf(out, "The clock has not been compared with anything yet.");
		return;
	case REPORT_OK:
		print_right(out, status);
		fputc('.', out);
		return;
	case REPORT_HOLDOVER: fprintf(out, "No source answers: the clock runs on alone."); return;
	case REPORT_DISRUPTED:
		fprintf(out, "The time has jumped; the clock is being measured again.");
		return;
	case REPORT_CONTESTED:
		print_right(out, status);
		fprintf(out, ", but %s steers it as well.",
		        status->owner[0] ? words_safe(status->owner, safe, sizeof safe)
		                         : "another process");
		return;
	}
}

/* Whether it is the host that the bound is against. */
static bool is_against_host(const struct report_status *status)
{
	const struct report_source *source = followed(status);

	return source && source->is_host;
}

/* What is known of true time, which the bound is not about. */
static void print_true_error(FILE *out, const struct report_status *status)
{
	char span[WORDS_SPAN_MAX];

	if (!status->has_host_error)
		fprintf(out, "; the host's own error is not known\n");
	else if (status->has_bound && is_against_host(status))
		fprintf(out, ", at most %s against true time\n",
		        words_bound(span, vt_span_add(status->bound, status->host_error)));
	else
		fprintf(out, "; the host itself is right to %s\n",
		        words_bound(span, status->host_error));
}

/* What the host says of itself, and what it comes to. */
static void print_host(FILE *out, const struct report_status *status)
{
	const struct report_host_quality *said = &status->host_quality;
	char safe[WORDS_SAFE_MAX], span[WORDS_SPAN_MAX];

	if (!status->has_host_error && !status->has_host_quality)
		return;
	label(out, "Host");
	if (status->has_host_error)
		fprintf(out, "right to %s", words_bound(span, status->host_error));
	else
		fprintf(out, "how right it is is not known");
	if (!status->has_host_quality) {
		fprintf(out, ", by the configuration\n");
		return;
	}
	fprintf(out, "; %ssynchronised, said its %s %s ago\n", said->is_synchronized ? "" : "not ",
	        said->daemon[0] ? words_safe(said->daemon, safe, sizeof safe) : "daemon",
	        words_span(span, status->host_quality_age));
}

static void print_error(FILE *out, const struct report_status *status)
{
	char span[WORDS_SPAN_MAX];

	label(out, "Error");
	if (status->has_bound)
		fprintf(out, "at most %s against %s", words_bound(span, status->bound),
		        reference(status));
	else
		fprintf(out, "not known");
	print_true_error(out, status);
	print_host(out, status);
	if (!is_synchronised(status))
		return;
	label(out, "Now");
	print_offset(out, status->tracking.system_offset);
	fprintf(out, " %s, typically %s\n", reference(status),
	        words_span(span, status->tracking.rms_offset));
}

static void print_source(FILE *out, const struct report_source *source)
{
	char safe[WORDS_SAFE_MAX], span[WORDS_SPAN_MAX];

	label(out, "Follows");
	fprintf(out, "%s%s", words_safe(source->name, safe, sizeof safe),
	        source->is_host ? ", the clock of this guest's host" : "");
	if (source->clock_name[0])
		fprintf(out, ": %s", words_safe(source->clock_name, safe, sizeof safe));
	if (source->device[0])
		fprintf(out, " at %s", words_safe(source->device, safe, sizeof safe));
	fputc('\n', out);
	label(out, "Method");
	fputs(source->method[0] ? words_safe(words_method(source->method), safe, sizeof safe)
	                        : "not read yet",
	      out);
	fputc('\n', out);
	if (!source->has_sample)
		return;
	label(out, "Compared");
	fprintf(out, "%s ago, ", words_span(span, source->since_sample));
	fprintf(out, "to +/- %s", words_bound(span, source->bracket));
	if (source->reading_interval.ns > 0)
		fprintf(out, ", every %s at present", words_span(span, source->reading_interval));
	fputc('\n', out);
}

/* What became of the clock. */
static const char *end_in_a_word(enum report_end end)
{
	switch (end) {
	case REPORT_END_NOTHING: return "found right";
	case REPORT_END_LEFT: return "left as it was";
	case REPORT_END_HELD: return "held back";
	case REPORT_END_OPEN:
	case REPORT_END_STEPPED:
	case REPORT_END_SLEWED:
	case REPORT_END_UNFINISHED:
	case REPORT_ENDS: break;
	}
	return "repaired";
}

static void print_event(FILE *out, const struct report_event *event)
{
	char safe[WORDS_SAFE_MAX], span[WORDS_SPAN_MAX], time[WORDS_TIME_MAX];

	label(out, "Last event");
	if (!event->is_there) {
		fputs("none\n", out);
		return;
	}
	fprintf(out, "%s: ", words_safe(event->cause, safe, sizeof safe));
	if (event->size.ns == 0 && !event->is_repaired)
		fputs("how far the clock is off is not known yet", out);
	else
		event_text_deviation(out, event);
	fputc('\n', out);
	label(out, "");
	fprintf(out, "noticed within %s, ", words_span(span, event->noticed_after));
	if (event->is_repaired)
		fprintf(out, "%s %s later, at %s\n", end_in_a_word(event->end),
		        words_span(span, event->repaired_after), words_time(time, event->at));
	else
		fputs("not repaired yet\n", out);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* Besides the readings, which always tell. */
static void print_senses(FILE *out, const struct report_senses *senses)
{
	char safe[WORDS_SAFE_MAX];

	if (!senses->is_there)
		return;
	label(out, "Notices");
	fputs("readings", out);
	if (senses->vmclock[0])
		fprintf(out, ", vmclock (%s)", words_safe(senses->vmclock, safe, sizeof safe));
	if (senses->hears_generation)
		fputs(", the VM generation", out);
	if (senses->sees_clock_set)
		fputs(", a clock that is set", out);
	if (senses->sees_sleep)
		fputs(", sleep", out);
	fputc('\n', out);
}

static void print_history(FILE *out, const struct report_status *status)
{
	char span[WORDS_SPAN_MAX];

	if (status->has_state_age) {
		label(out, "Since");
		fprintf(out, "%s ago\n", words_span(span, status->state_age));
	}
	print_event(out, &status->last_event);
	label(out, "In all");
	fprintf(out, "%" PRIu64 " step%s, %" PRIu64 " jump%s in %s\n", status->steps,
	        plural(status->steps), status->jumps, plural(status->jumps),
	        words_span(span, status->uptime));
}

static void print_machine(FILE *out, const struct report_status *status)
{
	char safe[WORDS_SAFE_MAX];

	if (is_synchronised(status)) {
		label(out, "Oscillator");
		fprintf(out, "%.3f ppm %s, known to %.3f ppm\n",
		        fabs(status->tracking.frequency_ppm),
		        status->tracking.frequency_ppm > 0 ? "fast" : "slow",
		        status->tracking.skew_ppm);
	}
	label(out, "Kernel");
	fprintf(out, "%s that the clock is synchronised; its clocksource is %s\n",
	        status->is_kernel_synchronized ? "knows" : "is not told",
	        status->clocksource[0] ? words_safe(status->clocksource, safe, sizeof safe)
	                               : "not known");
	label(out, "Daemon");
	fprintf(out, "vmtimed %s,", words_safe(status->version, safe, sizeof safe));
	fprintf(out, " pid %d, user %s,", status->pid, words_safe(status->user, safe, sizeof safe));
	fprintf(out, " configuration %s%s\n",
	        status->configuration[0] ? words_safe(status->configuration, safe, sizeof safe)
	                                 : "none: it uses the host's clock",
	        status->is_observing ? "; it only watches (-x)" : "");
}

/* What to do, where the daemon itself gave no reason. */
static const char *advice(const struct report_status *status)
{
	if (status->sources.n == 0)
		return "There is no source.  In a KVM guest, load the module ptp_kvm; elsewhere, name "
		       "one in the configuration.";
	switch (status->state) {
	case REPORT_HOLDOVER: return "See `vmtime sources -v` for what is wrong with each source.";
	case REPORT_CONTESTED: return "Stop one of the two: a clock needs one owner.";
	case REPORT_STARTING:
	case REPORT_OK:
	case REPORT_DISRUPTED: break;
	}
	return "";
}

/* The daemon's reason often is the trouble of a source, cut to fit. */
static bool is_told(const char *reason, const char *trouble)
{
	char start[121];

	snprintf(start, sizeof start, "%.120s", trouble);
	return strstr(reason, start) != NULL;
}

static void print_troubles(FILE *out, const struct report_status *status, const char *colour,
                           const char *plain)
{
	const char *reason = status->reason[0] ? status->reason : advice(status);
	char safe[WORDS_SAFE_MAX];

	if (reason[0])
		fprintf(out, "  %s%s%s\n", colour, words_safe(reason, safe, sizeof safe), plain);
	for (unsigned i = 0; i < status->sources.n; i++) {
		const struct report_source *source = &status->sources.sources[i];

		if (!source->trouble[0] || is_told(reason, source->trouble))
			continue;
		fprintf(out, "  %s%s: ", colour, words_safe(source->name, safe, sizeof safe));
		fprintf(out, "%s%s\n", words_safe(source->trouble, safe, sizeof safe), plain);
	}
}

void status_print(FILE *out, const struct report_status *status, bool is_coloured)
{
	const struct report_source *source = followed(status);

	/* What is only watched is never a reason to be at ease. */
	if (is_coloured)
		fputs(status->is_observing ? YELLOW : COLOURS[status->state], out);
	status_headline(out, status);
	fprintf(out, "%s\n", is_coloured ? PLAIN : "");
	print_troubles(out, status, is_coloured ? RED : "", is_coloured ? PLAIN : "");
	fputc('\n', out);
	print_error(out, status);
	if (source) {
		print_source(out, source);
	} else {
		label(out, "Follows");
		fputs("nothing\n", out);
	}
	print_history(out, status);
	print_senses(out, &status->senses);
	print_machine(out, status);
}
