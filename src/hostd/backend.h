/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_BACKEND_H
#define HOSTD_BACKEND_H

/*
 * backend.h - the door to guests, however they are reached
 *
 * Implemented over libvirt (libvirt.h), over QEMU's own sockets (qemu.h) and over
 * vsock alone (channels.h), and by tests.  An implementation embeds struct backend
 * as its first member.
 *
 * To the loop a back end is one fd, whatever is behind it (an epoll of a thousand
 * sockets, an eventfd that worker threads write to), a deadline and a dispatch.
 * None of these calls waits.  After each dispatch the caller pops signs first, then
 * outcomes, each until there are none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostd/sign.h"
#include "hostd/work.h"

struct backend;

struct backend_ops {
	/* Serves what has come, and what the time asks for. */
	void (*dispatch)(struct backend *b, vt_mono now);

	/* When to call dispatch though the fd is not readable; VT_MONO_NEVER. */
	vt_mono (*deadline)(const struct backend *b);

	/* Take the next one.  False, and *@ret untouched: there is none. */
	bool (*pop_sign)(struct backend *b, struct sign *ret);
	bool (*pop_outcome)(struct backend *b, struct work_outcome *ret);

	/*
	 * Begins @work (copied) for @guest.  There is always exactly one outcome, unless it is
	 * dropped; also for a guest that is gone.  One that had work already drops that.
	 */
	void (*begin)(struct backend *b, uint32_t guest, const struct work *work);

	/*
	 * Forgets the work of @guest: no outcome comes.  What has been sent cannot be called
	 * back; its answer is thrown away when it comes.
	 */
	void (*drop)(struct backend *b, uint32_t guest);
};

struct backend {
	const struct backend_ops *ops;
	const char *name; /* "libvirt", "qemu", "vsock" */
	int fd;           /* readable: dispatch is wanted.  -1: there is none now; may change at a dispatch */
	char trouble[REPORT_TEXT_MAX]; /* why guests may be missing, one sentence; "": nothing */
};

#endif
