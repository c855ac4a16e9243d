/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_HOOKS_H
#define CLI_HOOKS_H

/*
 * hooks.h - `vmtime events --follow --exec DIR`: programs that are run when the time jumps
 *
 * vmtimed itself executes nothing.  This follows its events for as long as it
 * runs, over restarts of the daemon, and runs what is in DIR/on-disruption.d
 * when an event begins, what is in DIR/on-repair.d when it has ended; for each
 * event once.  A hook never keeps it from following, nor for longer than its
 * time limit another hook from its turn.
 *
 * Events are printed to standard output as without --exec; what hooks say and
 * how they end goes to standard error.
 */

#include <stdbool.h>

#include "base/attr.h"
#include "base/units.h"

#define HOOKS_LIMIT_DEFAULT VT_SEC(30)

struct hooks_conf {
	const char *socket;
	const char *folder;
	vt_span limit; /* of time, for each hook; more than 0 */
	bool is_json;
};

/*
 * Until it is told to end by SIGTERM, SIGINT or SIGHUP.  Then the hook that runs may finish, and
 * where the last that was run was for the beginning of an event, the hooks for its end are run as
 * well (unfinished): five seconds each.  Told twice, it ends at once.  Returns an exit status.
 */
int hooks_run(const struct hooks_conf *conf) must_check;

#endif
