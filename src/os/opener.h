/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_OPENER_H
#define OS_OPENER_H

/*
 * opener.h - the small process that keeps root, to open clocks
 *
 * Devices are root's, and may appear or come back long after the daemon has
 * dropped root.  So a process is forked first that can do one thing: open, for
 * reading, one of a few devices, and hand over the fd.  It knows
 *
 *     the clock called "KVM virtual PTP", wherever it is
 *     any PTP clock by number: /dev/ptpN
 *     a path that was in the list when it was forked
 *     /dev/vmclock0
 *     /dev/rtc0
 *     the guest agent's port, to write as well: QEMU's, or the path that was given when it was forked
 *
 * and nothing that a daemon taken over by its enemies could use for more: a
 * request is a kind and a number, never a path; what it opens is a character
 * device.  A reference clock with a path of another form, added by a reload,
 * therefore needs a restart.  It keeps CAP_DAC_OVERRIDE alone, ignores signals
 * meant for the daemon, and ends when the daemon's end of its socket closes.
 *
 * A daemon that stays root opens by itself: the same functions, no process.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "os/ptp_find.h"

#define OPENER_PATHS_MAX 8
#define OPENER_PATH_MAX  256

/* The name that QEMU, libvirt and udev know it by. */
#define OPENER_AGENT_PATH "/dev/virtio-ports/org.qemu.guest_agent.0"

/* The paths of reference clocks, as configured. */
struct opener_paths {
	unsigned n;
	char paths[OPENER_PATHS_MAX][OPENER_PATH_MAX];
	char agent[OPENER_PATH_MAX]; /* of the guest agent's port; "": QEMU's own */
	/* The daemon's, in a folder of root's: removed in the end if it is empty then.  "": none. */
	char folder[OPENER_PATH_MAX];
};

struct opener {
	int socket; /* -1: opens by itself; owned */
	pid_t pid;  /* of the process; 0: none    */
	uint32_t sequence;
	int patience_ms;  /* a second */
	const char *root; /* put before /sys and /dev, not before @paths; borrowed for ever */
	struct opener_paths paths;
};

#define OPENER_INIT ((struct opener){ .socket = -1, .root = "" })

/*
 * Forks the process, or with @is_direct only remembers.  Call it while root, after becoming a
 * daemon (the process ends with its parent) and before any thread.  0 or -errno.
 */
int opener_init(struct opener *o, const struct opener_paths *paths, const char *root,
                bool is_direct) must_check;

/* The host's clock by its name.  @ret_node says which it is. */
int opener_open_kvm(struct opener *o, struct ptp_node *ret_node, int *ret_fd) must_check;

/*
 * A clock by path: /dev/ptpN, or one of the list.  -EACCES: neither.  /dev/ptp_kvm is the host's
 * clock by its name: the link of that name is udev's, and udev may be missing or have lost it.
 */
int opener_open_path(struct opener *o, const char *path, int *ret_fd) must_check;

int opener_open_vmclock(struct opener *o, int *ret_fd) must_check;
int opener_open_rtc(struct opener *o, int *ret_fd) must_check;

/* To read and to write, and where it is a terminal nothing in it translates. */
int opener_open_agent(struct opener *o, int *ret_fd) must_check;

/*
 * All of them: 0 and an fd that is the caller's (O_CLOEXEC), or -errno with outputs untouched.
 * -ENOENT, -ENODEV, -ENXIO: no such device now; -ENOTTY: not a character device.  The process
 * answers in microseconds; where it does not within a second, -ETIMEDOUT, and the next request
 * starts afresh.  -EPIPE: it is gone.
 */

/* Closes the socket, which ends the process, and waits for it (it ends at once). */
void opener_fini(struct opener *o);

#endif
