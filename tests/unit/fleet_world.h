/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_FLEET_WORLD_H
#define UNIT_FLEET_WORLD_H

/*
 * fleet_world.h - a host with guests, played
 *
 * A back end for the fleet, in whose guests clocks run, stand, and are set; whose agents need time to
 * answer, lose requests, lie and run hwclock.  Time goes from one happening to the next.  It
 * judges as it goes: work for a guest that stands is a fault at once (w->faults).
 *
 * What is on its way to an agent when the guest is stopped stays there, as in a real channel, and is done
 * after the resume; where hostd dropped it, only the answer is thrown away.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "hostd/fleet.h"
#include "hostd/lines.h"
#include "rng.h"

#define WORLD_GUESTS_MAX 1024
#define WORLD_QUEUE      4096 /* outcomes and signs that wait to be popped */

enum world_lie {
	WORLD_HONEST,
	WORLD_SAYS_YES,    /* "the time is set", and it is not      */
	WORLD_SAYS_NO,     /* "error", and it is                    */
	WORLD_IS_DEAF,     /* never answers                         */
};

struct world_guest {
	bool is_there, is_running;
	bool has_agent, has_vmtimed;
	vt_span off;        /* how far its clock is behind the host's */
	vt_mono stopped;    /* since then, where it does not run      */
	enum world_lie lie;
	bool is_frozen;
	bool has_hwclock;   /* setting its time takes it a second     */
	vt_span least, most; /* how long one way takes                */
	int lopsided;       /* -1: the way there takes no time, 1: the way back */
	unsigned loses;     /* of 1000 requests                       */

	/* what it was asked */
	bool has_work, is_done, is_dropped;
	struct work work;
	struct work_outcome outcome;
	vt_mono does, answers; /* when it is done, when the answer is in */
	vt_mono gives_up;
	vt_span sent_off;      /* set-time: the time that was sent, as it would leave the clock */

	/* what it has seen */
	unsigned gets, sets, infos, nudges, qualities;
	vt_mono set_at;
	vt_span truth;       /* off, when it was read last                   */
	vt_span told;        /* the same, of the reading that was told last  */
	vt_mono told_at;     /* 0: none yet */
};

struct world {
	struct backend backend;
	struct rng rng;
	struct host_instant now;
	struct world_guest guests[WORLD_GUESTS_MAX];
	uint32_t n;
	struct sign signs[WORLD_QUEUE];
	size_t n_signs, signs_popped;
	struct work_outcome outcomes[WORLD_QUEUE];
	size_t n_outcomes, outcomes_popped;
	unsigned faults;
	unsigned long judged;
	void (*judge)(struct world *w, struct fleet *f); /* after each happening; may be NULL */
	unsigned busy, most_busy; /* guests that are asked, and not to be set */
	bool shakes;              /* its clock is stepped a little, in the middle of exchanges  */
	vt_mono stepped;          /* the latest time             */
	bool slews;               /* its clock is steered hard */
	double slew_ppb;          /* of the host's clock, against the raw one */
};

static inline struct world *world_of(const struct backend *b)
{
	union {
		const struct backend *b;
		struct world *w;
	} same = { b };

	return same.w;
}

static inline void world_sign(struct world *w, uint32_t i, enum sign_kind kind,
                              enum host_reason reason)
{
	struct world_guest *g = &w->guests[i];
	struct sign sign = {
		.kind = kind,
		.guest = i,
		.at = w->now.mono,
		.reason = reason,
		.is_running = g->is_running,
		.has_agent = g->has_agent,
		.cid = g->has_vmtimed && !g->has_agent ? i + 3 : 0,
	};

	if (w->signs_popped == w->n_signs)
		w->signs_popped = w->n_signs = 0;
	assert(w->n_signs < WORLD_QUEUE);
	snprintf(sign.name, sizeof sign.name, "guest-%04u", i);
	w->signs[w->n_signs++] = sign;
}

