/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the table: each answer in each step, and where the guest stands after it. */
#include "conduct_play.h"

enum answer {
	ANSWER_YES,     /* or a clock that is right */
	ANSWER_WRONG,   /* a clock that is not */
	ANSWER_VAGUE,
	ANSWER_MOVED,
	ANSWER_REFUSED,
	ANSWER_FROZEN,
	ANSWER_CANNOT,
	ANSWER_SILENT,
	ANSWER_UNSENT,
	ANSWERS,
};

static const char *const NAMES[ANSWERS] = {
	[ANSWER_YES] = "yes or right", [ANSWER_WRONG] = "wrong",   [ANSWER_VAGUE] = "vague",
	[ANSWER_MOVED] = "moved",      [ANSWER_REFUSED] = "no",    [ANSWER_FROZEN] = "frozen",
	[ANSWER_CANNOT] = "cannot",    [ANSWER_SILENT] = "silent", [ANSWER_UNSENT] = "unsent",
};

/* In peace it may be at the next thing already. */
#define PEACE SEQUENCE_REST

static enum sequence_step stands(const struct play *p)
{
	switch (p->s.step) {
	case SEQUENCE_LOOK:
	case SEQUENCE_PROBE:
	case SEQUENCE_INFO:
	case SEQUENCE_QUALITY: return PEACE;
	case SEQUENCE_NUDGE:
	case SEQUENCE_ASK:
	case SEQUENCE_CONFIRM:
	case SEQUENCE_MEASURE:
	case SEQUENCE_SET:
	case SEQUENCE_RESET:
	case SEQUENCE_VERIFY:
	case SEQUENCE_RETRY:
	case SEQUENCE_FROZEN:
	case SEQUENCE_FAILED:
	case SEQUENCE_STOPPED:
	case SEQUENCE_REST:
	case SEQUENCE_STEPS: break;
	}
	return p->s.step;
}

/* Into @step of a disruption, its work in flight; the clock is ten seconds behind. */
static void reach_by_vmtimed(struct play *p, enum sequence_step step)
{
	play_with_vmtimed(p);
	p->off = VT_SEC(10);
	runs_again(p, HOST_REASON_PAUSE);
	ask(p, WORK_NUDGE);
	if (step == SEQUENCE_NUDGE)
		return;
	answers(p, WORK_DONE);
	pass(p, VT_MS(20));
	ask(p, WORK_STATUS);
	if (step == SEQUENCE_ASK)
		return;
	states(p, REPORT_OK, VT_NS(0));
	ask(p, WORK_GET_TIME);
}

static void reach_by_agent(struct play *p, enum sequence_step step)
{
	play_watching(p);
	p->off = VT_SEC(10);
	runs_again(p, HOST_REASON_PAUSE);
	ask(p, WORK_GET_TIME);
	if (step == SEQUENCE_MEASURE)
		return;
	tells_time(p);
	ask(p, WORK_SET_TIME);
	if (step == SEQUENCE_SET)
		return;
	answers(p, WORK_DONE);
	ask(p, WORK_RESET_RTC);
	if (step == SEQUENCE_RESET)
		return;
	answers(p, WORK_DONE);
	ask(p, WORK_GET_TIME);
}

static void reach_in_peace(struct play *p, enum sequence_step step)
{
	static const enum work_kind WORK[] = {
		[SEQUENCE_INFO] = WORK_INFO,
		[SEQUENCE_PROBE] = WORK_STATUS,
		[SEQUENCE_QUALITY] = WORK_QUALITY,
	};

	if (step == SEQUENCE_LOOK) {
		play_watching(p);
		pass_until_due(p, VT_SEC(60));
		ask(p, WORK_GET_TIME);
		return;
	}
	play_init(p);
	play_sign(p, (struct sign){
	                 .kind = SIGN_APPEARED, .is_running = true, .has_agent = true, .cid = 7 });
	ask(p, WORK_GET_TIME);
	tells_time(p);
	ask(p, WORK_INFO);
	if (step != SEQUENCE_INFO) {
		tells_info(p, AGENT_QEMU_GA, true);
		ask(p, WORK_STATUS);
	}
	if (step == SEQUENCE_QUALITY) {
		states(p, REPORT_OK, VT_NS(0));
		ask(p, WORK_QUALITY);
	}
	assert_int_equal(p->work.kind, WORK[step]);
}

static void reach(struct play *p, enum sequence_step step)
{
	if (step <= SEQUENCE_CONFIRM)
		reach_by_vmtimed(p, step);
	else if (step <= SEQUENCE_VERIFY)
		reach_by_agent(p, step);
	else
		reach_in_peace(p, step);
	assert_int_equal(p->s.step, step);
	assert_true(p->s.is_begun);
}

/* A clock that was moved while it was read. */
static void moves(struct play *p)
{
	struct work_outcome outcome = play_outcome(p, WORK_DONE);

	outcome.guest_time = outcome.sent.real;
	outcome.answered.real = vt_real_add(outcome.answered.real, VT_SEC(-1));
	hand(p, &outcome);
}

static void unsent(struct play *p)
{
	struct work_outcome outcome = play_outcome(p, WORK_LOST);

	outcome.was_sent = false;
	hand(p, &outcome);
}

