/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/world.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Core promises to stand a rate that changes by this much (MAX_DRIFT); see world.h. */
#define ORDINARY_PPB 50e3

#define BINS_PER_OCTAVE 16

/* How far a change of rate must have moved the reference for it to be seen, in widths of a bracket. */
#define SHOWN 8

#define LEARNT 30 /* readings */

/* What a source may have moved away by itself between two readings, so that a jump does not show. */
#define SHOWS_NS  1e6
#define SHOWS_PPB 200e3

#define OFF_NS 1e6  /* no clock to be used */
#define BEYOND 0.05 /* of the first offset: an overshoot */

double world_uniform(struct world *w)
{
	return random_uniform(&w->random);
}

double world_gaussian(struct world *w)
{
	return random_gaussian(&w->random);
}

static void move_on(struct world_time *t, vt_span elapsed, double gained_ns)
{
	double gained = t->fraction + gained_ns;
	double whole = floor(gained);

	t->ns += elapsed.ns + (int64_t)whole;
	t->fraction = gained - whole;
}

double world_error_ns(const struct world *w)
{
	return (double)(w->local.ns - w->reference.ns) +
	       (w->local.fraction - w->reference.fraction);
}

static double reference_ppb(const struct world *w)
{
	return w->reference_ppb + w->swing.ppb + w->slew_ppb;
}

static void note_jump(struct world *w, unsigned readings)
{
	if (w->blind_for == 0)
		w->blind_since = w->now;
	w->blind_for = readings > w->blind_for ? readings : w->blind_for;
	w->jumped_at = w->now;
}

static void end_blindness(struct world *w)
{
	vt_span length = vt_mono_since(w->now, w->blind_since);

	w->blind_windows++;
	w->blind_total = vt_span_add(w->blind_total, length);
	w->blind_longest = vt_span_max(w->blind_longest, length);
}

/* The widest of the sources that may be followed. */
static vt_span widest(const struct world *w)
{
	vt_span width = w->sources[0].width;

	for (unsigned i = 1; i < w->n_sources; i++)
		width = vt_span_max(width, w->sources[i].width);
	return width;
}

/* In wide brackets a change of rate shows only when it has moved the reference beyond them. */
static void set_rate(struct world *w, double *rate, double ppb)
{
	double change = fabs(ppb - *rate);

	*rate = ppb;
	if (change <= ORDINARY_PPB)
		return;
	note_jump(w, 2);
	w->jumps += w->n_sources;
	w->blind_until = vt_mono_add(w->now, vt_span_from_ns(SHOWN * 1e9 *
	                                                     (double)widest(w).ns / change));
}

static void apply(struct world *w, const struct world_change *c)
{
	switch (c->kind) {
	case WORLD_RATE:
		set_rate(w, &w->reference_ppb, c->ppb);
		if (w->has_oracle && c->sigma_ppb > 0)
			oracle_redraw(&w->oracle, w->now, c->mean_ppb, c->sigma_ppb);
		break;
	case WORLD_SLEW: set_rate(w, &w->slew_ppb, c->ppb); break;
	case WORLD_JUMP:
		w->before_ns = w->is_to_be_noticed ? w->before_ns : world_error_ns(w);
		w->reference.ns += c->span.ns;
		note_jump(w, 1);
		w->is_to_be_noticed = true;
		w->jumps += w->n_sources;
		break;
	case WORLD_SET:
		w->local.ns += c->span.ns;
		note_jump(w, 1);
		w->sets++;
		break;
	case WORLD_OUTCOME: w->sources[c->source].outcome = c->outcome; break;
	case WORLD_OFFSET:
		w->sources[c->source].offset = c->span;
		w->jumps += w->n_sources;
		break;
	case WORLD_FLIP:
		w->sources[c->source].flip = c->span;
		w->jumps += w->n_sources;
		break;
	case WORLD_WIDTH: w->sources[c->source].width = c->span; break;
	case WORLD_EPOCH:
		w->epoch++;
		w->jumps += w->n_sources;
		set_rate(w, &w->reference_ppb, c->ppb);
		break;
	case WORLD_STEAL: w->stolen_until = vt_mono_add(w->now, c->span); break;
	}
}

