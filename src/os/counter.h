/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_COUNTER_H
#define OS_COUNTER_H

/*
 * counter.h - the processor's counter, by which a vmclock page tells the time
 *
 * Any program may read it: the TSC on x86.  That it may be relied on is for the
 * kernel to say: where it keeps its own clocks by another counter although it
 * knows this one, or has put this one out of use, nobody else should use it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "wire/vmclock.h"

/* The one that this program can read; VMCLOCK_NO_COUNTER where it can read none. */
enum vmclock_counter counter_kind(void);

/* Its value now: not before what stands in front of the call.  0 where there is none. */
uint64_t counter_read(void);

/*
 * Whether the kernel relies on it: @clocksource, its present one, is this counter, or is kvm-clock,
 * which is made of it, while the counter is still offered.  @root is put before /sys.
 */
bool counter_is_trusted(const char *root, const char *clocksource);

#endif
