/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

/*
 * loop.h - the one event loop of a daemon, on libev's poll backend
 *
 * Every other part of a daemon is an fd, a deadline and a dispatch; here they
 * meet libev, and nowhere else.  The poll backend, because it also runs under time
 * simulators that replace libc calls, and because what is waited for is a handful of fds,
 * set anew at each turn; those of vmtime-hostd's back ends are epolls of thousands of
 * sockets, which the kernel goes through each time that one is put into another.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/units.h"

/* A daemon as the loop sees it; @daemon is what loop_run was given. */
struct loop_ops {
	/* Fills in what to wait for, at most as many as were told to loop_run; returns how many. */
	size_t (*prepare)(void *daemon, struct pollfd *ret);

	/* When the next turn is due without input, on the clock that @now reads. */
	vt_mono (*deadline)(void *daemon);

	/* One turn.  @fds as prepared, with revents. */
	void (*dispatch)(void *daemon, vt_mono now, const struct pollfd *fds);

	/* SIGHUP came. */
	void (*reload)(void *daemon);

	/* Reads the clock that deadlines are told by. */
	vt_mono (*now)(void);
};

/*
 * Runs until *@wants_end, or SIGTERM, SIGINT, which set it.  Signals that main held back are let in.
 * 0, or -errno where there is no loop.
 */
int loop_run(const struct loop_ops *ops, void *daemon, size_t max_fds, bool *wants_end) must_check;

#endif
