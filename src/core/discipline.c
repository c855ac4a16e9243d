/* SPDX-License-Identifier: Apache-2.0 */
#include "core/discipline.h"

#include <errno.h>
#include <math.h>

#include "core/jury.h"
#include "core/select.h"
#include "core/steering.h"

/* An offset larger than this is no drift. */
#define LARGE VT_MS(1)

#define RMS_WEIGHT 0.1 /* of the latest offset in the long-term average */

static struct discipline_event *push(struct discipline *d, enum discipline_event_kind kind, int source)
{
	return event_push(&d->events, kind, source);
}

bool discipline_pop(struct discipline *d, struct discipline_event *ret)
{
	return event_pop(&d->events, ret);
}

void discipline_init(struct discipline *d, const struct discipline_conf *conf,
                     struct clock_port *clock, vt_rate steered)
{
	*d = (struct discipline){
		.conf = *conf,
		.clock = clock,
		.selected = SELECT_NONE,
		.settle_at = VT_MONO_NEVER,
		.bound = { .max_drift = TEMPO_MAX_DRIFT, .shelf_life = { .ns = -1 } },
	};
	tempo_init(&d->tempo, steered, conf->rate, conf->rate_sigma);
	course_init(&d->course, steered);
	nudge_init(&d->asks, (vt_mono){ 0 });
}

int discipline_add(struct discipline *d, struct source_port *port, const struct source_conf *conf,
                   bool is_host)
{
	if (d->n_sources == DISCIPLINE_SOURCES_MAX)
		return -ENOSPC;
	source_init(&d->sources[d->n_sources], port, conf, is_host, d->tempo.known,
	            d->tempo.known_sigma);
	return d->n_sources++;
}

void discipline_set_tai(struct discipline *d, vt_span utc_minus_tai)
{
	d->is_tai_known = true;
	d->utc_minus_tai = utc_minus_tai;
}

vt_mono discipline_deadline(const struct discipline *d)
{
	vt_mono first = vt_mono_min(d->settle_at, nudge_deadline(&d->asks));

	for (int i = 0; i < d->n_sources; i++)
		first = vt_mono_min(first, d->sources[i].next_read);
	return first;
}

enum discipline_state discipline_state(const struct discipline *d)
{
	if (d->is_disrupted || d->is_catching_up)
		return DISCIPLINE_DISRUPTED;
	if (!d->has_updated)
		return DISCIPLINE_STARTING;
	return d->selected == SELECT_NONE ? DISCIPLINE_HOLDOVER : DISCIPLINE_OK;
}

bool discipline_correction(const struct discipline *d, vt_mono now, vt_span *ret)
{
	const struct estimator *estimator;
	vt_span elapsed;
	vt_real remote;

	if (d->selected == SELECT_NONE || !d->course.is_known)
		return false;
	estimator = &d->sources[d->selected].estimator;
	/* From there at the rate that we believe, which a shock's first reading does not change. */
	elapsed = vt_mono_since(now, estimator->at);
	remote = vt_real_add(estimator_remote_at(estimator, estimator->at), elapsed);
	remote = vt_real_add(remote, vt_rate_over(d->tempo.base, elapsed));
	*ret = vt_real_since(remote, course_at(&d->course, now));
	return true;
}

void discipline_leave(struct discipline *d)
{
	steering_hold_over(d, d->selected, d->course.seen.raw);
}

void discipline_set_leap(struct discipline *d, int seconds, vt_mono now)
{
	if (d->course.is_known)
		leap_announce(&d->leap, seconds, course_at(&d->course, now));
}

void discipline_set_host_error(struct discipline *d, vt_span host_error)
{
	d->host_error = host_error;
}

void discipline_drop_sources(struct discipline *d)
{
	if (d->selected != SELECT_NONE)
		tempo_keep(&d->tempo, &d->sources[d->selected].estimator);
	steering_coast(d, d->selected, d->course.seen.raw);
	d->course.is_known = false; /* nobody told us since when it coasts */
	d->selected = SELECT_NONE;
	d->n_sources = 0;
}

/* Who only observes finds the same offset at every reading: told anew only once it has changed by half. */
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
	event = push(d, d->conf.is_observing ? EVENT_UNSTEPPED : EVENT_STEPPED, source);
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

/* It was proven to have jumped, while it was held or another was followed, and our clock has not. */
static bool has_unused_jump(const struct discipline *d, const struct source *s)
{
	return s->was_held || (s->has_jumped && s->jump_noticed.ns > d->last_update.ns);
}