/*
 * The host's own clock is stepped; not twice in one exchange: they could cancel each other, which nobody
 * outside can see.
 */
static inline void world_step(struct world *w, vt_span step)
{
	if (vt_mono_since(w->now.mono, w->stepped).ns < VT_SEC(8).ns)
		return;
	w->stepped = w->now.mono;
	w->now.real = vt_real_add(w->now.real, step);
	for (uint32_t i = 0; i < w->n; i++)
		w->guests[i].off = vt_span_add(w->guests[i].off, step);
}

static inline void world_deliver(struct world *w, uint32_t i)
{
	struct world_guest *g = &w->guests[i];

	if (w->outcomes_popped == w->n_outcomes)
		w->outcomes_popped = w->n_outcomes = 0;
	assert(w->n_outcomes < WORLD_QUEUE);
	g->outcome.answered = w->now;
	w->outcomes[w->n_outcomes++] = g->outcome;
	if (g->work.kind != WORK_SET_TIME)
		w->busy--;
	if (g->work.kind == WORK_GET_TIME && g->outcome.result == WORK_DONE) {
		g->told = g->truth;
		g->told_at = w->now.mono;
	}
	g->has_work = false;
}

/* The agent does what it was asked. */
static inline void world_do(struct world *w, struct world_guest *g)
{
	if (w->shakes)
		world_step(w, VT_NS(rng_in(&w->rng, -400000, 400000)));
	g->is_done = true;
	g->outcome.result = WORK_DONE;
	switch (g->work.kind) {
	case WORK_GET_TIME:
		g->gets++;
		g->truth = g->off;
		g->outcome.guest_time = vt_real_add(w->now.real, vt_span_sub(VT_NS(0), g->off));
		g->outcome.guest_time.ns -= g->outcome.guest_time.ns % 1000;
		if (g->is_frozen)
			g->outcome.result = WORK_FROZEN;
		break;
	case WORK_SET_TIME:
		if (g->is_frozen) {
			g->outcome.result = WORK_FROZEN;
			break;
		}
		g->sets++;
		g->set_at = w->now.mono;
		/* It is set to what was sent, which is as old as the way was long. */
		if (g->lie != WORLD_SAYS_YES)
			g->off = vt_span_sub(
			    vt_real_since(w->now.real, g->outcome.sent.real), g->work.lead);
		if (g->lie == WORLD_SAYS_NO)
			g->outcome.result = WORK_REFUSED;
		break;
	case WORK_INFO:
		g->infos++;
		g->outcome.agent = AGENT_QEMU_GA;
		g->outcome.can_get_time = g->outcome.can_set_time = true;
		break;
	case WORK_NUDGE:
		g->nudges++;
		g->off = VT_NS(0);
		break;
	case WORK_STATUS:
		g->outcome.reply = (struct host_reply){ .state = REPORT_OK, .has_offset = true,
			                                .has_bound = true, .bound = VT_US(1) };
		break;
	case WORK_QUALITY: g->qualities++; break;
	case WORK_RESET_RTC: break;
	}
}

static inline bool world_can(const struct world_guest *g, enum work_kind kind)
{
	bool is_vmtimeds = kind == WORK_NUDGE || kind == WORK_STATUS || kind == WORK_QUALITY;

	return is_vmtimeds ? g->has_vmtimed : g->has_agent;
}

