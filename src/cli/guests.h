/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_GUESTS_H
#define CLI_GUESTS_H

/*
 * guests.h - `vmtime guests` and `vmtime sync`, on a host
 */

#include "base/attr.h"
#include "cli/options.h"

/* Each returns the exit status. */
int guests_run(const struct options *options) must_check;

/* 0 where the clock of every guest that was asked for is right, else EXIT_NO_ANSWER. */
int sync_run(const struct options *options) must_check;

#endif
