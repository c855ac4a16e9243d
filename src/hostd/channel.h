/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_CHANNEL_H
#define HOSTD_CHANNEL_H

/*
 * channel.h - one line to one guest's vmtimed; see channels.h, the only one to include this
 *
 * A lent line is connected while it has work and for CHANNEL_IDLE after.  A guest of our own
 * is kept connected: a `status` now and then shows that it still answers, and keeps the
 * guest from hanging up.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "hostd/channels.h"
#include "hostd/sign.h"
#include "hostd/work.h"
#include "proto/frames.h"
#include "proto/host_channel.h"

#define CHANNEL_IDLE     VT_SEC(10)
#define CHANNEL_PROBE    VT_SEC(20)
#define CHANNEL_PATIENCE VT_SEC(5) /* without an answer: it does not run (any more) */
#define CHANNEL_WAKING   VT_SEC(1)
#define CHANNEL_RETRY    VT_MS(1)  /* while it wakes */
#define CHANNEL_FLOOD    65536

enum channel_state {
	CHANNEL_DOWN,
	CHANNEL_DIALLING,
	CHANNEL_UP,
};

struct channel {
	uint32_t number;
	unsigned cid;
	bool is_lent;
	char name[GUEST_NAME_MAX];
	enum channel_state state;
	int fd; /* -1: none */
	int old_fd; /* of before the guest stood still, to be closed when it can hear of that; -1: none */
	struct frames frames;
	size_t flood;        /* bytes since the latest request                    */
	vt_mono waking;      /* until then no route is no wonder                  */
	vt_mono retry;       /* when to dial; VT_MONO_NEVER                       */
	vt_mono moved;       /* when the latest request went out, or it came up   */
	vt_mono lost;        /* since when a guest of our own does not answer     */
	bool has_work;       /* @work is not done                                 */
	bool is_probe;       /* ... and nobody waits for what comes of it         */
	bool is_sent;
	struct work work;
	struct host_request request;
	vt_mono deadline;    /* of the work */
	struct work_outcome outcome;
	bool has_outcome;
	bool is_running;     /* as the latest sign said                           */
	unsigned signs;      /* 1 << enum sign_kind                               */
	vt_mono seen;
	struct heap_node turn; /* for channels.c */
};

/* Makes a line without a connection.  A guest of our own is dialled at its first turn. */
void channel_init(struct channel *c, uint32_t number, unsigned cid, const char *name, vt_mono now);
void channel_fini(struct channel *c);

void channel_begin(struct channel *c, struct channels *all, const struct work *work, vt_mono now);
void channel_drop(struct channel *c);

/* See channels_wake. */
void channel_wake(struct channel *c, struct channels *all, vt_mono now);

/* Its socket is ready. */
void channel_hear(struct channel *c, struct channels *all, vt_mono now);

/* Does what the time asks for. */
void channel_turn(struct channel *c, struct channels *all, vt_mono now);
vt_mono channel_deadline(const struct channel *c);

bool channel_pop_sign(struct channel *c, struct sign *ret);

#endif
