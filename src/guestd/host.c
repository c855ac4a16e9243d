/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "guestd/control.h"
#include "guestd/daemon.h"
#include "guestd/report.h"
#include "os/vsock.h"

#define TRY_INTERVAL     VT_SEC(30)
#define REFUSAL_INTERVAL VT_SEC(3600)

static const struct line_server_conf DOOR = {
	.busy_reply = CONTROL_BUSY_REPLY,
	.too_long_reply = CONTROL_TOO_LONG_REPLY,
	.admits = vsock_is_host,
	.clients = HOST_CLIENTS,
};

/* What each reason speaks of, besides being a nudge. */
static const unsigned EVIDENCE[] = {
	[HOST_REASON_NONE] = 0,
	[HOST_REASON_PAUSE] = EVIDENCE_HOST_PAUSED,
	[HOST_REASON_RESTORE] = EVIDENCE_HOST_RESTORED,
	[HOST_REASON_MIGRATION] = EVIDENCE_HOST_MIGRATED,
	[HOST_REASON_STEP] = EVIDENCE_HOST_STEPPED,
	[HOST_REASON_RESUME] = EVIDENCE_HOST_PAUSED, /* while it slept, so did we */
};
_Static_assert(COUNT(EVIDENCE) == HOST_REASONS, "every reason says something");

void host_init(struct host *h)
{
	*h = (struct host){ .try_at = VT_MONO_NEVER };
	line_server_init(&h->server);
}

/* Tells a state of the port once. */
static void tell_failure(struct host *h, int error)
{
	if (error == h->told_error)
		return;
	h->told_error = error;
	if (error == -ENODEV)
		log_debug("this kernel has no vsock: the host cannot tell of pauses; looking again now "
		          "and then");
	else
		log_cope(error, "vsock port %u: the host cannot tell of pauses; trying again now and then",
		         h->port);
}

static void try_port(struct host *h, vt_mono now)
{
	int fd, error = 0;

	h->try_at = vt_mono_add(now, TRY_INTERVAL);
	switch (vsock_listen("", h->port, &fd, &error)) {
	case VSOCK_LISTENS:
		line_server_take(&h->server, &DOOR, fd, now);
		h->try_at = VT_MONO_NEVER;
		h->told_error = 0;
		log_info("the host may speak on vsock port %u", h->port);
		return;
	case VSOCK_MISSING: tell_failure(h, -ENODEV); return;
	case VSOCK_FAILED: tell_failure(h, error); return;
	}
}

void host_open(struct host *h, unsigned port, vt_mono now)
{
	if (port == h->port) {
		/* A reload of the same: who has just loaded the module does not wait. */
		if (h->try_at.ns != VT_MONO_NEVER.ns)
			h->try_at = now;
		return;
	}
	line_server_fini(&h->server);
	h->port = port;
	h->told_error = 0;
	h->try_at = VT_MONO_NEVER;
	if (port)
		try_port(h, now);
}

void host_fini(struct host *h)
{
	line_server_fini(&h->server);
}

size_t host_prepare(struct host *h, struct pollfd *ret)
{
	return line_server_prepare(&h->server, ret);
}

vt_mono host_deadline(const struct host *h)
{
	return vt_mono_min(line_server_deadline(&h->server), h->try_at);
}

bool host_take_nudge(struct daemon *d, enum host_reason reason, vt_mono now)
{
	struct host *h = &d->host;

	h->nudges++;
	discipline_witness(&d->discipline, EVIDENCE_NUDGE | EVIDENCE[reason], VT_NS(0), now);
	/* Who comes from another host has that one's clock from now on. */
	if (reason == HOST_REASON_RESTORE || reason == HOST_REASON_MIGRATION)
		h->quality.is_heard = false;
	log_debug("a nudge: reason=\"%s\"", host_reason_name(reason));
	return discipline_deadline(&d->discipline).ns > now.ns;
}

/* State changes only, and none of them for what moves by itself: the distance. */
static void tell_quality(const struct host *h, const struct report_host_quality *now)
{
	const struct report_host_quality *before = &h->said;
	char quote[4 * REPORT_NAME_MAX];

	if (h->quality.is_heard && before->is_synchronized == now->is_synchronized &&
	    strcmp(before->daemon, now->daemon) == 0)
		return;
	log_quote(now->daemon, strlen(now->daemon), quote, sizeof quote);
	if (now->is_synchronized)
		log_info("the host's clock is synchronised by %s, to %.9f s", quote,
		         vt_span_seconds(now->root_distance));
	else
		log_warn("the host's clock is not synchronised, says its %s: how right it is is not "
		         "known", quote);
}

