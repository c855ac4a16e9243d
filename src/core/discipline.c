/* SPDX-License-Identifier: Apache-2.0 */
#include "core/discipline.h"

#include <errno.h>
#include <math.h>

#include "core/select.h"

/* A bound older than this is no promise any more. */
#define SHELF_LIFE VT_SEC(3600)

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
	if (d->is_disrupted)
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

void discipline_set_host_error(struct discipline *d, vt_span host_error)
{
	d->host_error = host_error;
}

/* The followed source's own error, as far as it is known. */
static vt_span own_error(const struct discipline *d)
{
	return d->selected != SELECT_NONE && d->sources[d->selected].is_host ? d->host_error : VT_NS(0);
}

static void publish(struct discipline *d, bool is_synchronized, vt_span max_error)
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
		push(d, EVENT_FAILED, source)->error = *error;
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

/*
 * Taken from the reading itself, which cannot be wrong by more than it says, not from the estimate
 * that is made of it, which can.  Our own slew is a drift as well, until it is ended: we may be
 * late.  So is the one before it, at @before: it lasted for some time after we looked at the clock.
 */
static void take_bound(struct discipline *d, const struct source *s, vt_rate before)
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

/* Ends a slew: from here the clock goes at the source's own pace. */
static void coast(struct discipline *d, int source, vt_mono now)
{
	d->settle_at = VT_MONO_NEVER;
	if (d->has_updated)
		steer(d, source, d->tempo.base, now);
}

/* The same for longer: what the source was slewed by is not its pace either. */
static void hold_over(struct discipline *d, int source, vt_mono now)
{
	tempo_hold(&d->tempo);
	coast(d, source, now);
}

void discipline_leave(struct discipline *d)
{
	hold_over(d, d->selected, d->course.seen.raw);
}

/* The part of the correction that whole nanoseconds do not have. */
static double below_nanosecond(const struct discipline *d, int source)
{
	double phase = d->sources[source].estimator.phase_ns;

	return (phase - (double)vt_span_from_ns(phase).ns) - d->course.rest_ns;
}

/* Spreads what is left of the correction over the time to the source's next reading. */
static void slew(struct discipline *d, int source, vt_span correction, vt_mono now)
{
	vt_span left = vt_mono_since(d->sources[source].next_read, now);
	struct servo_plan plan;

	if (d->conf.is_observing)
		return;
	if (left.ns <= 0) {
		/* The reading is due and knows better. */
		coast(d, source, now);
		return;
	}
	plan = servo_plan(&d->servo, correction, d->tempo.base, left, d->conf.max_slew);
	/* What is below a nanosecond is no length, but it is a rate. */
	plan.rate.ppb += below_nanosecond(d, source) / vt_span_seconds(left);
	steer(d, source, plan.rate, now);
	d->settle_at = plan.hold.ns < left.ns ? vt_mono_add(now, plan.hold) : VT_MONO_NEVER;
}

/* Was our clock, as it shows in @seen, moved by somebody else since we last looked? */
static bool is_set_away(const struct discipline *d, const struct clock_pair *seen)
{
	return !d->conf.is_observing && course_astray(&d->course, seen).ns != 0;
}

void discipline_drop_sources(struct discipline *d)
{
	if (d->selected != SELECT_NONE)
		tempo_keep(&d->tempo, &d->sources[d->selected].estimator);
	coast(d, d->selected, d->course.seen.raw);
	d->course.is_known = false; /* nobody told us since when it coasts */
	d->selected = SELECT_NONE;
	d->n_sources = 0;
}