/* What a reading that is to steer shows, besides what outside evidence says. */
static unsigned facts_of(const struct discipline *d, enum source_verdict verdict,
                         const struct clock_pair *seen, vt_span correction)
{
	unsigned facts = incident_evidence(&d->incident, seen->raw) & ~(unsigned)EVIDENCE_READINGS;
	const struct source *s = &d->sources[d->selected];

	if (!d->has_updated)
		facts |= FACT_FIRST | (d->conf.step.is_fresh_boot ? FACT_FRESH_BOOT : 0);
	if (verdict == SOURCE_JUMPED)
		facts |= EVIDENCE_READINGS;
	if (verdict == SOURCE_RESTARTED)
		facts |= FACT_UNCOMPARED;
	if (d->is_left_away || steering_is_set_away(d, seen))
		facts |= FACT_ASTRAY;
	if (d->is_let_be)
		facts |= FACT_LET_BE;
	if (leap_explains(s->latest.remote, verdict == SOURCE_JUMPED ? s->jump_size : correction))
		facts |= EVIDENCE_LEAP;
	if (vt_span_abs(correction).ns > LARGE.ns)
		facts |= FACT_LARGE | (has_unused_jump(d, s) ? EVIDENCE_READINGS : 0);
	return facts;
}

/* A step repairs the world's doing; the long-term average tells of the discipline's own. */
static void average(struct discipline *d, vt_span correction)
{
	double square = (double)correction.ns * (double)correction.ns;
	double past = d->rms_offset_ns * d->rms_offset_ns;

	d->rms_offset_ns = d->has_average ? sqrt(past + RMS_WEIGHT * (square - past))
	                                  : fabs((double)correction.ns);
	d->has_average = true;
}

static void account(struct discipline *d, const struct source *s, enum step_cause cause,
                    vt_span correction)
{
	if (cause == STEP_DRIFT)
		average(d, correction);
	if (d->has_updated)
		d->update_interval = vt_mono_since(s->latest.raw, d->last_update);
	d->residual = (vt_rate){ estimator_rate(&s->estimator).ppb - d->tempo.base.ppb };
	d->last_offset = correction;
	d->last_update = s->latest.raw;
	d->updates++;
	tempo_note(&d->tempo, &s->estimator, s->latest.raw);
}

/* What became of an offset. */
struct outcome {
	vt_span left; /* to be slewed */
	enum disruption_end end;
	bool is_news;
};

static struct outcome try_step(struct discipline *d, int source, enum step_cause cause,
                               vt_span correction)
{
	struct outcome stepped = { VT_NS(0), DISRUPTION_STEPPED, true };

	if (d->conf.is_observing)
		stepped = (struct outcome){ VT_NS(0), DISRUPTION_LEFT, !is_told(d, cause, correction) };
	if (stepped.is_news && !step(d, source, cause, correction))
		return (struct outcome){ correction, DISRUPTION_SLEWED, true };
	return stepped;
}

/* Applies the policy to @correction. */
static struct outcome move(struct discipline *d, int source, enum step_cause cause,
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
		return (struct outcome){ correction, is_jump ? DISRUPTION_SLEWED : DISRUPTION_NOTHING,
			                 is_jump };
	case STEP_IGNORE:
		push(d, EVENT_REFUSED, source)->size = correction;
		break;
	case STEP_GIVE_UP:
		push(d, EVENT_GAVE_UP, source)->size = correction;
		break;
	case STEP_LEAVE:
		if (!was_left_away)
			push(d, EVENT_SET_AWAY, source)->size = correction;
		d->is_left_away = true;
		return (struct outcome){ VT_NS(0), DISRUPTION_LEFT, !was_left_away };
	case STEP_LET_BE:
		if (!was_let_be)
			push(d, EVENT_LET_BE, source)->size = correction;
		d->is_let_be = true;
		return (struct outcome){ VT_NS(0), DISRUPTION_LEFT, !was_let_be };
	}
	return (struct outcome){ VT_NS(0), DISRUPTION_LEFT, false };
}

static void open_disruption(struct discipline *d, int source, unsigned evidence, vt_span blind_for,
                            vt_mono now)
{
	if (!incident_open(&d->incident, evidence, course_at(&d->course, now), blind_for, now))
		return;
	d->incident.it.source = source;
	push(d, EVENT_DISRUPTED, source)->disruption = d->incident.it;
}

/* What was found by @s, and is done: the end of a disruption that is open, or all of one. */
static void close_disruption(struct discipline *d, int source, const struct outcome *outcome,
                             enum step_cause cause, vt_span correction)
{
	const struct source *s = &d->sources[source];
	unsigned evidence = cause_is_jump(cause) ? EVIDENCE_READINGS : 0;

