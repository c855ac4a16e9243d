/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_CLOCK_WATCH_H
#define OS_CLOCK_WATCH_H

/*
 * clock_watch.h - what the kernel's own clocks tell of a disruption
 *
 *   - CLOCK_REALTIME was set: a timer on it that never expires is cancelled by
 *     that (TFD_TIMER_CANCEL_ON_SET), and its fd is readable.  Slewing does not.
 *   - The machine slept: CLOCK_BOOTTIME ran on, CLOCK_MONOTONIC did not.
 *
 * Neither shows that a virtual machine was paused: then all clocks stand still.
 *
 * Who sets the clock all the time is heard a few times, and then twice a second.
 *
 * A program of the kind that replaces the C library's time (a time simulator)
 * knows neither: where the C library's clock is not the kernel's, nothing is
 * watched.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/allowance.h"
#include "base/units.h"
#include "os/calls.h"

struct clock_watch {
	const struct os_calls *calls;
	int fd;          /* -1: the kernel does not tell when the clock is set; owned */
	bool has_slept;  /* @slept is known                                           */
	bool is_blind;   /* sleep cannot be seen                                      */
	vt_span slept;   /* CLOCK_BOOTTIME - CLOCK_MONOTONIC, at the latest look      */
	struct allowance wakes;
};

/* Safe for fini.  Watches nothing. */
void clock_watch_init(struct clock_watch *w, const struct os_calls *calls);

/* Begins to watch what can be watched; cannot fail.  @calls NULL: the kernel's. */
void clock_watch_open(struct clock_watch *w);

/* Fills in what to wait for; returns 0 or 1. */
size_t clock_watch_prepare(struct clock_watch *w, vt_mono now, struct pollfd *ret);

/* True where the clock was set since the latest call; asks the kernel only where @fds says so. */
bool clock_watch_dispatch(struct clock_watch *w, vt_mono now, const struct pollfd *fds, size_t n);

/* We set it ourselves: what the kernel has to tell of that is forgotten. */
void clock_watch_forgive(struct clock_watch *w);

/* True where the machine slept since the latest look; *@ret_length: for how long. */
bool clock_watch_slept(struct clock_watch *w, vt_span *ret_length);

/* Safe after init, and twice. */
void clock_watch_fini(struct clock_watch *w);

#endif
