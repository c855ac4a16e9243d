/* SPDX-License-Identifier: Apache-2.0 */
#include "conduct_play.h"
#include "rng.h"

/* Stopped for @stopped and let go on; its clock has stood. */
static void pause_for(struct play *p, vt_span stopped)
{
	stops(p);
	pass(p, stopped);
	p->off = vt_span_add(p->off, stopped);
	runs_again(p, HOST_REASON_PAUSE);
}

static void set_is_done(struct play *p, enum work_result result)
{
	ask(p, WORK_SET_TIME);
	p->off = VT_NS(0);
	answers(p, result);
}

static void test_found_running_it_is_measured_once_and_watched(void **state)
{
	(void)state;
	struct play p;

	play_init(&p);
	p.off = VT_MS(30);
	play_sign(&p, (struct sign){ .kind = SIGN_APPEARED, .is_running = true, .has_agent = true });
	assert_int_equal(sequence_state(&p.s), FLEET_DISCOVERED);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_int_equal(sequence_state(&p.s), FLEET_WATCHING);
	assert_int_equal(p.s.disruptions, 0);
	assert_true(p.s.has_offset);
	assert_true(vt_span_abs(vt_span_sub(p.s.offset, p.off)).ns <= p.s.uncertainty.ns);
}

static void test_a_pause_is_measured_set_and_verified(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	pause_for(&p, VT_SEC(10));
	assert_int_equal(sequence_state(&p.s), FLEET_DISRUPTED);
	ask(&p, WORK_GET_TIME);
	assert_int_equal(sequence_state(&p.s), FLEET_MEASURING);
	p.trip = VT_MS(4);
	tells_time(&p);
	assert_int_equal(sequence_state(&p.s), FLEET_SETTING);
	ask(&p, WORK_SET_TIME);
	assert_int_equal(p.work.lead.ns, VT_MS(2).ns); /* the measured way there */
	p.off = VT_US(300);
	answers(&p, WORK_DONE);
	ask(&p, WORK_RESET_RTC);
	answers(&p, WORK_DONE);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);

	assert_int_equal(sequence_state(&p.s), FLEET_VERIFIED);
	assert_int_equal(p.s.last.end, FLEET_END_SET);
	assert_int_equal(p.s.last.reason, HOST_REASON_PAUSE);
	assert_true(p.s.last.has_stopped);
	assert_int_equal(p.s.last.stopped.ns, VT_SEC(10).ns);
	assert_true(p.s.last.has_lost);
	assert_true(vt_span_abs(vt_span_sub(p.s.last.lost, VT_SEC(10))).ns < VT_MS(3).ns);
	assert_int_equal(p.s.last.took.ns, VT_MS(16).ns); /* four exchanges */
	assert_int_equal(p.s.sets, 1);
	assert_int_equal(latest(&p, SEQUENCE_SENT)->after.ns, VT_MS(4).ns);
	assert_int_equal(latest(&p, SEQUENCE_ENDED)->after.ns, VT_MS(16).ns);
	assert_string_equal(p.s.note, "");
}

/* Every backup stops a guest for some milliseconds; one that runs chrony must not be touched. */
static void test_within_the_threshold_nothing_is_set(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		vt_span off, trip;
		enum work_kind next; /* WORK_INFO: it is verified */
	} cases[] = {
		{ "a short pause",           { 40000000 },   { 1000000 },  WORK_INFO     },
		{ "at the threshold",        { 100000000 },  { 1000000 },  WORK_INFO     },
		{ "above, but not for sure", { 120000000 },  { 60000000 }, WORK_INFO     },
		{ "above for sure",          { 120000000 },  { 10000000 }, WORK_SET_TIME },
		{ "ahead for sure",          { -120000000 }, { 10000000 }, WORK_SET_TIME },
		{ "ahead, not for sure",     { -120000000 }, { 60000000 }, WORK_INFO     },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		enum work_kind kind = WORK_INFO;
		struct play p;

		play_watching(&p);
		runs_again(&p, HOST_REASON_PAUSE);
		p.off = cases[i].off;
		p.trip = cases[i].trip;
		ask(&p, WORK_GET_TIME);
		tells_time(&p);
		wants(&p, &kind);
		if (kind != cases[i].next)
			fail_msg("%s: work %d", cases[i].what, kind);
		if (kind == WORK_INFO)
			assert_int_equal(p.s.last.end, FLEET_END_RIGHT);
	}
}

