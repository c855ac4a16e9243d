/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/hooks.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/log.h"
#include "cli/ask.h"
#include "cli/event_text.h"
#include "cli/hook_queue.h"
#include "cli/hook_runner.h"
#include "cli/instant.h"
#include "cli/options.h"
#include "os/line_stream.h"
#include "proto/control.h"

#define RETRY      VT_SEC(1)
#define LAST_WORDS VT_SEC(5) /* for each hook after we were told to end */

struct hooks {
	const struct hooks_conf *conf;
	struct line_stream stream;
	bool expects_list; /* the next line is the list of events */
	bool is_told;      /* that there is no connection         */
	vt_mono retry;
	struct hook_queue queue;
	struct hook_runner runner;
	int signals;
	bool is_ending, has_closed;
	struct report_events events;
};

/* --- The daemon --- */

static void lose(struct hooks *h, const char *sentence, vt_mono now)
{
	if (!h->is_told)
		log_warn("%s; trying again", sentence);
	h->is_told = true;
	line_stream_fini(&h->stream);
	h->retry = vt_mono_add(now, RETRY);
}

static void lose_for(struct hooks *h, enum line_client_outcome outcome, int error, vt_mono now)
{
	char sentence[ASK_SENTENCE_MAX];

	ask_explain_failure(outcome, h->conf->socket, error, sentence);
	lose(h, outcome == LINE_CLIENT_CLOSED ? "vmtimed has ended, or hung up" : sentence, now);
}

static bool request(struct hooks *h, enum control_command command)
{
	const struct control_request request = { .command = command };
	char line[256];

	return control_encode_request(&request, line, sizeof line) == 0 &&
	       line_stream_send(&h->stream, slice_trim(slice_of(line)));
}

/* The list first: what is in it, and what is told of afterwards, leave no gap. */
static void connect_again(struct hooks *h, vt_mono now)
{
	int error = 0;
	enum line_client_outcome outcome = line_stream_open(&h->stream, h->conf->socket, &error);

	if (outcome == LINE_CLIENT_ANSWERED &&
	    (!request(h, CONTROL_EVENTS) || !request(h, CONTROL_FOLLOW)))
		outcome = LINE_CLIENT_FAILED;
	if (outcome != LINE_CLIENT_ANSWERED)
		lose_for(h, outcome, error, now);
	h->expects_list = true;
}

/* As `events --follow` shows it.  Whether anybody takes it is no concern of the hooks. */
static void print_notice(const struct hooks *h, struct slice line,
                         const struct report_notice *notice)
{
	struct control_error error;
	char *json = NULL;

	if (!h->conf->is_json)
		event_text_notice(stdout, notice);
	else if (control_pretty(line.p, line.n, CONTROL_FOLLOW, &json, &error) == CONTROL_ANSWERED)
		fputs(json, stdout);
	free(json);
	fflush(stdout);
	clearerr(stdout);
}

static enum control_outcome take_line(struct hooks *h, struct slice line,
                                      struct control_error *reterr)
{
	struct report_notice notice = { .what = REPORT_HAPPENING_STATE };
	enum control_outcome outcome;

	if (h->expects_list) {
		outcome = control_decode_reply(line.p, line.n, CONTROL_EVENTS, &h->events, reterr);
		if (outcome == CONTROL_ANSWERED)
			hook_queue_catch_up(&h->queue, h->events.events, h->events.n);
		h->expects_list = false;
		return outcome;
	}
	outcome = control_decode_reply(line.p, line.n, CONTROL_FOLLOW, &notice, reterr);
	if (outcome == CONTROL_ANSWERED) {
		if (h->is_told)
			log_info("vmtimed is back");
		h->is_told = false;
		print_notice(h, line, &notice);
		hook_queue_add(&h->queue, &notice);
	}
	return outcome;
}

static void take_lines(struct hooks *h, vt_mono now)
{
	char sentence[ASK_SENTENCE_MAX];
	struct control_error error;
	struct slice line;

	while (line_stream_pop(&h->stream, &line)) {
		const enum control_outcome outcome = take_line(h, line, &error);

		if (outcome == CONTROL_ANSWERED)
			continue;
		ask_explain(outcome, h->conf->socket, &error, sentence);
		lose(h, sentence, now);
		return;
	}
}

