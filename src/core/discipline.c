/* SPDX-License-Identifier: Apache-2.0 */
#include "core/discipline.h"

#include <errno.h>
#include <math.h>

#include "core/select.h"

/*
 * Between readings the clock and its source may drift apart by this much at worst: a crystal
 * moves by less, a host that slews faster than this is recognised as a disruption.
 */
#define MAX_DRIFT VT_PPM(50)

/*
 * A source this far from its usual rate is being slewed, which ends as suddenly as it began.  If
 * it does not end for so long, that is its usual rate from then on.
 */
#define SLEWING      VT_PPM(50)
#define SLEW_LASTS   VT_SEC(600)

/* At first, and after a migration, it is not known; but no crystal is farther off than this. */
#define CRYSTAL      VT_PPM(200)
#define LEARNING     16

/* A rate that changed by more than this is believed when it is seen twice. */
#define DOUBTFUL     VT_PPM(10)

#define RATE_SIGMAS  3 /* how many count as certain */

/* A bound older than this is no promise any more. */
#define SHELF_LIFE VT_SEC(3600)

/* Our clock was moved by somebody else when it is off its own course by more than this. */
#define SET_AWAY    VT_MS(1)
#define SET_AWAY_NS 1e6

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
		.steered = steered,
		.base = steered,
		.usual = conf->rate,
		.learning = LEARNING,
		.settle_at = VT_MONO_NEVER,
		.bound = { .max_drift = MAX_DRIFT, .shelf_life = { .ns = -1 } },
	};
}

int discipline_add(struct discipline *d, struct source_port *port, const struct source_conf *conf,
                   bool is_host)
{
	if (d->n_sources == DISCIPLINE_SOURCES_MAX)
		return -ENOSPC;
	source_init(&d->sources[d->n_sources], port, conf, is_host, d->conf.rate, d->conf.rate_sigma);
	return d->n_sources++;
}

void discipline_set_tai(struct discipline *d, vt_span utc_minus_tai)
{
	d->is_tai_known = true;
	d->utc_minus_tai = utc_minus_tai;
}

