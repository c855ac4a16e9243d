/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_BATTERY_H
#define GUESTD_BATTERY_H

/*
 * battery.h - the battery clock is looked at, for when nothing else answers
 *
 * Reads the RTC as core/rtc_watch.h asks for it.  The device lets in one
 * program at a time, so it is opened for each look and closed again.
 */

#include <stdbool.h>

#include "core/clock_port.h"
#include "core/rtc_watch.h"
#include "os/opener.h"

struct battery {
	struct rtc_watch watch;
	struct opener *opener;    /* borrowed */
	struct clock_port *clock; /* borrowed: ours, to compare with */
};

void battery_init(struct battery *b, struct opener *opener, struct clock_port *clock, vt_mono now);

/* When to look next. */
vt_mono battery_deadline(const struct battery *b);

/*
 * Looks, if it is due.  True where the RTC proved that our clock lacks *@ret_correction, which is
 * untouched otherwise.  @has_source: some source answers.
 */
bool battery_look(struct battery *b, bool has_source, vt_mono now, vt_span *ret_correction);

#endif
