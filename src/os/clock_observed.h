/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_CLOCK_OBSERVED_H
#define OS_CLOCK_OBSERVED_H

/*
 * clock_observed.h - the kernel's clock, only looked at (-x)
 *
 * Reads as clock_linux does.  To steer, to step and to publish succeed, change
 * nothing, need no right, and are remembered here for reports.
 */

#include "core/clock_port.h"
#include "os/clock_linux.h"

struct clock_observed {
	struct clock_port port;
	struct clock_linux under; /* only ever read */
	vt_rate steered;          /* the latest wish, as the clock would have taken it */
	vt_span stepped;          /* the sum of all steps that were not made           */
	unsigned long steps;
	struct clock_quality quality; /* the latest */
};

/* As clock_linux_init.  0 or -errno. */
int clock_observed_init(struct clock_observed *c, const struct os_calls *calls) must_check;

#endif
