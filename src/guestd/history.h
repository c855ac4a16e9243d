/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_HISTORY_H
#define GUESTD_HISTORY_H

/*
 * history.h - what happened to the clock, for `vmtime events`
 *
 * Every disruption becomes one entry of the ring, and every step belongs to one.
 * Who follows is told as it happens.
 */

#include <stddef.h>

#include "base/attr.h"
#include "core/event.h"
#include "os/event_ring.h"
#include "proto/control.h"
#include "proto/report.h"

struct daemon;

#define HISTORY_DISRUPTIONS 4

struct history {
	struct event_ring ring;
	uint8_t boot[EVENT_BOOT_SIZE];
	/* The latest disruptions: core's number of each, and ours; 0: none. */
	struct {
		uint64_t core, ring;
	} known[HISTORY_DISRUPTIONS];
	unsigned next;    /* of these, to be overwritten                   */
	uint64_t is_open; /* our number of the disruption that is open; 0  */
	int error;        /* why they are kept in memory alone, as told; 0 */
	uint64_t unreadable; /* damaged records, as told                   */
};

#define HISTORY_INIT { .ring = EVENT_RING_INIT }

/* Takes memory.  0 or -errno. */
int history_start(struct history *h) must_check;

/* From the next sync on they are kept in a file as well. */
void history_keep(struct history *h);

/* Once a turn: writes what is new.  Where that cannot be done it is told once. */
void history_sync(struct history *h, vt_mono now);

void history_fini(struct history *h);

/* Keeps what @e says, where it is an event of this kind, and tells who follows. */
void history_note(struct daemon *d, const struct discipline_event *e);

/* Keeps that the clock was set by @size from the RTC, which is none of the discipline's sources. */
void history_note_rtc(struct daemon *d, vt_span size);

/* The newest entry; is_there is false where there is none. */
void history_report_latest(const struct history *h, struct report_event *ret);

/* Those that @arguments ask for: of all that are in their bounds the newest `limit`. */
void history_report_events(const struct history *h, const struct control_arguments *arguments,
                           struct report_events *ret);

#endif
