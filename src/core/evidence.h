/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EVIDENCE_H
#define CORE_EVIDENCE_H

/*
 * evidence.h - what speaks of a disruption
 *
 * A set of facts, each a bit.  The readings themselves are one of them and the
 * only one that says how large a jump was; the others say that something
 * happened, or what.  Which cause follows from which facts is cause.h's.
 *
 * The first group makes the state "disrupted" at once: after such an event the
 * clock is wrong until a reading says otherwise.  The second asks for a reading
 * at once and claims nothing.  The third only names a cause.
 */

enum evidence {
	EVIDENCE_READINGS     = 1 << 0,  /* a source jumped against CLOCK_MONOTONIC_RAW            */

	EVIDENCE_MARKER       = 1 << 1,  /* vmclock's disruption marker changed                    */
	EVIDENCE_GENERATION   = 1 << 2,  /* the VM generation changed: vmclock, or kernel's event   */
	EVIDENCE_SUSPEND      = 1 << 3,  /* CLOCK_BOOTTIME ran and CLOCK_MONOTONIC did not          */

	EVIDENCE_NUDGE        = 1 << 4,  /* the host, or root here, asked for a look               */
	EVIDENCE_CLOCK_SET    = 1 << 5,  /* the kernel says that CLOCK_REALTIME was set            */
	EVIDENCE_LATE         = 1 << 6,  /* we were woken up much later than we asked for          */

	EVIDENCE_HOST_PAUSED  = 1 << 7,  /* the host says what it did: it stopped us ...           */
	EVIDENCE_HOST_RESTORED = 1 << 8, /* ... restored us from a saved state                     */
	EVIDENCE_HOST_MIGRATED = 1 << 9, /* ... took us from another host                          */
	EVIDENCE_HOST_STEPPED = 1 << 10, /* ... had its own clock stepped                          */

	EVIDENCE_SECOND_AGREES = 1 << 11, /* another selectable source jumped alike: it was we     */
	EVIDENCE_CONTRADICTED = 1 << 12, /* another selectable source did not: it was the first one */
	EVIDENCE_RTC          = 1 << 13, /* the battery clock ran on while ours did not            */
	EVIDENCE_LEAP         = 1 << 14, /* a leap second is due about now                          */
	EVIDENCE_TOLD         = 1 << 15, /* the host told the time, and no source knows better      */
};

#define EVIDENCE_BITS 16

#define EVIDENCE_DISRUPTS (EVIDENCE_MARKER | EVIDENCE_GENERATION | EVIDENCE_SUSPEND)
#define EVIDENCE_ASKS     (EVIDENCE_NUDGE | EVIDENCE_CLOCK_SET | EVIDENCE_LATE)
#define EVIDENCE_HOST     (EVIDENCE_HOST_PAUSED | EVIDENCE_HOST_RESTORED | \
			   EVIDENCE_HOST_MIGRATED | EVIDENCE_HOST_STEPPED)

/* The word for one bit, for logs and protocols: "readings", "marker", "host-paused". */
const char *evidence_name(enum evidence one);

#endif
