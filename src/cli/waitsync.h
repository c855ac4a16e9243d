/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WAITSYNC_H
#define CLI_WAITSYNC_H

/*
 * waitsync.h - `vmtime waitsync`: returns when the clock is right
 *
 * With chronyc's arguments, tries and lines.  But vmtimed is not asked again and
 * again: it holds the request and answers in the turn in which the clock has
 * become right.  A try is one such request.
 */

#include "cli/options.h"

/* The exit status: EXIT_SHOWN once the clock is right, EXIT_NO_ANSWER when given up. */
int waitsync_run(const struct options *options);

#endif
