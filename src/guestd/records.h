/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_RECORDS_H
#define GUESTD_RECORDS_H

/*
 * records.h - what `log` and `logdir` ask for: chrony's files of measurements
 *
 * refclocks.log has a line for each reading.  As under chrony, once in each interval of `poll` the
 * readings are summed up: a filtered line there, one in statistics.log, and for the source that is
 * followed one in tracking.log.  A step, and a clock that follows nothing any more, come into
 * tracking.log at once.
 *
 * A file that cannot be written is told once, and again when it can; the clock does not wait for
 * it, and every line is tried.
 */

#include <stdbool.h>

#include "base/units.h"
#include "guestd/record_lines.h"
#include "guestd/refclocks.h"
#include "guestd/settings.h"
#include "os/record_file.h"

struct daemon;

struct records {
	struct {
		struct record_file file;
		uint64_t lines; /* since the files were opened by name, for the banner */
		int told;       /* why it could not be written the last time, or 0     */
	} files[RECORD_KINDS];
	struct {
		uint64_t readings; /* of the source, as far as they are written          */
		unsigned number;   /* of the next one in its interval                    */
		vt_mono due;       /* the interval's end                                 */
		vt_rate rate, sigma; /* in the last line of statistics.log; sigma 0: none  */
	} sources[REFCLOCKS_MAX];
	bool is_started;
	/* What is to be the first line of tracking.log: the clock is set before there are files. */
	char first[RECORD_LINE_MAX];
	size_t n_first;
	uint64_t updates, steps; /* of the clock, as far as they are written */
	bool is_followed;        /* what tracking.log says of it             */

	/* Just before the readings of this turn. */
	vt_span remaining;       /* what was still to be added to the clock  */
	bool has_bound;
	vt_span bound;
};

void records_init(struct records *r);

/*
 * Makes the folder where something is written to it and it is missing, and gives it to @uid and
 * @gid.  The folders above it that are missing are our own.
 */
void records_make_folder(const struct daemon *d, uid_t uid, gid_t gid);

/* Nothing is written before: a file that root made could not be written by the daemon's user. */
void records_start(struct daemon *d, vt_mono now);

/* Once a turn, before and after the clocks are read. */
void records_before(struct daemon *d, vt_mono now);
void records_after(struct daemon *d, vt_mono now);

/* Forgets what belongs to sources that are gone. */
void records_drop_sources(struct records *r);

/* chronyc cyclelogs, SIGHUP: the next line opens its file by name. */
void records_cycle(struct records *r);

void records_fini(struct records *r);

#endif
