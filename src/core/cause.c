/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cause.h"

#include <stddef.h>

#include "base/attr.h"
#include "core/evidence.h"

/* clang-format off */
static const struct {
	const char *name;
	bool is_jump;
} CAUSES[STEP_CAUSES] = {
	[STEP_BOOT]                 = { "boot",                 false },
	[STEP_FIRST]                = { "first reading",        false },
	[STEP_JUMP]                 = { "jump, cause unknown",  true  },
	[STEP_PAUSE]                = { "pause",                true  },
	[STEP_RESTORED]             = { "restored",             true  },
	[STEP_MIGRATED]             = { "migrated",             true  },
	[STEP_RESTORED_OR_MIGRATED] = { "restored or migrated", true  },
	[STEP_SUSPEND]              = { "suspend",              true  },
	[STEP_HOST_STEP]            = { "host step",            true  },
	[STEP_LEAP]                 = { "leap second",          false },
	[STEP_TOLD]                 = { "told by the host",     true  },
	[STEP_SET_BY_ANOTHER]       = { "set by another",       false },
	[STEP_DRIFT]                = { "drift",                false },
};

/* A difference that was measured, one way or the other. */
#define JUMPED (EVIDENCE_READINGS | EVIDENCE_RTC | EVIDENCE_TOLD)

/*
 * The first row of which all of @all and one of @any (where there are any) are true.
 *
 * Where it happened is stronger than that it happened: what the host says that it did, then what
 * the virtual hardware shows, then what can be concluded.  A jump that a second source does not
 * share was not ours, but only the host itself can say that it stepped its clock: an unexplained
 * one may be a lie.
 */
static const struct {
	unsigned all, any;
	enum step_cause cause;
} TABLE[] = {
	{ FACT_FIRST | FACT_FRESH_BOOT,            0,                             STEP_BOOT },
	{ FACT_FIRST,                              0,                             STEP_FIRST },
	{ EVIDENCE_HOST_RESTORED,                  JUMPED,                        STEP_RESTORED },
	{ EVIDENCE_HOST_MIGRATED,                  JUMPED,                        STEP_MIGRATED },
	{ EVIDENCE_GENERATION,                     JUMPED,                        STEP_RESTORED },
	{ EVIDENCE_MARKER,                         JUMPED,                        STEP_RESTORED_OR_MIGRATED },
	{ EVIDENCE_SUSPEND,                        JUMPED | FACT_LARGE,           STEP_SUSPEND },
	{ EVIDENCE_HOST_PAUSED,                    JUMPED,                        STEP_PAUSE },
	{ EVIDENCE_HOST_STEPPED,                   JUMPED,                        STEP_HOST_STEP },
	{ EVIDENCE_LEAP,                           JUMPED | FACT_ASTRAY,          STEP_LEAP },
	{ EVIDENCE_SECOND_AGREES,                  JUMPED,                        STEP_PAUSE },
	{ EVIDENCE_TOLD,                           0,                             STEP_TOLD },
	{ 0,                                       JUMPED,                        STEP_JUMP },
	{ FACT_LARGE | FACT_ASTRAY,                0,                             STEP_SET_BY_ANOTHER },
	/* Nothing to compare with, and far off: whatever happened, it happened unseen. */
	{ FACT_LARGE,                              FACT_UNCOMPARED | FACT_LET_BE, STEP_JUMP },
	{ 0,                                       0,                             STEP_DRIFT },
};
/* clang-format on */

enum step_cause cause_of(unsigned facts)
{
	for (size_t i = 0; i < COUNT(TABLE); i++)
		if ((facts & TABLE[i].all) == TABLE[i].all &&
		    (TABLE[i].any == 0 || (facts & TABLE[i].any) != 0))
			return TABLE[i].cause;
	return STEP_DRIFT;
}

bool cause_is_jump(enum step_cause cause)
{
	return CAUSES[cause].is_jump;
}

const char *step_cause_name(enum step_cause cause)
{
	return CAUSES[cause].name;
}
