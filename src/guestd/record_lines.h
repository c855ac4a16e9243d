/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_RECORD_LINES_H
#define GUESTD_RECORD_LINES_H

/*
 * record_lines.h - the lines of tracking.log, statistics.log and refclocks.log
 *
 * Column for column what chronyd 4.3 writes, because plots read them: widths, precision, signs and
 * banners are compared with files that it wrote.  The times are UTC, on our own clock.
 *
 * The signs are chrony's, and not one: where a column is positive is said at each member.  All
 * offsets but the raw one are news: what was known already, and is being slewed, is not in them.
 *
 * Pure text: no file, no clock.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/units.h"

#define RECORD_LINE_MAX   256
#define RECORD_BANNER_MAX 512
#define RECORD_NAME_MAX   16

enum record_kind {
	RECORD_TRACKING,
	RECORD_STATISTICS,
	RECORD_REFCLOCKS,
	RECORD_KINDS,
};

/* The clock, when it was compared with the source that it follows. */
struct record_tracking {
	vt_real at;
	char name[RECORD_NAME_MAX]; /* the source's; empty: none is followed         */
	int stratum;                /* our own                                       */
	double frequency_ppm;       /* positive: by itself our clock runs fast       */
	double skew_ppm;            /* what that can be wrong by                     */
	vt_span offset;             /* positive: our clock was fast, beyond what remains */
	vt_span offset_sigma;       /* one standard deviation of it                  */
	vt_span remaining;          /* positive: it was known to be slow by this still */
	vt_span root_delay, root_dispersion;
	vt_span max_error;          /* how far it can have been off just before      */
};

/* What is known of a source. */
struct record_statistics {
	vt_real at;
	char name[RECORD_NAME_MAX];
	vt_span deviation;    /* of its readings, one standard deviation */
	vt_span offset;       /* positive: our clock is fast             */
	vt_span offset_sigma; /* one standard deviation of it            */
	double frequency;     /* s/s; positive: our clock gains on it    */
	double skew;          /* what that can be wrong by, s/s          */
	double stress;        /* how far the rate changed, in parts of what it could be wrong by */
	unsigned samples, runs;
};

/* One reading of a reference clock, or what was made of several. */
struct record_refclock {
	vt_real at;
	char name[RECORD_NAME_MAX];
	bool is_filtered;
	unsigned number;    /* of the reading since the last filtered one, from 0 */
	vt_span raw;        /* as the device gave it; positive: our clock is slow */
	vt_span offset;     /* the same, with the configured corrections, as news */
	vt_span dispersion; /* what that can be wrong by                          */
};

/* The name of the file: "tracking.log". */
const char *record_file_name(enum record_kind kind);

/* Writes three lines that tell the columns into @to, of RECORD_BANNER_MAX bytes.  The length. */
size_t record_banner(enum record_kind kind, char *to);

/* Each writes one line with its end into @to, of RECORD_LINE_MAX bytes, and returns its length. */
size_t record_tracking_line(const struct record_tracking *r, char *to);
size_t record_statistics_line(const struct record_statistics *r, char *to);
size_t record_refclock_line(const struct record_refclock *r, char *to);

#endif
