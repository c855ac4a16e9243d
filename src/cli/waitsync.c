/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/waitsync.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/slice.h"
#include "cli/ask.h"
#include "cli/output.h"

/* chronyc's. */
#define INTERVAL_DEFAULT VT_SEC(10)
#define INTERVAL_MIN     VT_MS(100)

/* How often a daemon that is not there is looked for: connecting to nothing costs nothing. */
#define KNOCK_INTERVAL VT_MS(100)

struct waitsync {
	const char *socket;
	int64_t max_tries;       /* 0: no limit */
	struct control_arguments arguments;
	vt_span interval;
	bool is_timed;
	vt_mono until;           /* of --timeout */
	char told[ASK_SENTENCE_MAX]; /* why there is no answer, the last time */
};

enum try_outcome { TRY_MET, TRY_NOT_MET, TRY_FAILED };

static vt_mono mono_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (vt_mono){ (int64_t)now.tv_sec * 1000000000 + now.tv_nsec };
}

static bool read_limit(const char *word, double *ret)
{
	return slice_to_double(slice_of(word), ret) && *ret >= 0;
}

/* max-tries, max-correction in seconds, max-skew in ppm, interval in seconds; 0 is no limit. */
static int read_words(char *const *words, struct waitsync *w)
{
	struct control_arguments *a = &w->arguments;

	if (words[0] && (!slice_to_int(slice_of(words[0]), &w->max_tries) || w->max_tries < 0))
		return options_usage_error("max-tries is a number of tries, not", words[0]);
	if (!words[0] || !words[1])
		return 0;
	a->has_max_correction = options_read_seconds(words[1], &a->max_correction);
	if (!a->has_max_correction)
		return options_usage_error("max-correction is in seconds, not", words[1]);
	if (!words[2])
		return 0;
	a->has_max_skew = read_limit(words[2], &a->max_skew_ppm);
	if (!a->has_max_skew)
		return options_usage_error("max-skew is in ppm, not", words[2]);
	if (!words[3])
		return 0;
	if (!options_read_seconds(words[3], &w->interval))
		return options_usage_error("interval is in seconds, not", words[3]);
	w->interval = vt_span_max(w->interval, INTERVAL_MIN);
	return words[4] ? options_usage_error("waitsync takes four words, not also", words[4]) : 0;
}

/* As chronyc prints it; the correction without its sign. */
static void print_try(uint64_t number, const struct report_tracking *t)
{
	printf("try: %" PRIu64 ", refid: %08" PRIX32 ", correction: %.9f, skew: %.3f\n", number,
	       t->refid, fabs(vt_span_seconds(t->system_offset)), isnan(t->skew_ppm) ? 0 : t->skew_ppm);
}

/* Once, and again when it is another. */
static void complain_once(struct waitsync *w, const char *sentence)
{
	if (strcmp(w->told, sentence) == 0)
		return;
	snprintf(w->told, sizeof w->told, "%s", sentence);
	output_complain(sentence);
}

/* One request that is held for at most @wait. */
static enum try_outcome ask_once(struct waitsync *w, vt_span wait, struct report_wait *ret)
{
	struct control_request request = { .command = CONTROL_WAITSYNC, .arguments = w->arguments };
	char sentence[ASK_SENTENCE_MAX], *line;
	struct control_error error;
	enum control_outcome outcome;
	size_t length;

	request.arguments.has_timeout = true;
	request.arguments.timeout = vt_span_min(vt_span_max(wait, VT_NS(0)), CONTROL_TIMEOUT_MAX);
	if (ask_line(w->socket, &request, &line, &length, sentence)) {
		complain_once(w, sentence);
		return TRY_FAILED;
	}
	outcome = control_decode_reply(line, length, CONTROL_WAITSYNC, ret, &error);
	free(line);
	if (outcome != CONTROL_ANSWERED) {
		ask_explain(outcome, w->socket, &error, sentence);
		complain_once(w, sentence);
		return TRY_FAILED;
	}
	w->told[0] = '\0';
	return ret->is_met ? TRY_MET : TRY_NOT_MET;
}

static void pause_for(vt_span span)
{
	const struct timespec t = { .tv_sec = span.ns / 1000000000, .tv_nsec = span.ns % 1000000000 };

	nanosleep(&t, NULL);
}

/* Until the time of one try is over, whether there is a daemon yet or not. */
static enum try_outcome try_once(struct waitsync *w, vt_span wait, struct report_wait *ret)
{
	const vt_mono until = vt_mono_add(mono_now(), wait);

	for (;;) {
		enum try_outcome outcome = ask_once(w, vt_mono_since(until, mono_now()), ret);
		vt_span left = vt_mono_since(until, mono_now());

		if (outcome == TRY_MET || left.ns <= 0)
			return outcome;
		pause_for(vt_span_min(left, KNOCK_INTERVAL));
	}
}

static int wait_for_sync(struct waitsync *w)
{
	/* The first try only looks; but nothing can have been read after this call yet. */
	vt_span wait = w->arguments.is_after_now ? w->interval : VT_NS(0);

	for (int64_t number = 1;; number++) {
		struct report_wait report = { .is_met = false };
		enum try_outcome outcome;

		if (w->is_timed)
			wait = vt_span_min(wait, vt_mono_since(w->until, mono_now()));
		outcome = try_once(w, wait, &report);
		if (outcome != TRY_FAILED) {
			print_try((uint64_t)number, &report.tracking);
			if (output_flush() != EXIT_SHOWN)
				return EXIT_NO_ANSWER;
		}
		if (outcome == TRY_MET)
			return output_finish();
		if ((w->max_tries > 0 && number >= w->max_tries) ||
		    (w->is_timed && mono_now().ns >= w->until.ns))
			return EXIT_NO_ANSWER;
		wait = w->interval;
	}
}

int waitsync_run(const struct options *options)
{
	struct waitsync w = {
		.socket = options->socket,
		.interval = INTERVAL_DEFAULT,
		.is_timed = (options->given & OPTION_TIMEOUT) != 0,
		.until = vt_mono_add(mono_now(), options->timeout),
	};
	int r = read_words(options->words + 1, &w);

	if (r)
		return r;
	w.arguments.has_after_now = w.arguments.is_after_now =
		(options->given & OPTION_AFTER_RESUME) != 0;
	return wait_for_sync(&w);
}