/* The bound that is published now, or -1 where none is. */
static double published_ns(const struct world *w)
{
	enum discipline_state state = discipline_state(&w->discipline);
	vt_span radius;

	if (state != DISCIPLINE_OK && state != DISCIPLINE_HOLDOVER)
		return -1;
	return bound_at(&w->discipline.bound, w->now, &radius) == BOUND_HOLDS ? (double)radius.ns
	                                                                      : -1;
}

/* What readings lie by must be learnt before it can be counted in, and is then only learnt. */
static double slack_ns(const struct world *w)
{
	return w->sources[0].reads < LEARNT ? w->slack_ns : w->slack_ns / 4;
}

/* How long was it a millisecond off?  A jump's time counts from the jump. */
static void time_repair(struct world *w, double error)
{
	bool is_off = fabs(error) >= OFF_NS;

	if (is_off && !w->is_off)
		w->off_since = w->blind_for > 0 ? w->blind_since : w->now;
	w->is_off = is_off;
	if (is_off)
		w->off_longest = vt_span_max(w->off_longest, vt_mono_since(w->now, w->off_since));
}

static void hold_invariant(struct world *w)
{
	double error = world_error_ns(w), bound;

	time_repair(w, error);
	if (discipline_state(&w->discipline) == DISCIPLINE_DISRUPTED)
		w->looks_disrupted++;
	bound = published_ns(w);
	if (bound < 0)
		return;
	w->looks_ok++;
	if (w->blind_for > 0 || fabs(error) <= bound + slack_ns(w))
		return;
	if (w->violations++ == 0) {
		w->violation_at = w->now;
		w->violation_error_ns = error;
		w->violation_bound_ns = bound;
	}
}

static void tally_bound(struct world_tally *t, double bound_ns)
{
	double bin = BINS_PER_OCTAVE * log2(fmax(bound_ns, 1));

	t->bounds[(int)fmin(bin, WORLD_BINS - 1)]++;
	t->bounded++;
}

double world_median_bound_ns(const struct world *w)
{
	uint64_t below = 0;

	for (int i = 0; i < WORLD_BINS; i++) {
		below += w->tally.bounds[i];
		if (below * 2 > w->tally.bounded)
			return exp2((i + 0.5) / BINS_PER_OCTAVE);
	}
	return 0;
}

/* How far the reference is beyond CLOCK_MONOTONIC_RAW since WORLD_BEGIN, shown by @t. */
static double advance_ns(const struct world *w, const struct world_time *t)
{
	return (double)(t->ns - WORLD_BEGIN.ns - (w->now.ns - WORLD_WAKES_NS)) + t->fraction;
}

static void tally_look(struct world *w, double error, double rate)
{
	struct world_tally *t = &w->tally;

	t->n++;
	t->sum_of_squares += error * error;
	t->worst_ns = fmax(t->worst_ns, fabs(error));
	t->worst_rate_ppb = fmax(t->worst_rate_ppb, fabs(rate));
	if (w->has_oracle && w->oracle.is_started) {
		double wrong = oracle_shows(&w->oracle, w->now) - advance_ns(w, &w->reference);

		t->oracle_squares += wrong * wrong;
	}
}

static void time_overshoot(struct world *w, double error)
{
	double beyond = w->offset_ns < 0 ? -error : error;
	bool was_beyond = w->is_beyond;
	unsigned reads = w->sources[0].reads;

	w->overshoot_ns = fmax(w->overshoot_ns, beyond);
	w->is_beyond = beyond > fabs(w->offset_ns) * BEYOND;
	if (w->is_beyond && !was_beyond)
		w->beyond_since = reads;
	if (was_beyond && reads - w->beyond_since > w->overshoot_reads)
		w->overshoot_reads = reads - w->beyond_since;
}

static void look(struct world *w)
{
	struct world_look seen = {
		.at = w->now,
		.error_ns = world_error_ns(w),
		.bound_ns = published_ns(w),
		.rate_ppb = w->clock.rate.ppb - reference_ppb(w),
		.state = discipline_state(&w->discipline),
		.is_blind = w->blind_for > 0,
	};

	tally_look(w, seen.error_ns, seen.rate_ppb);
	if (w->offset_ns != 0)
		time_overshoot(w, seen.error_ns);
	if (seen.bound_ns >= 0)
		tally_bound(&w->tally, seen.bound_ns);
	hold_invariant(w);
	if (w->on_look)
		w->on_look(w->context, &seen);
	/* Never in step with anything that happens at round times. */
	w->next_look = vt_mono_add(
		w->now, vt_span_from_ns((double)w->look.ns * (0.5 + world_uniform(w)) + 1));
}

