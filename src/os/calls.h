/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_CALLS_H
#define OS_CALLS_H

/*
 * calls.h - the few system calls about time, behind pointers
 *
 * Whoever reads or sets a clock in os/ takes these from its init, so that a unit
 * test can play the kernel: every errno, every odd value, no privilege, no
 * sleeping, and never this machine's own clock.
 *
 * The functions return what the system call returns, with -errno for failure:
 * no errno variable to save.
 */

#include <sys/timex.h>
#include <time.h>

struct os_calls {
	void *context; /* handed to each of them; the real ones ignore it */

	/* clock_gettime(2).  0 or -errno. */
	int (*gettime)(void *context, clockid_t id, struct timespec *ret);

	/* ioctl(2).  Not negative, or -errno. */
	int (*ioctl)(void *context, int fd, unsigned long request, void *argument);

	/* adjtimex(2): the leap state (TIME_OK ...), or -errno.  Modes 0 only reads. */
	int (*adjtimex)(void *context, struct timex *t);
};

/* The kernel's own. */
extern const struct os_calls OS_CALLS;

#endif
