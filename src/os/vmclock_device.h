/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_VMCLOCK_DEVICE_H
#define OS_VMCLOCK_DEVICE_H

/*
 * vmclock_device.h - the page of /dev/vmclock0, watched
 *
 * Maps the page of a device that somebody else has opened, and tells what
 * changed in it since the latest look.  A look at a mapped page that did not
 * change is two loads from memory, so whoever has one looks at each wake-up.
 * Where mapping fails the page is read.
 *
 * A host that announces changes makes the fd readable; the page says so.  The
 * kernel arms that again only by read(2), and answers POLLHUP where nothing is
 * announced: such an fd is never waited for again, nor is one that is ready more
 * often than is good for us until some time has passed.
 *
 * Nothing here waits: a page that is being written is looked at a few times, and
 * then again at the next wake-up.  The kernel's read(2) waits up to 0.1 s for
 * such a page, so it is read only while a mapped page is not being written, and
 * after such a wait not for a while.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/allowance.h"
#include "base/attr.h"
#include "base/units.h"
#include "wire/vmclock.h"

#define VMCLOCK_DEVICE_PATH "/dev/vmclock0"

/* What a look can find changed: a set. */
enum vmclock_change {
	VMCLOCK_CHANGED_MARKER     = 1 << 0,
	VMCLOCK_CHANGED_GENERATION = 1 << 1,
};

/* The system calls, for tests to play. */
struct vmclock_calls {
	void *context;
	/* mmap(2) of a page for reading; NULL where that fails. */
	const volatile void *(*map)(void *context, int fd);
	void (*unmap)(void *context, const volatile void *page);
	/* pread(2) of the first @size bytes: how many, or -errno. */
	int (*read)(void *context, int fd, void *to, size_t size);
	/* poll(2) for POLLIN that does not wait: the events. */
	short (*poll)(void *context, int fd);
};

struct vmclock_device {
	const struct vmclock_calls *calls;
	int fd;                            /* -1: no device; owned      */
	const volatile unsigned char *map; /* NULL: it is read          */
	bool is_known;                     /* @page holds its latest consistent copy */
	struct vmclock_page page;          /* kept when the device goes, to compare with ... */
	bool has_page;                     /* ... when it is back                       */
	enum vmclock_outcome trouble;      /* VMCLOCK_READ: none.  Being written is one when
	                                      that has taken a second */
	vt_mono odd_since;                 /* VMCLOCK_WRITING */
	bool is_odd;
	int error;                         /* why it cannot be read, or 0 */
	vt_mono reads_again;
	bool is_unpollable;                /* waiting for it does not work */
	bool is_polled;                    /* of the latest prepare */
	struct allowance wakes;
};

/* @calls NULL: the kernel's.  No device yet. */
void vmclock_device_init(struct vmclock_device *v, const struct vmclock_calls *calls);

/*
 * Takes @fd over.  The next look compares with what was seen of a device before, if anything was.
 */
void vmclock_device_attach(struct vmclock_device *v, int fd);

/* Closes it.  Safe after init, and twice. */
void vmclock_device_detach(struct vmclock_device *v);

/* Looks at the page.  Returns a set of enum vmclock_change; the first look ever finds none. */
unsigned vmclock_device_look(struct vmclock_device *v, vt_mono now);

/*
 * A consistent copy as of now, for whoever wants the time; changes in it are left to the next look.
 * 0, or *@ret untouched: -ENODEV where there is no device or no page that we know, -EAGAIN while
 * it is being written, -ETIMEDOUT (and not again for a while) where the kernel waited for that in vain.
 */
int vmclock_device_fetch(struct vmclock_device *v, vt_mono now,
                         struct vmclock_page *ret) must_check;

/* Whether the page is still that one. */
bool vmclock_device_is_still(struct vmclock_device *v, vt_mono now,
                             const struct vmclock_page *page);

/* Fills in what to wait for; returns 0 or 1. */
size_t vmclock_device_prepare(struct vmclock_device *v, vt_mono now, struct pollfd *ret);

/* As look; @fds as prepared, @n of them, 0: nothing came. */
unsigned vmclock_device_dispatch(struct vmclock_device *v, vt_mono now, const struct pollfd *fds,
                                 size_t n);

/* The host announces changes, and waiting for them works. */
bool vmclock_device_is_announced(const struct vmclock_device *v);

#endif