vt_mono discipline_deadline(const struct discipline *d)
{
	vt_mono first = d->settle_at;

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

/* How far our clock has run beyond nominal at @at, with the part that no clock shows. */
static double local_gain_ns(const struct discipline *d, vt_mono at)
{
	return d->local_rest_ns + d->steered.ppb * vt_span_seconds(vt_mono_since(at, d->local.raw));
}

/* What our clock shows at @at if nobody but us moved it. */
static vt_real local_expected(const struct discipline *d, vt_mono at)
{
	vt_span elapsed = vt_mono_since(at, d->local.raw);

	return vt_real_add(vt_real_add(d->local.local, elapsed),
	                   vt_span_from_ns(local_gain_ns(d, at)));
}

/* Our clock goes at the rate that it was really given from @at on. */
static void note_local(struct discipline *d, vt_mono at)
{
	double gain = local_gain_ns(d, at);

	d->local.local = local_expected(d, at);
	d->local_rest_ns = gain - (double)vt_span_from_ns(gain).ns;
	d->local.raw = at;
}

/*
 * Our clock was looked at, and shows whole nanoseconds.  We know better where it is, by the rate that
 * the kernel's frequency could really be set to, as long as that is within what it shows.
 */
static void see_local(struct discipline *d, const struct clock_pair *seen)
{
	double most = 0.5 + (double)seen->radius.ns;
	double rest = 0;

	if (d->is_local_known) {
		note_local(d, seen->raw);
		rest = (double)vt_real_since(d->local.local, seen->local).ns + d->local_rest_ns;
	}
	d->local = *seen;
	d->local_rest_ns = fabs(rest) > SET_AWAY_NS ? 0 : fmax(-most, fmin(rest, most));
	d->is_local_known = true;
}

bool discipline_correction(const struct discipline *d, vt_mono now, vt_span *ret)
{
	const struct estimator *estimator;
	vt_span elapsed;
	vt_real remote;

	if (d->selected == SELECT_NONE || !d->is_local_known)
		return false;
	estimator = &d->sources[d->selected].estimator;
	/* From there at the rate that we believe, which a shock's first reading does not change. */
	elapsed = vt_mono_since(now, estimator->at);
	remote = vt_real_add(estimator_remote_at(estimator, estimator->at), elapsed);
	remote = vt_real_add(remote, vt_rate_over(d->base, elapsed));
	*ret = vt_real_since(remote, local_expected(d, now));
	return true;
}

static void publish(struct discipline *d, bool is_synchronized, vt_span max_error)
{
	struct clock_quality quality = {
		.is_synchronized = is_synchronized && d->conf.keeps_kernel_synchronized,
		.max_error = max_error,
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
	if (d->conf.is_observing)
		return;
	/* Until now it went at the old rate. */
	note_local(d, now);
	(void)is_done(d, source, d->clock->ops->steer(d->clock, rate, &d->steered),
	              &d->steer_error);
}

/*
 * The fastest that the source and an unsteered clock may drift apart.  Two readings make a rate, but
 * a jump between them looks the same: only the third shows that it was one.
 */
static vt_rate fastest_drift(const struct discipline *d, const struct source *s)
{
	double drift = MAX_DRIFT.ppb + RATE_SIGMAS * estimator_rate_sigma(&s->estimator).ppb;
	double slew = fabs(d->base.ppb - d->usual.ppb);
	double unproven = source_unproven_rate(s).ppb;

	/* What one reading says of the rate, a small jump would say as well. */
	drift += fmax(fabs(d->seen.ppb - d->base.ppb), d->changed.ppb);
	if (unproven > 0)
		drift += fmax(RATE_SIGMAS * d->conf.rate_sigma.ppb, unproven);
	return (vt_rate){ slew > SLEWING.ppb ? drift + slew : drift };
}

/*
 * Taken from the reading itself, which cannot be wrong by more than it says, not from the estimate
 * that is made of it, which can.  Our own slew is a drift as well, until it is ended: we may be
 * late.  So is the one before it, at @before: it lasted for some time after we looked at the clock.
 */
static void take_bound(struct discipline *d, const struct source *s, vt_rate before)
{
	double slew = fmax(fabs(d->steered.ppb - d->base.ppb), fabs(before.ppb - d->base.ppb));
	vt_span age = vt_mono_since(d->local.raw, s->latest.raw);
	vt_rate drift = fastest_drift(d, s);
	vt_span moved = vt_span_add(age, vt_rate_over(d->base, age));
	vt_real remote = vt_real_add(s->latest.remote, moved);
	vt_span apart = vt_span_abs(vt_real_since(remote, d->local.local));
	vt_span drifted = vt_span_add(vt_span_abs(vt_rate_over(drift, age)), VT_NS(1));

	d->bound = (struct bound){
		.taken = d->local.raw,
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
		steer(d, source, d->base, now);
}

/* The same for longer: what the source was slewed by is not its pace either. */
static void hold_over(struct discipline *d, int source, vt_mono now)
{
	d->base = d->usual;
	coast(d, source, now);
}

void discipline_leave(struct discipline *d)
{
	hold_over(d, d->selected, d->local.raw);
}

/* The part of the correction that whole nanoseconds do not have. */
static double below_nanosecond(const struct discipline *d, int source)
{
	double phase = d->sources[source].estimator.phase_ns;

	return (phase - (double)vt_span_from_ns(phase).ns) - d->local_rest_ns;
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
	plan = servo_plan(&d->servo, correction, d->base, left, d->conf.max_slew);
	/* What is below a nanosecond is no length, but it is a rate. */
	plan.rate.ppb += below_nanosecond(d, source) / vt_span_seconds(left);
	steer(d, source, plan.rate, now);
	d->settle_at = plan.hold.ns < left.ns ? vt_mono_add(now, plan.hold) : VT_MONO_NEVER;
}

/* Was our clock, as it shows in @seen, moved by somebody else since we last looked? */
static bool is_set_away(const struct discipline *d, const struct clock_pair *seen)
{
	vt_span astray;

	if (!d->is_local_known || d->conf.is_observing)
		return false;
	astray = vt_real_since(seen->local, local_expected(d, seen->raw));
	return vt_span_abs(astray).ns > SET_AWAY.ns;
}

void discipline_drop_sources(struct discipline *d)
{
	if (d->selected != SELECT_NONE) {
		d->conf.rate = estimator_rate(&d->sources[d->selected].estimator);
		d->conf.rate_sigma = estimator_rate_sigma(&d->sources[d->selected].estimator);
	}
	coast(d, d->selected, d->local.raw);
	d->is_local_known = false; /* nobody told us since when it coasts */
	d->selected = SELECT_NONE;
	d->n_sources = 0;
}

/* A piece of a slew is over: look at the clock and go on with what is left. */
static void settle(struct discipline *d, vt_mono now)
{
	struct clock_pair seen;
	vt_span correction;
	vt_rate before = d->steered;

	/* A clock that was set is the next reading's business: it must still look so to it. */
	if (d->selected == SELECT_NONE || d->clock->ops->read(d->clock, &seen) < 0 ||
	    is_set_away(d, &seen)) {
		coast(d, d->selected, now);
		return;
	}
	d->settle_at = VT_MONO_NEVER;
	see_local(d, &seen);
	if (!discipline_correction(d, seen.raw, &correction))
		return;
	slew(d, d->selected, correction, seen.raw);
	take_bound(d, &d->sources[d->selected], before);
}

/* Who only observes finds the same offset at every reading: told anew only once it has changed by half. */
static bool is_told(const struct discipline *d, enum step_cause cause, vt_span correction)
{
	vt_span change = vt_span_abs(vt_span_sub(correction, d->unstepped));

	return d->conf.is_observing && d->is_unstepped && cause != STEP_JUMP &&
	       change.ns <= vt_span_abs(d->unstepped).ns / 2;
}

static bool step(struct discipline *d, int source, enum step_cause cause, vt_span correction)
{
	const struct source *s = &d->sources[source];
	bool is_jump = cause == STEP_JUMP;
	struct discipline_event *event;
	int r = d->conf.is_observing ? 0 : d->clock->ops->step(d->clock, correction);

	if (!is_done(d, source, r, &d->step_error))
		return false;
	if (is_told(d, cause, correction))
		return true;
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
	d->local.local = vt_real_add(d->local.local, correction);
	return true;
}

static enum step_cause cause_of(const struct discipline *d, enum source_verdict verdict,
                                const struct clock_pair *seen, vt_span correction)
{
	bool is_large = vt_span_abs(correction).ns > SET_AWAY.ns;

	if (!d->has_updated)
		return d->conf.step.is_fresh_boot ? STEP_BOOT : STEP_FIRST;
	if (verdict == SOURCE_JUMPED)
		return STEP_JUMP;
	if (is_large && (d->is_left_away || is_set_away(d, seen)))
		return STEP_SET_BY_ANOTHER;
	/* Nothing to compare with, and far off: whatever happened, it happened unseen. */
	if (is_large && verdict == SOURCE_RESTARTED)
		return STEP_JUMP;
	return STEP_DRIFT;
}

/*
 * The first reading of a shock tells that something has changed, not what: where it is more than
 * an NTP daemon changes a rate by, it may have been the time.  The next reading tells, and until then
 * the rate stays.
 */
static bool is_doubtful(const struct discipline *d, const struct source *s, vt_rate rate)
{
	return d->has_updated && s->estimator.is_shocked &&
	       fabs(rate.ppb - d->base.ppb) > DOUBTFUL.ppb;
}

static void note_rate(struct discipline *d, vt_rate rate, vt_mono at)
{
	/*
	 * While learning, what any crystal can do is taken for usual, wherever we found the clock: it
	 * may have been left in the middle of a slew.
	 */
	bool is_usual = fabs(rate.ppb - d->usual.ppb) <= SLEWING.ppb ||
	                (d->learning > 0 && fabs(rate.ppb) <= CRYSTAL.ppb);

	if (is_usual || (d->has_updated && vt_mono_since(at, d->usual_seen).ns > SLEW_LASTS.ns))
		d->usual = rate;
	if (is_usual || !d->has_updated)
		d->usual_seen = at;
	if (d->learning > 0)
		d->learning--;
	d->base = rate;
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
	vt_rate rate = estimator_rate(&s->estimator);

	if (cause == STEP_DRIFT)
		average(d, correction);
	if (d->has_updated)
		d->update_interval = vt_mono_since(s->latest.raw, d->last_update);
	d->residual = (vt_rate){ rate.ppb - d->base.ppb };
	d->last_offset = correction;
	d->last_update = s->latest.raw;
	d->updates++;
	d->changed.ppb = fabs(rate.ppb - (d->has_updated ? d->seen : d->conf.rate).ppb);
	d->seen = rate;
	if (!is_doubtful(d, s, rate))
		note_rate(d, rate, s->latest.raw);
}

/* Applies the policy to @correction.  Returns what is left to slew. */
static vt_span move(struct discipline *d, int source, enum step_cause cause, vt_span correction)
{
	const struct source *s = &d->sources[source];
	bool was_left_away = d->is_left_away;

	d->is_left_away = false;
	switch (step_decide(&d->step, &d->conf.step, cause, correction, s->latest.raw)) {
	case STEP_STEP:
		return step(d, source, cause, correction) ? VT_NS(0) : correction;
	case STEP_SLEW:
		d->is_unstepped = false;
		return correction;
	case STEP_IGNORE:
		push(d, EVENT_REFUSED, source)->size = correction;
		return VT_NS(0);
	case STEP_GIVE_UP:
		push(d, EVENT_GAVE_UP, source)->size = correction;
		return VT_NS(0);
	case STEP_LEAVE:
		if (!was_left_away)
			push(d, EVENT_SET_AWAY, source)->size = correction;
		d->is_left_away = true;
		return VT_NS(0);
	}
	return correction;
}

/* A good reading of the source we follow: the clock is corrected by it. */
static void follow(struct discipline *d, int source, enum source_verdict verdict)
{
	struct source *s = &d->sources[source];
	const struct reading *r = &s->latest;
	vt_span correction = s->latest_offset;
	struct clock_pair seen = { r->raw, r->local, r->local_radius };
	enum step_cause cause = cause_of(d, verdict, &seen, correction);
	vt_rate before = d->steered;
	vt_span left;

	see_local(d, &seen);
	if (verdict == SOURCE_JUMPED) {
		d->jumps++;
		d->learning = LEARNING;
	}
	account(d, s, cause, correction);
	left = move(d, source, cause, correction);
	d->has_updated = true;
	d->is_disrupted = false;
	slew(d, source, left, r->raw);
	take_bound(d, s, before);
	publish(d, !d->is_left_away, d->bound.radius);
}

/* The world may have jumped: say so, and end what would have been right in the old one. */
static void suspect(struct discipline *d, int source, vt_mono now)
{
	struct source *s = &d->sources[source];

	if (!d->is_disrupted) {
		struct innovation i;

		if (estimator_expect(&s->estimator, &s->latest, &i))
			push(d, EVENT_SUSPECTED, source)->size = i.size;
		coast(d, source, now);
		d->is_disrupted = true;
		d->bound.shelf_life = VT_NS(-1);
		publish(d, false, VT_SEC(16));
	}
}

/* No source answers; but that somebody moved the clock, the clock itself tells: then nothing is known of it. */
static void watch_over(struct discipline *d, int source)
{
	struct clock_pair seen;

	if (!d->has_updated || d->clock->ops->read(d->clock, &seen) < 0 || !is_set_away(d, &seen))
		return;
	push(d, EVENT_SET_AWAY, source)->size = vt_real_since(local_expected(d, seen.raw), seen.local);
	d->local = seen;
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
		.steered = d->steered,
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
		watch_over(d, source);
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

void discipline_witness(struct discipline *d, unsigned evidence, vt_span size, vt_mono now)
{
	(void)size, (void)evidence; /* for now it only asks for readings */
	for (int i = 0; i < d->n_sources; i++)
		d->sources[i].next_read = vt_mono_min(d->sources[i].next_read, now);
}

void discipline_dispatch(struct discipline *d, vt_mono now)
{
	for (int i = 0; i < d->n_sources; i++)
		if (d->sources[i].next_read.ns <= now.ns)
			visit(d, i, now);
	if (d->settle_at.ns <= now.ns)
		settle(d, now);
}