static void test_the_answer_to_set_time_is_not_believed(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		enum work_result result;
		bool is_set;
		enum sequence_result_kind told;
	} cases[] = {
		{ "a yes, and it was set",       WORK_DONE,        true,  SEQUENCE_ENDED     },
		{ "an error, and it was set",    WORK_REFUSED,     true,  SEQUENCE_FALSE_NO  },
		{ "cannot, and it was set",      WORK_UNSUPPORTED, true,  SEQUENCE_FALSE_NO  },
		{ "silence, and it was set",     WORK_TIMED_OUT,   true,  SEQUENCE_ENDED     },
		{ "garbage, and it was set",     WORK_GARBAGE,     true,  SEQUENCE_FALSE_NO  },
		{ "a yes, and it was not set",   WORK_DONE,        false, SEQUENCE_FALSE_YES },
		{ "an error, and it was not",    WORK_REFUSED,     false, SEQUENCE_MEASURED  },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct play p;

		play_watching(&p);
		pause_for(&p, VT_SEC(10));
		ask(&p, WORK_GET_TIME);
		tells_time(&p);
		ask(&p, WORK_SET_TIME);
		if (cases[i].is_set)
			p.off = VT_NS(0);
		answers(&p, cases[i].result);
		ask(&p, WORK_RESET_RTC);
		answers(&p, WORK_UNSUPPORTED);
		ask(&p, WORK_GET_TIME);
		tells_time(&p);
		if (!latest(&p, cases[i].told))
			fail_msg("%s: not told", cases[i].what);
		if ((p.s.step == SEQUENCE_REST) != cases[i].is_set)
			fail_msg("%s: step %d", cases[i].what, p.s.step);
		if (cases[i].is_set)
			assert_int_equal(p.s.last.end, FLEET_END_SET);
		else
			assert_int_equal(p.s.step, SEQUENCE_RETRY);
		if (cases[i].result == WORK_REFUSED)
			assert_non_null(strstr(p.s.note, "hwclock: not found"));
	}
}

static void test_a_rtc_that_cannot_be_reset_is_not_tried_again(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	for (unsigned i = 0; i < 2; i++) {
		pass(&p, VT_SEC(2));
		pause_for(&p, VT_SEC(10));
		ask(&p, WORK_GET_TIME);
		tells_time(&p);
		set_is_done(&p, WORK_DONE);
		if (i == 0) {
			ask(&p, WORK_RESET_RTC);
			answers(&p, WORK_UNSUPPORTED);
		}
		ask(&p, WORK_GET_TIME);
		tells_time(&p);
		assert_int_equal(p.s.last.end, FLEET_END_SET);
	}
}

static void test_retries_are_bounded_and_then_rarer(void **state)
{
	(void)state;
	struct play p;
	vt_mono began, failed;
	unsigned tries = 0;

	play_watching(&p);
	runs_again(&p, HOST_REASON_RESTORE);
	began = p.now.mono;
	for (; p.s.step != SEQUENCE_FAILED; tries++) {
		assert_true(tries < 20);
		ask(&p, WORK_GET_TIME);
		pass(&p, p.work.timeout);
		answers(&p, WORK_TIMED_OUT);
		if (p.s.step != SEQUENCE_FAILED)
			pass_until_due(&p, VT_SEC(15));
	}
	assert_true(tries >= 3);
	assert_true(vt_mono_since(p.now.mono, began).ns < VT_SEC(70).ns);
	assert_int_equal(sequence_state(&p.s), FLEET_FAILED);
	assert_int_equal(p.s.failures, 1);
	assert_int_equal(p.s.last.end, FLEET_END_FAILED);
	assert_string_equal(p.s.note, "its agent does not answer");

	/* One try a time, ever rarer, and no second failure. */
	for (unsigned i = 0; i < 8; i++) {
		vt_span pause;

		failed = p.now.mono;
		pass_until_due(&p, VT_SEC(16 * 60));
		pause = vt_mono_since(p.now.mono, failed);
		assert_int_equal(pause.ns, VT_SEC(60 << (i < 4 ? i : 4)).ns);
		assert_int_equal(sequence_state(&p.s), FLEET_FAILED);
		ask(&p, WORK_GET_TIME);
		answers(&p, WORK_LOST);
		assert_int_equal(p.s.step, SEQUENCE_FAILED);
	}
	assert_int_equal(p.s.failures, 1);

	/* And when it answers at last, all is well. */
	p.off = VT_SEC(7);
	pass_until_due(&p, VT_SEC(16 * 60));
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	set_is_done(&p, WORK_DONE);
	ask(&p, WORK_RESET_RTC);
	answers(&p, WORK_DONE);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_int_equal(sequence_state(&p.s), FLEET_VERIFIED);
	assert_true(latest(&p, SEQUENCE_ENDED)->is_again);
	assert_int_equal(p.s.last.end, FLEET_END_SET);
}

