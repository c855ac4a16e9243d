/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_HOOK_QUEUE_H
#define CLI_HOOK_QUEUE_H

/*
 * hook_queue.h - which hooks are due, each once, in the order of what happened
 *
 * Fed with what vmtimed says as it happens, and after each connection with its
 * list of events: what began or ended while nobody listened is found there.
 * What was over before the first connection is history and makes no hooks run;
 * an event that is open then does.  One that the daemon forgot while it was open
 * (it was killed, and could not keep it) has ended as well: unfinished.
 *
 * Hooks may take longer than events.  The queue is bounded: where it overflows
 * the oldest go, so that what is run last is what is true last.
 *
 * Pure: no clock, no I/O.
 */

#include <stdbool.h>
#include <stddef.h>

#include "proto/report.h"

#define HOOK_QUEUE_MAX 16
#define HOOK_SEEN_MAX  (2 * REPORT_EVENTS_MAX)

enum hook_phase {
	HOOK_ON_DISRUPTION, /* an event began                                 */
	HOOK_ON_REPAIR,     /* it ended, or the clock was stepped by the way  */
};

struct hook_job {
	enum hook_phase phase;
	struct report_event event;
};

/* Numbers begin anew where the daemon's file is lost: the time tells such events apart. */
struct hook_seen {
	uint64_t number;
	vt_real noticed;
	bool has_begun, has_ended; /* hooks for it were queued, or are not to be */
};

struct hook_queue {
	size_t first, n;
	struct hook_job jobs[HOOK_QUEUE_MAX];
	unsigned dropped; /* since hook_queue_dropped was asked */
	bool has_caught_up;
	bool has_open;
	struct report_event open; /* the latest that began and has not ended */
	bool has_begun;
	struct report_event begun; /* of the latest job given out, where that was a disruption */
	size_t n_seen, next_seen;
	struct hook_seen seen[HOOK_SEEN_MAX];
};

void hook_queue_init(struct hook_queue *q);

/* Something happened. */
void hook_queue_add(struct hook_queue *q, const struct report_notice *notice);

/* The daemon's list, @n @events, oldest first, after a new connection. */
void hook_queue_catch_up(struct hook_queue *q, const struct report_event *events, size_t n);

/* Takes the oldest.  False, and *@ret untouched, when there is none. */
bool hook_queue_pop(struct hook_queue *q, struct hook_job *ret);

/*
 * Nobody will follow any more, and what waits is forgotten.  Where the latest job given out was the
 * beginning of an event, *@ret is its end, unfinished unless that waited already.  False, and *@ret
 * untouched: nothing is due.
 */
bool hook_queue_close(struct hook_queue *q, struct hook_job *ret);

/* How many were lost since the last question. */
unsigned hook_queue_dropped(struct hook_queue *q);

#endif