static void swing(struct world *w)
{
	double gaussians[SWING_OCTAVES] = { 0 };

	for (int i = 0; w->swing.flicker_ppb > 0 && i < SWING_OCTAVES; i++)
		gaussians[i] = world_gaussian(w);
	swing_move(&w->swing, w->now, gaussians);
}

static vt_mono next_happening(const struct world *w, vt_mono to)
{
	vt_mono next = vt_mono_min(to, w->next_look);

	if (!swing_is_still(&w->swing))
		next = vt_mono_min(next, w->swing.next);
	if (w->next_change < w->n_changes)
		next = vt_mono_min(next, w->changes[w->next_change].at);
	return next;
}

/*
 * What the reference gains on CLOCK_MONOTONIC_RAW in @elapsed.  A walk is drawn exactly for that
 * length: the rate's change and, given it, the deviation of the phase.
 */
static double gain_ns(struct world *w, vt_span elapsed)
{
	double s = vt_span_seconds(elapsed);
	double gained = s * reference_ppb(w);

	if (w->walk_ppb > 0 && elapsed.ns > 0) {
		double change = w->walk_ppb * sqrt(s) * world_gaussian(w);

		gained += s * change / 2 + w->walk_ppb * s * sqrt(s / 12) * world_gaussian(w);
		w->reference_ppb += change;
	}
	return gained;
}

void world_advance(struct world *w, vt_mono to)
{
	while (w->now.ns < to.ns) {
		vt_mono next = next_happening(w, to);
		vt_span elapsed = vt_mono_since(next, w->now);

		move_on(&w->reference, elapsed, gain_ns(w, elapsed));
		move_on(&w->local, elapsed, vt_span_seconds(elapsed) * w->clock.rate.ppb);
		w->now = next;
		if (w->next_change < w->n_changes &&
		    w->changes[w->next_change].at.ns <= w->now.ns)
			hold_invariant(w);
		while (w->next_change < w->n_changes &&
		       w->changes[w->next_change].at.ns <= w->now.ns) {
			apply(w, &w->changes[w->next_change++]);
			hold_invariant(w);
		}
		if (!swing_is_still(&w->swing) && w->swing.next.ns <= w->now.ns)
			swing(w);
		if (w->next_look.ns <= w->now.ns)
			look(w);
	}
}

void world_note_read(struct world *w, const struct world_source *s, enum source_outcome outcome)
{
	if (s != &w->sources[w->discipline.selected < 0 ? 0 : w->discipline.selected])
		return;
	w->has_read = outcome == SOURCE_READ;
	w->read_began = w->now;
	if (!w->has_read)
		return;
	w->answered_before = w->answered;
	w->answered = w->now;
}

void world_init(struct world *w, uint64_t seed, vt_span correction)
{
	memset(w, 0, sizeof *w);
	w->random.state = seed;
	w->now = (vt_mono){ WORLD_WAKES_NS };
	w->swing.next = w->now;
	w->reference.ns = WORLD_BEGIN.ns;
	w->local.ns = vt_sat_sub(WORLD_BEGIN.ns, correction.ns);
	w->offset_ns = (double)correction.ns;
	world_open_doors(w);
	w->least_lateness = VT_US(60);
	w->look = VT_MS(50);
	w->next_look = vt_mono_add(w->now, VT_US(1));
	w->discipline.selected = -1;
	world_forget(w);
}

struct discipline_conf world_conf(bool is_fresh_boot)
{
	return (struct discipline_conf){
		.step.is_fresh_boot = is_fresh_boot,
		.max_slew = { 83333.333e3 },
		.keeps_kernel_synchronized = true,
		.rate_sigma = WORLD_CRYSTAL,
	};
}