/* A piece of a slew is over: look at the clock and go on with what is left. */
static void settle(struct discipline *d, vt_mono now)
{
	struct clock_pair seen;
	vt_span correction;
	vt_rate before = d->course.steered;

	/* A clock that was set is the next reading's business: it must still look so to it. */
	if (d->selected == SELECT_NONE || d->clock->ops->read(d->clock, &seen) < 0 ||
	    is_set_away(d, &seen)) {
		coast(d, d->selected, now);
		return;
	}
	d->settle_at = VT_MONO_NEVER;
	course_see(&d->course, &seen);
	if (!discipline_correction(d, seen.raw, &correction))
		return;
	slew(d, d->selected, correction, seen.raw);
	take_bound(d, &d->sources[d->selected], before);
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
	int r = d->conf.is_observing ? 0 : d->clock->ops->step(d->clock, correction);

	if (!is_done(d, source, r, &d->step_error))
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
	course_step(&d->course, correction);
	return true;
}

/* What a reading that is to steer shows, besides what outside evidence says. */
static unsigned facts_of(const struct discipline *d, enum source_verdict verdict,
                         const struct clock_pair *seen, vt_span correction)
{
	unsigned facts = d->incident.is_open ? d->incident.it.evidence & ~(unsigned)EVIDENCE_READINGS : 0;

	if (!d->has_updated)
		facts |= FACT_FIRST | (d->conf.step.is_fresh_boot ? FACT_FRESH_BOOT : 0);
	if (verdict == SOURCE_JUMPED)
		facts |= EVIDENCE_READINGS;
	if (verdict == SOURCE_RESTARTED)
		facts |= FACT_UNCOMPARED;
	if (d->is_left_away || is_set_away(d, seen))
		facts |= FACT_ASTRAY;
	if (d->is_let_be)
		facts |= FACT_LET_BE;
	if (vt_span_abs(correction).ns > LARGE.ns)
		facts |= FACT_LARGE;
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

	if (!d->incident.is_open && !outcome->is_news)
		return;
	open_disruption(d, source, cause_is_jump(cause) ? EVIDENCE_READINGS : 0, d->update_interval,
	                s->latest.raw);
	d->incident.it.source = source;
	incident_close(&d->incident, outcome->end, cause, correction, s->latest.remote, s->latest.raw);
	push(d, EVENT_REPAIRED, source)->disruption = d->incident.it;
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

	course_see(&d->course, &seen);
	if (verdict == SOURCE_JUMPED) {
		d->jumps++;
		tempo_relearn(&d->tempo);
	}
	account(d, s, cause, correction);
	outcome = move(d, source, cause, correction);
	d->has_updated = true;
	d->is_disrupted = false;
	close_disruption(d, source, &outcome, cause, correction);
	slew(d, source, outcome.left, r->raw);
	take_bound(d, s, before);
	publish(d, !d->is_left_away && !d->is_let_be, d->bound.radius);
}

/* The world may have jumped: end what would have been right in the old one, and promise nothing. */
static void disrupt(struct discipline *d, int source, unsigned evidence, vt_span blind_for,
                    vt_mono now)
{
	open_disruption(d, source, evidence, blind_for, now);
	if (d->is_disrupted)
		return;
	coast(d, source, now);
	d->is_disrupted = true;
	d->bound.shelf_life = VT_NS(-1);
	publish(d, false, VT_SEC(16));
}

/* So says a reading. */
static void suspect(struct discipline *d, int source, vt_mono now)
{
	struct source *s = &d->sources[source];
	struct innovation i;

	if (!d->is_disrupted && estimator_expect(&s->estimator, &s->latest, &i))
		push(d, EVENT_SUSPECTED, source)->size = i.size;
	disrupt(d, source, EVIDENCE_READINGS,
	        vt_mono_since(s->disrupt.noticed, s->disrupt.since), now);
}

