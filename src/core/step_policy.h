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
 * the world jumped          above 10 us, or as `resume` says where it is written; below it the
 *                           next second's slew mends it sooner
 * leap second               above 10 us: what the kernel did not do, or did and should not have
 * set by another            always, but not more than once a minute
 * drift                     as `makestep` says, else never: slewed
 * any, asked by hand        above 10 us
 *
 * The world jumped: a pause, a restore, a migration, a suspend, a step of the
 * host's clock, and what nobody knows the cause of.  `makestep`, `maxchange` and
 * `maxslewrate` are chrony's and govern, as there, the offsets that have no
 * proven cause: first reading and drift.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"
#include "core/cause.h"

/* What is done about a jump of the world: `resume`. */
enum step_resume {
	STEP_RESUME_STEP,
	STEP_RESUME_SLEW,
	STEP_RESUME_IGNORE, /* somebody else sees to it */
};

struct step_conf {
	bool is_fresh_boot; /* nothing has steered this clock since the machine started */
	enum step_resume resume;
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
	bool is_asked;         /* `makestep` by hand: the next decision steps */
};

enum step_decision {
	STEP_SLEW,
	STEP_STEP,
	STEP_IGNORE,  /* beyond `maxchange`: change nothing            */
	STEP_GIVE_UP, /* so often that the daemon must end             */
	STEP_LEAVE,   /* somebody else insists: leave it for a minute  */
	STEP_LET_BE,  /* `resume ignore`: leave it for good            */
};

/* Decides about @correction and counts the update. */
enum step_decision step_decide(struct step_state *s, const struct step_conf *conf,
                               enum step_cause cause, vt_span correction, vt_mono now);

#endif