static inline void world_begin(struct backend *b, uint32_t i, const struct work *work)
{
	struct world *w = world_of(b);
	struct world_guest *g = &w->guests[i];
	vt_span there = VT_NS(rng_in(&w->rng, g->least.ns, g->most.ns));
	vt_span back = VT_NS(rng_in(&w->rng, g->least.ns, g->most.ns));

	/* What is in its channel comes first. */
	if (g->is_running && (g->has_work || g->is_dropped) && !g->is_done &&
	    g->does.ns < VT_MONO_NEVER.ns)
		world_do(w, g);
	if (g->lopsided)
		*(g->lopsided < 0 ? &there : &back) = VT_NS(0);
	if (g->has_work && g->work.kind != WORK_SET_TIME)
		w->busy--;
	if (work->kind != WORK_SET_TIME && ++w->busy > w->most_busy)
		w->most_busy = w->busy;
	g->has_work = true;
	g->is_done = g->is_dropped = false;
	g->work = *work;
	g->outcome = (struct work_outcome){
		.guest = i, .number = work->number, .kind = work->kind, .was_sent = true, .sent = w->now,
	};
	if (!g->is_there || !g->is_running) {
		w->faults++;
		g->outcome.result = WORK_STOPPED;
		g->outcome.was_sent = false;
		world_deliver(w, i);
		return;
	}
	if (!world_can(g, work->kind)) {
		g->outcome.result = WORK_UNSUPPORTED;
		g->outcome.was_sent = false;
		world_deliver(w, i);
		return;
	}
	g->gives_up = vt_mono_add(w->now.mono, work->timeout);
	g->does = vt_mono_add(w->now.mono, there);
	/* An agent in hwclock answers nobody before it is out of it. */
	if (g->has_hwclock && vt_mono_since(w->now.mono, g->set_at).ns < VT_SEC(1).ns)
		g->does = vt_mono_add(vt_mono_add(g->set_at, VT_SEC(1)), there);
	g->answers = vt_mono_add(g->does, back);
	if (work->kind == WORK_SET_TIME && g->has_hwclock)
		g->answers = vt_mono_add(g->answers, VT_SEC(1));
	if (g->lie == WORLD_IS_DEAF || rng_in(&w->rng, 1, 1000) <= g->loses)
		g->does = g->answers = VT_MONO_NEVER;
}

static inline void world_drop(struct backend *b, uint32_t i)
{
	struct world *w = world_of(b);
	struct world_guest *g = &w->guests[i];

	if (g->has_work && g->work.kind != WORK_SET_TIME)
		w->busy--;
	g->is_dropped = g->has_work;
	g->has_work = false;
}

static inline vt_mono world_guest_deadline(const struct world_guest *g)
{
	vt_mono deadline = VT_MONO_NEVER;

	if (g->is_running && (g->has_work || g->is_dropped) && !g->is_done)
		deadline = g->does;
	if (g->has_work && g->is_running && g->is_done)
		deadline = g->answers;
	return g->has_work ? vt_mono_min(deadline, g->gives_up) : deadline;
}

static inline vt_mono world_deadline(const struct backend *b)
{
	const struct world *w = world_of(b);
	vt_mono deadline = VT_MONO_NEVER;

	if (w->signs_popped < w->n_signs || w->outcomes_popped < w->n_outcomes)
		return w->now.mono;
	for (uint32_t i = 0; i < w->n; i++)
		deadline = vt_mono_min(deadline, world_guest_deadline(&w->guests[i]));
	return deadline;
}

static inline void world_dispatch(struct backend *b, vt_mono now)
{
	struct world *w = world_of(b);

	for (uint32_t i = 0; i < w->n; i++) {
		struct world_guest *g = &w->guests[i];

		if (g->is_running && (g->has_work || g->is_dropped) && !g->is_done &&
		    g->does.ns <= now.ns)
			world_do(w, g);
		if (g->has_work && g->is_done && g->is_running && g->answers.ns <= now.ns) {
			world_deliver(w, i);
		} else if (g->has_work && g->gives_up.ns <= now.ns) {
			g->outcome.result = WORK_TIMED_OUT;
			world_deliver(w, i);
			g->is_dropped = !g->is_done; /* it is still on its way */
		}
	}
}

static inline bool world_pop_sign(struct backend *b, struct sign *ret)
{
	struct world *w = world_of(b);

	if (w->signs_popped == w->n_signs)
		return false;
	*ret = w->signs[w->signs_popped++];
	return true;
}

