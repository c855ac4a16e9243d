/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/sequence.h"

#include <assert.h>
#include <string.h>

#include "hostd/sequence_run.h"

/* A back end always has an outcome within the timeout; if it has not, we do not wait for ever. */
#define PATIENCE VT_SEC(3)

/* The first question after a disruption: if it is lost the second one should not come late. */
#define SHORT_TIMEOUT VT_SEC(1)

/* Nobody pauses a guest again so soon without our seeing the stop. */
#define TWICE_WITHIN VT_SEC(1)

/* A clock that was set yields to those that are still wrong, if they came so soon after it. */
#define YIELDS VT_SEC(2)

/* Spreads guests over an interval, however many there are: the golden ratio's multiples. */
#define GOLDEN UINT32_C(2654435769)

/* Its place in the interval. */
static vt_span phase_of(uint32_t turn, vt_span interval)
{
	uint32_t place = turn * GOLDEN;

	return VT_NS((int64_t)((double)place / 0x1p32 * (double)interval.ns));
}

void sequence_init(struct sequence *s, const struct sequence_rules *rules, uint32_t turn)
{
	*s = (struct sequence){
		.rules = rules,
		.step = SEQUENCE_STOPPED,
		.can_get_time = true,
		.can_set_time = true,
		.can_reset_rtc = true,
		.due = VT_MONO_NEVER,
		.next_info = VT_MONO_NEVER,
		.key = VT_MONO_NEVER,
	};
	s->phase = phase_of(turn, rules->interval);
}

void sequence_interval_changed(struct sequence *s, uint32_t turn, vt_mono now)
{
	s->phase = phase_of(turn, s->rules->interval);
	s->next_look = sequence_turn(s, now);
	s->next_probe = vt_mono_min(s->next_probe, s->next_look);
	if (s->step == SEQUENCE_REST)
		sequence_rest(s, now);
}

static void agent_may_be_another(struct sequence *s, struct host_instant now)
{
	s->agent = s->has_agent ? AGENT_UNKNOWN : AGENT_NONE;
	s->can_get_time = s->can_set_time = true;
	s->next_info = now.mono;
	if (s->vmtimed == KNOWN_NO)
		s->vmtimed = KNOWN_NOT;
	s->next_probe = now.mono;
}

static void stop(struct sequence *s, vt_mono at, bool was_seen, struct host_instant now)
{
	if (s->step == SEQUENCE_STOPPED)
		return;
	sequence_abandon(s);
	s->is_run = false;
	s->note[0] = '\0';
	s->step = SEQUENCE_STOPPED;
	s->due = VT_MONO_NEVER;
	s->is_stop_seen = was_seen;
	s->stopped_at = at;
	sequence_result_push(s, (struct sequence_result){ .kind = SEQUENCE_STANDS, .at = now.real });
}

/* A restored guest is told to run twice by some: the same disruption goes on. */
static bool is_told_twice(const struct sequence *s, vt_mono now)
{
	return s->last.is_there && !s->has_stopped &&
	       vt_mono_since(now, s->noticed).ns < TWICE_WITHIN.ns;
}

/*
 * Without a reason (a guest that boots, a connection that was down) it is but a check, which becomes a
 * disruption when it finds the clock wrong.
 */
static void run(struct sequence *s, enum host_reason reason, vt_mono noticed,
                struct host_instant now)
{
	s->next_look = sequence_turn(s, now.mono);
	if (s->vmtimed == KNOWN_NO) {
		s->vmtimed = KNOWN_NOT;
		s->next_probe = now.mono;
	}
	if (reason != HOST_REASON_NONE && !is_told_twice(s, now.mono)) {
		sequence_disrupted(s, reason, now);
		s->noticed = vt_mono_min(noticed, now.mono);
	}
	sequence_begin(s, now);
	s->key = vt_mono_min(noticed, now.mono);
}

static void runs(struct sequence *s, const struct sign *sign, struct host_instant now)
{
	s->has_stopped = s->step == SEQUENCE_STOPPED && s->is_stop_seen;
	s->stopped = vt_mono_since(sign->at, s->stopped_at);
	run(s, sign->reason, sign->at, now);
}

static void appeared(struct sequence *s, const struct sign *sign, struct host_instant now)
{
	s->has_agent = sign->has_agent;
	s->cid = sign->cid;
	agent_may_be_another(s, now);
	if (sign->is_running)
		run(s, sign->reason, sign->at, now);
	else
		stop(s, sign->at, false, now);
}

static bool is_waiting(const struct sequence *s)
{
	return s->step == SEQUENCE_RETRY || s->step == SEQUENCE_FROZEN ||
	       s->step == SEQUENCE_FAILED;
}

