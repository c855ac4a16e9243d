/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

/*
 * events.h - `vmtime events`: what happened to the clock, and what happens
 */

#include "cli/options.h"

/* The exit status. */
int events_run(const struct options *options);

#endif
