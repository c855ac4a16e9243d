/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SOURCE_PORT_H
#define CORE_SOURCE_PORT_H

/*
 * source_port.h - the door to a clock that can only be read
 *
 * Declared by core, implemented by os/ptp, by the simulator and by tests.  An
 * implementation embeds struct source_port as its first member.
 */

#include <stdbool.h>

#include "core/reading.h"

struct source_port;

/* How an attempt to read a source ended.  Only SOURCE_READ writes the burst. */
enum source_outcome {
	SOURCE_READ,
	SOURCE_BUSY,    /* try again soon: the clock pairing was disturbed (EBUSY, EAGAIN)           */
	SOURCE_MISSING, /* there is no such device now; it is looked for again                       */
	SOURCE_REFUSED, /* the device is there, its host refuses to answer (EOPNOTSUPP): for ptp_kvm */
	                /* the host's own clocksource is not the TSC                                 */
	SOURCE_DENIED,  /* we may not open or read it (EACCES, EPERM)                                */
	SOURCE_BROKEN,  /* anything else; the device is closed and opened again                      */
};

struct source_ops {
	/* Reads up to @wanted brackets (1 to BURST_MAX).  Never blocks. */
	enum source_outcome (*read)(struct source_port *s, unsigned wanted, struct burst *ret);
};

struct source_port {
	const struct source_ops *ops;
	bool shows_host; /* whatever the way, it is the host's own clock, as others may show it too */
	int error; /* the errno of the latest outcome other than SOURCE_READ, for people; 0 if none */
};

#endif
