/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_CONDUCT_PLAY_H
#define UNIT_CONDUCT_PLAY_H

/*
 * conduct_play.h - one guest's sequence, and a script of what happens to it
 *
 * Time passes only where the script says so.  ask() takes the work that the sequence wants and fails
 * the test if it is of another kind; the answers give it an outcome.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "hostd/sequence.h"

struct play {
	struct sequence_rules rules;
	struct sequence s;
	struct host_instant now;
	vt_span off;   /* how far the guest is behind          */
	vt_span trip;  /* how long an exchange with it takes   */
	uint64_t numbers;
	struct work work;
	struct sequence_result results[64]; /* all that came */
	unsigned n_results;
};

static inline void play_settle(struct play *p)
{
	struct sequence_result result;

	sequence_tick(&p->s, p->now);
	while (sequence_pop_result(&p->s, &result)) {
		assert_true(p->n_results < COUNT(p->results));
		p->results[p->n_results++] = result;
	}
}

static inline void pass(struct play *p, vt_span span)
{
	p->now.mono = vt_mono_add(p->now.mono, span);
	p->now.real = vt_real_add(p->now.real, span);
	play_settle(p);
}

/* Until the sequence does something by itself; for so long at most. */
static inline void pass_until_due(struct play *p, vt_span most)
{
	vt_mono deadline = sequence_deadline(&p->s);
	vt_span left = vt_mono_since(deadline, p->now.mono);

	if (left.ns > most.ns)
		fail_msg("nothing is due for %.3f s", vt_span_seconds(left));
	pass(p, vt_span_max(left, VT_NS(0)));
}

static inline void play_sign(struct play *p, struct sign sign)
{
	sign.at = p->now.mono;
	sequence_sign(&p->s, &sign, p->now);
	play_settle(p);
}

static inline void runs_again(struct play *p, enum host_reason reason)
{
	play_sign(p, (struct sign){ .kind = SIGN_RUNNING, .reason = reason });
}

static inline void stops(struct play *p)
{
	play_sign(p, (struct sign){ .kind = SIGN_STOPPED });
}

static inline bool wants(const struct play *p, enum work_kind *ret)
{
	struct sequence copy = p->s;
	struct work work;

	if (!sequence_wants(&p->s))
		return false;
	sequence_take(&copy, 0, p->now.mono, &work);
	*ret = work.kind;
	return true;
}

static inline void ask_at(struct play *p, enum work_kind kind, int line)
{
	if (!sequence_wants(&p->s))
		fail_msg("line %d: no work is wanted, step %d, note \"%s\"", line, p->s.step,
		         p->s.note);
	sequence_take(&p->s, ++p->numbers, p->now.mono, &p->work);
	if (p->work.kind != kind)
		fail_msg("line %d: work %d, not %d", line, p->work.kind, kind);
}
#define ask(p, kind) ask_at(p, kind, __LINE__)

/* An outcome of the work that was taken last, half a trip and half a trip later. */
static inline struct work_outcome play_outcome(struct play *p, enum work_result result)
{
	struct work_outcome outcome = {
		.number = p->work.number,
		.kind = p->work.kind,
		.result = result,
		.was_sent = result != WORK_STOPPED,
		.sent = p->now,
	};

	p->now.mono = vt_mono_add(p->now.mono, p->trip);
	p->now.real = vt_real_add(p->now.real, p->trip);
	outcome.answered = p->now;
	return outcome;
}

static inline void hand(struct play *p, const struct work_outcome *outcome)
{
	sequence_outcome(&p->s, outcome, p->now);
	play_settle(p);
}

/* The guest's clock is off by p->off. */
static inline void tells_time(struct play *p)
{
	struct work_outcome outcome = play_outcome(p, WORK_DONE);

	outcome.guest_time = vt_real_add(outcome.sent.real, VT_NS(p->trip.ns / 2 - p->off.ns));
	outcome.guest_time.ns -= outcome.guest_time.ns % 1000;
	hand(p, &outcome);
}

static inline void answers(struct play *p, enum work_result result)
{
	struct work_outcome outcome = play_outcome(p, result);

	if (result == WORK_REFUSED)
		snprintf(outcome.text, sizeof outcome.text, "hwclock: not found");
	hand(p, &outcome);
}

/* vmtimed says how it is. */
static inline void states(struct play *p, enum report_state state, vt_span offset)
{
	struct work_outcome outcome = play_outcome(p, WORK_DONE);

	outcome.reply = (struct host_reply){
		.state = state,
		.has_offset = true,
		.offset = offset,
		.has_bound = true,
		.bound = VT_US(1),
	};
	hand(p, &outcome);
}

static inline void tells_info(struct play *p, enum agent_kind agent, bool can_set)
{
	struct work_outcome outcome = play_outcome(p, WORK_DONE);

	outcome.agent = agent;
	outcome.can_get_time = true;
	outcome.can_set_time = can_set;
	snprintf(outcome.version, sizeof outcome.version, "10.0.2");
	hand(p, &outcome);
}

/* The latest result of @kind, or NULL. */
static inline const struct sequence_result *latest(const struct play *p,
                                                   enum sequence_result_kind kind)
{
	for (unsigned i = p->n_results; i > 0; i--)
		if (p->results[i - 1].kind == kind)
			return &p->results[i - 1];
	return NULL;
}

static inline unsigned count(const struct play *p, enum sequence_result_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n_results; i++)
		n += p->results[i].kind == kind;
	return n;
}

static inline void play_init(struct play *p)
{
	*p = (struct play){
		.rules = {
			.threshold = VT_MS(100),
			.unsynchronized_threshold = VT_SEC(2),
			.interval = VT_SEC(60),
			.quality_interval = VT_SEC(90),
			.timeout = VT_SEC(5),
			.set_timeout = VT_SEC(20),
			.clock_error = VT_NS(100),
			.quality = { .daemon = "chronyd", .is_synchronized = true },
			.quality_version = 1,
		},
		.now = { { VT_SEC(1000).ns }, { VT_SEC(1800000000).ns } },
		.trip = VT_MS(1),
	};
	sequence_init(&p->s, &p->rules, 7);
}

/* A guest with an agent, found running, whose clock was found right, and nothing to do for now. */
static inline void play_watching(struct play *p)
{
	play_init(p);
	play_sign(p, (struct sign){ .kind = SIGN_APPEARED, .is_running = true, .has_agent = true });
	ask(p, WORK_GET_TIME);
	tells_time(p);
	ask(p, WORK_INFO);
	tells_info(p, AGENT_QEMU_GA, true);
	assert_false(sequence_wants(&p->s));
	p->n_results = 0;
}

/* The same with a vmtimed that the host's channel reaches. */
static inline void play_with_vmtimed(struct play *p)
{
	play_init(p);
	play_sign(p, (struct sign){
	                 .kind = SIGN_APPEARED, .is_running = true, .has_agent = true, .cid = 7 });
	ask(p, WORK_GET_TIME);
	tells_time(p);
	ask(p, WORK_INFO);
	tells_info(p, AGENT_QEMU_GA, true);
	ask(p, WORK_STATUS);
	states(p, REPORT_OK, VT_NS(3));
	ask(p, WORK_QUALITY);
	answers(p, WORK_DONE);
	assert_false(sequence_wants(&p->s));
	p->n_results = 0;
}

#endif
