/* SPDX-License-Identifier: Apache-2.0 */
#include "core/repair.h"

#include "core/steering.h"

/* Who only observes finds the same offset at every reading: told anew once it has changed by half. */
static bool is_told(const struct discipline *d, enum step_cause cause, vt_span correction)
{
	vt_span change = vt_span_abs(vt_span_sub(correction, d->unstepped));

	return d->conf.is_observing && d->is_unstepped && !cause_is_jump(cause) &&
	       change.ns <= vt_span_abs(d->unstepped).ns / 2;
}

static bool step(struct discipline *d, int source, enum step_cause cause, vt_span correction)
{
	const struct source *s = &d->sources[source];
	bool is_jump = cause_is_jump(cause);
	struct discipline_event *event;

	if (!d->conf.is_observing && !steering_step(d, source, correction))
		return false;
	event = event_push(&d->events, d->conf.is_observing ? EVENT_UNSTEPPED : EVENT_STEPPED, source);
	event->cause = cause;
	event->size = correction;
	event->at = s->latest.remote;
	event->noticed_after = is_jump ? s->jump_blind : VT_NS(0);
	if (cause == STEP_SET_BY_ANOTHER)
		event->noticed_after = d->update_interval;
	event->repaired_after = is_jump ? vt_mono_since(s->latest.raw, s->jump_noticed) : VT_NS(0);
	d->is_unstepped = d->conf.is_observing;
	d->unstepped = correction;
	if (d->conf.is_observing)
		return true;
	d->steps++;
	return true;
}

static struct repair try_step(struct discipline *d, int source, enum step_cause cause,
                              vt_span correction)
{
	struct repair stepped = { VT_NS(0), DISRUPTION_STEPPED, true };

	if (d->conf.is_observing)
		stepped = (struct repair){ VT_NS(0), DISRUPTION_LEFT, !is_told(d, cause, correction) };
	if (stepped.is_news && !step(d, source, cause, correction))
		return (struct repair){ correction, DISRUPTION_SLEWED, true };
	return stepped;
}

struct repair repair_move(struct discipline *d, int source, enum step_cause cause,
                          vt_span correction)
{
	const struct source *s = &d->sources[source];
	bool was_left_away = d->is_left_away, was_let_be = d->is_let_be;
	bool is_jump = cause_is_jump(cause);

	d->is_left_away = d->is_let_be = false;
	switch (step_decide(&d->step, &d->conf.step, cause, correction, s->latest.raw)) {
	case STEP_STEP:
		return try_step(d, source, cause, correction);
	case STEP_SLEW:
		d->is_unstepped = false;
		return (struct repair){ correction, is_jump ? DISRUPTION_SLEWED : DISRUPTION_NOTHING,
			                is_jump };
	case STEP_IGNORE:
		event_push(&d->events, EVENT_REFUSED, source)->size = correction;
		break;
	case STEP_GIVE_UP:
		event_push(&d->events, EVENT_GAVE_UP, source)->size = correction;
		break;
	case STEP_LEAVE:
		if (!was_left_away)
			event_push(&d->events, EVENT_SET_AWAY, source)->size = correction;
		d->is_left_away = true;
		return (struct repair){ VT_NS(0), DISRUPTION_LEFT, !was_left_away };
	case STEP_LET_BE:
		if (!was_let_be)
			event_push(&d->events, EVENT_LET_BE, source)->size = correction;
		d->is_let_be = true;
		return (struct repair){ VT_NS(0), DISRUPTION_LEFT, !was_let_be };
	}
	return (struct repair){ VT_NS(0), DISRUPTION_LEFT, false };
}
