/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CAUSE_H
#define CORE_CAUSE_H

/*
 * cause.h - why is our clock not where its source is?
 *
 * One table from facts to a cause, and nothing else: no state, no size, no
 * clock.  What outside evidence says (evidence.h) and what the readings
 * themselves show are both facts.  Where several are true the one that says
 * most wins: a machine that was restored was paused as well.
 *
 * One PTP clock cannot tell a pause from a step of the host's clock.  Until
 * something else tells, the cause of such a jump is not known, and it is
 * repaired all the same.
 */

#include <stdbool.h>

enum step_cause {
	STEP_BOOT,                 /* first reading since the machine started             */
	STEP_FIRST,                /* first reading of this daemon                        */
	STEP_JUMP,                 /* the world jumped, nobody knows why                  */
	STEP_PAUSE,                /* this machine stood still                            */
	STEP_RESTORED,             /* it goes on from a saved state                       */
	STEP_MIGRATED,             /* it runs on another host                             */
	STEP_RESTORED_OR_MIGRATED, /* one of them; vmclock's marker does not say which    */
	STEP_SUSPEND,              /* it was suspended by its own kernel                  */
	STEP_HOST_STEP,            /* the host's clock was stepped                        */
	STEP_LEAP,                 /* a leap second that only one of the two clocks had   */
	STEP_TOLD,                 /* the host told the time, and no source knows better  */
	STEP_SET_BY_ANOTHER,       /* somebody else set our clock                         */
	STEP_DRIFT,
};

#define STEP_CAUSES (STEP_DRIFT + 1)

/* What is known besides the evidence; the same set of bits. */
enum cause_fact {
	FACT_FIRST      = 1 << 24, /* nothing was ever compared before                       */
	FACT_FRESH_BOOT = 1 << 25, /* nothing has steered this clock since the machine began */
	FACT_ASTRAY     = 1 << 26, /* our clock left the course that we had given it         */
	FACT_LARGE      = 1 << 27, /* the clock is off by more than drift can do             */
	FACT_UNCOMPARED = 1 << 28, /* the reading could be compared with none before it      */
	FACT_LET_BE     = 1 << 29, /* it was off already, and was to be left so              */
};

/* @facts: of enum evidence and enum cause_fact. */
enum step_cause cause_of(unsigned facts);

/* Whether the world jumped, rather than our clock having drifted, been set, or never been right. */
bool cause_is_jump(enum step_cause cause);

/* In words, for logs and reports: "boot", "jump, cause unknown". */
const char *step_cause_name(enum step_cause cause);

#endif
