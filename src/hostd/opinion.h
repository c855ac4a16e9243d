/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_OPINION_H
#define HOSTD_OPINION_H

/*
 * opinion.h - how right is the host's own clock, by the word of who keeps it?
 *
 * Everybody who keeps clocks has words of his own; here they become one: synchronised to
 * something better than itself, or not, and if so at most how far from true time.  A bound
 * errs outwards: it is told to guests, which add it to their own.
 *
 * Each opinion bears a mark that changes whenever the daemon has compared the clock anew.
 * A machine that slept has a clock that nobody has compared since, whatever the daemon
 * still says: it counts again when the mark is another one.
 *
 * Pure: no system call, no clock.
 */

#include <stdbool.h>
#include <stdint.h>

#include "os/kernel_clock.h"
#include "proto/report.h"
#include "wire/candm_data.h"

struct opinion {
	struct report_host_quality quality;
	int64_t mark;
};

/* chronyd's tracking: root delay / 2 + root dispersion + |correction|. */
void opinion_of_chronyd(const struct candm_tracking *t, struct opinion *ret);

/*
 * vmtimed's status.  One that does not know how far its own host can be off counts as not
 * synchronised: nobody can say how far this clock is from true time.
 */
void opinion_of_vmtimed(const struct report_status *s, struct opinion *ret);

/*
 * systemd-timesyncd touches a file whenever it has compared the clock: @touched, by the clock itself,
 * which shows @now.  It uses no server that is farther from true time than five seconds, and does not
 * say how far this one is; so that is what can be said.
 */
void opinion_of_timesyncd(const struct kernel_clock *k, vt_real touched, vt_real now,
                          struct opinion *ret);

/* What the kernel was told, by @daemon; "": nobody known. */
void opinion_of_kernel(const struct kernel_clock *k, const char *daemon, struct opinion *ret);

/* Whether they say different things, but for the distance. */
bool opinion_is_news(const struct opinion *a, const struct opinion *b);

#endif
