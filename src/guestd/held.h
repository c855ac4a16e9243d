/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_HELD_H
#define GUESTD_HELD_H

/*
 * held.h - clients that are not answered at once
 *
 * Those that follow, and are sent a line for each event and each change of the
 * state; and those that wait for the clock to be right, and are answered in the
 * turn in which it is.
 */

#include <stdbool.h>

#include "base/units.h"
#include "os/event_ring.h"
#include "os/line_server.h"
#include "proto/control.h"
#include "proto/report.h"

struct daemon;

struct held_client {
	uint32_t client;
	struct control_request request;
	vt_mono asked; /* by CLOCK_MONOTONIC_RAW, when the request was read */
	vt_mono until; /* it is answered then, whatever the answer is       */
};

struct held {
	unsigned n;
	struct held_client clients[LINE_SERVER_HELD];
	enum report_state told; /* the state that followers know */
};

/* Answers `follow` with the state, and holds @client; or tells it that there are too many. */
void held_follow(struct daemon *d, uint32_t client, const struct control_request *request,
                 vt_mono now);

/*
 * Answers `waitsync` at once or holds @client, or tells it that there are too many.  Who wants a
 * reading after his question, and @may_change things, has it made at once.
 */
void held_wait(struct daemon *d, uint32_t client, const struct control_request *request,
               bool may_change);

/* Tells who follows of the event @r. */
void held_tell(struct daemon *d, enum report_happening what, const struct event_record *r);

/* Once a turn, after the clocks were read: answers who has waited enough, tells a new state. */
void held_dispatch(struct daemon *d, vt_mono now);

/* When somebody has waited long enough. */
vt_mono held_deadline(const struct held *h);

#endif
