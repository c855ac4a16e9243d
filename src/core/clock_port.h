/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CLOCK_PORT_H
#define CORE_CLOCK_PORT_H

/*
 * clock_port.h - the door to a clock that can be steered
 *
 * Declared by core, implemented by os/clock_linux (the kernel's clock) and by
 * tests.  With -x no clock is moved at all: see discipline.h.  An implementation embeds struct clock_port as its first member.
 */

#include <stdbool.h>

#include "base/attr.h"
#include "base/units.h"
#include "core/reading.h"

struct clock_port;

/* What the kernel is told about the quality of its clock; see adjtimex(2). */
struct clock_quality {
	bool is_synchronized; /* clears STA_UNSYNC, which also turns the 11-minute RTC mode on */
	vt_span max_error;    /* bound                                                          */
	vt_span est_error;    /* typical                                                        */
};

struct clock_ops {
	/* Reads both clocks at (nearly) one instant.  0 or -errno. */
	int (*read)(struct clock_port *c, struct clock_pair *ret);

	/*
	 * Sets the clock's rate against CLOCK_MONOTONIC_RAW, absolute, not a delta: positive makes
	 * it run fast.  *@ret_got is what the clock can really do, after its quantization and
	 * limits.  0 or -errno (-EPERM: no right to).
	 */
	int (*steer)(struct clock_port *c, vt_rate want, vt_rate *ret_got);

	/* Adds @correction to the clock at once.  0 or -errno. */
	int (*step)(struct clock_port *c, vt_span correction);

	/* Publishes the quality.  0 or -errno. */
	int (*publish)(struct clock_port *c, const struct clock_quality *quality);
};

struct clock_port {
	const struct clock_ops *ops;
	vt_rate max_rate; /* the fastest that steer can do, either way: 100000 ppm on Linux */
};

#endif
