/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_EVENT_RING_H
#define OS_EVENT_RING_H

/*
 * event_ring.h - the latest events, the oldest giving way to the newest
 *
 * Numbers count up by one and are never used twice.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "wire/event_record.h"

#define EVENT_RING_SIZE 256 /* events that are kept */

struct event_ring {
	struct event_record *records; /* EVENT_RING_SIZE of them, by number modulo size; NULL: none */
	uint64_t newest;              /* number of the newest; 0: there is none yet                  */
};

#define EVENT_RING_INIT { .records = NULL }

/* Takes memory, of which only what is used costs anything.  0 or -errno. */
int event_ring_open(struct event_ring *r) must_check;

/* Safe after INIT, and twice. */
void event_ring_fini(struct event_ring *r);

/* Keeps @record, which gets the next number, and returns that. */
uint64_t event_ring_add(struct event_ring *r, const struct event_record *record);

/* Replaces the record that has @record's number.  False: it is not kept any more. */
bool event_ring_change(struct event_ring *r, const struct event_record *record);

/* The record with @number, valid until the next call that is not const; NULL: it is not kept. */
const struct event_record *event_ring_get(const struct event_ring *r, uint64_t number);

/* The smallest number that may be kept; larger than the newest where there is none. */
uint64_t event_ring_oldest(const struct event_ring *r);

#endif
