/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_NUDGE_H
#define CLI_NUDGE_H

/*
 * nudge.h - `vmtime nudge`: have the daemon read its sources now
 */

#include "base/attr.h"
#include "cli/options.h"

/* The exit status. */
int nudge_run(const struct options *options) must_check;

#endif