	if (!d->incident.is_open && !outcome->is_news)
		return;
	if (cause == STEP_LEAP)
		evidence = EVIDENCE_LEAP;
	open_disruption(d, source, evidence, d->update_interval, s->latest.raw);
	d->incident.it.source = source;
	incident_close(&d->incident, outcome->end, cause, correction, s->latest.remote, s->latest.raw);
	push(d, EVENT_REPAIRED, source)->disruption = d->incident.it;
}

/*
 * A jump that is slewed away is not repaired before the clock is right: until then it stays the same
 * disruption, whatever the readings in between would be called alone.
 */
static void end_disruption(struct discipline *d, int source, const struct outcome *outcome,
                           enum step_cause cause, vt_span correction, bool is_new)
{
	bool is_slewed = outcome->end == DISRUPTION_SLEWED && !d->conf.is_observing;
	bool is_same = is_slewed && d->is_catching_up && !is_new;

	if (is_slewed && !is_same) {
		d->caught_cause = cause;
		d->caught_size = correction;
	}
	d->is_catching_up = is_slewed && vt_span_abs(correction).ns > LARGE.ns;
	if (d->is_catching_up)
		open_disruption(d, source, EVIDENCE_READINGS, d->update_interval,
		                d->sources[source].latest.raw);
	else
		close_disruption(d, source, outcome, cause, is_same ? d->caught_size : correction);
}

/* A good reading of the source we follow: the clock is corrected by it. */
static void follow(struct discipline *d, int source, enum source_verdict verdict)
{
	struct source *s = &d->sources[source];
	const struct reading *r = &s->latest;
	vt_span correction = s->latest_offset;
	struct clock_pair seen = { r->raw, r->local, r->local_radius };
	enum step_cause cause = cause_of(facts_of(d, verdict, &seen, correction));
	vt_rate before = d->course.steered;
	struct outcome outcome;

	if (d->is_catching_up && verdict == SOURCE_STEERS)
		cause = d->caught_cause;
	course_see(&d->course, &seen);
	if (verdict == SOURCE_JUMPED) {
		d->jumps++;
		tempo_relearn(&d->tempo);
	}
	account(d, s, cause, correction);
	s->was_held = false;
	outcome = move(d, source, cause, correction);
	d->has_updated = true;
	d->is_disrupted = false;
	end_disruption(d, source, &outcome, cause, correction, verdict != SOURCE_STEERS);
	steering_slew(d, source, outcome.left, r->raw);
	steering_take_bound(d, s, before);
	steering_publish(d, !d->is_left_away && !d->is_let_be && !d->is_catching_up,
	                 d->bound.radius);
}

/* The world may have jumped: end what would have been right in the old one, and promise nothing. */
static void disrupt(struct discipline *d, int source, unsigned evidence, vt_span blind_for,
                    vt_mono now)
{
	open_disruption(d, source, evidence, blind_for, now);
	if (d->is_disrupted)
		return;
	steering_coast(d, source, now);
	d->is_disrupted = true;
	steering_void_bound(d);
}

/* So says a reading. */
static void suspect(struct discipline *d, int source, vt_mono now)
{
	struct source *s = &d->sources[source];

	/* One outlier after the other is told once. */
	if (!d->incident.is_open && source_suspicions(s) > 2 &&
	    d->incident.it.end == DISRUPTION_NOTHING)
		incident_reopen(&d->incident, now);
	if (!d->incident.is_open)
		push(d, EVENT_SUSPECTED, source)->size = s->suspected;
	disrupt(d, source, EVIDENCE_READINGS,
	        vt_mono_since(s->disrupt.noticed, s->disrupt.since), now);
}

/*
 * Another source was read since and saw no jump: then it was not this machine that lost time.  Only
 * the host itself can say that it stepped its clock; without its word nothing is moved.
 */
static bool is_contradicted(struct discipline *d, int source, vt_mono now)
{
	struct source *s = &d->sources[source];
	const struct outcome held = { VT_NS(0), DISRUPTION_HELD, true };
	unsigned evidence = jury_hear(d->sources, d->n_sources, source);

	open_disruption(d, source, EVIDENCE_READINGS, s->jump_blind, now);
	d->incident.it.evidence |= evidence;
	if ((evidence & EVIDENCE_CONTRADICTED) == 0 || (evidence & EVIDENCE_SECOND_AGREES) ||
	    (d->incident.it.evidence & EVIDENCE_HOST_STEPPED))
		return false;
	s->is_held = true;
	close_disruption(d, source, &held, cause_of(d->incident.it.evidence), s->latest_offset);
	return true;
}