static inline bool world_pop_outcome(struct backend *b, struct work_outcome *ret)
{
	struct world *w = world_of(b);

	if (w->outcomes_popped == w->n_outcomes)
		return false;
	*ret = w->outcomes[w->outcomes_popped++];
	return true;
}

static inline void world_init(struct world *w)
{
	static const struct backend_ops OPS = {
		.dispatch = world_dispatch,
		.deadline = world_deadline,
		.pop_sign = world_pop_sign,
		.pop_outcome = world_pop_outcome,
		.begin = world_begin,
		.drop = world_drop,
	};

	memset(w, 0, sizeof *w);
	w->backend = (struct backend){ .ops = &OPS, .name = "played", .fd = -1 };
	w->now = (struct host_instant){ { VT_SEC(5000).ns }, { VT_SEC(1800000000).ns } };
	w->rng.state = 1;
}

/* @n honest guests that answer within 0.4 to 0.6 ms each way. */
static inline void world_people(struct world *w, uint32_t n)
{
	w->n = n;
	for (uint32_t i = 0; i < n; i++) {
		w->guests[i] = (struct world_guest){
			.is_there = true,
			.is_running = true,
			.has_agent = true,
			.least = VT_US(400),
			.most = VT_US(600),
			.set_at = { -VT_SEC(10).ns },
		};
		world_sign(w, i, SIGN_APPEARED, HOST_REASON_NONE);
	}
}

static inline void world_stop(struct world *w, uint32_t i)
{
	struct world_guest *g = &w->guests[i];

	if (!g->is_running)
		return;
	g->is_running = false;
	g->stopped = w->now.mono;
	world_sign(w, i, SIGN_STOPPED, HOST_REASON_NONE);
}

/* Its clock has stood meanwhile; what is in its channel is done after that. */
static inline void world_go_on(struct world *w, uint32_t i)
{
	struct world_guest *g = &w->guests[i];
	vt_span stood = vt_mono_since(w->now.mono, g->stopped);

	if (g->is_running)
		return;
	g->is_running = true;
	g->off = vt_span_add(g->off, stood);
	g->does = vt_mono_add(g->does, stood);
	g->answers = vt_mono_add(g->answers, stood);
	world_sign(w, i, SIGN_RUNNING, HOST_REASON_PAUSE);
}

/* Both clocks go on. */
static inline void world_pass(struct world *w, vt_span span)
{
	w->now.mono = vt_mono_add(w->now.mono, span);
	w->now.real = vt_real_add(w->now.real, span);
	w->now.real = vt_real_add(w->now.real, vt_rate_over((vt_rate){ w->slew_ppb }, span));
	for (uint32_t i = 0; i < w->n; i++)
		w->guests[i].off = vt_span_add(
		    w->guests[i].off, vt_rate_over((vt_rate){ w->slew_ppb }, span));
}

/* Dispatches, and goes on in time from one happening to the next, for @span. */
static inline void world_run(struct world *w, struct fleet *f, vt_span span)
{
	vt_mono end = vt_mono_add(w->now.mono, span);

	for (;;) {
		vt_mono next;
		vt_span step;

		fleet_dispatch(f, w->now);
		next = fleet_deadline(f);
		if (next.ns >= end.ns)
			break;
		step = vt_span_max(vt_mono_since(next, w->now.mono), VT_NS(0));
		world_pass(w, step);
		if (w->judge)
			w->judge(w, f);
	}
	world_pass(w, vt_mono_since(end, w->now.mono));
	fleet_dispatch(f, w->now);
}

/* A host whose own clock is kept. */
static inline struct fleet_host world_host(void)
{
	struct fleet_host host = { .quality = { .daemon = "chronyd", .is_synchronized = true } };

	return host;
}

static inline void world_open(struct world *w, const struct fleet_conf *conf, struct fleet **ret)
{
	struct backend *backends[] = { &w->backend };
	const struct fleet_host host = world_host();

	if (fleet_open(conf, backends, 1, w->now, ret) < 0)
		abort();
	fleet_tell_host(*ret, &host, w->now);
}

#endif
