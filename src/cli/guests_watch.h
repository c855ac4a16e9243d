/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_GUESTS_WATCH_H
#define CLI_GUESTS_WATCH_H

/*
 * guests_watch.h - `vmtime guests --watch`: the guests of a host, live
 *
 * On a terminal a screen that is drawn anew each second, with as many guests as it has
 * rows for, the worst first; q ends it.  Elsewhere the table again and again, a blank line
 * between.  A daemon that is not there is no reason to end.
 */

#include "base/attr.h"

/* The exit status. */
int guests_watch(const char *socket) must_check;

#endif