static void answer(struct play *p, enum answer answer)
{
	bool is_time = p->work.kind == WORK_GET_TIME, is_status = p->work.kind == WORK_STATUS;

	switch (answer) {
	case ANSWER_YES:
	case ANSWER_WRONG:
	case ANSWER_VAGUE:
		p->off = answer == ANSWER_WRONG ? VT_SEC(10) : VT_NS(0);
		p->trip = answer == ANSWER_VAGUE ? VT_MS(500) : VT_MS(1);
		if (is_time)
			tells_time(p);
		else if (is_status)
			states(p, answer == ANSWER_YES ? REPORT_OK : REPORT_DISRUPTED, VT_NS(0));
		else
			answers(p, WORK_DONE);
		break;
	case ANSWER_MOVED: moves(p); break;
	case ANSWER_REFUSED: answers(p, WORK_REFUSED); break;
	case ANSWER_FROZEN: answers(p, WORK_FROZEN); break;
	case ANSWER_CANNOT: answers(p, WORK_UNSUPPORTED); break;
	case ANSWER_SILENT: answers(p, WORK_TIMED_OUT); break;
	case ANSWER_UNSENT: unsent(p); break;
	case ANSWERS: break;
	}
}

#define NONE SEQUENCE_STEPS /* that answer does not come there */
#define MEASURE SEQUENCE_MEASURE
#define RETRY   SEQUENCE_RETRY
#define VERIFY  SEQUENCE_VERIFY
#define FROZEN  SEQUENCE_FROZEN

/* clang-format off */
static const enum sequence_step NEXT[SEQUENCE_STEPS][ANSWERS] = {
	/*                     yes, right        wrong         vague             moved             no       frozen   cannot   silent   unsent */
	[SEQUENCE_NUDGE]   = { SEQUENCE_ASK,     NONE,         NONE,             NONE,             MEASURE, MEASURE, MEASURE, MEASURE, MEASURE },
	[SEQUENCE_ASK]     = { SEQUENCE_CONFIRM, SEQUENCE_ASK, NONE,             NONE,             MEASURE, MEASURE, MEASURE, MEASURE, MEASURE },
	[SEQUENCE_CONFIRM] = { PEACE,            SEQUENCE_ASK, PEACE,            SEQUENCE_CONFIRM, PEACE,   PEACE,   PEACE,   PEACE,   PEACE   },
	[SEQUENCE_MEASURE] = { PEACE,            SEQUENCE_SET, SEQUENCE_MEASURE, SEQUENCE_MEASURE, RETRY,   FROZEN,  RETRY,   RETRY,   RETRY   },
	[SEQUENCE_SET]     = { SEQUENCE_RESET,   NONE,         NONE,             NONE,             SEQUENCE_RESET, FROZEN, SEQUENCE_RESET, SEQUENCE_RESET, RETRY },
	[SEQUENCE_RESET]   = { VERIFY,           NONE,         NONE,             NONE,             VERIFY,  VERIFY,  VERIFY,  VERIFY,  VERIFY  },
	[SEQUENCE_VERIFY]  = { PEACE,            RETRY,        VERIFY,           VERIFY,           RETRY,   FROZEN,  RETRY,   RETRY,   RETRY   },
	[SEQUENCE_LOOK]    = { PEACE,            MEASURE,      PEACE,            PEACE,            PEACE,   PEACE,   PEACE,   PEACE,   PEACE   },
	[SEQUENCE_PROBE]   = { PEACE,            PEACE,        NONE,             NONE,             PEACE,   PEACE,   PEACE,   PEACE,   PEACE   },
	[SEQUENCE_INFO]    = { PEACE,            NONE,         NONE,             NONE,             PEACE,   PEACE,   PEACE,   PEACE,   PEACE   },
	[SEQUENCE_QUALITY] = { PEACE,            NONE,         NONE,             NONE,             PEACE,   PEACE,   PEACE,   PEACE,   PEACE   },
};
/* clang-format on */

static void test_each_answer_in_each_step(void **state)
{
	(void)state;
	unsigned rows = 0;

	for (unsigned step = 0; step < SEQUENCE_STEPS; step++) {
		if (NEXT[step][ANSWER_YES] == SEQUENCE_NUDGE)
			continue; /* it has no work, and no row */
		rows++;
		for (unsigned i = 0; i < ANSWERS; i++) {
			struct play p;

			if (NEXT[step][i] == NONE)
				continue;
			reach(&p, (enum sequence_step)step);
			answer(&p, (enum answer)i);
			if (stands(&p) != NEXT[step][i])
				fail_msg("step %u, %s: step %d, not %d: %s", step, NAMES[i],
				         p.s.step, NEXT[step][i], p.s.note);
			/* Peace in which nothing was found wrong is no disruption, and no run. */
			if (step > SEQUENCE_VERIFY && NEXT[step][i] == PEACE)
				assert_true(p.s.disruptions == 0 && !p.s.is_run);
			if (step <= SEQUENCE_VERIFY && NEXT[step][i] == PEACE)
				assert_false(p.s.is_open);
		}
	}
	assert_int_equal(rows, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_answer_in_each_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
