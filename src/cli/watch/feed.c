/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch/feed.h"

#include <string.h>

#include "proto/control.h"

#define RETRY VT_SEC(1)

void feed_init(struct feed *f, const char *path, vt_span interval, vt_mono now)
{
	*f = (struct feed){ .path = path, .interval = interval, .next = now };
	line_stream_init(&f->stream);
}

void feed_fini(struct feed *f)
{
	line_stream_fini(&f->stream);
}

size_t feed_prepare(const struct feed *f, struct pollfd *ret)
{
	return line_stream_prepare(&f->stream, ret);
}

vt_mono feed_deadline(const struct feed *f)
{
	return f->next;
}

/* The connection is of no use any more; another one is tried after a while. */
static void give_up(struct feed *f, vt_mono now)
{
	line_stream_fini(&f->stream);
	f->is_waiting = f->is_listing = false;
	f->next = vt_mono_add(now, RETRY);
}

static void fail(struct feed *f, enum line_client_outcome outcome, int error, vt_mono now)
{
	ask_explain_failure(outcome, f->path, error, f->trouble);
	f->has_trouble = true;
	give_up(f, now);
}

static void ask(struct feed *f, vt_mono now)
{
	const struct control_request request = { .command = CONTROL_STATUS };
	enum line_client_outcome outcome = LINE_CLIENT_ANSWERED;
	char line[256];
	int error = 0;

	if (!line_stream_is_open(&f->stream))
		outcome = line_stream_open(&f->stream, f->path, &error);
	if (outcome == LINE_CLIENT_ANSWERED) {
		error = control_encode_request(&request, line, sizeof line);
		if (error || !line_stream_send(&f->stream, slice_trim(slice_of(line))))
			outcome = LINE_CLIENT_FAILED;
	}
	if (outcome != LINE_CLIENT_ANSWERED) {
		fail(f, outcome, error, now);
		return;
	}
	f->is_waiting = true;
	f->next = vt_mono_add(now, VT_SEC(ASK_TIMEOUT_S));
}

void feed_dispatch(struct feed *f, vt_mono now, const struct pollfd *fds, size_t n)
{
	int error = 0;
	enum line_client_outcome outcome = line_stream_dispatch(&f->stream, fds, n, &error);

	if (outcome != LINE_CLIENT_ANSWERED) {
		fail(f, outcome, error, now);
		return;
	}
	if (now.ns < f->next.ns)
		return;
	if (f->is_waiting)
		fail(f, LINE_CLIENT_TIMEOUT, 0, now);
	else
		ask(f, now);
}

/* Asks for the list of events where @event is not known as it is. */
static void ask_for_events(struct feed *f, const struct report_event *event)
{
	const struct control_request request = {
		.command = CONTROL_EVENTS,
		.arguments = { .has_limit = true, .limit = FEED_EVENTS_MAX },
	};
	char line[256];

	if (!event->is_there ||
	    (event->number == f->last.number && event->noticed.ns == f->last.noticed.ns &&
	     event->is_repaired == f->last.is_repaired && strcmp(event->cause, f->last.cause) == 0))
		return;
	if (control_encode_request(&request, line, sizeof line) < 0 ||
	    !line_stream_send(&f->stream, slice_trim(slice_of(line))))
		return;
	f->last = *event;
	f->is_waiting = f->is_listing = true;
	f->next = vt_mono_add(f->next, VT_NS(VT_SEC(ASK_TIMEOUT_S).ns - f->interval.ns));
}

enum feed_outcome feed_pop(struct feed *f, struct report_status *ret,
                           char reterr_text[ASK_SENTENCE_MAX])
{
	struct control_error error;
	enum control_outcome outcome;
	struct slice line;

	if (f->has_trouble) {
		f->has_trouble = false;
		memcpy(reterr_text, f->trouble, ASK_SENTENCE_MAX);
		return FEED_TROUBLE;
	}
	if (!f->is_waiting || !line_stream_pop(&f->stream, &line))
		return FEED_NOTHING;
	/* Counted from the question: an answer that took long is no reason to ask less often. */
	f->is_waiting = false;
	f->next = vt_mono_add(f->next, VT_NS(f->interval.ns - VT_SEC(ASK_TIMEOUT_S).ns));
	if (f->is_listing) {
		f->is_listing = false;
		if (control_decode_reply(line.p, line.n, CONTROL_EVENTS, &f->events, &error) !=
		    CONTROL_ANSWERED)
			f->events.n = 0;
		return FEED_EVENTS;
	}
	outcome = control_decode_reply(line.p, line.n, CONTROL_STATUS, ret, &error);
	if (outcome == CONTROL_ANSWERED) {
		ask_for_events(f, &ret->last_event);
		return FEED_STATUS;
	}
	ask_explain(outcome, f->path, &error, reterr_text);
	/* As after any other trouble: not at once again. */
	give_up(f, vt_mono_add(f->next, VT_NS(-f->interval.ns)));
	return FEED_TROUBLE;
}
