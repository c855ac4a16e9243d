/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_HOOK_PROCESS_H
#define OS_HOOK_PROCESS_H

/*
 * hook_process.h - one program that is run and must not keep us waiting
 *
 * No shell: what the file is, the kernel decides.  It has a process group of its
 * own, /dev/null for input, and a pipe for what it says.  After its time limit
 * it is asked to end (SIGTERM, to the whole group), a little later it is made
 * to, and if even that is not seen to work it is left behind.
 *
 * It has ended when its first process has, and what that said has been read.
 * What it left running goes on, but is listened to no more.
 *
 *     r = hook_process_start(&p, path, environment, limit, now);
 *     while (hook_process_is_running(&p)) {
 *             n = hook_process_prepare(&p, &fd);
 *             ... poll(&fd, n, until p.deadline), or SIGCHLD came ...
 *             hook_process_dispatch(&p, now);
 *             while (hook_process_pop(&p, line))
 *                     ...
 *     }
 *
 * The caller must not ignore SIGCHLD, and wake up when it comes.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/units.h"

#define HOOK_LINE_MAX  512       /* bytes of a line that are kept             */
#define HOOK_LINES_MAX 200       /* lines that are kept; the others are drained */
#define HOOK_MERCY     VT_SEC(3) /* between SIGTERM and SIGKILL, and from there to leaving it */

enum hook_end {
	HOOK_EXITED,  /* with `status`                              */
	HOOK_KILLED,  /* by the signal `status`, which was not ours */
	HOOK_EXPIRED, /* its time was up; it is ended               */
	HOOK_ESCAPED, /* its time was up; it is still there         */
};

struct hook_process {
	enum { HOOK_IDLE, HOOK_RUNNING, HOOK_TERMINATED, HOOK_SHOT, HOOK_ENDED } state;
	pid_t pid;
	int out;           /* the pipe's end; -1: closed                     */
	vt_mono deadline;  /* when the state changes though nothing happens  */
	enum hook_end end; /* once it is idle again                          */
	int status;
	unsigned lines;     /* that were popped                               */
	bool is_cut;        /* the line that is being read was longer         */
	bool is_silenced;   /* more lines came than are kept                  */
	unsigned drains;    /* readings that are left after it has ended: what a pipe can hold */
	size_t used, taken; /* taken: popped already, at the front           */
	char bytes[4096];
};

void hook_process_init(struct hook_process *p);

/* Kills what runs, its whole group, and does not wait for it.  Safe after init, and twice. */
void hook_process_fini(struct hook_process *p);

/*
 * Runs @path, alone in its arguments, with @environment (ended by NULL).  0, or -errno: it cannot
 * be executed.
 */
int hook_process_start(struct hook_process *p, char *path, char **environment, vt_span limit,
                       vt_mono now) must_check;

/* It has no longer than until @deadline. */
void hook_process_hurry(struct hook_process *p, vt_mono deadline);

bool hook_process_is_running(const struct hook_process *p);

/* 0 or 1: how many of @ret are in use.  There is more to wait for: SIGCHLD. */
size_t hook_process_prepare(const struct hook_process *p, struct pollfd *ret);

/* Reads some of what it said, sees whether it has ended, and minds its time.  Pop before the next.
 */
void hook_process_dispatch(struct hook_process *p, vt_mono now);

/* The next line of what it said, without its break, cut to its size; foreign bytes. */
bool hook_process_pop(struct hook_process *p, char to[HOOK_LINE_MAX + 1]);

/* Takes notice of those that escaped and have ended since; only while @p is not running. */
void hook_process_reap_escaped(const struct hook_process *p);

#endif
