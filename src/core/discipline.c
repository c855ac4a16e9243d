/* SPDX-License-Identifier: Apache-2.0 */
#include "core/discipline.h"

#include <errno.h>
#include <math.h>

#include "core/select.h"
#include "core/servo.h"

/*
 * Between readings the clock and its source may drift apart by this much at worst: a crystal
 * moves by less, a host that slews faster than this is recognised as a disruption.
 */
#define MAX_DRIFT VT_PPM(50)

/* A bound older than this is no promise any more. */
#define SHELF_LIFE VT_SEC(3600)

/* Our clock was moved by somebody else when it is off its own course by more than this. */
#define SET_AWAY VT_MS(1)

#define RMS_WEIGHT 0.1 /* of the latest offset in the long-term average */

static struct discipline_event *push(struct discipline *d, enum discipline_event_kind kind, int source)
{
	struct discipline_event *event;

	if (d->n_events == DISCIPLINE_EVENTS_MAX) {
		/* Nobody popped for a long time: the oldest goes, the newest matter most. */
		d->first_event = (d->first_event + 1) % DISCIPLINE_EVENTS_MAX;
		d->n_events--;
	}
	event = &d->events[(d->first_event + d->n_events++) % DISCIPLINE_EVENTS_MAX];
	*event = (struct discipline_event){ .kind = kind, .source = source };
	return event;
}

