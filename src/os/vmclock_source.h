/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_VMCLOCK_SOURCE_H
#define OS_VMCLOCK_SOURCE_H

/*
 * vmclock_source.h - a vmclock page as a source
 *
 * Where the page tells the time, a reading costs no call of the host: the
 * processor's counter between two looks at CLOCK_MONOTONIC_RAW, and what UTC was
 * at that count by the page.  How wrong that can be the page tells too, and every
 * bracket is widened by it: unlike that of the host's PTP clock, such a reading
 * counts the error of the host's own clock.
 *
 * A page that does not do as a clock (see wire/vmclock.h), or a counter that the
 * kernel itself does not rely on, is no source; it may become one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/source_port.h"
#include "os/calls.h"
#include "os/clocksource.h"
#include "os/vmclock_device.h"

struct vmclock_source {
	struct source_port port; /* first: what core reads through                */
	struct vmclock_device *device;   /* borrowed; may be without a device     */
	struct clocksource *clocksource; /* borrowed                              */
	const struct os_calls *calls;
	const char *root;                /* put before /sys; borrowed             */
	enum vmclock_counter counter;    /* what can be read                      */
	uint64_t (*read_counter)(void);
	enum vmclock_clock fitness;      /* of the page, at the latest attempt    */
	bool is_counter_trusted;         /* likewise                              */
	vt_span utc_minus_tai;           /* of the page at the latest reading ... */
	bool has_tai_offset;             /* ... if it tells                       */
};

/* @calls NULL: the kernel's.  Reads nothing yet. */
void vmclock_source_init(struct vmclock_source *s, struct vmclock_device *device,
                         struct clocksource *clocksource, const struct os_calls *calls);

/* A few words why it could not be read, for people. */
const char *vmclock_source_explain(const struct vmclock_source *s);

#endif
