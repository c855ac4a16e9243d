/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_POLLER_H
#define OS_POLLER_H

/*
 * poller.h - many descriptors that look like one
 *
 * A thin cover over epoll(7): a component that has two thousand sockets shows its loop
 * the one descriptor of its poller, and takes from it which of them are ready.  Each
 * has a tag, the owner's own word for it.  Readiness is told as long as it lasts (level
 * triggered): whoever leaves bytes where they are is told again.
 *
 * A descriptor is watched until poller_forget or until it is closed, whichever comes first.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct poller {
	int fd; /* readable while any of its descriptors is ready; -1: none */
};

struct poller_event {
	uint64_t tag;
	bool is_readable; /* also when the other end hung up: reading tells */
	bool is_writable;
};

/* Makes @p safe for poller_fini; 0 or -errno. */
int poller_init(struct poller *p) must_check;

/* Safe after a poller_init that failed, and twice.  The descriptors are their owners' to close. */
void poller_fini(struct poller *p);

/* Watches @fd, or changes how it is watched: for input, and with @wants_write for room as well.  0 or -errno. */
int poller_watch(struct poller *p, int fd, uint64_t tag, bool wants_write) must_check;

/* Watches it no more; one that is not watched is no matter. */
void poller_forget(struct poller *p, int fd);

/* Writes at most @n of what is ready into @to, without waiting; returns how many. */
size_t poller_take(struct poller *p, struct poller_event *to, size_t n);

#endif
