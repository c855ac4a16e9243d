/* SPDX-License-Identifier: Apache-2.0 */
#include "core/discipline.h"

#include <errno.h>
#include <math.h>

#include "core/jury.h"
#include "core/repair.h"
#include "core/select.h"
#include "core/steering.h"
#include "core/upheaval.h"
#include "core/witness.h"

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

bool discipline_is_proven(const struct discipline *d, vt_mono since)
{
	return d->selected >= 0 && d->sources[d->selected].has_reading &&
	       d->sources[d->selected].latest.raw.ns >= since.ns &&
	       discipline_state(d) == DISCIPLINE_OK && !d->is_left_away;
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
	if (leap_explains(s->latest.remote, verdict == SOURCE_JUMPED ? s->jump_size : correction,
	                  vt_mono_since(s->latest.raw, d->last_update)))
		facts |= EVIDENCE_LEAP;
	if (vt_span_abs(correction).ns > DISCIPLINE_LARGE.ns)
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

/* A good reading of the source we follow: the clock is corrected by it. */
static void follow(struct discipline *d, int source, enum source_verdict verdict)
{
	struct source *s = &d->sources[source];
	const struct reading *r = &s->latest;
	vt_span correction = s->latest_offset;
	struct clock_pair seen = { r->raw, r->local, r->local_radius };
	enum step_cause cause = cause_of(facts_of(d, verdict, &seen, correction));
	vt_rate before = d->course.steered;
	struct repair repair;

	if (d->is_catching_up && verdict == SOURCE_STEERS)
		cause = d->caught_cause;
	course_see(&d->course, &seen);
	if (verdict == SOURCE_JUMPED) {
		d->jumps++;
		tempo_relearn(&d->tempo);
	}
	account(d, s, cause, correction);
	s->was_held = false;
	repair = repair_move(d, source, cause, correction);
	d->has_updated = true;
	d->is_disrupted = false;
	upheaval_end(d, source, &repair, cause, correction, verdict != SOURCE_STEERS);
	steering_slew(d, source, repair.left, r->raw);
	steering_take_bound(d, s, before);
	steering_publish(d, !d->is_left_away && !d->is_let_be && !d->is_catching_up,
	                 d->bound.radius);
}

/*
 * Another source was read since and saw no jump: then it was not this machine that lost time.  Only
 * the host itself can say that it stepped its clock; without its word nothing is moved.
 */
static bool is_contradicted(struct discipline *d, int source, vt_mono now)
{
	struct source *s = &d->sources[source];
	const struct repair held = { VT_NS(0), DISRUPTION_HELD, true };
	unsigned evidence = jury_hear(d->sources, d->n_sources, source);

	upheaval_open(d, source, EVIDENCE_READINGS, s->jump_blind, now);
	d->incident.it.evidence |= evidence;
	if ((evidence & EVIDENCE_CONTRADICTED) == 0 || (evidence & EVIDENCE_SECOND_AGREES) ||
	    (d->incident.it.evidence & EVIDENCE_HOST_STEPPED))
		return false;
	s->is_held = true;
	upheaval_close(d, source, &held, cause_of(d->incident.it.evidence), s->latest_offset);
	return true;
}

/* It is where the clock is again, or nothing else is left to go by. */
static bool is_to_be_released(const struct discipline *d, int source)
{
	const struct source *s = &d->sources[source];

	if (!s->is_held || s->disrupt.n > 0)
		return false;
	return !jury_has_other(d->sources, d->n_sources, source) ||
	       vt_span_abs(s->latest_offset).ns <= vt_span_add(DISCIPLINE_LARGE, source_error(s)).ns;
}

/* Whether another one may be followed from this reading of @source on. */
static bool may_reselect(struct discipline *d, int source, enum source_verdict verdict, vt_mono now)
{
	struct source *followed = d->selected != SELECT_NONE ? &d->sources[d->selected] : NULL;

	if (!followed || !jury_is_selectable(followed))
		return true;
	/* Its first word, and the followed one said otherwise: that one is asked before it is believed. */
	if (verdict == SOURCE_RESTARTED && d->sources[source].is_apart) {
		followed->next_read = vt_mono_min(followed->next_read, now);
		return false;
	}
	/* A suspicion is settled, and what it comes to repaired, by whoever had it. */
	return followed->disrupt.n == 0 && !(verdict == SOURCE_JUMPED && source == d->selected);
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
		witness_ask_all(d, now);
	if (is_to_be_released(d, source))
		jury_release(s);
	if (verdict == SOURCE_SUSPECTED)
		ask_the_others(d, source, now);
	if (may_reselect(d, source, verdict, now))
		reselect(d, now);
	/* One that is given up for it has shown a jump all the same. */
	if (verdict == SOURCE_SUSPECTED && (was_followed || source == d->selected))
		upheaval_suspect(d, source, now);
	if (s->outliers != outliers && source_suspicions(s) <= 2)
		push(d, EVENT_DISMISSED, source);
	/* Seen by one that is not followed, before the one that is could be read. */
	if (verdict == SOURCE_JUMPED && !was_followed && was_any && jury_is_selectable(s) &&
	    d->sources[d->selected].latest.raw.ns < s->jump_noticed.ns)
		upheaval_begin(d, source, EVIDENCE_READINGS, s->jump_blind, now);
	if (verdict == SOURCE_SLEWED)
		push(d, EVENT_SLEWED, source)->rate = estimator_rate(&s->estimator);
	if (verdict == SOURCE_FAILED && d->selected == SELECT_NONE)
		witness_watch_over(d, source, now);
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
		witness_ask_all(d, now);
	if (!is_leap_over(d, now))
		steering_coast(d, d->selected, now);
	for (int i = 0; i < d->n_sources; i++)
		if (d->sources[i].next_read.ns <= now.ns)
			visit(d, i, now);
	if (d->settle_at.ns <= now.ns)
		steering_settle(d, now);
}