static void listen_to(struct hooks *h, vt_mono now, const struct pollfd *fds, size_t n)
{
	const bool was_open = line_stream_is_open(&h->stream);
	int error = 0;
	const enum line_client_outcome outcome = line_stream_dispatch(&h->stream, fds, n, &error);

	take_lines(h, now);
	if (outcome != LINE_CLIENT_ANSWERED && was_open)
		lose_for(h, outcome, error, now);
	if (!line_stream_is_open(&h->stream) && !h->is_ending && now.ns >= h->retry.ns)
		connect_again(h, now);
}

/* --- The hooks --- */

static void run_next(struct hooks *h, vt_mono now)
{
	struct hook_job job;
	const unsigned dropped = hook_queue_dropped(&h->queue);

	if (dropped > 0)
		log_warn("hooks are slower than events: the oldest %u that waited were left out",
		         dropped);
	while (!h->is_ending && !h->runner.is_busy && hook_queue_pop(&h->queue, &job))
		hook_runner_begin(&h->runner, &job, now);
	/* What was done at the beginning of an event is undone, though we shall not see its end. */
	if (h->is_ending && !h->runner.is_busy && !h->has_closed) {
		h->has_closed = true;
		h->runner.is_last = false;
		h->runner.limit = vt_span_min(h->runner.limit, LAST_WORDS);
		if (hook_queue_close(&h->queue, &job))
			hook_runner_begin(&h->runner, &job, now);
	}
}

/* --- The loop --- */

/* SIGCHLD among them: whoever ignored it for us would have taken the hooks' ends from us. */
static int catch_signals(struct hooks *h)
{
	static const int wanted[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t set;

	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	for (size_t i = 0; i < COUNT(wanted); i++)
		sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	h->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return h->signals < 0 ? -errno : 0;
}

/* True: whoever told us twice is in a hurry. */
static bool take_signals(struct hooks *h, vt_mono now)
{
	struct signalfd_siginfo info;
	bool is_urgent = false;

	while (read(h->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		is_urgent = h->is_ending;
		h->is_ending = true;
		hook_runner_hurry(&h->runner, now, LAST_WORDS);
	}
	return is_urgent;
}

static vt_mono deadline(const struct hooks *h)
{
	const vt_mono until = hook_runner_deadline(&h->runner);

	return line_stream_is_open(&h->stream) || h->is_ending ? until
	                                                       : vt_mono_min(until, h->retry);
}

/* False: it is over. */
static bool turn(struct hooks *h)
{
	struct pollfd fds[3] = { { .fd = h->signals, .events = POLLIN } };
	const size_t n_stream = line_stream_prepare(&h->stream, &fds[1]);
	const size_t n_hook = hook_runner_prepare(&h->runner, &fds[1 + n_stream]);
	vt_mono now;

	if (poll(fds, 1 + n_stream + n_hook, instant_timeout_ms(deadline(h))) < 0 && errno != EINTR)
		return false;
	now = instant_mono();
	if (take_signals(h, now))
		return false;
	listen_to(h, now, &fds[1], n_stream);
	hook_runner_dispatch(&h->runner, now);
	run_next(h, now);
	return !h->is_ending || h->runner.is_busy;
}

int hooks_run(const struct hooks_conf *conf)
{
	struct hooks *h = calloc(1, sizeof *h);
	int r = h ? 0 : -ENOMEM;

	log_open("vmtime", LOG_SINK_STDERR, LOG_LEVEL_INFO);
	if (r == 0) {
		h->conf = conf;
		h->signals = -1;
		line_stream_init(&h->stream);
		hook_queue_init(&h->queue);
		hook_runner_init(&h->runner, conf->folder, conf->limit, environ);
		r = catch_signals(h);
	}
	if (r < 0) {
		free(h);
		(void)log_err(r, "hooks cannot be run");
		return EXIT_NO_ANSWER;
	}
	hook_runner_survey(&h->runner);
	h->retry = instant_mono();
	while (turn(h))
		;
	hook_runner_fini(&h->runner);
	line_stream_fini(&h->stream);
	close(h->signals);
	free(h);
	return EXIT_SHOWN;
}
