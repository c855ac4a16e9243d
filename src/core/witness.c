/* SPDX-License-Identifier: Apache-2.0 */
#include "core/witness.h"

#include "core/jury.h"
#include "core/select.h"
#include "core/steering.h"
#include "core/upheaval.h"

void witness_watch_over(struct discipline *d, int source, vt_mono now)
{
	struct clock_pair seen;
	vt_span size;

	if (!d->has_updated || d->clock->ops->read(d->clock, &seen) < 0 ||
	    !steering_is_set_away(d, &seen))
		return;
	size = vt_span_sub(VT_NS(0), course_astray(&d->course, &seen));
	event_push(&d->events, EVENT_SET_AWAY, source)->size = size;
	upheaval_open(d, source, 0, vt_mono_since(now, d->course.seen.raw), now);
	incident_close(&d->incident, DISRUPTION_LEFT, STEP_SET_BY_ANOTHER, size, seen.local,
	               seen.raw);
	event_push(&d->events, EVENT_REPAIRED, source)->disruption = d->incident.it;
	d->course.seen = seen;
	d->is_left_away = true;
	steering_void_bound(d);
}

void witness_ask_all(struct discipline *d, vt_mono now)
{
	for (int i = 0; i < d->n_sources; i++) {
		d->sources[i].next_read = vt_mono_min(d->sources[i].next_read, now);
		source_urge(&d->sources[i]);
	}
}

void discipline_witness(struct discipline *d, unsigned evidence, vt_span size, vt_mono now)
{
	if (incident_rename(&d->incident, evidence, now)) {
		struct discipline_event *event =
			event_push(&d->events, EVENT_REPAIRED, d->incident.it.source);

		event->disruption = d->incident.it;
		event->is_renamed = true;
	}
	if (d->incident.is_open)
		d->incident.it.evidence |= evidence;
	else
		incident_hint(&d->incident, evidence, now);
	if (evidence & EVIDENCE_HOST_STEPPED)
		for (int i = 0; i < d->n_sources; i++)
			jury_release(&d->sources[i]);
	nudge_ask(&d->asks, evidence);
	if ((evidence & EVIDENCE_DISRUPTS) == 0 || !d->has_updated ||
	    !incident_believes(&d->incident, now))
		return;
	upheaval_begin(d, d->selected, evidence, vt_mono_since(now, d->last_update), now);
	if (evidence & EVIDENCE_SUSPEND)
		d->incident.it.blind_for = vt_span_add(d->incident.it.blind_for, size);
	if (evidence & (EVIDENCE_MARKER | EVIDENCE_GENERATION))
		tempo_relearn(&d->tempo);
	for (int i = 0; i < d->n_sources; i++)
		source_disrupt(&d->sources[i], evidence);
	witness_ask_all(d, now);
}

void discipline_take_word(struct discipline *d, enum evidence of, vt_span correction, vt_mono now)
{
	enum disruption_end end = DISRUPTION_LEFT;
	enum step_cause cause =
		cause_of(incident_evidence(&d->incident, now) | (unsigned)of);
	vt_real shows = course_at(&d->course, now);

	if (d->selected != SELECT_NONE || d->conf.is_observing)
		return;
	upheaval_begin(d, SELECT_NONE, of, vt_mono_since(now, d->last_update), now);
	if (step_decide(&d->step, &d->conf.step, cause, correction, now) == STEP_STEP &&
	    steering_step(d, SELECT_NONE, correction)) {
		struct discipline_event *event = event_push(&d->events, EVENT_STEPPED, SELECT_NONE);

		end = DISRUPTION_STEPPED;
		shows = vt_real_add(shows, correction);
		event->cause = cause;
		event->size = correction;
		event->at = shows;
		d->steps++;
	}
	d->is_disrupted = d->is_catching_up = false;
	incident_close(&d->incident, end, cause, correction, shows, now);
	event_push(&d->events, EVENT_REPAIRED, SELECT_NONE)->disruption = d->incident.it;
}
