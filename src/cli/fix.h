/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FIX_H
#define CLI_FIX_H

/*
 * fix.h - vmtime fix and vmtime undo: the findings of check, mended, and taken back
 *
 * Everything is shown before anything is done, and nothing is done without a yes.
 * Exit status: 0 done, or there was nothing to do; 1 not done, or not all; 2 the
 * command line is wrong.
 */

#include "cli/options.h"

int fix_run(const struct options *options);
int undo_run(const struct options *options);

#endif
