/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_UEVENT_H
#define OS_UEVENT_H

/*
 * uevent.h - the kernel's word that this machine was taken from a saved state
 *
 * A host may give its guest a generation id (VMGENID) that is another one
 * whenever the guest starts from a saved state.  Programs cannot read it, but
 * the kernel's driver sends an event about its device then: one with
 * NEW_VMGENID=1, among all the others that tell of devices coming and going.
 *
 * Not every kernel sends it: Linux 7.3.4, which the lab runs, has no trace of
 * it.  Where there is a vmclock, its page says more.
 *
 * Only what comes from the kernel itself is believed: programs may send to the
 * same group.  Where there is no such socket nothing is heard, and no harm.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/allowance.h"
#include "base/units.h"

struct uevent {
	int fd; /* -1: not heard; owned */
	/* recvmsg(2), for tests to play: the bytes, or -errno. */
	int (*receive)(int fd, struct msghdr *message);
	bool is_polled;
	struct allowance messages;
};

/* Safe for fini.  Opens nothing. */
void uevent_init(struct uevent *u);

/* 0 or -errno: then nothing is heard. */
int uevent_open(struct uevent *u);

/* Fills in what to wait for; returns 0 or 1. */
size_t uevent_prepare(struct uevent *u, vt_mono now, struct pollfd *ret);

/*
 * True where the kernel told of a new generation.  @fds as prepared, @n of them, 0: nothing came.
 */
bool uevent_dispatch(struct uevent *u, vt_mono now, const struct pollfd *fds, size_t n);

/* Safe after init, and twice. */
void uevent_fini(struct uevent *u);

/*
 * Whether an event's text, "change@/devices/..." and then words that each end with a NUL, says so.
 */
bool uevent_tells_generation(const char *text, size_t length);

#endif