void world_start(struct world *w, const struct discipline_conf *conf,
                 const struct source_conf *sources, int n)
{
	struct source_conf standard = SOURCE_CONF_DEFAULT;

	w->n_sources = (unsigned)n;
	discipline_init(&w->discipline, conf, &w->clock.port, w->clock.rate);
	for (int i = 0; i < n; i++) {
		int got = discipline_add(&w->discipline, &w->sources[i].port,
		                         sources ? &sources[i] : &standard, i == 0);

		assert(got == i);
	}
}

void world_plan(struct world *w, struct world_change change)
{
	size_t i = w->n_changes;

	assert(i < WORLD_CHANGES);
	assert(change.at.ns >= w->now.ns);
	for (; i > w->next_change && w->changes[i - 1].at.ns > change.at.ns; i--)
		w->changes[i] = w->changes[i - 1];
	w->changes[i] = change;
	w->n_changes++;
}

void world_tell(struct world *w, struct world_input input)
{
	assert(w->n_inputs < WORLD_INPUTS);
	if (input.until.ns < input.at.ns)
		input.until = input.at;
	w->inputs[w->n_inputs++] = input;
}

/* When we are woken up by something from outside. */
static vt_mono next_input(const struct world *w)
{
	vt_mono next = VT_MONO_NEVER;

	for (size_t i = 0; i < w->n_inputs; i++)
		if (!w->inputs[i].is_polled)
			next = vt_mono_min(next, w->inputs[i].at);
	return next;
}

static void deliver(struct world *w, struct world_input *input)
{
	if (input->leap)
		discipline_set_leap(&w->discipline, input->leap, w->now);
	else
		discipline_witness(&w->discipline, input->evidence, input->size, w->now);
	if (input->every.ns <= 0)
		input->at = VT_MONO_NEVER;
	/* What came while we slept is one. */
	while (input->every.ns > 0 && input->at.ns <= w->now.ns)
		input->at = vt_mono_add(input->at, input->every);
	if (input->at.ns > input->until.ns)
		*input = w->inputs[--w->n_inputs];
}

static void deliver_due(struct world *w)
{
	for (size_t i = w->n_inputs; i-- > 0;)
		if (w->inputs[i].at.ns <= w->now.ns)
			deliver(w, &w->inputs[i]);
}

/* No step without its cause: each is told, as what it was. */
static void judge_step(struct world *w, const struct discipline_event *event)
{
	const struct step_conf *conf = &w->discipline.conf.step;

	w->steps_told++;
	if (event->cause == STEP_DRIFT && !conf->is_makestep_given)
		w->uncaused++;
	if (event->cause == STEP_SET_BY_ANOTHER && ++w->set_steps > w->sets)
		w->uncaused++;
	if (cause_is_jump(event->cause) && ++w->jump_steps > w->jumps)
		w->uncaused++;
}

static void collect(struct world *w)
{
	struct discipline_event event;

	while (discipline_pop(&w->discipline, &event)) {
		w->kinds[event.kind]++;
		if (event.kind == EVENT_STEPPED)
			judge_step(w, &event);
		if (w->n_events < WORLD_EVENTS)
			w->events[w->n_events++] = event;
	}
}

static vt_mono wake_up(struct world *w)
{
	vt_mono due = discipline_deadline(&w->discipline);
	double share = w->lateness * world_uniform(w);
	vt_mono up;

	/* How late is decided once for each deadline, however often we are asked on the way to it. */
	if (due.ns != w->due.ns) {
		vt_span wait = vt_span_max(vt_mono_since(due, w->now), VT_NS(0));

		wait = vt_span_add(wait, vt_span_from_ns((double)wait.ns * share));
		w->due = due;
		w->up = vt_mono_add(vt_mono_add(w->now, wait), w->least_lateness);
	}
	up = vt_mono_min(w->up, vt_mono_add(next_input(w), w->least_lateness));
	if (w->has_rtc)
		up = vt_mono_min(up, vt_mono_add(rtc_watch_deadline(&w->rtc), w->least_lateness));
	return up.ns < w->stolen_until.ns ? w->stolen_until : up;
}

