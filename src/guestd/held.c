/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/held.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guestd/daemon.h"
#include "guestd/report.h"
#include "proto/report_event.h"

/* For who does not say how long he waits: chronyc's interval between two looks. */
#define WAIT_DEFAULT VT_SEC(10)

static bool follows(const struct held_client *c)
{
	return c->request.command == CONTROL_FOLLOW;
}

static void reply(struct daemon *d, const struct held_client *c, const void *report)
{
	char *line;
	size_t length;

	if (control_encode_reply(&c->request, report, &line, &length) < 0)
		return; /* out of memory: the clock comes first */
	line_server_reply(&d->server, c->client, line, length - 1);
	free(line);
}

static void refuse(struct daemon *d, uint32_t client, const struct control_request *request,
                   const char *why)
{
	struct control_error error;
	char *line;
	size_t length;

	control_error_make(&error, CONTROL_BUSY, &request->id, "%s", why);
	if (control_encode_error(&error, &line, &length) < 0)
		return;
	line_server_reply(&d->server, client, line, length - 1);
	free(line);
}

static bool is_follower(const struct held *h, uint32_t client)
{
	for (unsigned i = 0; i < h->n; i++)
		if (h->clients[i].client == client && follows(&h->clients[i]))
			return true;
	return false;
}

static void remove_at(struct held *h, unsigned i)
{
	h->clients[i] = h->clients[--h->n];
}

/* --- Following --- */

static void make_notice(const struct daemon *d, vt_mono now, enum report_happening what,
                        struct report_notice *ret)
{
	*ret = (struct report_notice){ .what = what, .state = report_state(d) };
	report_reason(d, ret->state, ret->reason, sizeof ret->reason);
	ret->at = daemon_clock_shows();
	ret->has_bound = report_bound(d, now, &ret->bound);
}

static void tell_all(struct daemon *d, const struct report_notice *notice)
{
	for (unsigned i = 0; i < d->held.n; i++)
		if (follows(&d->held.clients[i]))
			reply(d, &d->held.clients[i], notice);
}

void held_tell(struct daemon *d, enum report_happening what, const struct event_record *r)
{
	struct report_notice notice;

	if (d->held.n == 0)
		return;
	make_notice(d, d->now, what, &notice);
	report_event_fill(r, &notice.event);
	tell_all(d, &notice);
}

static void tell_state(struct daemon *d, vt_mono now)
{
	struct report_notice notice;

	if (report_state(d) == d->held.told)
		return;
	d->held.told = report_state(d);
	if (d->held.n == 0)
		return;
	make_notice(d, now, REPORT_HAPPENING_STATE, &notice);
	tell_all(d, &notice);
}

/* --- Waiting --- */

static bool is_met(const struct daemon *d, const struct held_client *c,
                   const struct report_tracking *t)
{
	const struct control_arguments *a = &c->request.arguments;

	return t->refid != 0 &&
	       (a->max_correction.ns <= 0 ||
	        vt_span_abs(t->system_offset).ns <= a->max_correction.ns) &&
	       (!(a->max_skew_ppm > 0) || t->skew_ppm <= a->max_skew_ppm) &&
	       (!a->is_after_now || discipline_is_proven(&d->discipline, c->asked));
}

/* True: @c is answered. */
static bool answer(struct daemon *d, const struct held_client *c, vt_mono now)
{
	struct report_wait wait = { .state = report_state(d) };

	report_tracking(d, now, &wait.tracking);
	wait.is_met = is_met(d, c, &wait.tracking);
	if (!wait.is_met && now.ns < c->until.ns)
		return false;
	report_reason(d, wait.state, wait.reason, sizeof wait.reason);
	reply(d, c, &wait);
	return true;
}

/* --- Both --- */

static void take(struct daemon *d, const struct held_client *c)
{
	struct held *h = &d->held;

	if (h->n < COUNT(h->clients) &&
	    line_server_hold(&d->server, c->client,
	                     follows(c) ? LINE_HOLD_STREAM : LINE_HOLD_REPLY))
		h->clients[h->n++] = *c;
	else
		refuse(d, c->client, &c->request, "too many clients follow or wait");
}

void held_follow(struct daemon *d, uint32_t client, const struct control_request *request,
                 vt_mono now)
{
	const struct held_client c = { .client = client, .request = *request };
	struct report_notice notice;

	if (is_follower(&d->held, client)) {
		refuse(d, client, request, "this connection follows already");
		return;
	}
	take(d, &c);
	if (!is_follower(&d->held, client))
		return;
	make_notice(d, now, REPORT_HAPPENING_STATE, &notice);
	reply(d, &c, &notice);
}

void held_wait(struct daemon *d, uint32_t client, const struct control_request *request,
               bool may_change)
{
	/* Not the turn's instant, which may be before the request: a reading in between proves nothing. */
	struct held_client c = { .client = client, .request = *request, .asked = daemon_clock_now() };

	c.until = vt_mono_add(c.asked, request->arguments.has_timeout ? request->arguments.timeout
	                                                              : WAIT_DEFAULT);
	if (is_follower(&d->held, client)) {
		refuse(d, client, request, "this connection follows: wait on another");
		return;
	}
	if (answer(d, &c, c.asked))
		return;
	take(d, &c);
	if (may_change && request->arguments.is_after_now)
		discipline_witness(&d->discipline, EVIDENCE_NUDGE, VT_NS(0), c.asked);
}

void held_dispatch(struct daemon *d, vt_mono now)
{
	struct held *h = &d->held;

	for (unsigned i = h->n; i-- > 0;)
		if (!line_server_has(&d->server, h->clients[i].client) ||
		    (!follows(&h->clients[i]) && answer(d, &h->clients[i], now)))
			remove_at(h, i);
	tell_state(d, now);
}

vt_mono held_deadline(const struct held *h)
{
	vt_mono at = VT_MONO_NEVER;

	for (unsigned i = 0; i < h->n; i++)
		if (!follows(&h->clients[i]))
			at = vt_mono_min(at, h->clients[i].until);
	return at;
}
