/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

/*
 * event.h - what the discipline did, for whoever pops it
 *
 * A short queue instead of a callback.  Where nobody pops for long the oldest
 * go: the newest matter most.
 */

#include <stdbool.h>

#include "base/units.h"
#include "core/disruption.h"
#include "core/step_policy.h"

#define EVENT_QUEUE_MAX 16

enum discipline_event_kind {
	EVENT_SELECTED,   /* @source is followed from now on                              */
	EVENT_LOST,       /* @source cannot be used any more; its trouble says why        */
	EVENT_SUSPECTED,  /* a reading of @source that nothing explains: @size            */
	EVENT_DISMISSED,  /* it was an outlier, the next reading is as expected           */
	EVENT_SLEWED,     /* the source runs at another rate: @rate                       */
	EVENT_STEPPED,    /* the clock was stepped by @size for @cause                    */
	EVENT_UNSTEPPED,  /* it would have been, but we only observe                      */
	EVENT_FAILED,     /* the clock could not be moved: @error                         */
	EVENT_REFUSED,    /* an offset beyond `maxchange` was ignored                     */
	EVENT_GAVE_UP,    /* one too many of these: the daemon must end, as chrony's does */
	EVENT_DISRUPTED,  /* a disruption was opened: @disruption                         */
	EVENT_REPAIRED,   /* it is closed, and all of @disruption is known                */
	EVENT_LET_BE,     /* a jump that `resume ignore` leaves as it is: @size          */
	EVENT_SET_AWAY,   /* somebody else set our clock, and we repaired it within the   */
	                  /* last minute, or no source tells what is right: left alone    */
};

struct discipline_event {
	enum discipline_event_kind kind;
	int source;             /* index                                                     */
	enum step_cause cause;
	vt_span size;           /* a correction: positive where the clock was behind         */
	vt_rate rate;
	vt_span noticed_after;  /* the disruption happened at most this long before noticed  */
	vt_span repaired_after; /* from noticed to repaired                                  */
	vt_real at;             /* on the clock after the event                              */
	int error;              /* errno                                                     */
	struct disruption disruption; /* for the two kinds that say so                       */
	bool is_renamed;        /* EVENT_REPAIRED was told before, with another cause         */
};

struct event_queue {
	unsigned n, first;
	struct discipline_event events[EVENT_QUEUE_MAX];
};

/* Adds an event and returns it to be filled in; valid until the next push or pop. */
struct discipline_event *event_push(struct event_queue *q, enum discipline_event_kind kind,
                                    int source);

/* Takes the oldest.  False, and *@ret untouched, when there is none. */
bool event_pop(struct event_queue *q, struct discipline_event *ret);

#endif
