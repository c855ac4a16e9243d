/* SPDX-License-Identifier: Apache-2.0 */
#include "core/step_policy.h"

#define BOOT_THRESHOLD  VT_US(10)
#define FIRST_THRESHOLD VT_MS(1)
#define JUMP_THRESHOLD  VT_US(10) /* below it a jump is mended sooner by the next second's slew */

#define REPAIR_INTERVAL VT_SEC(60)

static enum step_decision above(vt_span correction, vt_span threshold)
{
	return vt_span_abs(correction).ns > threshold.ns ? STEP_STEP : STEP_SLEW;
}

static bool allows_makestep(const struct step_state *s, const struct step_conf *conf)
{
	return conf->is_makestep_given &&
	       (conf->makestep_limit < 0 || s->updates < (uint64_t)conf->makestep_limit);
}

static bool exceeds_max_change(const struct step_state *s, const struct step_conf *conf,
                               vt_span correction)
{
	return conf->is_max_change_given && s->updates >= (uint64_t)conf->max_change_start &&
	       vt_span_abs(correction).ns > conf->max_change.ns;
}

/* chrony's rules for an offset without a proven cause. */
static enum step_decision decide_unproven(struct step_state *s, const struct step_conf *conf,
                                          vt_span correction, enum step_decision otherwise)
{
	if (exceeds_max_change(s, conf, correction)) {
		if (conf->max_change_ignore >= 0 && s->ignored >= conf->max_change_ignore)
			return STEP_GIVE_UP;
		s->ignored++;
		return STEP_IGNORE;
	}
	return allows_makestep(s, conf) ? above(correction, conf->makestep_threshold) : otherwise;
}

static enum step_decision decide_repair(struct step_state *s, vt_mono now)
{
	if (s->has_repaired && vt_mono_since(now, s->last_repair).ns < REPAIR_INTERVAL.ns)
		return STEP_LEAVE;
	s->has_repaired = true;
	s->last_repair = now;
	return STEP_STEP;
}

/* Nothing but `resume` says what becomes of a jump. */
static enum step_decision decide_jump(const struct step_conf *conf, vt_span correction)
{
	switch (conf->resume) {
	case STEP_RESUME_STEP: return above(correction, JUMP_THRESHOLD);
	case STEP_RESUME_SLEW: return STEP_SLEW;
	case STEP_RESUME_IGNORE: break;
	}
	return above(correction, JUMP_THRESHOLD) == STEP_STEP ? STEP_LET_BE : STEP_SLEW;
}

static enum step_decision decide(struct step_state *s, const struct step_conf *conf,
                                 enum step_cause cause, vt_span correction, vt_mono now)
{
	switch (cause) {
	case STEP_BOOT:
		return above(correction, BOOT_THRESHOLD);
	case STEP_FIRST:
		return decide_unproven(s, conf, correction,
		                       conf->is_makestep_given ? STEP_SLEW
		                                               : above(correction, FIRST_THRESHOLD));
	case STEP_JUMP:
	case STEP_PAUSE:
	case STEP_RESTORED:
	case STEP_MIGRATED:
	case STEP_RESTORED_OR_MIGRATED:
	case STEP_SUSPEND:
	case STEP_HOST_STEP:
	case STEP_TOLD:
		return decide_jump(conf, correction);
	case STEP_LEAP:
		return above(correction, JUMP_THRESHOLD);
	case STEP_SET_BY_ANOTHER:
		return decide_repair(s, now);
	case STEP_DRIFT:
		return decide_unproven(s, conf, correction, STEP_SLEW);
	}
	return STEP_SLEW;
}

enum step_decision step_decide(struct step_state *s, const struct step_conf *conf,
                               enum step_cause cause, vt_span correction, vt_mono now)
{
	enum step_decision decision = decide(s, conf, cause, correction, now);

	s->updates++;
	if (s->is_asked)
		decision = above(correction, JUMP_THRESHOLD);
	s->is_asked = false;
	return decision;
}