static void release(struct source *s)
{
	s->was_held = s->was_held || s->is_held;
	s->is_held = false;
}

/* It is where the clock is again, or nothing else is left to go by. */
static bool is_to_be_released(const struct discipline *d, int source)
{
	const struct source *s = &d->sources[source];

	if (!s->is_held || s->disrupt.n > 0)
		return false;
	return !jury_has_other(d->sources, d->n_sources, source) ||
	       vt_span_abs(s->latest_offset).ns <= vt_span_add(LARGE, source_error(s)).ns;
}

/* No source answers; but that somebody moved the clock, the clock itself tells: then nothing is known of it. */
static void watch_over(struct discipline *d, int source, vt_mono now)
{
	struct clock_pair seen;

	if (!d->has_updated || d->clock->ops->read(d->clock, &seen) < 0 || !steering_is_set_away(d, &seen))
		return;
	push(d, EVENT_SET_AWAY, source)->size = vt_span_sub(VT_NS(0), course_astray(&d->course, &seen));
	open_disruption(d, source, 0, vt_mono_since(now, d->course.seen.raw), now);
	incident_close(&d->incident, DISRUPTION_LEFT, STEP_SET_BY_ANOTHER,
	               vt_span_sub(VT_NS(0), course_astray(&d->course, &seen)), seen.local, seen.raw);
	push(d, EVENT_REPAIRED, source)->disruption = d->incident.it;
	d->course.seen = seen;
	d->is_left_away = true;
	steering_void_bound(d);
}

static void reselect(struct discipline *d, vt_mono now)
{
	int selected = jury_select(d->sources, d->n_sources, d->selected);

	if (selected == d->selected)
		return;
	if (selected == SELECT_NONE ||
	    (d->selected != SELECT_NONE && !source_is_usable(&d->sources[d->selected])))
		push(d, EVENT_LOST, d->selected);
	if (selected == SELECT_NONE)
		steering_hold_over(d, d->selected, now);
	else
		push(d, EVENT_SELECTED, selected);
	d->selected = selected;
}

static void read_all_at_once(struct discipline *d, vt_mono now)
{
	for (int i = 0; i < d->n_sources; i++) {
		d->sources[i].next_read = vt_mono_min(d->sources[i].next_read, now);
		source_urge(&d->sources[i]);
	}
}

/* Was it this machine, or that source?  Read with it, they tell. */
static void ask_the_others(struct discipline *d, int source, vt_mono now)
{
	bool is_first = d->sources[source].disrupt.in_a_row == 1;

	for (int i = 0; i < d->n_sources; i++)
		if (i != source && is_first && d->sources[i].disrupt.n == 0)
			d->sources[i].next_read = vt_mono_min(d->sources[i].next_read, now);
}

static void visit(struct discipline *d, int source, vt_mono now)
{
	struct source *s = &d->sources[source];
	struct source_world world = {
		.now = now,
		.steered = d->course.steered,
		.is_tai_known = d->is_tai_known,
		.utc_minus_tai = d->utc_minus_tai,
	};
	uint64_t outliers = s->outliers;
	bool was_followed = source == d->selected;
	bool was_any = d->selected != SELECT_NONE;
	enum source_verdict verdict;

	world.is_kept = steering_is_kept(d, source, now, &world.kept_within);
	verdict = source_read(s, &world);
	if (verdict != SOURCE_FAILED && verdict != SOURCE_SUSPECTED)
		s->latest_offset = vt_real_since(
			estimator_remote_at(&s->estimator, s->latest.raw), s->latest.local);
	if (verdict == SOURCE_JUMPED && was_followed && is_contradicted(d, source, now))
		read_all_at_once(d, now);
	if (is_to_be_released(d, source))
		release(s);
	if (verdict == SOURCE_SUSPECTED)
		ask_the_others(d, source, now);
	reselect(d, now);
	/* One that is given up for it has shown a jump all the same. */
	if (verdict == SOURCE_SUSPECTED && (was_followed || source == d->selected))
		suspect(d, source, now);
	if (s->outliers != outliers && source_suspicions(s) <= 2)
		push(d, EVENT_DISMISSED, source);
	/* Seen by one that is not followed, before the one that is could be read. */
	if (verdict == SOURCE_JUMPED && !was_followed && was_any && jury_is_selectable(s) &&
	    d->sources[d->selected].latest.raw.ns < s->jump_noticed.ns)
		disrupt(d, source, EVIDENCE_READINGS, s->jump_blind, now);
	if (verdict == SOURCE_SLEWED)
		push(d, EVENT_SLEWED, source)->rate = estimator_rate(&s->estimator);
	if (verdict == SOURCE_FAILED && d->selected == SELECT_NONE)
		watch_over(d, source, now);
	if (source != d->selected)
		return;
	switch (verdict) {
	case SOURCE_FAILED: steering_coast(d, source, now); return;
	case SOURCE_SUSPECTED: return;
	case SOURCE_STEERS:
	case SOURCE_RESTARTED:
	case SOURCE_SLEWED:
	case SOURCE_JUMPED: break;
	}
	/* What it did while another was followed has nothing to do with our clock. */
	if ((verdict == SOURCE_JUMPED || verdict == SOURCE_RESTARTED) && was_any && !was_followed)
		verdict = SOURCE_STEERS;
	follow(d, source, verdict);
}