static void test_an_agent_that_comes_ends_the_waiting(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	runs_again(&p, HOST_REASON_RESTORE);
	ask(&p, WORK_GET_TIME);
	answers(&p, WORK_LOST);
	assert_false(sequence_wants(&p.s));
	play_sign(&p, (struct sign){ .kind = SIGN_AGENT_UP });
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_int_equal(p.s.last.end, FLEET_END_RIGHT);
	assert_string_equal(p.s.note, "");
	ask(&p, WORK_GET_TIME); /* the connect asks for one more, and only then: */
	tells_time(&p);
	ask(&p, WORK_INFO);
}

static void test_frozen_is_no_failure(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	pause_for(&p, VT_SEC(10));
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	ask(&p, WORK_SET_TIME);
	answers(&p, WORK_FROZEN);
	assert_int_equal(p.s.sets, 0);
	for (unsigned i = 0; i < 100; i++) { /* five minutes of it */
		assert_int_equal(sequence_state(&p.s), FLEET_FROZEN);
		pass_until_due(&p, VT_SEC(5));
		ask(&p, WORK_GET_TIME);
		answers(&p, WORK_FROZEN);
	}
	assert_int_equal(p.s.failures, 0);
	assert_int_equal(count(&p, SEQUENCE_THAWS), 1);
	pass_until_due(&p, VT_SEC(5));
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	set_is_done(&p, WORK_DONE);
	ask(&p, WORK_RESET_RTC);
	answers(&p, WORK_DONE);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_int_equal(p.s.last.end, FLEET_END_SET);
	assert_int_equal(p.s.failures, 0);
}

/* Nothing is queued for a guest that stands, whatever was being done. */
static void test_stopped_in_the_middle_it_begins_anew(void **state)
{
	(void)state;

	for (unsigned stop_after = 0; stop_after < 4; stop_after++) {
		static const enum work_kind KINDS[] = { WORK_GET_TIME, WORK_SET_TIME,
			                                WORK_RESET_RTC, WORK_GET_TIME };
		struct work_outcome late;
		struct play p;

		play_watching(&p);
		pause_for(&p, VT_SEC(10));
		for (unsigned i = 0; i < stop_after; i++) {
			ask(&p, KINDS[i]);
			if (KINDS[i] == WORK_GET_TIME)
				tells_time(&p);
			else
				answers(&p, WORK_DONE);
		}
		ask(&p, KINDS[stop_after]);
		late = play_outcome(&p, WORK_DONE);
		stops(&p);
		assert_true(sequence_pop_drop(&p.s));
		assert_false(sequence_pop_drop(&p.s));
		assert_false(sequence_wants(&p.s));
		assert_int_equal(sequence_deadline(&p.s).ns, VT_MONO_NEVER.ns);
		assert_int_equal(sequence_state(&p.s), FLEET_STOPPED);

		hand(&p, &late); /* an answer that was on its way */
		pass(&p, VT_SEC(100));
		sequence_check(&p.s, p.now);
		play_sign(&p, (struct sign){ .kind = SIGN_AGENT_UP });
		assert_false(sequence_wants(&p.s));

		p.off = VT_SEC(100);
		runs_again(&p, HOST_REASON_PAUSE);
		assert_int_equal(p.s.disruptions, 2);
		ask(&p, WORK_GET_TIME);
		hand(&p, &late); /* and once more: of an older number */
		assert_int_equal(p.s.step, SEQUENCE_MEASURE);
		tells_time(&p);
		ask(&p, WORK_SET_TIME);
	}
}

