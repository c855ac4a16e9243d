/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_AGENT_LINK_H
#define HOSTD_AGENT_LINK_H

/*
 * agent_link.h - one connection to the agent in one guest, and one piece of work at a time
 *
 * The connection is kept.  Before the first request, and again whenever it is not
 * certain any more what the next line answers (a timeout, a dropped request, nonsense, the guest was
 * stopped), the two sides agree anew by guest-sync-delimited, see proto/agent.h.  Since
 * it is asked for after each resume, nothing that was queued while the guest stood
 * still is in front of what is asked then.
 *
 * The instants of an outcome are taken right around the exchange of the request itself, and
 * the time to be set is computed at the moment it is sent.  What cannot be sent at once is not
 * sent at all: a time that waits in a queue is a wrong one.
 *
 * An agent that sends more than AGENT_LINK_FLOOD bytes without an answer among them
 * is hung up on; QEMU throws away what a guest says to nobody.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "hostd/work.h"
#include "proto/agent.h"
#include "proto/frames.h"

#define AGENT_LINK_FLOOD (1 << 20)

enum agent_link_step {
	AGENT_LINK_IDLE,
	AGENT_LINK_SYNCING,  /* guest-sync-delimited was sent                       */
	AGENT_LINK_ASKING,   /* the request was sent                                */
	AGENT_LINK_CHECKING, /* it was refused: is it because of frozen filesystems */
};

struct agent_link {
	const char *path; /* borrowed */
	int fd;           /* -1: not connected */
	bool is_new;      /* the fd is another one than before; whoever watches it clears this */
	enum agent_link_step step;
	struct frames frames;
	bool is_agreed;   /* the next line answers the next request          */
	bool has_mark;    /* AGENT_LINK_SYNCING: what comes now should be it */
	uint64_t seed;    /* of the ids                                      */
	int64_t sync_id;
	size_t flood;     /* bytes since the latest request                  */
	vt_mono deadline; /* of the work                                     */
	struct work work;
	struct work_outcome outcome; /* as far as it is known */
};

/* Makes @l safe for every other call; connects nothing.  @seed: anything that differs. */
void agent_link_init(struct agent_link *l, const char *path, uint64_t seed);

/* Hangs up.  Safe twice. */
void agent_link_fini(struct agent_link *l);

/*
 * Begins @work, which is one that agents do; the guest runs.  False: *@ret is what came of it
 * already (but for the guest's number).
 */
bool agent_link_begin(struct agent_link *l, const struct work *work, vt_mono now,
                      struct work_outcome *ret);

bool agent_link_is_busy(const struct agent_link *l);

/* Forgets its work.  What was sent stays sent. */
void agent_link_drop(struct agent_link *l);

/* The guest was stopped, or runs again: there must be a new agreement before the next request. */
void agent_link_doubt(struct agent_link *l);

/* Reads what has come into @buffer; *@ret is what to hand to agent_link_next. */
void agent_link_read(struct agent_link *l, char *buffer, size_t size, struct slice *ret);

/*
 * Goes on with what is in *@input.  True: *@ret is what came of the work.  False: *@input is used up.
 * To be called until then after each agent_link_read, also when that read nothing.
 */
bool agent_link_next(struct agent_link *l, struct slice *input, struct work_outcome *ret);

/* When to call agent_link_expire; VT_MONO_NEVER. */
vt_mono agent_link_deadline(const struct agent_link *l);

/* True: the work timed out, *@ret says so. */
bool agent_link_expire(struct agent_link *l, vt_mono now, struct work_outcome *ret);

#endif
