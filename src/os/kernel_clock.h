/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_KERNEL_CLOCK_H
#define OS_KERNEL_CLOCK_H

/*
 * kernel_clock.h - what the kernel was told about its clock
 *
 * By whoever steers it.  Only read, by adjtimex(2) with no mode.
 */

#include <stdbool.h>

#include "base/attr.h"
#include "base/units.h"
#include "os/calls.h"

enum kernel_leap { KERNEL_LEAP_NONE, KERNEL_LEAP_INSERT, KERNEL_LEAP_DELETE };

struct kernel_clock {
	bool is_synchronized; /* STA_UNSYNC is clear                              */
	vt_span max_error;    /* grows by 500 ppm until somebody says it anew     */
	vt_span left;         /* the correction that the kernel is slewing        */
	enum kernel_leap leap;
};

/* 0, or -errno with *@ret untouched. */
int kernel_clock_read(const struct os_calls *calls, struct kernel_clock *ret) must_check;

#endif
