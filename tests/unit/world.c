/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define READ_COST VT_US(2) /* a device is asked and answers */
#define WALK_STEP VT_MS(10)

/* Core promises to stand a rate that changes by this much (MAX_DRIFT); see world.h. */
#define ORDINARY_PPB 50e3

/* The kernel's frequency is a number of 2^-16 ppm. */
#define KERNEL_PPB (1e3 / 65536)

double world_uniform(struct world *w)
{
	uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ z >> 31) >> 11) / 0x1p53;
}

double world_gaussian(struct world *w)
{
	double radius = sqrt(-2 * log(1 - world_uniform(w)));

	return radius * cos(2 * 3.14159265358979323846 * world_uniform(w));
}

uint64_t world_seed(void)
{
	const char *given = getenv("VMTIME_SEED");
	struct timespec now;
	uint64_t seed;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoull(given, NULL, 0)
	             : (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	printf("VMTIME_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

static void move_on(struct world_time *t, vt_span elapsed, double ppb)
{
	double gained = t->fraction + (double)elapsed.ns * ppb / 1e9;
	double whole = floor(gained);

	t->ns += elapsed.ns + (int64_t)whole;
	t->fraction = gained - whole;
}

double world_error_ns(const struct world *w)
{
	return (double)(w->local.ns - w->reference.ns) +
	       (w->local.fraction - w->reference.fraction);
}

static void note_jump(struct world *w, unsigned readings)
{
	w->blind_for = readings > w->blind_for ? readings : w->blind_for;
	w->jumped_at = w->now;
}

static void set_rate(struct world *w, double ppb)
{
	if (fabs(ppb - w->reference_ppb) > ORDINARY_PPB)
		note_jump(w, 2);
	w->reference_ppb = ppb;
}

static void apply(struct world *w, const struct world_change *c)
{
	switch (c->kind) {
	case WORLD_RATE: set_rate(w, c->ppb); break;
	case WORLD_JUMP:
		w->reference.ns += c->span.ns;
		note_jump(w, 1);
		break;
	case WORLD_SET:
		w->local.ns += c->span.ns;
		note_jump(w, 1);
		break;
	case WORLD_OUTCOME: w->sources[c->source].outcome = c->outcome; break;
	case WORLD_OFFSET: w->sources[c->source].offset = c->span; break;
	case WORLD_EPOCH:
		w->epoch++;
		set_rate(w, c->ppb);
		break;
	case WORLD_STEAL: w->stolen_until = vt_mono_add(w->now, c->span); break;
	}
}

static void hold_invariant(struct world *w, double error)
{
	vt_span radius;

	if (discipline_state(&w->discipline) == DISCIPLINE_DISRUPTED)
		w->looks_disrupted++;
	if (discipline_state(&w->discipline) != DISCIPLINE_OK)
		return;
	w->looks_ok++;
	if (w->blind_for > 0 || bound_at(&w->discipline.bound, w->now, &radius) != BOUND_HOLDS ||
	    fabs(error) <= (double)radius.ns)
		return;
	if (w->violations++ == 0) {
		w->violation_at = w->now;
		w->violation_error_ns = error;
		w->violation_bound_ns = (double)radius.ns;
	}
}

static void look(struct world *w)
{
	double error = world_error_ns(w);
	double rate = fabs(w->clock.rate.ppb - w->reference_ppb);

	w->tally.n++;
	w->tally.sum_of_squares += error * error;
	w->tally.worst_ns = fmax(w->tally.worst_ns, fabs(error));
	w->tally.worst_rate_ppb = fmax(w->tally.worst_rate_ppb, rate);
	hold_invariant(w, error);
	/* Never in step with anything that happens at round times. */
	w->next_look = vt_mono_add(
		w->now, vt_span_from_ns((double)w->look.ns * (0.5 + world_uniform(w)) + 1));
}

static void walk(struct world *w)
{
	w->reference_ppb += w->walk_ppb * sqrt(vt_span_seconds(WALK_STEP)) * world_gaussian(w);
	w->next_walk = vt_mono_add(w->now, WALK_STEP);
}

static vt_mono next_happening(const struct world *w, vt_mono to)
{
	vt_mono next = vt_mono_min(to, w->next_look);

	if (w->walk_ppb > 0)
		next = vt_mono_min(next, w->next_walk);
	if (w->next_change < w->n_changes)
		next = vt_mono_min(next, w->changes[w->next_change].at);
	return next;
}

static void advance_to(struct world *w, vt_mono to)
{
	while (w->now.ns < to.ns) {
		vt_mono next = next_happening(w, to);
		vt_span elapsed = vt_mono_since(next, w->now);

		move_on(&w->reference, elapsed, w->reference_ppb);
		move_on(&w->local, elapsed, w->clock.rate.ppb);
		w->now = next;
		while (w->next_change < w->n_changes &&
		       w->changes[w->next_change].at.ns <= w->now.ns)
			apply(w, &w->changes[w->next_change++]);
		if (w->walk_ppb > 0 && w->next_walk.ns <= w->now.ns)
			walk(w);
		if (w->next_look.ns <= w->now.ns)
			look(w);
	}
}

static void spend(struct world *w, vt_span cost)
{
	advance_to(w, vt_mono_add(w->now, cost));
}

static vt_real shown(const struct world_time *t)
{
	return (vt_real){ t->ns };
}

static struct bracket take_bracket(struct world_source *s, vt_span width)
{
	struct world *w = s->world;
	double place = s->is_asymmetry_random ? world_uniform(w) : s->asymmetry;
	vt_span before = vt_span_from_ns((double)width.ns * place);
	vt_span wrong = vt_span_from_ns(s->noise_ns * world_gaussian(w));
	struct bracket b = { .before = w->now };

	spend(w, before);
	b.remote = vt_real_add(vt_real_add(shown(&w->reference), s->offset), wrong);
	if (s->reads % 2)
		b.remote = vt_real_add(b.remote, s->flip);
	spend(w, vt_span_sub(width, before));
	b.after = w->now;
	return b;
}

static enum source_outcome read_source(struct source_port *port, unsigned wanted, struct burst *ret)
{
	struct world_source *s = (struct world_source *)port;
	struct world *w = s->world;

	s->reads++;
	if (s == &w->sources[w->discipline.selected < 0 ? 0 : w->discipline.selected]) {
		w->has_read = s->outcome == SOURCE_READ;
		w->read_began = w->now;
	}
	spend(w, READ_COST);
	port->error = s->outcome == SOURCE_READ ? 0 : EIO;
	if (s->outcome != SOURCE_READ)
		return s->outcome;

	*ret = (struct burst){ .method = METHOD_PRECISE, .epoch = w->epoch };
	ret->pair = (struct clock_pair){ .raw = w->now, .local = shown(&w->local) };
	if (s->width.ns == 0) {
		ret->brackets[ret->n++] = take_bracket(s, VT_NS(0));
	} else {
		ret->method = METHOD_EXTENDED;
		while (ret->n < wanted && ret->n < 5)
			ret->brackets[ret->n++] =
				take_bracket(s, vt_span_from_ns((double)s->width.ns *
			                                        (1 + 2 * world_uniform(w))));
	}
	if (s->stuck_raw.ns)
		ret->brackets[0].before = ret->brackets[0].after = s->stuck_raw;
	return SOURCE_READ;
}

static int read_clock(struct clock_port *port, struct clock_pair *ret)
{
	struct world_clock *c = (struct world_clock *)port;

	spend(c->world, c->cost);
	if (c->read_error)
		return -c->read_error;
	*ret = (struct clock_pair){ .raw = c->world->now, .local = shown(&c->world->local) };
	return 0;
}

static int steer_clock(struct clock_port *port, vt_rate want, vt_rate *ret_got)
{
	struct world_clock *c = (struct world_clock *)port;
	double limited = fmax(-port->max_rate.ppb, fmin(port->max_rate.ppb, want.ppb));

	spend(c->world, c->cost);
	assert_true(isfinite(want.ppb));
	c->steers++;
	if (c->steer_error)
		return -c->steer_error;
	c->rate.ppb = round(limited / KERNEL_PPB) * KERNEL_PPB;
	c->fastest.ppb = fmax(c->fastest.ppb, fabs(c->rate.ppb));
	*ret_got = c->rate;
	return 0;
}

static int step_clock(struct clock_port *port, vt_span correction)
{
	struct world_clock *c = (struct world_clock *)port;

	spend(c->world, c->cost);
	if (c->step_error)
		return -c->step_error;
	c->steps++;
	c->world->local.ns += correction.ns;
	return 0;
}

static int publish_clock(struct clock_port *port, const struct clock_quality *quality)
{
	struct world_clock *c = (struct world_clock *)port;

	c->publishes++;
	c->quality = *quality;
	return 0;
}

static const struct source_ops SOURCE_OPS = { .read = read_source };
static const struct clock_ops CLOCK_OPS = {
	.read = read_clock,
	.steer = steer_clock,
	.step = step_clock,
	.publish = publish_clock,
};

void world_init(struct world *w, uint64_t seed, vt_span correction)
{
	memset(w, 0, sizeof *w);
	w->random = seed;
	w->now = (vt_mono){ 5000000000 }; /* the kernel takes its time to boot */
	w->next_walk = w->now;
	w->reference.ns = WORLD_BEGIN.ns;
	w->local.ns = vt_sat_sub(WORLD_BEGIN.ns, correction.ns);
	w->clock = (struct world_clock){
		.port = { .ops = &CLOCK_OPS, .max_rate = VT_PPM(100000) },
		.world = w,
		.cost = VT_NS(500),
	};
	for (int i = 0; i < WORLD_SOURCES; i++)
		w->sources[i] = (struct world_source){ .port.ops = &SOURCE_OPS, .world = w };
	w->least_lateness = VT_US(60);
	w->look = VT_MS(50);
	w->next_look = vt_mono_add(w->now, VT_US(1));
	w->discipline.selected = -1;
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

	discipline_init(&w->discipline, conf, &w->clock.port, w->clock.rate);
	for (int i = 0; i < n; i++)
		assert_int_equal(discipline_add(&w->discipline, &w->sources[i].port,
		                                sources ? &sources[i] : &standard, i == 0),
		                 i);
}

void world_plan(struct world *w, struct world_change change)
{
	size_t i = w->n_changes;

	assert_true(i < WORLD_CHANGES);
	assert_true(change.at.ns >= w->now.ns);
	for (; i > w->next_change && w->changes[i - 1].at.ns > change.at.ns; i--)
		w->changes[i] = w->changes[i - 1];
	w->changes[i] = change;
	w->n_changes++;
}

static void collect(struct world *w)
{
	struct discipline_event event;

	while (discipline_pop(&w->discipline, &event)) {
		w->kinds[event.kind]++;
		if (w->n_events < WORLD_EVENTS)
			w->events[w->n_events++] = event;
	}
}

static vt_mono wake_up(struct world *w)
{
	vt_mono due = discipline_deadline(&w->discipline);
	double share = w->lateness * world_uniform(w);

	/* How late is decided once for each deadline, however often we are asked on the way to it. */
	if (due.ns != w->due.ns) {
		vt_span wait = vt_span_max(vt_mono_since(due, w->now), VT_NS(0));

		wait = vt_span_add(wait, vt_span_from_ns((double)wait.ns * share));
		w->due = due;
		w->up = vt_mono_add(vt_mono_add(w->now, wait), w->least_lateness);
	}
	return w->up.ns < w->stolen_until.ns ? w->stolen_until : w->up;
}

void world_run(struct world *w, vt_span span)
{
	vt_mono end = vt_mono_add(w->now, span);
	uint64_t busiest = w->dispatches + 50 + (uint64_t)(200 * vt_span_seconds(span));

	for (;;) {
		vt_mono up = wake_up(w);

		if (up.ns >= end.ns)
			break;
		advance_to(w, up);
		/* A steal may have begun while we slept. */
		if (w->stolen_until.ns > w->now.ns)
			advance_to(w, w->stolen_until);
		discipline_dispatch(&w->discipline, w->now);
		if (w->has_read && w->blind_for > 0 && w->jumped_at.ns < w->read_began.ns)
			w->blind_for--;
		w->has_read = false;
		collect(w);
		if (++w->dispatches > busiest)
			fail_msg("the discipline does not sleep: %llu dispatches by %.3f s",
			         (unsigned long long)w->dispatches,
			         vt_span_seconds((vt_span){ w->now.ns }));
	}
	advance_to(w, end);
}

void world_forget(struct world *w)
{
	w->tally = (struct world_tally){ 0 };
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
