/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCH_WATCH_H
#define CLI_WATCH_WATCH_H

/*
 * watch.h - `vmtime watch`: the clock, live
 *
 * On a terminal a screen: it follows changes of the terminal's size, obeys q
 * (quit), + and - (more or less time in the chart) and Ctrl-L (draw anew), and
 * leaves the terminal as it was, whatever ends it.  Elsewhere, and where TERM
 * is "dumb" or not set, a line a second.
 *
 * A daemon that is not there is no reason to end: it says so and goes on asking.
 */

#include "base/attr.h"

/*
 * Returns an exit status: 0 after q, 1 where the output cannot be written, or is no terminal any
 * more.  A signal that ends the program ends it as that signal does.
 */
int watch_run(const char *socket) must_check;

#endif
