/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_VMCLOCK_H
#define WIRE_VMCLOCK_H

/*
 * vmclock.h - the page in which a host tells its guest of disruptions and time
 *
 * The vmclock device shares one little-endian page with the guest.  In it stand a
 * marker that changes when the guest was disrupted (restored, migrated), perhaps a
 * counter of the machine's generations, and perhaps the time: what UTC or TAI was
 * when a counter of the processor showed a certain value, how long one count
 * takes, and how wrong both can be.
 *
 * A host that is writing makes the sequence odd, and another one afterwards.  Who
 * reads the page while it is mapped copies it between two looks at the sequence;
 * what is decoded here is such a copy.
 *
 * Pure: pointer and length in, values out.  The layout is version 1 of the page
 * as Linux knows it (include/uapi/linux/vmclock-abi.h): the first published
 * specification differed from it in the flags and the generation.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

#define VMCLOCK_BYTES       0x70 /* as many as this version of the layout has          */
#define VMCLOCK_BYTES_FIRST 0x68 /* ... and had before there was a generation          */
#define VMCLOCK_SEQUENCE_AT 0x0c /* where the sequence stands, 32 bits, little-endian  */
#define VMCLOCK_MARKER_AT   0x10 /* and the disruption marker, 64 bits, likewise         */

enum vmclock_counter {
	VMCLOCK_ARM_VIRTUAL = 0,
	VMCLOCK_X86_TSC     = 1,
	VMCLOCK_NO_COUNTER  = 0xff, /* and any other: the page tells no time */
};

enum vmclock_time_type {
	VMCLOCK_UTC       = 0,
	VMCLOCK_TAI       = 1,
	VMCLOCK_MONOTONIC = 2, /* since some instant: not a time of day                     */
	VMCLOCK_SMEARED   = 3, /* this and the next: a leap second is spread over hours,    */
	VMCLOCK_SMEARED_SLS = 4, /* in which such a clock is neither UTC nor says what it is */
};

enum vmclock_status {
	VMCLOCK_UNKNOWN      = 0,
	VMCLOCK_INITIALIZING = 1,
	VMCLOCK_SYNCHRONIZED = 2,
	VMCLOCK_FREERUNNING  = 3,
	VMCLOCK_UNRELIABLE   = 4,
};

enum vmclock_leap {
	VMCLOCK_LEAP_NONE          = 0,
	VMCLOCK_LEAP_PRE_POSITIVE  = 1,
	VMCLOCK_LEAP_PRE_NEGATIVE  = 2,
	VMCLOCK_LEAP_POSITIVE_NOW  = 3,
	VMCLOCK_LEAP_POST_POSITIVE = 4,
	VMCLOCK_LEAP_POST_NEGATIVE = 5,
};

/* A consistent copy of the page, taken apart.  The last group means something in a clock only. */
struct vmclock_page {
	uint32_t sequence;       /* even                                                    */
	uint64_t marker;         /* another value: the guest was disrupted                  */
	bool has_generation;
	uint64_t generation;     /* another value: the guest was taken from a saved state   */
	bool is_notified;        /* the host announces changes: poll(2) on the device works */

	unsigned counter;        /* enum vmclock_counter, or a number that we do not know   */
	unsigned time_type;      /* enum vmclock_time_type, likewise                        */
	unsigned status;         /* enum vmclock_status, likewise                           */
	unsigned leap;           /* enum vmclock_leap, likewise                             */
	bool has_tai_offset;
	vt_span utc_minus_tai;   /* -37 s today */
	bool has_time_error, has_period_error; /* the maximal ones: what a bound is made of */

	uint64_t counter_value;  /* at the reference time                                   */
	unsigned period_shift;
	uint64_t period;         /* of one count, in 2^-(64 + period_shift) s               */
	uint64_t period_error;   /* at most, in the same unit                               */
	uint64_t time_s;         /* the reference time: since 1970 ...                      */
	uint64_t time_fraction;  /* ... and 2^-64 s                                         */
	uint64_t time_error_ns;  /* at most, at the reference time                          */
};

enum vmclock_outcome {
	VMCLOCK_READ,
	VMCLOCK_WRITING,     /* the sequence is odd: look again                      */
	VMCLOCK_NO_MAGIC,    /* not such a page                                      */
	VMCLOCK_TOO_SMALL,   /* by its own word, or by @length                       */
	VMCLOCK_BAD_VERSION, /* its layout is not one that we know                   */
};

/*
 * *@ret is written only for VMCLOCK_READ.  @length: as many bytes as there are, the rest is not
 * looked at.
 */
enum vmclock_outcome vmclock_decode(const void *bytes, size_t length, struct vmclock_page *ret);

/* A few words for a log line: "is of a version that is not known". */
const char *vmclock_explain(enum vmclock_outcome outcome);

/* Why a page does not do as a clock. */
enum vmclock_clock {
	VMCLOCK_CLOCK,           /* it does                                                  */
	VMCLOCK_WITHOUT_TIME,    /* it names no counter: QEMU's tells of disruptions only    */
	VMCLOCK_OTHER_COUNTER,   /* it names one that is not ours to read                    */
	VMCLOCK_NOT_UTC,         /* smeared, monotonic, or TAI without the way from it to UTC */
	VMCLOCK_NOT_TRUSTED,     /* its host says that the time is not (yet) to be relied on */
	VMCLOCK_WITHOUT_ERROR,   /* it does not say how wrong it can be                      */
	VMCLOCK_IMPOSSIBLE,      /* a period that no counter has                             */
	VMCLOCK_LEAPING,         /* a leap second is being inserted: a minute later it does  */
};

/* @counter: the one that this program can read. */
enum vmclock_clock vmclock_as_clock(const struct vmclock_page *page, enum vmclock_counter counter);

/* A few words: "tells no time". */
const char *vmclock_explain_clock(enum vmclock_clock clock);

/*
 * UTC when the counter showed @value, by a page that does as a clock, and how wrong it can be: what
 * the page allows, rounded outwards.  False, and outputs untouched, for a value before the page's
 * own (the counter was set back, or is another one) and for times beyond a vt_real.
 */
bool vmclock_time_at(const struct vmclock_page *page, uint64_t value, vt_real *ret,
                     vt_span *ret_radius);

#endif
