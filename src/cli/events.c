/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/event_text.h"
#include "cli/hooks.h"
#include "cli/output.h"
#include "os/event_ring.h"
#include "os/line_stream.h"
#include "proto/report_event.h"

#define COUNT_DEFAULT 20

static bool is_given(const struct options *options, enum option_bit bit)
{
	return (options->given & bit) != 0;
}

/* --- Those that have been --- */

static void print_events(const struct report_events *events, const struct options *options)
{
	if (is_given(options, OPTION_VERBOSE))
		event_text_paragraphs(stdout, events);
	else
		event_text_table(stdout, events);
}

/* Shows the reply in @line; the exit status. */
static int show(const char *line, size_t length, const struct options *options)
{
	static const enum control_command command = CONTROL_EVENTS;
	struct report_events events;
	struct control_error error;
	enum control_outcome outcome;
	char *json = NULL;

	if (is_given(options, OPTION_JSON))
		outcome = control_pretty(line, length, command, &json, &error);
	else
		outcome = control_decode_reply(line, length, command, &events, &error);
	if (outcome != CONTROL_ANSWERED)
		return output_refusal(outcome, options->socket, &error);
	if (json)
		fputs(json, stdout);
	else
		print_events(&events, options);
	free(json);
	return output_finish();
}

/* The newest of those in the file, as the daemon would have replied.  0 or -errno. */
static int reply_from_file(const struct control_request *request, char **ret, size_t *ret_length)
{
	struct event_ring ring = EVENT_RING_INIT;
	struct report_events events = { .n = 0, .path = EVENT_RING_PATH };
	uint64_t limit = request->arguments.limit;
	int r = event_ring_open(&ring);

	if (r == 0)
		r = event_ring_read(&ring, EVENT_RING_PATH);
	if (r == 0) {
		uint64_t number = event_ring_oldest(&ring);

		if (ring.newest > limit && number <= ring.newest - limit)
			number = ring.newest - limit + 1;
		for (; number <= ring.newest; number++)
			if (event_ring_get(&ring, number))
				report_event_fill(event_ring_get(&ring, number),
				                  &events.events[events.n++]);
		events.unreadable = ring.unreadable;
		r = control_encode_reply(request, &events, ret, ret_length);
	}
	event_ring_fini(&ring);
	return r;
}

static int list(const struct options *options)
{
	const struct control_request request = {
		.command = CONTROL_EVENTS,
		.arguments = {
			.has_limit = true,
			.limit = is_given(options, OPTION_COUNT) ? options->count : COUNT_DEFAULT,
		},
	};
	char sentence[ASK_SENTENCE_MAX], *line;
	size_t length;
	int r = ask_line(options->socket, &request, &line, &length, sentence);

	/* The file belongs to the daemon at the usual socket. */
	if (r == ASK_NOBODY && strcmp(options->socket, OPTIONS_DEFAULT_SOCKET) == 0 &&
	    (r = reply_from_file(&request, &line, &length)) == 0)
		fprintf(stderr, "vmtime: vmtimed is not running; this is what it wrote to %s\n",
		        EVENT_RING_PATH);
	if (r)
		return output_complain(sentence);
	r = show(line, length, options);
	free(line);
	return r;
}

/* --- Those that come --- */

/* Shows one line of a follower's.  EXIT_SHOWN, or the exit status to end with. */
static int show_notice(struct slice line, const struct options *options)
{
	struct report_notice notice;
	struct control_error error;
	enum control_outcome outcome;
	char *json = NULL;

	memset(&notice, 0, sizeof notice);
	if (is_given(options, OPTION_JSON))
		outcome = control_pretty(line.p, line.n, CONTROL_FOLLOW, &json, &error);
	else
		outcome = control_decode_reply(line.p, line.n, CONTROL_FOLLOW, &notice, &error);
	if (outcome != CONTROL_ANSWERED)
		return output_refusal(outcome, options->socket, &error);
	if (json)
		fputs(json, stdout);
	else
		event_text_notice(stdout, &notice);
	free(json);
	return output_flush();
}

/*
 * Waits for more; what the pipe's reader does is seen as well, because without anything to write
 * its end would be noticed only at the next event.
 */
static enum line_client_outcome wait_for_more(struct line_stream *stream, int *reterr)
{
	struct pollfd fds[2];
	size_t n = line_stream_prepare(stream, fds);

	fds[n] = (struct pollfd){ .fd = STDOUT_FILENO };
	if (poll(fds, n + 1, -1) < 0)
		return LINE_CLIENT_ANSWERED;
	if (fds[n].revents & (POLLERR | POLLHUP)) {
		*reterr = -EPIPE;
		return LINE_CLIENT_FAILED;
	}
	return line_stream_dispatch(stream, fds, n, reterr);
}

static int follow_stream(struct line_stream *stream, const struct options *options)
{
	const struct control_request request = { .command = CONTROL_FOLLOW };
	enum line_client_outcome outcome = LINE_CLIENT_ANSWERED;
	char text[CONTROL_REQUEST_MAX], sentence[ASK_SENTENCE_MAX];
	struct slice line;
	int error = control_encode_request(&request, text, sizeof text);

	if (error < 0 || !line_stream_send(stream, slice_trim(slice_of(text))))
		outcome = LINE_CLIENT_FAILED;
	while (outcome == LINE_CLIENT_ANSWERED) {
		outcome = wait_for_more(stream, &error);
		while (line_stream_pop(stream, &line)) {
			int r = show_notice(line, options);

			if (r != EXIT_SHOWN)
				return r;
		}
	}
	if (outcome == LINE_CLIENT_FAILED && error == -EPIPE)
		return EXIT_NO_ANSWER; /* whoever closed the pipe knows that he did */
	if (outcome == LINE_CLIENT_CLOSED)
		return output_complain("vmtimed has ended, or hung up");
	ask_explain_failure(outcome, options->socket, error, sentence);
	return output_complain(sentence);
}

static int follow(const struct options *options)
{
	char sentence[ASK_SENTENCE_MAX];
	enum line_client_outcome outcome;
	struct line_stream stream;
	int error = 0, r;

	line_stream_init(&stream);
	outcome = line_stream_open(&stream, options->socket, &error);
	if (outcome == LINE_CLIENT_ANSWERED) {
		r = follow_stream(&stream, options);
	} else {
		ask_explain_failure(outcome, options->socket, error, sentence);
		r = output_complain(sentence);
	}
	line_stream_fini(&stream);
	return r;
}

static int run_hooks(const struct options *options)
{
	const struct hooks_conf conf = {
		.socket = options->socket,
		.folder = options->exec,
		.limit = is_given(options, OPTION_EXEC_TIMEOUT) ? options->exec_timeout : HOOKS_LIMIT_DEFAULT,
		.is_json = is_given(options, OPTION_JSON),
	};

	return hooks_run(&conf);
}

int events_run(const struct options *options)
{
	if (is_given(options, OPTION_EXEC) && !is_given(options, OPTION_FOLLOW))
		return options_usage_error("without --follow there is nothing to run for", "--exec");
	if (is_given(options, OPTION_EXEC_TIMEOUT) && !is_given(options, OPTION_EXEC))
		return options_usage_error("without --exec there is no use for", "--exec-timeout");
	if (!is_given(options, OPTION_FOLLOW))
		return list(options);
	if (is_given(options, OPTION_VERBOSE) || is_given(options, OPTION_COUNT))
		return options_usage_error("neither -v nor -n goes together with", "--follow");
	return is_given(options, OPTION_EXEC) ? run_hooks(options) : follow(options);
}