/* No source answers; but that somebody moved the clock, the clock itself tells: then nothing is known of it. */
static void watch_over(struct discipline *d, int source, vt_mono now)
{
	struct clock_pair seen;

	if (!d->has_updated || d->clock->ops->read(d->clock, &seen) < 0 || !is_set_away(d, &seen))
		return;
	push(d, EVENT_SET_AWAY, source)->size = vt_span_sub(VT_NS(0), course_astray(&d->course, &seen));
	open_disruption(d, source, 0, vt_mono_since(now, d->course.seen.raw), now);
	incident_close(&d->incident, DISRUPTION_LEFT, STEP_SET_BY_ANOTHER,
	               vt_span_sub(VT_NS(0), course_astray(&d->course, &seen)), seen.local, seen.raw);
	push(d, EVENT_REPAIRED, source)->disruption = d->incident.it;
	d->course.seen = seen;
	d->is_left_away = true;
	d->bound.shelf_life = VT_NS(-1);
	publish(d, false, VT_SEC(16));
}

static void reselect(struct discipline *d, vt_mono now)
{
	struct candidate candidates[DISCIPLINE_SOURCES_MAX];
	int selected;

	for (int i = 0; i < d->n_sources; i++) {
		const struct source *s = &d->sources[i];

		candidates[i] = (struct candidate){
			.is_usable = source_is_usable(s),
			.prefer = s->conf.prefer,
			.noselect = s->conf.noselect,
			.require = s->conf.require,
			.is_host = s->is_host,
			.stratum = s->conf.stratum,
			.error = source_error(s),
		};
	}
	selected = select_source(candidates, (size_t)d->n_sources, d->selected);
	if (selected == d->selected)
		return;
	if (selected == SELECT_NONE ||
	    (d->selected != SELECT_NONE && !candidates[d->selected].is_usable))
		push(d, EVENT_LOST, d->selected);
	if (selected == SELECT_NONE)
		hold_over(d, d->selected, now);
	else
		push(d, EVENT_SELECTED, selected);
	d->selected = selected;
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
	enum source_verdict verdict = source_read(s, &world);

	if (verdict != SOURCE_FAILED && verdict != SOURCE_SUSPECTED)
		s->latest_offset = vt_real_since(
			estimator_remote_at(&s->estimator, s->latest.raw), s->latest.local);
	reselect(d, now);
	if (s->outliers != outliers)
		push(d, EVENT_DISMISSED, source);
	if (verdict == SOURCE_SLEWED)
		push(d, EVENT_SLEWED, source)->rate = estimator_rate(&s->estimator);
	if (verdict == SOURCE_FAILED && d->selected == SELECT_NONE)
		watch_over(d, source, now);
	if (source != d->selected)
		return;
	switch (verdict) {
	case SOURCE_FAILED: coast(d, source, now); return;
	case SOURCE_SUSPECTED: suspect(d, source, now); return;
	case SOURCE_STEERS:
	case SOURCE_RESTARTED:
	case SOURCE_SLEWED:
	case SOURCE_JUMPED: follow(d, source, verdict); return;
	}
}

static void read_all_at_once(struct discipline *d, vt_mono now)
{
	for (int i = 0; i < d->n_sources; i++) {
		d->sources[i].next_read = vt_mono_min(d->sources[i].next_read, now);
		source_urge(&d->sources[i]);
	}
}

void discipline_witness(struct discipline *d, unsigned evidence, vt_span size, vt_mono now)
{
	if (incident_rename(&d->incident, evidence, now)) {
		struct discipline_event *event = push(d, EVENT_REPAIRED, d->incident.it.source);

		event->disruption = d->incident.it;
		event->is_renamed = true;
	} else if (d->incident.is_open)
		d->incident.it.evidence |= evidence;
	else
		incident_hint(&d->incident, evidence, now);
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

void discipline_dispatch(struct discipline *d, vt_mono now)
{
	unsigned evidence;

	if (nudge_take(&d->asks, now, &evidence))
		read_all_at_once(d, now);
	for (int i = 0; i < d->n_sources; i++)
		if (d->sources[i].next_read.ns <= now.ns)
			visit(d, i, now);
	if (d->settle_at.ns <= now.ns)
		settle(d, now);
}
