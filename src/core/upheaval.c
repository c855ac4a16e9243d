/* SPDX-License-Identifier: Apache-2.0 */
#include "core/upheaval.h"

#include "core/steering.h"

void upheaval_open(struct discipline *d, int source, unsigned evidence, vt_span blind_for,
                   vt_mono now)
{
	if (!incident_open(&d->incident, evidence, course_at(&d->course, now), blind_for, now))
		return;
	d->incident.it.source = source;
	event_push(&d->events, EVENT_DISRUPTED, source)->disruption = d->incident.it;
}

void upheaval_close(struct discipline *d, int source, const struct repair *repair,
                    enum step_cause cause, vt_span correction)
{
	const struct source *s = &d->sources[source];
	unsigned evidence = cause_is_jump(cause) ? EVIDENCE_READINGS : 0;

	if (!d->incident.is_open && !repair->is_news)
		return;
	if (cause == STEP_LEAP)
		evidence = EVIDENCE_LEAP;
	upheaval_open(d, source, evidence, d->update_interval, s->latest.raw);
	d->incident.it.source = source;
	incident_close(&d->incident, repair->end, cause, correction, s->latest.remote, s->latest.raw);
	event_push(&d->events, EVENT_REPAIRED, source)->disruption = d->incident.it;
}

void upheaval_end(struct discipline *d, int source, const struct repair *repair,
                  enum step_cause cause, vt_span correction, bool is_new)
{
	bool is_slewed = repair->end == DISRUPTION_SLEWED && !d->conf.is_observing;
	bool is_same = is_slewed && d->is_catching_up && !is_new;

	if (is_slewed && !is_same) {
		d->caught_cause = cause;
		d->caught_size = correction;
	}
	d->is_catching_up = is_slewed && vt_span_abs(correction).ns > DISCIPLINE_LARGE.ns;
	if (d->is_catching_up)
		upheaval_open(d, source, EVIDENCE_READINGS, d->update_interval,
		              d->sources[source].latest.raw);
	else
		upheaval_close(d, source, repair, cause, is_same ? d->caught_size : correction);
}

void upheaval_begin(struct discipline *d, int source, unsigned evidence, vt_span blind_for,
                    vt_mono now)
{
	upheaval_open(d, source, evidence, blind_for, now);
	if (d->is_disrupted)
		return;
	steering_coast(d, source, now);
	d->is_disrupted = true;
	steering_void_bound(d);
}

void upheaval_suspect(struct discipline *d, int source, vt_mono now)
{
	struct source *s = &d->sources[source];

	/* One outlier after the other is told once. */
	if (!d->incident.is_open && source_suspicions(s) > 2 &&
	    d->incident.it.end == DISRUPTION_NOTHING)
		incident_reopen(&d->incident, now);
	if (!d->incident.is_open)
		event_push(&d->events, EVENT_SUSPECTED, source)->size = s->suspected;
	upheaval_begin(d, source, EVIDENCE_READINGS,
	               vt_mono_since(s->disrupt.noticed, s->disrupt.since), now);
}
