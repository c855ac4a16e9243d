/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_QEMU_GUEST_H
#define HOSTD_QEMU_GUEST_H

/*
 * qemu_guest.h - one socket of a monitor, and the guest behind it as soon as it has answered
 *
 * Joins a monitor's connection with that of the agent's port, and turns the news of the one
 * into signs and the answers of both into outcomes.  Nothing but qemu.c includes it.
 *
 * Signs are kept as one bit a kind: however many events come in one portion, a guest has
 * at most one of each to tell, in an order that ends with how things are now.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "hostd/agent_link.h"
#include "hostd/backend.h"
#include "hostd/heap.h"
#include "hostd/qmp_link.h"
#include "os/poller.h"

struct qemu_guest {
	uint32_t number;
	char *qmp, *agent;  /* paths; agent "": none */
	unsigned cid;
	char name[GUEST_NAME_MAX];
	char uuid[QMP_LINK_UUID_MAX];
	bool was_found;     /* at the latest look for sockets                     */
	bool is_known;      /* it has answered: SIGN_APPEARED was made            */
	bool is_running;
	bool is_over;       /* to be freed when all that it has to tell was taken */
	unsigned signs;     /* 1 << enum sign_kind                                */
	vt_mono stopped_at, running_at, seen_at; /* seen_at: anything else       */
	enum host_reason reason;
	struct qmp_link monitor;
	struct agent_link port;
	bool has_work;      /* that the monitor does: WORK_RESET_RTC              */
	struct work work;
	vt_mono work_deadline;
	bool has_outcome;
	struct work_outcome outcome;
	vt_mono retry;      /* when to connect; VT_MONO_NEVER while connected     */
	vt_span backoff;
	struct qemu_guest *next_sign, *next_outcome; /* queues of the back end    */
	bool in_signs, in_outcomes;
	struct heap_node turn; /* for qemu.c ... */
	bool was_troubled;     /* ... as well    */
};

/* A new one, to be freed with qemu_guest_free; NULL: out of memory.  Connects at the first turn. */
struct qemu_guest *qemu_guest_new(uint32_t number, const char *name, const char *qmp,
                                  const char *agent, unsigned cid, vt_mono now);
void qemu_guest_free(struct qemu_guest *g);

/* Whether its monitor's socket is @path. */
bool qemu_guest_has_path(const struct qemu_guest *g, const char *path);

/* Something has come from the monitor, or from the agent's port. */
void qemu_guest_hear_monitor(struct qemu_guest *g, vt_mono now);
void qemu_guest_hear_port(struct qemu_guest *g);

/* Does what the time asks for; watches new sockets with @poller. */
void qemu_guest_turn(struct qemu_guest *g, struct poller *poller, vt_mono now);

/* When the next turn is; VT_MONO_NEVER. */
vt_mono qemu_guest_deadline(const struct qemu_guest *g);

/* Whether its socket can be let go of when there is no such file any more. */
bool qemu_guest_is_down(const struct qemu_guest *g);

/* There is no such guest any more. */
void qemu_guest_end(struct qemu_guest *g, vt_mono now);

void qemu_guest_begin(struct qemu_guest *g, const struct work *work, struct poller *poller,
                      vt_mono now);
void qemu_guest_drop(struct qemu_guest *g);

/* Takes the next sign.  False, and *@ret untouched: there is none. */
bool qemu_guest_pop_sign(struct qemu_guest *g, struct sign *ret);

/* The tags of its two sockets. */
#define QEMU_GUEST_TAG_PORT 1 /* added to the address of the guest */

#endif
