/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_LOOP_H
#define GUESTD_LOOP_H

/*
 * loop.h - the one event loop, on libev's poll backend
 *
 * Every other part of the daemon is an fd, a deadline and a dispatch; here they
 * meet libev, and nowhere else.  The poll backend, because it also runs under
 * time simulators that replace libc calls.
 */

#include "base/attr.h"
#include "guestd/daemon.h"

/* Runs until the daemon wants to end or SIGTERM, SIGINT.  0, or -errno where there is no loop. */
int loop_run(struct daemon *d) must_check;

#endif
