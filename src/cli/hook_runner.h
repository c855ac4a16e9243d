/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_HOOK_RUNNER_H
#define CLI_HOOK_RUNNER_H

/*
 * hook_runner.h - runs the hooks of one job, one after the other
 *
 * The folder is read anew for each job.  What a hook says and how it ends is
 * logged, and so is, once, each file that is there and not run.  Nothing that a
 * hook does keeps the next one from its turn.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/hook_queue.h"
#include "os/hook_files.h"
#include "os/hook_process.h"

#define HOOK_PATH_MAX 4096
#define HOOK_SAID_MAX 64

/* A file, or a folder (name empty), that it has been said of why it is not used. */
struct hook_said {
	enum hook_phase phase;
	enum hook_verdict verdict;
	char name[HOOK_NAME_MAX];
};

struct hook_runner {
	const char *folder;       /* borrowed; holds on-disruption.d and on-repair.d */
	char *const *environment; /* borrowed: what hooks inherit */
	vt_span limit;            /* of time, for each hook */
	bool is_busy;
	bool is_last; /* no other hook is started */
	struct hook_job job;
	struct hook_files files;
	size_t next; /* of files */
	char path[HOOK_PATH_MAX];
	vt_mono started;
	struct hook_process process;
	size_t n_said;
	struct hook_said said[HOOK_SAID_MAX];
};

void hook_runner_init(struct hook_runner *r, const char *folder, vt_span limit,
                      char *const *environment);

/* Kills what runs.  Safe after init, and twice. */
void hook_runner_fini(struct hook_runner *r);

/* Says what is there and what of it will not be run. */
void hook_runner_survey(struct hook_runner *r);

/* Between two jobs it is not busy. */
void hook_runner_begin(struct hook_runner *r, const struct hook_job *job, vt_mono now);

/* The hook that runs is the last one, and has at most @limit left. */
void hook_runner_hurry(struct hook_runner *r, vt_mono now, vt_span limit);

/* 0 or 1: how many of @ret are in use; SIGCHLD is to be waited for, too. */
size_t hook_runner_prepare(const struct hook_runner *r, struct pollfd *ret);

vt_mono hook_runner_deadline(const struct hook_runner *r);

void hook_runner_dispatch(struct hook_runner *r, vt_mono now);

#endif
