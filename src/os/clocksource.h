/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_CLOCKSOURCE_H
#define OS_CLOCKSOURCE_H

/*
 * clocksource.h - which counter is beneath the kernel's clocks
 *
 * When it changes, CLOCK_MONOTONIC_RAW runs at another rate from then on, and a
 * PHC may be read in another way: readings from before and after must not be
 * mixed.  The file is opened once and kept, so that a look costs one pread(2)
 * and needs no right.  Without sysfs there is nothing to see, and no harm.
 */

#include <stdbool.h>

struct clocksource {
	int fd;         /* -1: no such file; owned                          */
	char name[32];  /* "kvm-clock", "tsc"; empty: unknown               */
	unsigned epoch; /* raised at each change that was seen              */
};

#define CLOCKSOURCE_INIT ((struct clocksource){ .fd = -1 })

/* @root is put before /sys; "" on a real system.  Cannot fail: what is missing stays unknown. */
void clocksource_init(struct clocksource *c, const char *root);

/* Looks again.  True where the name is another than at the latest look. */
bool clocksource_check(struct clocksource *c);

void clocksource_fini(struct clocksource *c);

#endif
