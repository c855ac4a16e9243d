/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/control.h"

#include <stdlib.h>

#include "guestd/report.h"
#include "os/memory.h"
#include "proto/control.h"

/* Consumes @line, where it could be made. */
static void send_line(struct daemon *d, uint32_t client, int r, char *line, size_t length)
{
	if (r < 0)
		return; /* out of memory: the client hears nothing, the clock comes first */
	/* The server ends the line itself. */
	line_server_reply(&d->server, client, line, length - 1);
	free(line);
}

static void refuse(struct daemon *d, uint32_t client, const struct control_error *error)
{
	size_t length = 0;
	char *line = NULL;
	int r = control_encode_error(error, &line, &length);

	send_line(d, client, r, line, length);
}

static void send_report(struct daemon *d, uint32_t client, const struct control_request *request,
                        vt_mono now)
{
	struct report_status report;
	size_t length = 0;
	char *line = NULL;
	int r;

	report_make(d, now, &report);
	r = control_encode_reply(request, &report, &line, &length);
	send_line(d, client, r, line, length);
}

static void send_events(struct daemon *d, uint32_t client, const struct control_request *request)
{
	/* Too large for a stack whose pages would stay ours for ever. */
	struct report_events *events = malloc(sizeof *events);
	size_t length = 0;
	char *line = NULL;
	int r;

	if (!events)
		return;
	history_report_events(&d->history, &request->arguments, events);
	r = control_encode_reply(request, events, &line, &length);
	send_line(d, client, r, line, length);
	free(events);
	memory_give_back();
}

/* Whoever may change things may have the sources read, too; it costs more than a look at the status. */
static void take_nudge(struct daemon *d, const struct line_request *from,
                       const struct control_request *request, vt_mono now)
{
	struct report_nudge nudge;
	struct control_error error;
	size_t length = 0;
	char *line = NULL;
	int r;

	if (!from->may_change) {
		control_error_make(&error, CONTROL_DENIED, &request->id,
		                   "only root and the group of vmtimed may nudge");
		refuse(d, from->client, &error);
		return;
	}
	nudge.is_delayed = host_take_nudge(d, request->arguments.reason, now);
	r = control_encode_reply(request, &nudge, &line, &length);
	send_line(d, from->client, r, line, length);
}

static void serve(struct daemon *d, const struct line_request *from,
                  const struct control_request *request, vt_mono now)
{
	const uint32_t client = from->client;

	switch (request->command) {
	case CONTROL_STATUS:
	case CONTROL_SOURCES:
	case CONTROL_SOURCESTATS:
	case CONTROL_TRACKING: send_report(d, client, request, now); return;
	case CONTROL_EVENTS: send_events(d, client, request); return;
	case CONTROL_FOLLOW: held_follow(d, client, request, now); return;
	case CONTROL_WAITSYNC: held_wait(d, client, request, from->may_change); return;
	case CONTROL_NUDGE: take_nudge(d, from, request, now); return;
	case CONTROL_COMMANDS: return;
	}
}

void control_answer(struct daemon *d, vt_mono now)
{
	struct line_request line;
	struct control_request request;
	struct control_error error;

	while (line_server_pop(&d->server, &line))
		if (control_decode_request(line.line.p, line.line.n, &request, &error) == 0)
			serve(d, &line, &request, now);
		else
			refuse(d, line.client, &error);
}
