/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_CLOCK_LINUX_H
#define OS_CLOCK_LINUX_H

/*
 * clock_linux.h - the kernel's clock, read, steered, stepped
 *
 * Steering uses adjtimex's frequency and tick and nothing else.  Both add up:
 * one tick unit (1 us in 10000, USER_HZ being 100) is 100 ppm, the frequency is
 * in 2^-16 ppm and reaches +-500 ppm, so together they reach +-100000 ppm in
 * steps of 0.015 ppb, at once.  The kernel's own phase loop (ADJ_OFFSET,
 * STA_PLL) is never used: it would be a second servo behind ours.
 *
 * Stepping is ADJ_SETOFFSET, which is atomic; it makes the kernel call its clock
 * unsynchronised, so publish after it.
 *
 * Nothing is set before the first steer, step, publish or take-over: a daemon
 * that starts can ask how the clock runs now and go on from there.
 */

#include <stdbool.h>

#include "base/attr.h"
#include "core/clock_port.h"
#include "os/calls.h"

struct clock_linux {
	struct clock_port port; /* first: &c->port is what core gets */
	const struct os_calls *calls;
	long tick;                /* as set now, us in 1/100 s                  */
	vt_rate rate_at_start;    /* frequency and tick together, found by init */
	bool was_unsynchronized;  /* STA_UNSYNC, found by init                  */
	bool has_foreign_offset;  /* somebody's ADJ_OFFSET was being worked off */
};

/*
 * Looks at the clock and sets nothing.  @calls is borrowed as long as @c lives; NULL: the kernel's.
 * 0 or -errno.  There is nothing to undo; see clock_linux_restore.
 */
int clock_linux_init(struct clock_linux *c, const struct os_calls *calls) must_check;

/* The rate that the kernel has now, by whoever.  0, or -errno with *@ret untouched. */
int clock_linux_rate(struct clock_linux *c, vt_rate *ret) must_check;

/* Does the kernel call its clock synchronised, now?  0, or -errno with *@ret untouched. */
int clock_linux_is_synchronized(const struct clock_linux *c, bool *ret) must_check;

/*
 * What the kernel will do at the end of this UTC day: insert a second (1), leave one out (-1), or
 * neither (0).  0, or *@ret untouched: -EAGAIN while it does so and until that is acknowledged, and
 * while its clock is unsynchronised, when it does not tell; -errno.
 */
int clock_linux_leap(const struct clock_linux *c, int *ret) must_check;

/* What the clock would do if steered to @want: its limits and quantization.  Sets nothing. */
vt_rate clock_linux_quantize(const struct clock_linux *c, vt_rate want);

/*
 * Drops what a previous owner left to the kernel to do by itself: its phase loop's mode and the
 * rest of an offset being slewed.  Frequency and tick stay; the clock does not jump.  Call it once,
 * when it is certain that we own the clock.  Where there is nothing to drop it sets nothing.
 * The kernel's state is unsynchronised afterwards if anything was dropped.  0 or -errno.
 */
int clock_linux_take_over(struct clock_linux *c) must_check;

/*
 * For a daemon that ends, and for the unit's ExecStopPost after one that was killed: tick back to
 * nominal, frequency kept at @keep (limited to +-500 ppm): the oscillator's own error, without a
 * slew that nobody would end.  0 or -errno.
 */
int clock_linux_restore(struct clock_linux *c, vt_rate keep) must_check;

#endif