static void test_what_stood_is_told_only_where_the_stop_was_seen(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	runs_again(&p, HOST_REASON_MIGRATION); /* the destination has RESUME only */
	assert_int_equal(p.s.disruptions, 1);
	assert_false(p.s.last.has_stopped);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);

	play_init(&p);
	play_sign(&p, (struct sign){ .kind = SIGN_APPEARED, .has_agent = true });
	assert_int_equal(sequence_state(&p.s), FLEET_STOPPED);
	assert_false(sequence_wants(&p.s));
	pass(&p, VT_SEC(5));
	runs_again(&p, HOST_REASON_PAUSE);
	assert_false(p.s.last.has_stopped);
}

static void test_told_twice_is_one_disruption(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	stops(&p);
	pass(&p, VT_SEC(10));
	runs_again(&p, HOST_REASON_RESTORE);
	ask(&p, WORK_GET_TIME);
	pass(&p, VT_MS(3));
	runs_again(&p, HOST_REASON_PAUSE);
	assert_int_equal(p.s.disruptions, 1);
	assert_int_equal(p.s.last.reason, HOST_REASON_RESTORE);
	assert_true(p.s.last.has_stopped);
	ask(&p, WORK_GET_TIME); /* anew: it may have stood in between */

	pass(&p, VT_SEC(2));
	runs_again(&p, HOST_REASON_PAUSE);
	assert_int_equal(p.s.disruptions, 2);
}

/* A boot and a connection that was down have no reason: a check, unless the clock is wrong. */
static void test_without_a_reason_it_is_a_check(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	play_sign(&p, (struct sign){ .kind = SIGN_APPEARED, .is_running = true, .has_agent = true });
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_int_equal(p.s.disruptions, 0);
	assert_false(latest(&p, SEQUENCE_ENDED)->is_disruption);

	runs_again(&p, HOST_REASON_NONE);
	ask(&p, WORK_GET_TIME);
	p.off = VT_SEC(3600);
	tells_time(&p);
	assert_int_equal(p.s.disruptions, 1);
	assert_true(p.s.last.has_lost);
	ask(&p, WORK_SET_TIME);
}

static void test_an_agent_that_is_not_there_at_boot_is_no_failure(void **state)
{
	(void)state;
	struct play p;
	unsigned tries = 0;

	play_init(&p);
	play_sign(&p, (struct sign){ .kind = SIGN_APPEARED, .is_running = true, .has_agent = true });
	while (!latest(&p, SEQUENCE_ENDED)) {
		assert_true(tries++ < 20);
		ask(&p, WORK_GET_TIME);
		answers(&p, WORK_LOST);
		if (p.s.step == SEQUENCE_RETRY)
			pass_until_due(&p, VT_SEC(15));
	}
	assert_int_equal(p.s.failures, 0);
	assert_int_equal(sequence_state(&p.s), FLEET_DISCOVERED);
	assert_int_equal(latest(&p, SEQUENCE_ENDED)->end, FLEET_END_FAILED);
	assert_string_equal(p.s.note, "its agent does not answer");
}

static void test_nobody_to_ask(void **state)
{
	(void)state;
	struct play p;

	play_init(&p);
	play_sign(&p, (struct sign){ .kind = SIGN_APPEARED, .is_running = true });
	assert_false(sequence_wants(&p.s));
	assert_int_equal(sequence_state(&p.s), FLEET_DISCOVERED);
	assert_int_equal(sequence_deadline(&p.s).ns, VT_MONO_NEVER.ns);

	runs_again(&p, HOST_REASON_PAUSE);
	assert_false(sequence_wants(&p.s));
	assert_int_equal(p.s.last.end, FLEET_END_FAILED);
	assert_non_null(strstr(p.s.note, "no agent"));

	/* Asked by hand it says so at once. */
	p.n_results = 0;
	sequence_check(&p.s, p.now);
	play_settle(&p);
	assert_int_equal(latest(&p, SEQUENCE_ENDED)->end, FLEET_END_FAILED);
}

static void test_an_agent_that_may_not_set_the_time(void **state)
{
	(void)state;
	struct play p;

	play_init(&p);
	play_sign(&p, (struct sign){ .kind = SIGN_APPEARED, .is_running = true, .has_agent = true });
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	ask(&p, WORK_INFO);
	tells_info(&p, AGENT_QEMU_GA, false);
	pause_for(&p, VT_SEC(10));
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_false(sequence_wants(&p.s));
	assert_int_equal(sequence_state(&p.s), FLEET_FAILED);
	assert_non_null(strstr(p.s.note, "may not set the time"));
}