static void agent_is_up(struct sequence *s, struct host_instant now)
{
	s->has_agent = true;
	agent_may_be_another(s, now);
	s->next_look = now.mono;
	if (is_waiting(s)) {
		s->failed_runs = 0;
		sequence_begin(s, now);
	} else if (s->step == SEQUENCE_REST) {
		sequence_rest(s, now.mono);
	}
}

void sequence_sign(struct sequence *s, const struct sign *sign, struct host_instant now)
{
	switch (sign->kind) {
	case SIGN_APPEARED: appeared(s, sign, now); break;
	case SIGN_GONE: break;
	case SIGN_STOPPED: stop(s, sign->at, true, now); break;
	case SIGN_RUNNING: runs(s, sign, now); break;
	case SIGN_AGENT_UP: agent_is_up(s, now); break;
	case SIGN_AGENT_DOWN: s->agent = AGENT_NONE; break;
	case SIGN_CHANGED:
		s->cid = sign->cid;
		s->vmtimed = KNOWN_NOT;
		s->next_probe = now.mono;
		if (s->step == SEQUENCE_REST)
			sequence_rest(s, now.mono);
		break;
	}
}

void sequence_host_jumped(struct sequence *s, enum host_reason reason, vt_span stopped,
                          struct host_instant now)
{
	if (s->step == SEQUENCE_STOPPED)
		return;
	run(s, reason, now.mono, now);
	if (stopped.ns > 0) {
		s->last.has_stopped = true;
		s->last.stopped = stopped;
	}
}

void sequence_check(struct sequence *s, struct host_instant now)
{
	bool is_at_it = s->is_run && !is_waiting(s);

	if (s->step == SEQUENCE_STOPPED || is_at_it)
		return;
	if (s->step == SEQUENCE_FAILED || !s->is_run)
		sequence_begin(s, now);
	else
		sequence_first(s, now);
}

void sequence_outcome(struct sequence *s, const struct work_outcome *outcome,
                      struct host_instant now)
{
	enum work_kind kind;
	enum cue cue;

	if (!s->is_begun || outcome->number != s->number)
		return;
	if (!sequence_work(s->step, &kind) || kind != outcome->kind)
		return;
	s->is_begun = false;
	cue = sequence_cue(s, outcome, now);
	sequence_make(s, sequence_move(s->step, cue), now);
}

/* The next of what is due in peace.  The measurement comes first: everybody looks at that. */
static void choose(struct sequence *s, struct host_instant now)
{
	bool is_told = s->told_quality == s->rules->quality_version;
	bool has_vmtimed = s->vmtimed == KNOWN_YES;

	if (sequence_can_measure(s) && s->next_look.ns <= now.mono.ns) {
		s->step = SEQUENCE_LOOK;
		s->next_look = sequence_turn(s, now.mono);
	} else if (s->has_agent && s->next_info.ns <= now.mono.ns) {
		s->step = SEQUENCE_INFO;
	} else if (sequence_can_nudge(s) && s->next_probe.ns <= now.mono.ns) {
		s->step = SEQUENCE_PROBE;
		s->next_probe = sequence_turn(s, now.mono);
	} else if (has_vmtimed && s->rules->quality_version &&
	           (!is_told || s->next_quality.ns <= now.mono.ns)) {
		s->step = SEQUENCE_QUALITY;
		s->told_quality = s->rules->quality_version;
		s->next_quality = vt_mono_add(now.mono, s->rules->quality_interval);
	} else {
		sequence_rest(s, now.mono);
		return;
	}
	s->is_ready = true;
	s->due = VT_MONO_NEVER;
	s->key = VT_MONO_NEVER;
}

/* An outcome that should have come long ago. */
static void give_up(struct sequence *s, struct host_instant now)
{
	struct work_outcome outcome = {
		.number = s->number,
		.result = WORK_TIMED_OUT,
		.was_sent = true,
		.sent = now,
		.answered = now,
	};

	s->must_drop = true;
	if (sequence_work(s->step, &outcome.kind))
		sequence_outcome(s, &outcome, now);
}

/* A freeze lasts as long as it lasts, and costs no attempts. */
static void try_after_thaw(struct sequence *s, struct host_instant now)
{
	s->run_began = now.mono;
	s->attempts = 0;
	sequence_first(s, now);
}

