/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_DAEMONIZE_H
#define OS_DAEMONIZE_H

/*
 * daemonize.h - leave the terminal, and let who started us know how it went
 *
 *     switch (daemonize_fork(&d, &status)) {
 *     case DAEMONIZE_PARENT: return status;   // of the start: 0, or the child's
 *     case DAEMONIZE_FAILED: return log_err(...), 1;
 *     case DAEMONIZE_CHILD:  break;
 *     }
 *     ... open, check; log to stderr; on an error just exit with a status ...
 *     daemonize_up(&d);                       // closes stdio, releases the parent
 *
 * Forks twice: the daemon leads no session and never gets a terminal back.  The
 * parent waits until the child is up or has ended, so `vmtimed && next` means
 * what it says.
 */

#include "base/attr.h"

struct daemonize {
	int report_fd; /* -1: in the foreground, or already up */
};

#define DAEMONIZE_INIT ((struct daemonize){ .report_fd = -1 })

enum daemonize_outcome {
	DAEMONIZE_CHILD,  /* go on: you are the daemon                     */
	DAEMONIZE_PARENT, /* the child is up or gone; end with *ret_status */
	DAEMONIZE_FAILED, /* *ret_status is a negative errno               */
};

enum daemonize_outcome daemonize_fork(struct daemonize *d, int *ret_status) must_check;

/*
 * Releases the parent with @status, without leaving stdio; for an error after which the child
 * ends.  Without it the parent ends with 1 when the child does.
 */
void daemonize_fail(struct daemonize *d, int status);

/*
 * We are up: stdin, stdout and stderr become /dev/null, the working folder becomes /, the parent
 * ends with 0.  In the foreground: does nothing.  0 or -errno, and then nothing was reported.
 */
int daemonize_up(struct daemonize *d) must_check;

#endif
