/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/sequence_run.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/filter.h"

/* A run tries so often, pausing for 0.1 s, 0.2 s and so on, and for so long: then it has failed. */
#define ATTEMPTS_MOST 8
#define BACKOFF       VT_MS(100)
#define RUN_LONGEST   VT_SEC(60)

/* One that has failed is tried again after a minute, two, four, ... */
#define FAILED_FIRST   VT_SEC(60)
#define FAILED_DOUBLES 4

#define FROZEN_PAUSE VT_SEC(3)

/* The answer was too slow to tell: so often is it asked again. */
#define AGAIN_MOST 3

/* vmtimed alone takes 1.3 s at worst to be right again; a nudged one some tens of milliseconds. */
#define ASK_LONGEST VT_SEC(2)
#define ASK_FIRST   VT_MS(20)
#define ASK_DOUBLES 4

static vt_span doubled(vt_span span, unsigned times)
{
	return VT_NS(span.ns << times);
}

static unsigned lesser(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

void sequence_result_push(struct sequence *s, struct sequence_result result)
{
	/* Those that nobody popped are of no interest to anybody. */
	if (s->n_results < SEQUENCE_RESULTS)
		s->results[s->n_results++] = result;
}

void sequence_note(struct sequence *s, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(s->note, sizeof s->note, format, list);
	s->is_note_of_peace = !s->is_run;
	va_end(list);
}

bool sequence_can_measure(const struct sequence *s)
{
	return s->has_agent && s->can_get_time;
}

bool sequence_can_nudge(const struct sequence *s)
{
	return s->cid != 0 || s->agent == AGENT_VMTIMED;
}

vt_span sequence_threshold(const struct sequence *s)
{
	const struct sequence_rules *rules = s->rules;

	if (rules->quality.is_synchronized)
		return rules->threshold;
	return vt_span_max(rules->threshold, rules->unsynchronized_threshold);
}

void sequence_abandon(struct sequence *s)
{
	s->must_drop |= s->is_begun;
	s->is_begun = false;
	s->is_ready = false;
}

static void ready(struct sequence *s, enum sequence_step step)
{
	s->step = step;
	s->is_begun = false;
	s->is_ready = true;
	s->due = VT_MONO_NEVER;
}

static void wait_for(struct sequence *s, enum sequence_step step, vt_span span,
                     struct host_instant now)
{
	s->step = step;
	s->is_begun = false;
	s->is_ready = false;
	s->due = vt_mono_add(now.mono, span);
}

vt_mono sequence_turn(const struct sequence *s, vt_mono now)
{
	int64_t interval = s->rules->interval.ns;
	int64_t passed = vt_sat_sub(now.ns, s->phase.ns);

	if (passed < 0)
		return (vt_mono){ s->phase.ns };
	return (vt_mono){ vt_sat_add(s->phase.ns, (passed / interval + 1) * interval) };
}

void sequence_rest(struct sequence *s, vt_mono now)
{
	vt_mono due = VT_MONO_NEVER;

	s->step = SEQUENCE_REST;
	s->is_run = false;
	s->is_begun = false;
	s->is_ready = false;
	if (sequence_can_measure(s))
		due = vt_mono_min(due, s->next_look);
	if (s->has_agent)
		due = vt_mono_min(due, s->next_info);
	if (sequence_can_nudge(s))
		due = vt_mono_min(due, s->next_probe);
	if (s->vmtimed == KNOWN_YES && s->rules->quality_version)
		due = vt_mono_min(due, s->told_quality == s->rules->quality_version
		                           ? s->next_quality
		                           : now);
	s->due = due;
}

void sequence_disrupted(struct sequence *s, enum host_reason reason, struct host_instant now)
{
	if (s->is_open && s->last.end == FLEET_END_OPEN)
		sequence_result_push(s, (struct sequence_result){ .kind = SEQUENCE_ENDED,
		                                                  .end = FLEET_END_OPEN,
		                                                  .is_disruption = true,
		                                                  .at = now.real });
	s->is_open = true;
	s->noticed = now.mono;
	s->disruptions++;
	s->failed_runs = 0;
	s->has_set = s->has_nudged = false;
	s->last = (struct fleet_disruption){
		.is_there = true,
		.reason = reason,
		.at = now.real,
	};
	if (s->has_stopped) {
		s->last.has_stopped = true;
		s->last.stopped = s->stopped;
		s->has_stopped = false;
	}
	sequence_result_push(s, (struct sequence_result){
	                            .kind = SEQUENCE_NOTICED, .reason = reason, .at = now.real });
}

void sequence_begin(struct sequence *s, struct host_instant now)
{
	sequence_abandon(s);
	s->is_run = true;
	s->run_began = s->key = now.mono;
	s->attempts = s->again = s->asked = 0;
	s->is_contradicted = s->is_frozen = s->is_vague = false;
	s->is_set_answered = s->is_set_refused = false;
	s->trip = VT_NS(0);
	if (!s->is_open)
		s->has_set = s->has_nudged = false;
	s->note[0] = '\0';
	sequence_first(s, now);
}

/* The end of a run.  What it ends, if anything, is told. */
static void ended(struct sequence *s, enum fleet_end end, struct host_instant now)
{
	struct sequence_result result = {
		.kind = SEQUENCE_ENDED,
		.reason = s->is_open ? s->last.reason : HOST_REASON_NONE,
		.end = end,
		.is_disruption = s->is_open,
		.is_again = s->is_open && s->last.end == FLEET_END_FAILED,
		.at = now.real,
		.after = vt_mono_since(now.mono, s->is_open ? s->noticed : s->run_began),
	};

	if (s->is_open)
		s->last.end = end;
	sequence_result_push(s, result);
}

static void fail(struct sequence *s, struct host_instant now)
{
	unsigned times = lesser(s->failed_runs, FAILED_DOUBLES);

	if (s->is_open && s->last.end == FLEET_END_OPEN)
		s->failures++;
	ended(s, FLEET_END_FAILED, now);
	if (!s->is_open) {
		sequence_rest(s, now.mono);
		return;
	}
	s->is_run = false;
	s->failed_runs++;
	wait_for(s, SEQUENCE_FAILED, doubled(FAILED_FIRST, times), now);
}

static void succeed(struct sequence *s, struct host_instant now)
{
	enum fleet_end end = FLEET_END_RIGHT;

	if (s->has_set)
		end = FLEET_END_SET;
	else if (s->has_nudged)
		end = FLEET_END_NUDGED;
	ended(s, end, now);
	if (s->is_open) {
		s->last.has_took = true;
		s->last.took = vt_mono_since(now.mono, s->noticed);
	}
	s->is_open = s->has_stopped = false;
	s->failed_runs = 0;
	sequence_rest(s, now.mono);
}

void sequence_first(struct sequence *s, struct host_instant now)
{
	bool can_nudge = sequence_can_nudge(s);
	bool can_measure = sequence_can_measure(s);

	s->is_run = true;
	/* A vmtimed that nobody has heard of yet gets its chance when the agent was no help. */
	if (can_nudge && (s->vmtimed == KNOWN_YES || !can_measure ||
	                  (s->vmtimed == KNOWN_NOT && s->attempts % 2 == 1))) {
		ready(s, SEQUENCE_NUDGE);
	} else if (can_measure) {
		ready(s, SEQUENCE_MEASURE);
	} else {
		sequence_note(s, s->has_agent ? "its agent cannot tell the time"
		                              : "nobody in it can be asked: it has no agent's port");
		fail(s, now);
	}
}

static void retry(struct sequence *s, struct host_instant now)
{
	bool is_over = vt_mono_since(now.mono, s->run_began).ns > RUN_LONGEST.ns;

	s->again = 0;
	/* What has failed before gets one try at a time. */
	if (++s->attempts >= ATTEMPTS_MOST || is_over || s->failed_runs > 0)
		fail(s, now);
	else
		wait_for(s, SEQUENCE_RETRY, doubled(BACKOFF, s->attempts - 1), now);
}

static void ask_agent(struct sequence *s, struct host_instant now)
{
	if (sequence_can_measure(s))
		ready(s, SEQUENCE_MEASURE);
	else
		retry(s, now);
}

static void ask_later(struct sequence *s, struct host_instant now)
{
	if (vt_mono_since(now.mono, s->asking).ns < ASK_LONGEST.ns) {
		wait_for(s, SEQUENCE_ASK, doubled(ASK_FIRST, lesser(s->asked++, ASK_DOUBLES)), now);
		return;
	}
	if (!s->is_contradicted) {
		ask_agent(s, now);
		return;
	}
	/* Setting it would only begin a fight that vmtimed, which goes on reading, wins. */
	sequence_note(s, "its vmtimed says that the clock is right, this host says that it is off by "
	                 "%.3f s: one of the two follows a wrong source",
	              vt_span_seconds(s->offset));
	fail(s, now);
}

static void set(struct sequence *s, struct host_instant now)
{
	if (now.real.ns < FILTER_EARLIEST.ns || now.real.ns > FILTER_LATEST.ns) {
		sequence_note(s, "this host's own clock shows an impossible date: nothing is set by it");
		fail(s, now);
	} else if (!s->can_set_time) {
		sequence_note(s, "off by %.3f s, and its agent may not set the time",
		              vt_span_seconds(s->offset));
		fail(s, now);
	} else {
		s->is_set_answered = s->is_set_refused = s->is_vague = false;
		s->again = 0;
		ready(s, SEQUENCE_SET);
	}
}

/* A measurement that is too wide, or none: enough of it is enough. */
static void again(struct sequence *s, struct host_instant now)
{
	if (++s->again <= AGAIN_MOST) {
		ready(s, s->step);
	} else if (s->is_vague) {
		sequence_note(s, "its answers are slow: the clock is known to %.3f s only",
		              vt_span_seconds(s->uncertainty));
		succeed(s, now);
	} else {
		retry(s, now);
	}
}

static void freeze(struct sequence *s, struct host_instant now)
{
	if (!s->is_frozen)
		sequence_result_push(s, (struct sequence_result){ .kind = SEQUENCE_THAWS,
		                                                  .at = now.real });
	s->is_frozen = true;
	sequence_note(s, "its filesystems are frozen: tried again after the thaw");
	wait_for(s, SEQUENCE_FROZEN, FROZEN_PAUSE, now);
}

static void reset(struct sequence *s)
{
	ready(s, s->can_reset_rtc ? SEQUENCE_RESET : SEQUENCE_VERIFY);
}

void sequence_make(struct sequence *s, enum move move, struct host_instant now)
{
	switch (move) {
	case MOVE_NEVER: assert(move != MOVE_NEVER); break;
	case MOVE_ASK: s->asking = now.mono; ready(s, SEQUENCE_ASK); break;
	case MOVE_ASK_LATER: ask_later(s, now); break;
	case MOVE_CONFIRM:
		if (sequence_can_measure(s))
			ready(s, SEQUENCE_CONFIRM);
		else
			succeed(s, now);
		break;
	case MOVE_AGENT: ask_agent(s, now); break;
	case MOVE_SET: set(s, now); break;
	case MOVE_RESET: reset(s); break;
	case MOVE_VERIFY: ready(s, SEQUENCE_VERIFY); break;
	case MOVE_AGAIN: again(s, now); break;
	case MOVE_RETRY: retry(s, now); break;
	case MOVE_FROZEN: freeze(s, now); break;
	case MOVE_RIGHT: succeed(s, now); break;
	case MOVE_BEGIN: sequence_begin(s, now); break;
	case MOVE_REST: sequence_rest(s, now.mono); break;
	}
}
