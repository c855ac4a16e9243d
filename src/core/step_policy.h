/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_STEP_POLICY_H
#define CORE_STEP_POLICY_H

/*
 * step_policy.h - step by cause, not by size
 *
 * cause                     stepped
 * boot                      above 10 us, whatever `makestep` and `maxchange` say: nothing has
 *                           steered since the machine started, so its clock came from an RTC
 *                           that shows whole seconds
 * first reading             above 1 ms, or as `makestep` says where it is written
 * jump, cause unknown       above 10 us (a pause, a restore, a host that was stepped); below it
 *                           the next second's slew mends it sooner
 * set by another            always, but not more than once a minute
 * drift                     as `makestep` says, else never: slewed
 *
 * `makestep` and `maxchange` are chrony's and govern, as there, the offsets
 * that have no proven cause: first reading and drift.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"

enum step_cause {
	STEP_BOOT,
	STEP_FIRST,
	STEP_JUMP,
	STEP_SET_BY_ANOTHER,
	STEP_DRIFT,
};

struct step_conf {
	bool is_fresh_boot; /* nothing has steered this clock since the machine started */
	bool is_makestep_given;
	vt_span makestep_threshold;
	int makestep_limit; /* updates from the start; negative: for ever */
	bool is_max_change_given;
	vt_span max_change;
	int max_change_start, max_change_ignore; /* ignore negative: never give up */
};

struct step_state {
	uint64_t updates;
	int ignored;           /* offsets beyond `maxchange` so far       */
	bool has_repaired;
	vt_mono last_repair;   /* of a clock that somebody else had set   */
};

enum step_decision {
	STEP_SLEW,
	STEP_STEP,
	STEP_IGNORE,  /* beyond `maxchange`: change nothing            */
	STEP_GIVE_UP, /* so often that the daemon must end             */
	STEP_LEAVE,   /* somebody else insists: leave it for a minute  */
};

/* Decides about @correction and counts the update. */
enum step_decision step_decide(struct step_state *s, const struct step_conf *conf,
                               enum step_cause cause, vt_span correction, vt_mono now);

/* In words, for logs and reports: "boot", "jump, cause unknown". */
const char *step_cause_name(enum step_cause cause);

#endif
