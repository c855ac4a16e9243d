/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_LOOP_H
#define HOSTD_LOOP_H

/*
 * loop.h - the one event loop, on libev's epoll backend
 *
 * Every other part of the daemon is an fd, a deadline and a dispatch; here they
 * meet libev, and nowhere else.  A back end with a thousand sockets is one fd.
 */

#include "base/attr.h"
#include "hostd/daemon.h"

/* Runs until the daemon wants to end or SIGTERM, SIGINT.  0, or -errno where there is no loop. */
int loop_run(struct daemon *d) must_check;

#endif
