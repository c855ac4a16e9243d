/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_AGENT_H
#define GUESTD_AGENT_H

/*
 * agent.h - vmtimed as its guest's agent, as far as time goes
 *
 * A host sets its guests' clocks through the guest agent.  Where an image has no
 * qemu-ga, vmtimed can take that port itself and answer the commands about time as
 * qemu-ga does, without needing hwclock (proto/guest_agent.h).  It is off unless
 * the directive `agent` says so:
 *
 *     agent auto     QEMU's port, where no qemu-ga is installed; given back when one is
 *     agent PATH     that device, whoever else is installed
 *     agent vsock:PORT  for the host's root alone, one at a time
 *
 * guest-set-time does not simply set the clock.  Where a source answers, vmtimed
 * knows the time better than a message that may have waited while the guest was
 * paused: it reads at once, and then says whether the clock is within a second of
 * what was asked for.  Only where no source answers is the host believed.
 *
 * Requests are answered in their order, one at a time, as qemu-ga does.
 */

#include <poll.h>
#include <stdbool.h>

#include "base/units.h"
#include "proto/agent_reader.h"
#include "proto/guest_agent.h"

#define AGENT_FDS 2

/* Replies that the host has not taken yet; while there is no room no request is read. */
#define AGENT_OUT_MAX 4096

#define AGENT_CONFIGURED_MAX 256

struct daemon;

struct agent {
	char configured[AGENT_CONFIGURED_MAX]; /* as the directive says */
	unsigned vsock_port; /* 0: not vsock */
	int listener; /* vsock; -1: none           */
	int fd;       /* port or client; -1: none  */
	bool is_hung; /* the host has not opened its end: looked at again now and then */
	vt_mono try_at;
	const char *told_rival; /* why the port is not ours, as told; NULL */
	int told_error;

	struct agent_reader reader;
	char in[1024]; /* read, and not yet looked at: from in_taken to in_used */
	size_t in_used, in_taken;
	char out[AGENT_OUT_MAX];
	size_t out_used;

	bool is_setting; /* a guest-set-time waits for its reading */
	struct guest_agent_request setting;
	vt_mono asked, give_up;

	uint64_t requests;
	uint64_t refused; /* connections of somebody who is not the host's root */
};

/* Makes @a safe for every other call. */
void agent_init(struct agent *a);

/* From now on as the directive says; @vsock_port is its PORT, or 0. */
void agent_open(struct daemon *d, const char *configured, unsigned vsock_port, vt_mono now);
void agent_fini(struct agent *a);

/* Fills in what to wait for; returns how many of AGENT_FDS are in use. */
size_t agent_prepare(const struct agent *a, struct pollfd *ret);
vt_mono agent_deadline(const struct agent *a);

/* Takes requests.  Before the clocks are read, because some ask for that. */
void agent_dispatch(struct daemon *d, vt_mono now, const struct pollfd *fds, size_t n);

/* Answers what waited for a reading.  After the clocks were read. */
void agent_settle(struct daemon *d, vt_mono now);

#endif
