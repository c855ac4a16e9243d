/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DISCIPLINE_H
#define CORE_DISCIPLINE_H

/*
 * discipline.h - keeps one clock right by its sources
 *
 * The whole of vmtimed's logic without its surroundings: which source is due,
 * what its reading means, whether the clock is stepped, slewed or left alone.
 * It reads sources and moves the clock through the two ports only, and time is
 * handed in, so a simulator can drive it through years in seconds.
 *
 *     wait until discipline_deadline()
 *     discipline_dispatch(now)
 *     while (discipline_pop(&event)) ...
 *
 * Steps are decided by their cause (see step_policy.h), never by size alone.
 */

#include <stdbool.h>

#include "core/bound.h"
#include "core/clock_port.h"
#include "core/course.h"
#include "core/event.h"
#include "core/evidence.h"
#include "core/incident.h"
#include "core/leap.h"
#include "core/nudge.h"
#include "core/servo.h"
#include "core/source.h"
#include "core/step_policy.h"
#include "core/tempo.h"

#define DISCIPLINE_SOURCES_MAX SOURCES_MAX

/* An offset larger than this is no drift. */
#define DISCIPLINE_LARGE VT_MS(1)

struct discipline_conf {
	struct step_conf step;
	vt_rate max_slew;              /* `maxslewrate`                                         */
	bool is_observing;             /* -x: the clock is looked at and never touched          */
	bool keeps_kernel_synchronized; /* `rtcsync`: STA_UNSYNC is cleared while in sync       */
	vt_rate rate, rate_sigma;      /* known beforehand (drift file), or 0 +/- a crystal's   */
};

enum discipline_state {
	DISCIPLINE_STARTING,  /* nothing has been measured yet               */
	DISCIPLINE_OK,
	DISCIPLINE_HOLDOVER,  /* no source answers; the last rate is kept    */
	DISCIPLINE_DISRUPTED, /* the world jumped and is being measured, or slewed after */
};

struct discipline {
	struct discipline_conf conf;
	struct clock_port *clock; /* borrowed */
	int n_sources;
	struct source sources[DISCIPLINE_SOURCES_MAX];
	int selected;             /* index, or SELECT_NONE */

	bool is_disrupted;
	bool has_updated;
	struct step_state step;
	struct leap leap;
	struct incident incident; /* the disruption that is going on, or was the latest */
	struct nudge asks;        /* for readings at once, which are limited */

	struct course course;     /* of our clock */
	struct tempo tempo;       /* of the followed source */
	struct servo servo;
	vt_mono settle_at;        /* when a piece of a slew ends; VT_MONO_NEVER: no slew */
	bool is_left_away;        /* somebody else set our clock, and we repaired it too lately */
	bool is_let_be;           /* `resume ignore`: a jump is left to somebody else */
	bool is_catching_up;      /* `resume slew`: a jump is being slewed away, ...       */
	enum step_cause caught_cause; /* ... of this cause ...                             */
	vt_span caught_size;      /* ... and size                                          */
	bool is_unstepped;        /* we only observe, and told of a step that would be due ... */
	vt_span unstepped;        /* ... of this size */
	int step_error, steer_error; /* why the latest attempt failed, or 0; told when it changes */

	struct bound bound;       /* relative to the followed source */
	vt_span host_error;       /* of the host's own clock, for who follows it; 0: not known */
	bool is_tai_known;
	vt_span utc_minus_tai;

	vt_span last_offset;      /* correction asked for by the latest update */
	bool has_average;
	double rms_offset_ns;     /* long-term average of the offsets that nothing but drift made */
	vt_mono last_update;
	vt_span update_interval;
	vt_rate residual;         /* the source's rate now minus the one used until the update */
	uint64_t updates, steps, jumps;

	struct event_queue events;
};

/* @clock is borrowed.  @steered: the rate the clock runs at as we find it. */
void discipline_init(struct discipline *d, const struct discipline_conf *conf,
                     struct clock_port *clock, vt_rate steered);

/* Adds a source that is read at once.  Returns its index, or -ENOSPC.  @port is borrowed. */
int discipline_add(struct discipline *d, struct source_port *port, const struct source_conf *conf,
                   bool is_host);

/* Forgets all sources, for a new configuration; what was learnt of the rate is kept for new ones. */
void discipline_drop_sources(struct discipline *d);

/* What TAI sources need: UTC - TAI, e.g. -37 s. */
void discipline_set_tai(struct discipline *d, vt_span utc_minus_tai);

/*
 * The kernel will insert (1) or leave out (-1) a second at the end of this UTC day, or neither (0); as
 * adjtimex(2) answers.  May be told again and again.
 */
void discipline_set_leap(struct discipline *d, int seconds, vt_mono now);

/*
 * No source answers, but something else has a word on the time: the RTC ran on while our clock did not
 * (@of is EVIDENCE_RTC, see rtc_watch.h), or the host told it (EVIDENCE_TOLD).  @correction is what the
 * clock lacks by that, give or take a second.  It is stepped if the policy says so; no bound follows.
 * Does nothing while there is a source.
 */
void discipline_take_word(struct discipline *d, enum evidence of, vt_span correction, vt_mono now);

/*
 * How far the host's own clock can be off, as far as anybody knows; 0: not known.  Where the host is
 * followed the kernel is told the sum of both, and nothing else changes.
 */
void discipline_set_host_error(struct discipline *d, vt_span host_error);

/* When to call discipline_dispatch at the latest. */
vt_mono discipline_deadline(const struct discipline *d);

/* Reads what is due and moves the clock.  @now was read by the caller, once, for this wake-up. */
void discipline_dispatch(struct discipline *d, vt_mono now);

/*
 * Something besides the readings speaks of a disruption: @evidence, a set of enum evidence.  Reads
 * every source at once; what disrupts (EVIDENCE_DISRUPTS) makes the state so now.  @size: how long
 * CLOCK_MONOTONIC stood still (EVIDENCE_SUSPEND), else 0.
 */
void discipline_witness(struct discipline *d, unsigned evidence, vt_span size, vt_mono now);

/* Takes the oldest event.  False when there is none. */
bool discipline_pop(struct discipline *d, struct discipline_event *ret);

enum discipline_state discipline_state(const struct discipline *d);

/* Whether a reading that began after @since has left nothing of the clock to be repaired. */
bool discipline_is_proven(const struct discipline *d, vt_mono since);

/* What must be added to the clock at @now by our best knowledge; false before anything is known. */
bool discipline_correction(const struct discipline *d, vt_mono now, vt_span *ret);

/* Ends a slew: leaves the clock at the rate that keeps it right by itself. */
void discipline_leave(struct discipline *d);

#endif