void discipline_witness(struct discipline *d, unsigned evidence, vt_span size, vt_mono now)
{
	if (incident_rename(&d->incident, evidence, now)) {
		struct discipline_event *event = push(d, EVENT_REPAIRED, d->incident.it.source);

		event->disruption = d->incident.it;
		event->is_renamed = true;
	}
	if (d->incident.is_open)
		d->incident.it.evidence |= evidence;
	else
		incident_hint(&d->incident, evidence, now);
	if (evidence & EVIDENCE_HOST_STEPPED)
		for (int i = 0; i < d->n_sources; i++)
			release(&d->sources[i]);
	nudge_ask(&d->asks, evidence);
	if ((evidence & EVIDENCE_DISRUPTS) == 0 || !d->has_updated ||
	    !incident_believes(&d->incident, now))
		return;
	disrupt(d, d->selected, evidence, vt_mono_since(now, d->last_update), now);
	if (evidence & EVIDENCE_SUSPEND)
		d->incident.it.blind_for = vt_span_add(d->incident.it.blind_for, size);
	if (evidence & (EVIDENCE_MARKER | EVIDENCE_GENERATION))
		tempo_relearn(&d->tempo);
	for (int i = 0; i < d->n_sources; i++)
		source_disrupt(&d->sources[i], evidence);
	read_all_at_once(d, now);
}

void discipline_take_rtc(struct discipline *d, vt_span correction, vt_mono now)
{
	struct outcome outcome = { VT_NS(0), DISRUPTION_LEFT, true };
	enum step_cause cause =
		cause_of(incident_evidence(&d->incident, now) | (unsigned)EVIDENCE_RTC);
	vt_real shows = course_at(&d->course, now);

	if (d->selected != SELECT_NONE || d->conf.is_observing)
		return;
	disrupt(d, SELECT_NONE, EVIDENCE_RTC, vt_mono_since(now, d->last_update), now);
	if (step_decide(&d->step, &d->conf.step, cause, correction, now) == STEP_STEP &&
	    steering_step(d, SELECT_NONE, correction)) {
		struct discipline_event *event = push(d, EVENT_STEPPED, SELECT_NONE);

		outcome.end = DISRUPTION_STEPPED;
		shows = vt_real_add(shows, correction);
		event->cause = cause;
		event->size = correction;
		event->at = shows;
		d->steps++;
	}
	d->is_disrupted = d->is_catching_up = false;
	incident_close(&d->incident, outcome.end, cause, correction, shows, now);
	push(d, EVENT_REPAIRED, SELECT_NONE)->disruption = d->incident.it;
}

/* Nobody reads about a leap second.  Whether readings may go on. */
static bool is_leap_over(struct discipline *d, vt_mono now)
{
	vt_real expected = course_at(&d->course, now);

	switch (leap_phase_at(&d->leap, expected)) {
	case LEAP_NONE: return true;
	case LEAP_NEAR: break;
	case LEAP_DONE:
		for (int i = 0; i < d->n_sources; i++)
			source_shift(&d->sources[i], d->leap.change);
		course_step(&d->course, d->leap.change);
		d->leap.is_due = false;
		return true;
	}
	for (int i = 0; i < d->n_sources; i++)
		d->sources[i].next_read =
			vt_mono_add(now, vt_span_add(leap_wait(&d->leap, expected), VT_MS(1)));
	return false;
}

void discipline_dispatch(struct discipline *d, vt_mono now)
{
	unsigned evidence;

	if (nudge_take(&d->asks, now, &evidence))
		read_all_at_once(d, now);
	if (!is_leap_over(d, now))
		steering_coast(d, d->selected, now);
	for (int i = 0; i < d->n_sources; i++)
		if (d->sources[i].next_read.ns <= now.ns)
			visit(d, i, now);
	if (d->settle_at.ns <= now.ns)
		steering_settle(d, now);
}
