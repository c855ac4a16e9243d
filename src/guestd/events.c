/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/events.h"

#include "base/log.h"

static const char *source_name(const struct daemon *d, int source)
{
	return source >= 0 && source < (int)d->refclocks.n ? d->refclocks.list[source].name : "none";
}

static void tell_step(const struct daemon *d, const struct discipline_event *e, const char *verb)
{
	log_info("clock %s by %+.9f s: cause=\"%s\" source=%s noticed_after_ms=%lld repaired_after_ms=%lld",
	         verb, vt_span_seconds(e->size), step_cause_name(e->cause), source_name(d, e->source),
	         (long long)(e->noticed_after.ns / 1000000),
	         (long long)(e->repaired_after.ns / 1000000));
}

static void tell_selected(struct daemon *d, const struct discipline_event *e)
{
	const struct refclock *r = &d->refclocks.list[e->source];

	log_info("source %s is followed: device=%s clock=\"%s\" method=%s", r->name, r->device,
	         r->node.name, ptp_method_name(d->discipline.sources[e->source].latest.method));
	if (r->is_automatic && d->settings.n_refclocks > 0)
		log_info("the host's clock is used besides the configuration: `hostclock off` ends that");
}

static void tell_lost(struct daemon *d, const struct discipline_event *e)
{
	char text[256];

	if (d->refclocks.list[e->source].is_hidden)
		return; /* another line of the configuration has the device now */
	d->refclocks.list[e->source].told = d->discipline.sources[e->source].trouble;
	refclock_explain(&d->refclocks.list[e->source], &d->discipline.sources[e->source], text,
	                 sizeof text);
	log_warn("source %s is lost, the clock goes on at its last rate: %s",
	         source_name(d, e->source), text);
}

static void tell_disrupted(const struct disruption *d)
{
	/* A reading has told itself, and what is over with it. */
	if (d->evidence & EVIDENCE_DISRUPTS)
		log_info("this machine was disrupted, reading again: evidence=%s",
		         d->evidence & EVIDENCE_GENERATION ? evidence_name(EVIDENCE_GENERATION)
		         : d->evidence & EVIDENCE_MARKER   ? evidence_name(EVIDENCE_MARKER)
		                                           : evidence_name(EVIDENCE_SUSPEND));
}

/* The step itself has been told. */
static void tell_repaired(const struct disruption *d, bool is_renamed)
{
	if (is_renamed)
		log_info("the difference of %+.9f s has a cause now: cause=\"%s\"",
		         vt_span_seconds(d->size), step_cause_name(d->cause));
	else if (d->end == DISRUPTION_NOTHING && (d->evidence & EVIDENCE_DISRUPTS))
		log_info("nothing was lost: the clock is right within %.9f s",
		         vt_span_seconds(vt_span_abs(d->size)));
	else if (d->end == DISRUPTION_HELD)
		log_warn("a jump of %+.9f s is not followed: another source contradicts",
		         vt_span_seconds(d->size));
	else if (d->end == DISRUPTION_SLEWED)
		log_info("a difference of %+.9f s is slewed: cause=\"%s\"", vt_span_seconds(d->size),
		         step_cause_name(d->cause));
}

static void tell(struct daemon *d, const struct discipline_event *e)
{
	const char *name = source_name(d, e->source);

	switch (e->kind) {
	case EVENT_SELECTED:
		tell_selected(d, e);
		return;
	case EVENT_LOST:
		tell_lost(d, e);
		return;
	case EVENT_SUSPECTED:
		log_info("source %s is %+.9f s from where it was expected: reading again", name,
		         vt_span_seconds(e->size));
		return;
	case EVENT_DISMISSED:
		log_info("source %s is as expected again, the readings before were outliers", name);
		return;
	case EVENT_SLEWED:
		log_info("source %s runs at another rate now: %+.3f ppm", name, e->rate.ppb / 1e3);
		return;
	case EVENT_STEPPED:
		tell_step(d, e, "stepped");
		return;
	case EVENT_UNSTEPPED:
		log_info("clock would be stepped by %+.9f s: cause=\"%s\" source=%s (only observing)",
		         vt_span_seconds(e->size), step_cause_name(e->cause), name);
		return;
	case EVENT_FAILED:
		log_err(e->error, "the clock could not be moved");
		return;
	case EVENT_REFUSED:
		log_warn("an offset of %+.9f s is beyond maxchange and was ignored",
		         vt_span_seconds(e->size));
		return;
	case EVENT_GAVE_UP:
		log_fail("an offset of %+.9f s is beyond maxchange, once too often: giving up",
		         vt_span_seconds(e->size));
		d->wants_end = true;
		d->exit_status = 1;
		return;
	case EVENT_DISRUPTED:
		tell_disrupted(&e->disruption);
		return;
	case EVENT_REPAIRED:
		tell_repaired(&e->disruption, e->is_renamed);
		return;
	case EVENT_LET_BE:
		log_warn("the clock is off by %+.9f s and is left so: resume ignore",
		         vt_span_seconds(e->size));
		return;
	case EVENT_SET_AWAY:
		log_warn("somebody else set the clock by %+.9f s, %s", -vt_span_seconds(e->size),
		         d->discipline.selected < 0
		                 ? "and no source answers: how far it is off is not known any more"
		                 : "again within a minute: left alone until that is over");
		return;
	}
}

/* A source that cannot be used is told once, and once more when the reason changes or is gone. */
static void tell_trouble(struct refclock *r, const struct source *s)
{
	char text[256];

	if (s->trouble == TROUBLE_UNREAD || s->trouble == r->told || r->is_hidden)
		return;
	if (s->trouble == TROUBLE_NONE)
		log_info("source %s answers again", r->name);
	else if (source_is_usable(s))
		return; /* it may pass */
	else
		log_warn("source %s cannot be used: %s", r->name,
		         refclock_explain(r, s, text, sizeof text));
	r->told = s->trouble;
}

void events_tell(struct daemon *d)
{
	struct discipline_event event;

	while (discipline_pop(&d->discipline, &event)) {
		tell(d, &event);
		history_note(d, &event);
	}
	for (unsigned i = 0; i < d->refclocks.n; i++)
		tell_trouble(&d->refclocks.list[i], &d->discipline.sources[i]);
}