/* Whatever comes in whatever order: nothing for a guest that stands, and no guest is forgotten. */
static void random_input(struct play *p, struct rng *rng)
{
	struct work_outcome outcome;

	switch (rng_in(rng, 0, 7)) {
	case 0:
		play_sign(p, (struct sign){
		                 .kind = (enum sign_kind)rng_in(rng, SIGN_APPEARED, SIGN_CHANGED),
		                 .reason = (enum host_reason)rng_in(rng, 0, HOST_REASON_RESUME),
		                 .is_running = rng_in(rng, 0, 1),
		                 .has_agent = rng_in(rng, 0, 3) > 0,
		                 .cid = (unsigned)rng_in(rng, 0, 2) * 5,
		             });
		break;
	case 1: sequence_check(&p->s, p->now); break;
	case 2:
	case 3: pass(p, VT_NS(INT64_C(1) << rng_in(rng, 10, 36))); break;
	default:
		if (sequence_wants(&p->s))
			sequence_take(&p->s, ++p->numbers, p->now.mono, &p->work);
		outcome = play_outcome(p, (enum work_result)rng_in(rng, WORK_DONE, WORK_STOPPED));
		outcome.guest_time = (vt_real){ (int64_t)rng_next(rng) };
		if (rng_in(rng, 0, 1))
			outcome.guest_time = outcome.sent.real;
		outcome.reply.state = (enum report_state)rng_in(rng, REPORT_STARTING, REPORT_CONTESTED);
		outcome.agent = (enum agent_kind)rng_in(rng, AGENT_NONE, AGENT_VMTIMED);
		outcome.can_get_time = outcome.can_set_time = rng_in(rng, 0, 2) > 0;
		outcome.was_sent = rng_in(rng, 0, 1);
		sequence_outcome(&p->s, &outcome, p->now);
		break;
	}
	play_settle(p);
	p->n_results = 0;
}

static void test_any_input_in_any_order(void **state)
{
	(void)state;
	struct rng rng;
	bool seen[SEQUENCE_STEPS] = { false };

	rng_start(&rng);
	for (unsigned n = 0; n < 200; n++) {
		struct play p;

		play_init(&p);
		for (unsigned i = 0; i < 2000; i++) {
			const struct sequence *s = &p.s;
			bool is_idle;

			random_input(&p, &rng);
			seen[s->step] = true;
			is_idle = !sequence_wants(s) && !s->is_begun;
			if (s->step == SEQUENCE_STOPPED)
				assert_true(is_idle);
			else if (is_idle && sequence_deadline(s).ns == VT_MONO_NEVER.ns)
				assert_true(!s->has_agent && !s->cid && s->agent != AGENT_VMTIMED);
			assert_true((int)sequence_state(s) >= 0 && sequence_state(s) < FLEET_STATES);
			if (s->is_begun)
				assert_true(sequence_deadline(s).ns < VT_MONO_NEVER.ns);
		}
	}
	for (unsigned i = 0; i < SEQUENCE_STEPS; i++)
		if (!seen[i])
			fail_msg("step %u was never reached", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_running_it_is_measured_once_and_watched),
		cmocka_unit_test(test_a_pause_is_measured_set_and_verified),
		cmocka_unit_test(test_within_the_threshold_nothing_is_set),
		cmocka_unit_test(test_the_answer_to_set_time_is_not_believed),
		cmocka_unit_test(test_a_rtc_that_cannot_be_reset_is_not_tried_again),
		cmocka_unit_test(test_retries_are_bounded_and_then_rarer),
		cmocka_unit_test(test_an_agent_that_comes_ends_the_waiting),
		cmocka_unit_test(test_frozen_is_no_failure),
		cmocka_unit_test(test_stopped_in_the_middle_it_begins_anew),
		cmocka_unit_test(test_what_stood_is_told_only_where_the_stop_was_seen),
		cmocka_unit_test(test_told_twice_is_one_disruption),
		cmocka_unit_test(test_without_a_reason_it_is_a_check),
		cmocka_unit_test(test_an_agent_that_is_not_there_at_boot_is_no_failure),
		cmocka_unit_test(test_nobody_to_ask),
		cmocka_unit_test(test_an_agent_that_may_not_set_the_time),
		cmocka_unit_test(test_any_input_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