/* The oracle gets what core got, and goes on until core wants to read again. */
static void consult(struct world *w)
{
	const struct source *s = &w->discipline.sources[0];
	vt_span remote = vt_real_since(s->latest.remote, WORLD_BEGIN);
	vt_span raw = vt_mono_since(s->latest.raw, (vt_mono){ WORLD_WAKES_NS });

	if (!w->has_oracle || !w->has_read)
		return;
	/* Whole nanoseconds are cut off, half of one on average. */
	oracle_read(&w->oracle, s->latest.raw, (double)vt_span_sub(remote, raw).ns + 0.5);
	oracle_steer(&w->oracle, vt_mono_since(s->next_read, s->latest.raw));
}

static void watch_rtc(struct world *w)
{
	const int64_t second = 1000000000;
	struct rtc_look look = {
		.raw = w->now,
		.rtc = { w->reference.ns - w->reference.ns % second + second / 2 },
		.local = { w->local.ns },
	};
	vt_span correction;

	if (!w->has_rtc || w->now.ns < rtc_watch_deadline(&w->rtc).ns)
		return;
	if (rtc_watch_look(&w->rtc, &look, w->discipline.selected >= 0, &correction) !=
	    RTC_WATCH_JUMPED)
		return;
	/* Stepped by it to the second, and by a source for the rest of it. */
	w->jumps++;
	discipline_take_word(&w->discipline, EVIDENCE_RTC, correction, w->now);
}

/* The first reading after a jump shows it: from then on the status must not say that all is well. */
static void judge_notice(struct world *w)
{
	enum discipline_state state = discipline_state(&w->discipline);
	vt_span since = vt_mono_since(w->answered, w->answered_before);
	bool is_ok = state == DISCIPLINE_OK || state == DISCIPLINE_HOLDOVER;
	double shows = SHOWS_NS + SHOWS_PPB * vt_span_seconds(since), error = world_error_ns(w);

	/* Evidence, or another source, may have told before it: `resume slew` is at work by then. */
	if (!is_ok && w->jumped_at.ns < w->now.ns)
		w->is_to_be_noticed = false;
	if (!w->has_read || !w->is_to_be_noticed || w->jumped_at.ns >= w->read_began.ns)
		return;
	w->is_to_be_noticed = false;
	is_ok = is_ok && !w->discipline.is_let_be;
	if (is_ok && fabs(error) > shows && fabs(w->before_ns) < shows && w->unnoticed++ == 0)
		w->unnoticed_at = w->now;
}

static void dispatch(struct world *w)
{
	hold_invariant(w);
	w->woken += next_input(w).ns <= w->now.ns;
	deliver_due(w);
	hold_invariant(w);
	discipline_dispatch(&w->discipline, w->now);
	watch_rtc(w);
	w->dispatches++;
	judge_notice(w);
	if (w->has_read && w->blind_for > 0 && w->jumped_at.ns < w->read_began.ns &&
	    (w->blind_for > 1 || w->blind_until.ns <= w->read_began.ns) && --w->blind_for == 0)
		end_blindness(w);
	consult(w);
	w->has_read = false;
	hold_invariant(w);
	collect(w);
}

bool world_live(struct world *w, vt_span span)
{
	vt_mono end = vt_mono_add(w->now, span);
	uint64_t busiest = w->dispatches - w->woken + 50 + (uint64_t)(200 * vt_span_seconds(span));

	while (!w->is_sleepless) {
		vt_mono up = wake_up(w);

		if (up.ns >= end.ns)
			break;
		world_advance(w, up);
		/* A steal may have begun while we slept. */
		if (w->stolen_until.ns > w->now.ns)
			world_advance(w, w->stolen_until);
		dispatch(w);
		w->is_sleepless = w->dispatches - w->woken > busiest;
	}
	world_advance(w, end);
	return !w->is_sleepless;
}

void world_forget(struct world *w)
{
	w->tally = (struct world_tally){
		.since = w->now,
		.dispatches = w->dispatches,
		.reads = w->sources[0].reads,
	};
}

double world_rms_ns(const struct world *w)
{
	return w->tally.n ? sqrt(w->tally.sum_of_squares / (double)w->tally.n) : 0;
}

const struct discipline_event *world_event(const struct world *w, enum discipline_event_kind kind,
                                           unsigned n)
{
	for (size_t i = 0; i < w->n_events; i++)
		if (w->events[i].kind == kind && n-- == 0)
			return &w->events[i];
	return NULL;
}