void sequence_tick(struct sequence *s, struct host_instant now)
{
	if (s->is_ready || now.mono.ns < s->due.ns) {
		/* Peace may have got something to do by a change of the rules. */
		if (s->step == SEQUENCE_REST)
			choose(s, now);
		return;
	}
	if (s->is_begun)
		give_up(s, now);
	else if (s->step == SEQUENCE_REST)
		choose(s, now);
	else if (s->step == SEQUENCE_FROZEN)
		try_after_thaw(s, now);
	else if (s->step == SEQUENCE_FAILED)
		sequence_begin(s, now);
	else if (s->step == SEQUENCE_RETRY)
		sequence_first(s, now);
	else if (s->step != SEQUENCE_STOPPED)
		s->is_ready = true; /* it was put off */
}

vt_mono sequence_deadline(const struct sequence *s)
{
	return s->is_ready ? VT_MONO_NEVER : s->due;
}

bool sequence_wants(const struct sequence *s)
{
	return s->is_ready;
}

vt_mono sequence_key(const struct sequence *s)
{
	bool is_set = s->step == SEQUENCE_RESET || s->step == SEQUENCE_VERIFY;

	/* What was just measured is set before others are measured: it holds no slot. */
	if (s->step == SEQUENCE_SET)
		return vt_mono_add(s->key, VT_NS(-YIELDS.ns));
	return is_set ? vt_mono_add(s->key, YIELDS) : s->key;
}

static vt_span timeout_of(const struct sequence *s, enum work_kind kind)
{
	vt_span timeout = s->rules->timeout;

	switch (kind) {
	case WORK_SET_TIME: return s->rules->set_timeout;
	case WORK_GET_TIME:
		if (s->is_run && s->attempts == 0)
			return vt_span_min(timeout, SHORT_TIMEOUT);
		return timeout;
	case WORK_NUDGE:
	case WORK_STATUS: return vt_span_min(timeout, SHORT_TIMEOUT);
	case WORK_INFO:
	case WORK_RESET_RTC:
	case WORK_QUALITY: return timeout;
	}
	return timeout;
}

void sequence_take(struct sequence *s, uint64_t number, vt_mono now, struct work *ret)
{
	enum work_kind kind = WORK_INFO;
	bool has_work = sequence_work(s->step, &kind);

	assert(s->is_ready && has_work);
	*ret = (struct work){ .kind = kind, .number = number, .timeout = timeout_of(s, kind) };
	if (kind == WORK_SET_TIME)
		ret->lead = VT_NS(s->trip.ns / 2);
	if (kind == WORK_NUDGE)
		ret->reason = s->is_open ? s->last.reason : HOST_REASON_NONE;
	if (kind == WORK_QUALITY)
		ret->quality = s->rules->quality;
	s->is_ready = false;
	s->is_begun = true;
	s->must_drop = false;
	s->number = number;
	s->due = vt_mono_add(now, vt_span_add(ret->timeout, PATIENCE));
}

bool sequence_pop_drop(struct sequence *s)
{
	bool must_drop = s->must_drop;

	s->must_drop = false;
	return must_drop;
}

bool sequence_pop_result(struct sequence *s, struct sequence_result *ret)
{
	if (s->n_results == 0)
		return false;
	*ret = s->results[0];
	s->n_results--;
	memmove(s->results, s->results + 1, s->n_results * sizeof *s->results);
	return true;
}

/* What is known of a guest that nothing is done about. */
static enum fleet_state state_in_peace(const struct sequence *s)
{
	if (s->last.is_there && s->last.end != FLEET_END_OPEN && s->last.end != FLEET_END_FAILED)
		return FLEET_VERIFIED;
	return s->has_offset || s->has_vmtimed_state ? FLEET_WATCHING : FLEET_DISCOVERED;
}

enum fleet_state sequence_state(const struct sequence *s)
{
	switch (s->step) {
	case SEQUENCE_STOPPED: return FLEET_STOPPED;
	case SEQUENCE_FROZEN: return FLEET_FROZEN;
	case SEQUENCE_FAILED: return FLEET_FAILED;
	case SEQUENCE_SET:
	case SEQUENCE_RESET: return FLEET_SETTING;
	case SEQUENCE_NUDGE:
	case SEQUENCE_ASK:
	case SEQUENCE_CONFIRM:
	case SEQUENCE_MEASURE:
	case SEQUENCE_VERIFY:
	case SEQUENCE_RETRY:
		/* One that has failed stays so until it is right: alarms must not flicker. */
		if (s->failed_runs > 0)
			return FLEET_FAILED;
		if (s->is_begun)
			return FLEET_MEASURING;
		return s->is_open ? FLEET_DISRUPTED : state_in_peace(s);
	case SEQUENCE_REST:
	case SEQUENCE_LOOK:
	case SEQUENCE_PROBE:
	case SEQUENCE_INFO:
	case SEQUENCE_QUALITY:
	case SEQUENCE_STEPS: break;
	}
	return state_in_peace(s);
}
