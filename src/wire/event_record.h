/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_EVENT_RECORD_H
#define WIRE_EVENT_RECORD_H

/*
 * event_record.h - one event, as it is kept
 *
 * A file of records of one size, each by itself: with its own checksum, so that
 * one that is torn, foreign or damaged costs no other.  256 bytes divide every
 * sector and page, so that a write is hardly ever torn at all.
 *
 * What vmtimed remembers of a disruption.  It stands in
 * its own words, not in the numbers of an enum: a record is read by later
 * versions, which may count their causes differently.  Evidence is a set of
 * bits, to which new ones are only ever added (core/evidence.h).
 */

#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

#define EVENT_RECORD_SIZE 256 /* bytes */
#define EVENT_NUMBER_MAX  (UINT64_C(1) << 62)

#define EVENT_CAUSE_MAX  64
#define EVENT_SOURCE_MAX 32
#define EVENT_BOOT_SIZE  16

/* How it ended.  These are the numbers in the file: new ones go to the end. */
enum event_end {
	EVENT_END_OPEN,       /* not yet, or nobody lived to write it down */
	EVENT_END_STEPPED,
	EVENT_END_SLEWED,
	EVENT_END_NOTHING,    /* the clock was right                       */
	EVENT_END_LEFT,       /* not ours to repair                        */
	EVENT_END_HELD,       /* the sources contradicted each other       */
	EVENT_END_UNFINISHED, /* the daemon ended before the event did     */
	EVENT_ENDS,           /* how many there are                        */
};

struct event_record {
	uint64_t number;               /* counts up from 1, over restarts and boots          */
	uint8_t boot[EVENT_BOOT_SIZE]; /* the kernel's id of the boot; all 0: not known      */
	enum event_end end;
	uint32_t evidence;
	vt_real noticed_at;            /* by the clock as it showed then                     */
	vt_real repaired_at;           /* by the repaired clock; 0 while open                */
	vt_span size;                  /* a correction: positive where the clock was behind  */
	vt_span blind_for;             /* from the last good reading to its notice           */
	vt_span disrupted_for;         /* from its notice to its end                         */
	char cause[EVENT_CAUSE_MAX];   /* terminated                                         */
	char source[EVENT_SOURCE_MAX]; /* terminated; empty: none                            */
};

enum event_record_outcome {
	EVENT_RECORD_READ,
	EVENT_RECORD_EMPTY,   /* nothing but zeros: never written         */
	EVENT_RECORD_DAMAGED, /* not a record, or one of a later version  */
};

/* All numbers little endian.  Texts are cut to their room; what is not printable ASCII becomes '?'. */
void event_record_encode(const struct event_record *record, uint8_t ret[EVENT_RECORD_SIZE]);

/* *@ret is written only for EVENT_RECORD_READ. */
enum event_record_outcome event_record_decode(const uint8_t bytes[EVENT_RECORD_SIZE],
                                              struct event_record *ret);

#endif
