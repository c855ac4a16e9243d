/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_CHANNELS_H
#define HOSTD_CHANNELS_H

/*
 * channels.h - the vmtimed in a guest, over vsock (docs/protocol/host.md)
 *
 * Two kinds of guests are reached this way, and each has a number as in any back end:
 *
 *  - those that are reached no other way (`vsock NAME cid N`): channels_add.  They appear,
 *    and are told to run again each time that their vmtimed can be reached anew: a
 *    connection breaks when a guest is started, restored or comes from elsewhere;
 *  - those that another back end has and whose CID is known: channels_lend.  Of these there
 *    are no signs.  The caller begins work with the number it was given, and takes the outcomes:
 *
 *        line = channels_lend(&channels, sign.cid);
 *        channels_wake(&channels, line, now);        (at each SIGN_RUNNING)
 *        ops->begin(&channels.backend, line, &nudge);
 *
 * WORK_NUDGE, WORK_STATUS and WORK_QUALITY are done, WORK_INFO says that this is vmtimed;
 * anything else is WORK_UNSUPPORTED.  Where no vmtimed listens: WORK_LOST, at once.
 *
 * Requests go out from a port below 1024, which shows the guest that its host's root speaks.
 * There are not more of these than 1023, so a lent line is connected only while it has
 * something to say and for some seconds after.  Asking for a vsock would make the kernel
 * load modules; where it has none so far, all work is WORK_LOST.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "hostd/backend.h"
#include "hostd/heap.h"
#include "os/poller.h"
#include "os/vsock.h"

#define CHANNELS_PORT 9532 /* where a guest's vmtimed listens */

struct channel;

struct channels {
	struct backend backend;
	const char *root; /* where /sys is: "" but in tests */
	/* vsock_dial (os/vsock.h) but in tests. */
	enum vsock_dial (*dial)(const char *root, unsigned cid, unsigned port, int *ret_fd,
	                        int *reterr);
	struct poller poller;
	struct channel **channels; /* by number, which begins at 1; NULL: not in use any more */
	size_t n, size;
	size_t n_telling; /* at most so many have a sign or an outcome to tell   */
	struct work_outcome *strays; /* of work for lines that there are none of */
	size_t n_strays;
	struct heap turns; /* those that wait for a time                        */
};

/* 0, or -errno with @c safe for channels_fini.  @root is borrowed. */
int channels_init(struct channels *c, const char *root) must_check;

/* Closes all connections.  Safe after a channels_init that failed, and twice. */
void channels_fini(struct channels *c);

/*
 * A guest that is reached by vsock alone.  0 and its number, or -errno.  It appears at once, and is
 * said to run as soon as its vmtimed answers and to be stopped when it has not for some seconds.
 */
int channels_add(struct channels *c, const char *name, unsigned cid, uint32_t *ret) must_check;

/* A line to the guest at @cid that another back end has.  0 and the line's number, or -errno. */
int channels_lend(struct channels *c, unsigned cid, uint32_t *ret) must_check;

/* The guest of a lent line has another @cid now (SIGN_CHANGED).  Its work is dropped. */
void channels_move(struct channels *c, uint32_t line, unsigned cid);

/* Takes a lent line back (SIGN_GONE).  Its work is dropped. */
void channels_release(struct channels *c, uint32_t line);

/*
 * The guest's CPUs have just begun to run: a connection from before is worth nothing, and for a second
 * it is no surprise if there is none yet: it is tried again each millisecond.
 */
void channels_wake(struct channels *c, uint32_t line, vt_mono now);

#endif
