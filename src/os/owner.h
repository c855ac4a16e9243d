/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_OWNER_H
#define OS_OWNER_H

/*
 * owner.h - is another process steering the system clock?
 *
 * Two servos on one clock fight.  A process is taken for an owner when all of
 * these hold:
 *
 *   - its name is one of those that set the clock (the table in owner.c);
 *   - it has CAP_SYS_TIME in its effective set;
 *   - it lives in our user namespace (only there is that capability of use);
 *   - its arguments do not say otherwise: `chronyd -x`, a phc2sys whose sink is
 *     not CLOCK_REALTIME, a ptp4l that steers a network card's clock,
 *     `VBoxService --disable-timesync`, `vmtimed -x`.
 *
 * What cannot be told apart counts as an owner: the answer is a refusal that
 * the administrator can override, the opposite mistake is a clock that jumps.
 * What cannot be seen (hidepid, another PID namespace) cannot be found.
 *
 * qemu-ga and the Hyper-V daemons are none: the former sets the clock only when
 * the host asks, the latter leave that to the kernel.
 */

#include <sys/types.h>

struct owner {
	char name[16]; /* as in /proc/PID/comm: cut at 15 characters */
	pid_t pid;
	char hand_over[128]; /* the command that makes it let go: "systemctl disable --now chrony"
			      */
};

enum owner_outcome {
	OWNER_NONE,
	OWNER_FOUND,   /* *ret is written                                     */
	OWNER_UNKNOWN, /* /proc cannot be read, so nobody knows               */
};

/*
 * Looks through @root/proc (@root "" for the real one) for an owner other than @self, its parent
 * and its children.  Takes a few microseconds a process; processes may come and go meanwhile.
 */
enum owner_outcome owner_find(const char *root, pid_t self, struct owner *ret);

/* As owner_find, and goes on: *@ret_n owners are in @ret, at most @size.  Written for OWNER_FOUND. */
enum owner_outcome owner_list(const char *root, pid_t self, struct owner *ret, unsigned size,
			      unsigned *ret_n);

#endif
