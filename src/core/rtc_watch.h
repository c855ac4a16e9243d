/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RTC_WATCH_H
#define CORE_RTC_WATCH_H

/*
 * rtc_watch.h - the battery clock, where nothing else answers
 *
 * A virtual machine's RTC usually goes on while the machine stands still (it is
 * emulated from the host's clock), so it shows that a guest was paused or
 * restored even where no source can be read.  It tells whole seconds, and
 * whether these are right nobody knows: so only its *change* against
 * CLOCK_MONOTONIC_RAW counts, only a sudden one, and only when it is seen
 * twice.  Between two looks nothing drifts by a second.
 *
 * While a source answers, the watch only remembers where the RTC is.
 *
 *     wait until rtc_watch_deadline()
 *     read CLOCK_MONOTONIC_RAW, the RTC and the system clock, close together
 *     switch (rtc_watch_look(...)) ...
 *     on RTC_WATCH_JUMPED: discipline_take_word()
 */

#include <stdbool.h>

#include "base/units.h"

struct rtc_look {
	vt_mono raw;
	vt_real rtc;   /* the middle of the second that it shows */
	vt_real local; /* CLOCK_REALTIME                         */
};

struct rtc_watch {
	bool is_started;
	struct rtc_look before; /* the latest look that showed nothing */
	bool is_suspected;
	vt_span suspected;      /* by so much the RTC had run on       */
	vt_mono next;
};

enum rtc_verdict {
	RTC_WATCH_QUIET,
	RTC_WATCH_SUSPECTED, /* it ran on, or was set: look again      */
	RTC_WATCH_JUMPED,    /* seen twice: *ret_correction is what our clock lacks, give or take a second */
};

/* To be looked at from @now on. */
void rtc_watch_init(struct rtc_watch *w, vt_mono now);

/* When to look next. */
vt_mono rtc_watch_deadline(const struct rtc_watch *w);

/*
 * A look.  @has_source: some source answers, and knows all of this better.  *@ret_correction is
 * written for RTC_WATCH_JUMPED only; it leaves out what somebody else has set our clock by meanwhile.
 */
enum rtc_verdict rtc_watch_look(struct rtc_watch *w, const struct rtc_look *look, bool has_source,
                                vt_span *ret_correction);

/* The RTC could not be read at @now: nothing is learnt, and it is tried again. */
void rtc_watch_miss(struct rtc_watch *w, vt_mono now);

#endif