static void take_quality(struct host *h, const struct report_host_quality *said, uint64_t jumps,
                         vt_mono now)
{
	tell_quality(h, said);
	h->said = *said;
	h->heard = now;
	h->jumps = jumps;
	h->quality = (struct host_quality){
		.is_heard = true,
		.heard = now,
		.is_synchronized = said->is_synchronized,
		.root_distance = said->root_distance,
	};
}

struct host_reply host_answer(struct daemon *d, const struct host_request *request, vt_mono now)
{
	struct host *h = &d->host;
	struct host_reply reply = { .valid = HOST_QUALITY_LASTS };
	struct report_tracking tracking;

	switch (request->command) {
	case HOST_NUDGE: reply.is_delayed = host_take_nudge(d, request->reason, now); break;
	case HOST_QUALITY: take_quality(h, &request->quality, d->discipline.jumps, now); break;
	case HOST_STATUS:
		report_tracking(d, now, &tracking);
		reply.state = report_state(d);
		reply.has_offset = tracking.refid != 0;
		reply.offset = tracking.system_offset;
		reply.has_bound = report_bound(d, now, &reply.bound);
		break;
	case HOST_COMMANDS: break;
	}
	return reply;
}

static int answer(struct daemon *d, struct slice line, vt_mono now, char **ret, size_t *ret_n)
{
	struct host_request request;
	struct host_reply reply;
	struct control_error error;

	if (host_channel_decode(line.p, line.n, &request, &error) < 0)
		return control_encode_error(&error, ret, ret_n);
	reply = host_answer(d, &request, now);
	return host_channel_encode(&request, &reply, ret, ret_n);
}

/* Rarely: whoever knocks could do it a thousand times a second. */
static void tell_refusals(struct host *h, vt_mono now)
{
	char text[VSOCK_TEXT_MAX];

	if (h->server.refused == h->told_refused || now.ns < h->refusals_due.ns)
		return;
	log_warn("vsock port %u: %llu connections refused, the latest from %s: only the host's root may "
	         "speak here",
	         h->port, (unsigned long long)(h->server.refused - h->told_refused),
	         vsock_text((const struct sockaddr *)&h->server.refused_from, text));
	h->told_refused = h->server.refused;
	h->refusals_due = vt_mono_add(now, REFUSAL_INTERVAL);
}

/* Too old, or said of a host that may not be ours any more. */
static void forget_quality(struct host *h, uint64_t jumps, vt_mono now)
{
	if (!h->quality.is_heard)
		return;
	if (host_quality_counts(&h->quality, now) && jumps == h->jumps)
		return;
	h->quality.is_heard = false;
	log_info("what the host said of its clock does not count any more: %s",
	         jumps == h->jumps ? "it has said nothing for five minutes" : "the time has jumped");
}

void host_dispatch(struct daemon *d, vt_mono now, const struct pollfd *fds, size_t n)
{
	struct host *h = &d->host;
	struct line_request request;
	char *reply;
	size_t length;

	if (now.ns >= h->try_at.ns)
		try_port(h, now);
	line_server_dispatch(&h->server, now, fds, n);
	while (line_server_pop(&h->server, &request)) {
		h->requests++;
		if (answer(d, request.line, now, &reply, &length) < 0)
			continue; /* out of memory: the host hears nothing, the clock comes first */
		line_server_reply(&h->server, request.client, reply, length - 1);
		free(reply);
	}
	forget_quality(h, d->discipline.jumps, now);
	tell_refusals(h, now);
}

bool host_error(const struct host *h, const struct settings *settings, vt_mono now, vt_span *ret)
{
	return host_quality_error(&h->quality,
	                          settings->is_host_error_given ? &settings->host_error : NULL, now, ret);
}

void host_report(const struct host *h, const struct settings *settings, vt_mono now,
                 struct report_status *ret)
{
	ret->has_host_error = host_error(h, settings, now, &ret->host_error);
	ret->has_host_quality = host_quality_counts(&h->quality, now);
	if (ret->has_host_quality) {
		ret->host_quality = h->said;
		ret->host_quality_age = vt_mono_since(now, h->heard);
	}
	ret->channel = (struct report_channel){
		.is_there = h->port != 0,
		.is_listening = h->server.fd >= 0,
		.port = h->port,
		.nudges = h->nudges,
		.requests = h->requests,
		.refused = h->server.refused,
	};
}
