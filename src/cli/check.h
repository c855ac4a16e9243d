/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

/*
 * check.h - vmtime check: what is wrong with this machine's time
 *
 * Asks no daemon and changes nothing.  One look takes a few milliseconds; --wait takes a second one
 * at stolen time, since a rate needs two.
 */

#include "cli/options.h"

/* Its exit status.  A wrong command line is CHECK_BLIND as well: it is no statement on the clock. */
enum { CHECK_FINE = 0, CHECK_WARNINGS = 1, CHECK_BROKEN = 2, CHECK_BLIND = 3 };

/* The sites that --guest and --host name, of enum finding_site; 0: the facts say. */
unsigned check_sites(const struct options *options);

int check_run(const struct options *options);

#endif
