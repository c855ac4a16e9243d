/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCH_HISTORY_H
#define CLI_WATCH_HISTORY_H

/*
 * history.h - what was seen of the clock, and what happened to it
 *
 * A ring of samples and a short ring of marks.  Instants are on
 * CLOCK_MONOTONIC_RAW of the machine that watches, so that the line runs on
 * evenly while the clock beneath it jumps.
 *
 * A disruption is over before anybody can poll for it.  But its event says by
 * how much the clock was wrong and for how long, and that is what is drawn: the
 * line leaves by the size of the event for as long as the clock was wrong.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/units.h"
#include "proto/report.h"

#define HISTORY_SAMPLES 16384
#define HISTORY_MARKS   32

struct history_sample {
	vt_mono at;
	bool is_answered; /* false: the daemon said nothing; the rest means nothing    */
	bool has_offset;
	bool has_bound;
	enum report_state state;
	vt_span offset; /* positive: the clock is behind, as in every report          */
	vt_span bound;
};

struct history_mark {
	vt_mono at; /* when it was repaired, or told of where it was not */
	struct report_event event;
};

struct history {
	size_t n, newest; /* samples in use, and the index of the latest */
	struct history_sample samples[HISTORY_SAMPLES];
	size_t n_marks; /* the oldest first */
	struct history_mark marks[HISTORY_MARKS];
};

void history_init(struct history *h);

/* Adds what @status says at @now; NULL: the daemon does not answer. */
void history_add(struct history *h, const struct report_status *status, vt_mono now);

/*
 * Notes @event, told at @now when this machine's clock showed @real.  One that is known already is
 * only brought up to date.  Returns true where it was new.
 */
bool history_note(struct history *h, const struct report_event *event, vt_mono now, vt_real real);

/* What became of one stretch of time: a column of a chart. */
struct history_fold {
	unsigned n;     /* samples in it                                      */
	bool is_silent; /* the daemon did not answer                          */
	bool has_offset, has_bound;
	vt_span lowest, highest;         /* offset                                             */
	vt_span bound;                   /* the largest                                        */
	enum report_state state;         /* the worst                                          */
	const struct history_mark *mark; /* the latest event that lies in it, or NULL   */
	bool is_away;                    /* the clock was wrong here by `away`, says an event  */
	vt_span away;
};

/*
 * Folds the @n stretches of @width each, the last of which holds @end; stretches begin at whole
 * multiples of @width, so that what is folded once stays as it is while time goes on.
 */
void history_fold(const struct history *h, vt_mono end, vt_span width, struct history_fold *ret,
                  size_t n);

/* The largest magnitude in @folds, and one that is usual there: what the scale is made for. */
void history_extent(const struct history_fold *folds, size_t n, vt_span *ret_largest,
                    vt_span *ret_typical);

#endif
