/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_REPORT_H
#define GUESTD_REPORT_H

/*
 * report.h - the daemon's state as the values that proto/ sends
 *
 * The one place where corrections and rates become what people expect to read:
 * an offset has the sign of the correction (positive: the clock is behind), a
 * frequency the opposite of the rate we steer by (positive: the clock by itself
 * runs fast).
 */

#include "guestd/daemon.h"
#include "proto/report.h"

void report_make(const struct daemon *d, vt_mono now, struct report_status *ret);

/* The parts of it that are wanted alone. */
enum report_state report_state(const struct daemon *d);
void report_reason(const struct daemon *d, enum report_state state, char *to, size_t size);
void report_tracking(const struct daemon *d, vt_mono now, struct report_tracking *ret);

/* Of the sources that are shown, in their order: how many, and which place in refclocks the @nth has. */
unsigned report_count_sources(const struct daemon *d);
int report_place_of(const struct daemon *d, unsigned nth); /* -1: there are not so many */
void report_source(const struct daemon *d, int place, vt_mono now, struct report_source *ret);

/* How far the clock can be off at @now.  False, and *@ret untouched: there is no telling. */
bool report_bound(const struct daemon *d, vt_mono now, vt_span *ret);

/* Writes one sentence about why no source is followed. */
void report_explain_sources(const struct daemon *d, char *to, size_t size);

#endif