bool discipline_pop(struct discipline *d, struct discipline_event *ret)
{
	if (d->n_events == 0)
		return false;
	*ret = d->events[d->first_event];
	d->first_event = (d->first_event + 1) % DISCIPLINE_EVENTS_MAX;
	d->n_events--;
	return true;
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

/* What our clock shows at @at if nobody but us moved it. */
static vt_real local_expected(const struct discipline *d, vt_mono at)
{
	vt_span elapsed = vt_mono_since(at, d->local.raw);

	return vt_real_add(vt_real_add(d->local.local, elapsed), vt_rate_over(d->steered, elapsed));
}

bool discipline_correction(const struct discipline *d, vt_mono now, vt_span *ret)
{
	if (d->selected == SELECT_NONE || !d->is_local_known)
		return false;
	*ret = vt_real_since(estimator_remote_at(&d->sources[d->selected].estimator, now),
	                     local_expected(d, now));
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

static void steer(struct discipline *d, int source, vt_rate rate)
{
	int r;

	if (d->conf.is_observing)
		return;
	r = d->clock->ops->steer(d->clock, rate, &d->steered);
	if (r < 0)
		push(d, EVENT_FAILED, source)->error = -r;
}

/* Spreads what is left of the correction over the time to the source's next reading. */
static void slew(struct discipline *d, int source, vt_span correction, vt_mono now)
{
	vt_span left = vt_mono_since(d->sources[source].next_read, now);
	struct servo_plan plan;

	if (left.ns <= 0)
		return; /* the reading is due and knows better */
	plan = servo_plan(correction, d->base, left, d->conf.max_slew);
	steer(d, source, plan.rate);
	d->settle_at = plan.hold.ns < left.ns ? vt_mono_add(now, plan.hold) : VT_MONO_NEVER;
}

/* Ends a slew: from here the clock goes at the source's own pace. */
static void coast(struct discipline *d, int source)
{
	d->settle_at = VT_MONO_NEVER;
	if (d->has_updated)
		steer(d, source, d->base);
}

void discipline_leave(struct discipline *d)
{
	coast(d, d->selected);
}

void discipline_drop_sources(struct discipline *d)
{
	if (d->selected != SELECT_NONE) {
		d->conf.rate = estimator_rate(&d->sources[d->selected].estimator);
		d->conf.rate_sigma = estimator_rate_sigma(&d->sources[d->selected].estimator);
	}
	coast(d, d->selected);
	d->selected = SELECT_NONE;
	d->n_sources = 0;
}

/* A piece of a slew is over: look at the clock and go on with what is left. */
static void settle(struct discipline *d, vt_mono now)
{
	vt_span correction;

	d->settle_at = VT_MONO_NEVER;
	if (d->selected == SELECT_NONE || d->clock->ops->read(d->clock, &d->local) < 0) {
		coast(d, d->selected);
		return;
	}
	if (discipline_correction(d, d->local.raw, &correction))
		slew(d, d->selected, correction, now);
}

static bool step(struct discipline *d, int source, enum step_cause cause, vt_span correction)
{
	const struct source *s = &d->sources[source];
	bool is_jump = cause == STEP_JUMP;
	struct discipline_event *event;
	int r = d->conf.is_observing ? 0 : d->clock->ops->step(d->clock, correction);

	if (r < 0) {
		push(d, EVENT_FAILED, source)->error = -r;
		return false;
	}
	event = push(d, d->conf.is_observing ? EVENT_UNSTEPPED : EVENT_STEPPED, source);
	event->cause = cause;
	event->size = correction;
	event->at = s->latest.remote;
	event->noticed_after = is_jump ? s->jump_blind : VT_NS(0);
	event->repaired_after = is_jump ? vt_mono_since(s->latest.raw, s->jump_noticed) : VT_NS(0);
	if (d->conf.is_observing)
		return true;
	d->steps++;
	d->local.local = vt_real_add(d->local.local, correction);
	return true;
}

/* Was our clock moved by somebody else since we last looked? */
static bool is_set_away(const struct discipline *d, const struct reading *r)
{
	vt_span astray;

	if (!d->is_local_known || d->conf.is_observing)
		return false;
	astray = vt_real_since(r->local, local_expected(d, r->raw));
	return vt_span_abs(astray).ns > SET_AWAY.ns;
}

static enum step_cause cause_of(const struct discipline *d, enum source_verdict verdict,
                                const struct reading *r, vt_span correction)
{
	bool is_large = vt_span_abs(correction).ns > SET_AWAY.ns;

	if (!d->has_updated)
		return d->conf.step.is_fresh_boot ? STEP_BOOT : STEP_FIRST;
	if (verdict == SOURCE_JUMPED)
		return STEP_JUMP;
	if (is_large && is_set_away(d, r))
		return STEP_SET_BY_ANOTHER;
	/* Nothing to compare with, and far off: whatever happened, it happened unseen. */
	if (is_large && verdict == SOURCE_RESTARTED)
		return STEP_JUMP;
	return STEP_DRIFT;
}

static void account(struct discipline *d, const struct source *s, vt_span correction)
{
	double square = (double)correction.ns * (double)correction.ns;
	double past = d->rms_offset_ns * d->rms_offset_ns;
	vt_rate rate = estimator_rate(&s->estimator);

	/* The very first offset is the boot's, not the discipline's: the average starts behind it. */
	if (d->updates > 1)
		d->rms_offset_ns = sqrt(past + RMS_WEIGHT * (square - past));
	else if (d->updates == 1)
		d->rms_offset_ns = fabs((double)correction.ns);
	if (d->has_updated)
		d->update_interval = vt_mono_since(s->latest.raw, d->last_update);
	d->residual = (vt_rate){ rate.ppb - d->base.ppb };
	d->last_offset = correction;
	d->last_update = s->latest.raw;
	d->base = rate;
	d->updates++;
}

static void take_bound(struct discipline *d, const struct source *s, vt_span left)
{
	vt_span estimate = estimator_uncertainty(&s->estimator, s->latest.raw);

	d->bound.taken = s->latest.raw;
	d->bound.shelf_life = SHELF_LIFE;
	d->bound.radius = vt_span_add(vt_span_add(vt_span_abs(left), source_error(s)),
	                              (vt_span){ 3 * estimate.ns });
}

/* Applies the policy to @correction.  Returns what is left to slew. */
static vt_span move(struct discipline *d, int source, enum step_cause cause, vt_span correction)
{
	const struct source *s = &d->sources[source];

	switch (step_decide(&d->step, &d->conf.step, cause, correction, s->latest.raw)) {
	case STEP_STEP:
		return step(d, source, cause, correction) ? VT_NS(0) : correction;
	case STEP_SLEW:
		return correction;
	case STEP_IGNORE:
		push(d, EVENT_REFUSED, source)->size = correction;
		return VT_NS(0);
	case STEP_GIVE_UP:
		push(d, EVENT_GAVE_UP, source)->size = correction;
		return VT_NS(0);
	case STEP_LEAVE:
		push(d, EVENT_SET_AWAY, source)->size = correction;
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
	enum step_cause cause = cause_of(d, verdict, r, correction);
	vt_span left;

	d->local = (struct clock_pair){ r->raw, r->local, r->local_radius };
	d->is_local_known = true;
	if (verdict == SOURCE_JUMPED)
		d->jumps++;
	account(d, s, correction);
	left = move(d, source, cause, correction);
	d->has_updated = true;
	d->is_disrupted = false;
	take_bound(d, s, cause == STEP_DRIFT || left.ns ? correction : left);
	slew(d, source, left, r->raw);
	publish(d, true, d->bound.radius);
}

/* The world may have jumped: say so, and end what would have been right in the old one. */
static void suspect(struct discipline *d, int source)
{
	struct source *s = &d->sources[source];

	if (!d->is_disrupted) {
		struct innovation i;

		if (estimator_expect(&s->estimator, &s->latest, &i))
			push(d, EVENT_SUSPECTED, source)->size = i.size;
		coast(d, source);
		d->is_disrupted = true;
		d->bound.shelf_life = VT_NS(-1);
		publish(d, false, VT_SEC(16));
	}
}

static void reselect(struct discipline *d)
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
	if (selected == SELECT_NONE) {
		push(d, EVENT_LOST, d->selected);
		coast(d, d->selected);
	} else {
		push(d, EVENT_SELECTED, selected);
	}
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
	reselect(d);
	if (s->outliers != outliers)
		push(d, EVENT_DISMISSED, source);
	if (verdict == SOURCE_SLEWED)
		push(d, EVENT_SLEWED, source)->rate = estimator_rate(&s->estimator);
	if (source != d->selected)
		return;
	switch (verdict) {
	case SOURCE_FAILED: coast(d, source); return;
	case SOURCE_SUSPECTED: suspect(d, source); return;
	case SOURCE_STEERS:
	case SOURCE_RESTARTED:
	case SOURCE_SLEWED:
	case SOURCE_JUMPED: follow(d, source, verdict); return;
	}
}

void discipline_dispatch(struct discipline *d, vt_mono now)
{
	for (int i = 0; i < d->n_sources; i++)
		if (d->sources[i].next_read.ns <= now.ns)
			visit(d, i, now);
	if (d->settle_at.ns <= now.ns)
		settle(d, now);
}
