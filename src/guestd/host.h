/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_HOST_H
#define GUESTD_HOST_H

/*
 * host.h - what the host tells us, and what is made of it
 *
 * The host's channel on vsock (docs/protocol/host.md) as a component, and behind
 * it the two things that a host can say: look now (a nudge, which the discipline
 * limits in rate) and how right its own clock is (core/host_quality.h).  A nudge by
 * somebody with the right to it on the control socket comes in here too.
 *
 * A kernel without vsock is only missed: the channel is looked for again now and
 * then, for a module may be loaded late.
 */

#include <stdbool.h>

#include "core/host_quality.h"
#include "os/line_server.h"
#include "proto/host_channel.h"

#define HOST_CLIENTS 4
#define HOST_FDS     (1 + HOST_CLIENTS)

struct daemon;
struct settings;

struct host {
	struct line_server server;
	unsigned port;       /* 0: switched off                                   */
	vt_mono try_at;      /* when the port is tried next; never while it is open */
	int told_error;      /* why it could not be had the last time             */
	uint64_t told_refused;
	vt_mono refusals_due; /* when refused connections are told again           */

	uint64_t nudges, requests;

	struct host_quality quality;
	struct report_host_quality said; /* the words to it */
	vt_mono heard;                   /* when they came  */
	uint64_t jumps;                  /* of the discipline, when it was heard */
};

/* Makes @h safe for every other call. */
void host_init(struct host *h);

/* From now on on @port; 0: not at all.  For the start, and for a reload. */
void host_open(struct host *h, unsigned port, vt_mono now);
void host_fini(struct host *h);

/* What is to be answered to @request, after it was done. */
struct host_reply host_answer(struct daemon *d, const struct host_request *request, vt_mono now);

/* At most HOST_FDS; returns how many are in use. */
size_t host_prepare(struct host *h, struct pollfd *ret);
vt_mono host_deadline(const struct host *h);

/* Serves the channel.  Before the clocks are read, because that is what a nudge asks for. */
void host_dispatch(struct daemon *d, vt_mono now, const struct pollfd *fds, size_t n);

/* Somebody who may nudges, for @reason.  Returns whether it has to wait. */
bool host_take_nudge(struct daemon *d, enum host_reason reason, vt_mono now);

/* How far the host's own clock can be off.  False, and *@ret untouched: not known. */
bool host_error(const struct host *h, const struct settings *settings, vt_mono now, vt_span *ret);

/* What of this is told with the status. */
void host_report(const struct host *h, const struct settings *settings, vt_mono now,
                 struct report_status *ret);

#endif
