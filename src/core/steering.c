/* SPDX-License-Identifier: Apache-2.0 */
#include "core/steering.h"

#include <math.h>

#include "core/select.h"

/* A bound older than this is no promise any more. */
#define SHELF_LIFE VT_SEC(3600)

/* The followed source's own error, as far as it is known. */
static vt_span own_error(const struct discipline *d)
{
	return d->selected != SELECT_NONE && d->sources[d->selected].is_host ? d->host_error : VT_NS(0);
}

void steering_publish(struct discipline *d, bool is_synchronized, vt_span max_error)
{
	struct clock_quality quality = {
		.is_synchronized = is_synchronized && d->conf.keeps_kernel_synchronized,
		.max_error = vt_span_add(max_error, own_error(d)),
		.est_error = vt_span_from_ns(d->rms_offset_ns),
	};

	if (!d->conf.is_observing)
		(void)d->clock->ops->publish(d->clock, &quality);
}

/* A failure is told once, not at each attempt: they come with every reading. */
static bool is_done(struct discipline *d, int source, int r, int *error)
{
	int before = *error;

	*error = r < 0 ? -r : 0;
	if (*error != 0 && *error != before)
		event_push(&d->events, EVENT_FAILED, source)->error = *error;
	return r >= 0;
}

static void steer(struct discipline *d, int source, vt_rate rate, vt_mono now)
{
	vt_rate got = d->course.steered;

	if (d->conf.is_observing)
		return;
	(void)is_done(d, source, d->clock->ops->steer(d->clock, rate, &got), &d->steer_error);
	course_steer(&d->course, got, now);
}

void steering_take_bound(struct discipline *d, const struct source *s, vt_rate before)
{
	double slew = fmax(fabs(d->course.steered.ppb - d->tempo.base.ppb), fabs(before.ppb - d->tempo.base.ppb));
	vt_span age = vt_mono_since(d->course.seen.raw, s->latest.raw);
	vt_rate drift = tempo_fastest_drift(&d->tempo, s);
	vt_span moved = vt_span_add(age, vt_rate_over(d->tempo.base, age));
	vt_real remote = vt_real_add(s->latest.remote, moved);
	vt_span apart = vt_span_abs(vt_real_since(remote, d->course.seen.local));
	vt_span drifted = vt_span_add(vt_span_abs(vt_rate_over(drift, age)), VT_NS(1));

	d->bound = (struct bound){
		.taken = d->course.seen.raw,
		.radius = vt_span_add(vt_span_add(apart, drifted), source_error(s)),
		.max_drift = { drift.ppb + slew },
		.shelf_life = SHELF_LIFE,
	};
}

void steering_coast(struct discipline *d, int source, vt_mono now)
{
	d->settle_at = VT_MONO_NEVER;
	if (d->has_updated)
		steer(d, source, d->tempo.base, now);
}

void steering_hold_over(struct discipline *d, int source, vt_mono now)
{
	tempo_hold(&d->tempo);
	steering_coast(d, source, now);
}

/* The part of the correction that whole nanoseconds do not have. */
static double below_nanosecond(const struct discipline *d, int source)
{
	double phase = d->sources[source].estimator.phase_ns;

	return (phase - (double)vt_span_from_ns(phase).ns) - d->course.rest_ns;
}

void steering_slew(struct discipline *d, int source, vt_span correction, vt_mono now)
{
	vt_span left = vt_mono_since(d->sources[source].next_read, now);
	struct servo_plan plan;

	if (d->conf.is_observing)
		return;
	if (left.ns <= 0) {
		/* The reading is due and knows better. */
		steering_coast(d, source, now);
		return;
	}
	plan = servo_plan(&d->servo, correction, d->tempo.base, left, d->conf.max_slew);
	/* What is below a nanosecond is no length, but it is a rate. */
	plan.rate.ppb += below_nanosecond(d, source) / vt_span_seconds(left);
	steer(d, source, plan.rate, now);
	d->settle_at = plan.hold.ns < left.ns ? vt_mono_add(now, plan.hold) : VT_MONO_NEVER;
}

bool steering_is_set_away(const struct discipline *d, const struct clock_pair *seen)
{
	return !d->conf.is_observing && course_astray(&d->course, seen).ns != 0;
}

void steering_settle(struct discipline *d, vt_mono now)
{
	struct clock_pair seen;
	vt_span correction;
	vt_rate before = d->course.steered;

	/* A clock that was set is the next reading's business: it must still look so to it. */
	if (d->selected == SELECT_NONE || d->clock->ops->read(d->clock, &seen) < 0 ||
	    steering_is_set_away(d, &seen)) {
		steering_coast(d, d->selected, now);
		return;
	}
	d->settle_at = VT_MONO_NEVER;
	course_see(&d->course, &seen);
	if (!discipline_correction(d, seen.raw, &correction))
		return;
	steering_slew(d, d->selected, correction, seen.raw);
	steering_take_bound(d, &d->sources[d->selected], before);
}

bool steering_step(struct discipline *d, int source, vt_span correction)
{
	if (!is_done(d, source, d->clock->ops->step(d->clock, correction), &d->step_error))
		return false;
	course_step(&d->course, correction);
	/* Another day, perhaps: who announced a leap second for this one has to do so again. */
	d->leap = (struct leap){ 0 };
	return true;
}

bool steering_is_kept(const struct discipline *d, int source, vt_mono now, vt_span *ret_within)
{
	struct bound bound = d->bound;

	/* That it is no promise any more, since there is a suspicion, takes nothing from what it was. */
	bound.shelf_life = SHELF_LIFE;
	return d->has_updated && d->selected != SELECT_NONE && d->selected != source &&
	       bound_at(&bound, now, ret_within) == BOUND_HOLDS;
}

void steering_void_bound(struct discipline *d)
{
	d->bound.shelf_life = VT_NS(-1);
	steering_publish(d, false, VT_SEC(16));
}
