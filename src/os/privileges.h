/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_PRIVILEGES_H
#define OS_PRIVILEGES_H

/*
 * privileges.h - from root to a user who may only set the clock
 *
 * In this order: resolve the user early (privileges_find_user), ask whether the
 * clock can be set at all (privileges_clock_right), open what needs root, drop
 * (privileges_drop), and once started confine the process to the system calls
 * that its work takes (privileges_confine).
 *
 * Capabilities are set by capset(2) and prctl(2) and the filter is written by
 * hand: no library, so the static build does the same as the dynamic one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"

#define PRIVILEGES_USER "vmtime" /* when nothing else is said */

struct privileges_user {
	bool is_root; /* then nothing is dropped */
	uid_t uid;
	gid_t gid;
};

enum privileges_user_outcome {
	PRIVILEGES_USER_FOUND,
	PRIVILEGES_USER_UNKNOWN,      /* no such user                                        */
	PRIVILEGES_USER_NEEDS_NUMBER, /* a name, but a static build cannot look names up     */
	PRIVILEGES_USER_MALFORMED,    /* neither a name nor UID nor UID:GID                  */
};

/*
 * @user is a name, "UID" (the group has the same number) or "UID:GID".  Numbers and "root" need no
 * user database.  *@ret is written only for PRIVILEGES_USER_FOUND.
 */
enum privileges_user_outcome privileges_find_user(const char *user, struct privileges_user *ret);

/* Writes one sentence about an outcome other than FOUND, with what to do.  Returns @to. */
const char *privileges_explain_user(enum privileges_user_outcome outcome, const char *user,
				    char *to, size_t size);

enum privileges_clock_right {
	PRIVILEGES_CLOCK_OURS,
	PRIVILEGES_CLOCK_NO_CAPABILITY, /* CAP_SYS_TIME is not in our effective set            */
	PRIVILEGES_CLOCK_NAMESPACE,     /* it is, but in a user namespace, where it is no use  */
};

/* May this process set the system clock?  Asks only, sets nothing. */
enum privileges_clock_right privileges_clock_right(void);

/* One sentence, a constant, with what to do (-x); NULL for PRIVILEGES_CLOCK_OURS. */
const char *privileges_explain_clock(enum privileges_clock_right right);

/*
 * Becomes @user for good: supplementary groups cleared, CAP_SYS_TIME kept (where we have it) and
 * nothing else, bounding and ambient sets emptied, no_new_privs.  With is_root: does nothing.  0 or
 * -errno; after a failure the process is in between and must end.
 */
int privileges_drop(const struct privileges_user *user) must_check;

/* For privileges_limit: to set the clock, and to open clocks whoever they belong to. */
extern const unsigned long long PRIVILEGES_CLOCK_AND_DEVICES;

/* To reach the sockets of others, give the control socket to a group, and speak to guests as root does. */
extern const unsigned long long PRIVILEGES_OF_HOSTD;

/*
 * Gives up all capabilities but those in @keep (a mask of 1 << CAP_...) and sets no_new_privs, but
 * stays who it is; for the opener, which needs to be root to open devices and needs nothing else.
 * 0 or -errno.
 */
int privileges_limit(unsigned long long keep) must_check;

enum privileges_confine_outcome {
	PRIVILEGES_CONFINED,
	PRIVILEGES_CONFINE_LEFT_OUT,    /* by the build: a sanitizer, or an unknown architecture */
	PRIVILEGES_CONFINE_UNSUPPORTED, /* by the kernel; go on without                          */
};

/*
 * From here on only the system calls that a started vmtimed makes are possible; ioctl only with the
 * PTP and RTC reading requests, socket only AF_UNIX and AF_NETLINK.  Anything else fails with
 * ENOSYS (EPERM for a refused argument), except what only an intruder would do (execve, ptrace,
 * modules, mounts), which ends the process.
 */
enum privileges_confine_outcome privileges_confine(void);

#endif
