/* SPDX-License-Identifier: Apache-2.0 */
/* A guest in which vmtimed runs, and what is done while there is peace. */
#include "conduct_play.h"

static void nudged(struct play *p)
{
	ask(p, WORK_NUDGE);
	answers(p, WORK_DONE);
	pass(p, VT_MS(20));
}

static void test_vmtimed_is_nudged_asked_and_measured(void **state)
{
	(void)state;
	struct play p;

	play_with_vmtimed(&p);
	p.off = VT_SEC(10);
	runs_again(&p, HOST_REASON_RESTORE);
	ask(&p, WORK_NUDGE);
	assert_int_equal(p.work.reason, HOST_REASON_RESTORE);
	answers(&p, WORK_DONE);

	/* Its first word may be of before it has read; then it is at it; then it is done. */
	ask(&p, WORK_STATUS);
	states(&p, REPORT_OK, VT_NS(5));
	assert_false(sequence_wants(&p.s));
	pass_until_due(&p, VT_MS(100));
	ask(&p, WORK_STATUS);
	states(&p, REPORT_DISRUPTED, VT_SEC(10));
	assert_non_null(strstr(p.s.note, "vmtimed"));
	pass_until_due(&p, VT_MS(100));
	ask(&p, WORK_STATUS);
	p.off = VT_NS(0);
	states(&p, REPORT_OK, VT_NS(5));
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_int_equal(p.s.last.end, FLEET_END_NUDGED);
	assert_int_equal(p.s.nudges, 1);
	assert_int_equal(p.s.sets, 0);
	assert_false(p.s.last.has_lost); /* it was right when it was measured first */
	assert_string_equal(p.s.note, "");
	assert_int_equal(sequence_state(&p.s), FLEET_VERIFIED);
}

static void test_without_an_agent_vmtimeds_word_is_all_there_is(void **state)
{
	(void)state;
	struct play p;

	play_init(&p);
	play_sign(&p, (struct sign){ .kind = SIGN_APPEARED, .is_running = true, .cid = 9 });
	nudged(&p);
	ask(&p, WORK_STATUS);
	states(&p, REPORT_OK, VT_US(40));
	assert_true(p.s.has_offset);
	assert_int_equal(p.s.offset.ns, VT_US(40).ns);
	assert_int_equal(p.s.uncertainty.ns, VT_US(1).ns);
	assert_int_equal(latest(&p, SEQUENCE_ENDED)->end, FLEET_END_NUDGED);
	assert_int_equal(p.s.disruptions, 0);

	/* It says that something was wrong: that is a disruption, though nobody named a reason. */
	pass(&p, VT_SEC(30));
	runs_again(&p, HOST_REASON_NONE);
	nudged(&p);
	ask(&p, WORK_STATUS);
	states(&p, REPORT_DISRUPTED, VT_SEC(10));
	assert_int_equal(p.s.disruptions, 1);
	assert_int_equal(p.s.last.lost.ns, VT_SEC(10).ns);
	pass_until_due(&p, VT_MS(100));
	ask(&p, WORK_STATUS);
	states(&p, REPORT_OK, VT_NS(0));
	assert_int_equal(p.s.last.end, FLEET_END_NUDGED);

	/* One that has only just begun does not say so. */
	pass(&p, VT_SEC(30));
	runs_again(&p, HOST_REASON_NONE);
	nudged(&p);
	ask(&p, WORK_STATUS);
	states(&p, REPORT_STARTING, VT_NS(0));
	assert_int_equal(p.s.disruptions, 1);
}

/* Whatever goes wrong with vmtimed: then the agent is asked. */
static void test_no_help_from_vmtimed(void **state)
{
	(void)state;
	static const enum work_result RESULTS[] = { WORK_REFUSED, WORK_FROZEN,  WORK_UNSUPPORTED,
		                                    WORK_LOST,    WORK_GARBAGE, WORK_TIMED_OUT };

	for (size_t i = 0; i < 2 * COUNT(RESULTS); i++) {
		struct play p;

		play_with_vmtimed(&p);
		p.off = VT_SEC(10);
		runs_again(&p, HOST_REASON_PAUSE);
		if (i % 2) {
			nudged(&p);
			ask(&p, WORK_STATUS);
		} else {
			ask(&p, WORK_NUDGE);
		}
		answers(&p, RESULTS[i / 2]);
		ask(&p, WORK_GET_TIME);
		tells_time(&p);
		ask(&p, WORK_SET_TIME);
	}
}

/* One that is at it and never gets there: the agent sets the time after two seconds. */
static void test_a_vmtimed_that_does_not_get_right(void **state)
{
	(void)state;
	struct play p;
	vt_mono began;
	unsigned asked = 0;

	play_with_vmtimed(&p);
	p.off = VT_SEC(10);
	runs_again(&p, HOST_REASON_PAUSE);
	began = p.now.mono;
	nudged(&p);
	for (enum work_kind kind = WORK_STATUS; kind == WORK_STATUS; asked++) {
		ask(&p, WORK_STATUS);
		states(&p, REPORT_DISRUPTED, VT_NS(0));
		if (!sequence_wants(&p.s))
			pass_until_due(&p, VT_SEC(1));
		wants(&p, &kind);
	}
	assert_in_range(asked, 5, 20);
	assert_true(vt_mono_since(p.now.mono, began).ns < VT_SEC(3).ns);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	ask(&p, WORK_SET_TIME);
}

/* One without a source never says "ok".  It has its turn to read; then the agent is asked. */
static void test_a_vmtimed_without_a_source(void **state)
{
	(void)state;
	static const enum report_state STATES[] = { REPORT_STARTING, REPORT_HOLDOVER };

	for (size_t i = 0; i < COUNT(STATES); i++) {
		struct play p;
		vt_mono began;

		play_with_vmtimed(&p);
		p.off = VT_SEC(10);
		runs_again(&p, HOST_REASON_PAUSE);
		began = p.now.mono;
		ask(&p, WORK_NUDGE);
		answers(&p, WORK_DONE);
		ask(&p, WORK_STATUS);
		states(&p, STATES[i], VT_NS(0)); /* perhaps from before the nudge */
		pass_until_due(&p, VT_MS(100));
		ask(&p, WORK_STATUS);
		states(&p, STATES[i], VT_NS(0));
		ask(&p, WORK_GET_TIME);
		assert_in_range(vt_mono_since(p.now.mono, began).ns, VT_MS(20).ns, VT_MS(100).ns);
		tells_time(&p);
		ask(&p, WORK_SET_TIME);
	}
}

/* One of the two follows a wrong source.  Setting the clock would only begin a fight. */
static void test_a_vmtimed_that_contradicts_is_not_set(void **state)
{
	(void)state;
	struct play p;

	play_with_vmtimed(&p);
	p.off = VT_SEC(10);
	runs_again(&p, HOST_REASON_PAUSE);
	nudged(&p);
	for (unsigned i = 0; p.s.step != SEQUENCE_FAILED; i++) {
		assert_true(i < 40);
		ask(&p, WORK_STATUS);
		states(&p, REPORT_OK, VT_NS(5));
		ask(&p, WORK_GET_TIME);
		tells_time(&p);
		if (p.s.step == SEQUENCE_ASK)
			pass_until_due(&p, VT_SEC(1));
	}
	assert_int_equal(p.s.sets, 0);
	assert_int_equal(p.s.failures, 1);
	assert_non_null(strstr(p.s.note, "wrong source"));
}

/* Nobody has heard of a vmtimed yet: the agent is quicker, and is asked first. */
static void test_an_unknown_vmtimed_delays_nothing(void **state)
{
	(void)state;
	struct play p;

	play_init(&p);
	play_sign(&p, (struct sign){
	                  .kind = SIGN_APPEARED, .is_running = true, .has_agent = true, .cid = 7 });
	ask(&p, WORK_GET_TIME);
	answers(&p, WORK_LOST);
	pass_until_due(&p, VT_SEC(1));
	ask(&p, WORK_NUDGE); /* the agent was no help */
	answers(&p, WORK_LOST);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
}

static void test_in_peace_it_is_measured_at_even_intervals(void **state)
{
	(void)state;
	struct play p;
	vt_mono before;

	play_watching(&p);
	pass_until_due(&p, VT_SEC(60));
	before = p.now.mono;
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	for (unsigned i = 0; i < 5; i++) {
		pass_until_due(&p, VT_SEC(60));
		assert_int_equal(vt_mono_since(p.now.mono, before).ns, VT_SEC(60).ns);
		before = p.now.mono;
		ask(&p, WORK_GET_TIME);
		tells_time(&p);
		assert_int_equal(sequence_state(&p.s), FLEET_WATCHING);
	}
	assert_int_equal(count(&p, SEQUENCE_MEASURED), 6);

	/* One that does not answer is no failure, and a note while it lasts. */
	pass_until_due(&p, VT_SEC(60));
	ask(&p, WORK_GET_TIME);
	answers(&p, WORK_TIMED_OUT);
	assert_string_equal(p.s.note, "its agent does not answer");
	assert_int_equal(sequence_state(&p.s), FLEET_WATCHING);
	pass_until_due(&p, VT_SEC(60));
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_string_equal(p.s.note, "");

	/* And one that is found wrong is set. */
	p.off = VT_SEC(-70);
	pass_until_due(&p, VT_SEC(60));
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_int_equal(p.s.disruptions, 1);
	assert_int_equal(p.s.last.reason, HOST_REASON_NONE);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	ask(&p, WORK_SET_TIME);
}

/* A disruption in the middle of whatever peace was at. */
static void test_peace_makes_room_at_once(void **state)
{
	(void)state;
	struct work_outcome late;
	struct play p;

	play_watching(&p);
	pass_until_due(&p, VT_SEC(60));
	ask(&p, WORK_GET_TIME);
	late = play_outcome(&p, WORK_DONE);
	runs_again(&p, HOST_REASON_MIGRATION);
	ask(&p, WORK_GET_TIME);
	assert_int_equal(p.s.step, SEQUENCE_MEASURE);
	hand(&p, &late);
	assert_int_equal(p.s.step, SEQUENCE_MEASURE);
}

static void test_the_agent_is_asked_once_after_each_connect(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	for (unsigned i = 0; i < 5; i++) {
		pass_until_due(&p, VT_SEC(60));
		ask(&p, WORK_GET_TIME);
		tells_time(&p);
		assert_false(sequence_wants(&p.s));
	}
	play_sign(&p, (struct sign){ .kind = SIGN_AGENT_DOWN });
	assert_int_equal(p.s.agent, AGENT_NONE);
	play_sign(&p, (struct sign){ .kind = SIGN_AGENT_UP });
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	ask(&p, WORK_INFO);
	tells_info(&p, AGENT_QEMU_GA, true);
	assert_string_equal(p.s.version, "10.0.2");
	assert_int_equal(p.s.agent, AGENT_QEMU_GA);
	assert_false(sequence_wants(&p.s));
}

static void test_quality_is_told_now_and_then_and_when_it_changes(void **state)
{
	(void)state;
	struct play p;
	unsigned told = 0;

	play_with_vmtimed(&p);
	p.rules.quality.is_synchronized = false;
	p.rules.quality_version++;
	play_settle(&p);
	ask(&p, WORK_QUALITY);
	assert_false(p.work.quality.is_synchronized);
	answers(&p, WORK_DONE);

	for (vt_mono end = vt_mono_add(p.now.mono, VT_SEC(600)); p.now.mono.ns < end.ns;) {
		enum work_kind kind;

		if (!wants(&p, &kind)) {
			pass_until_due(&p, VT_SEC(90));
			continue;
		}
		ask(&p, kind);
		if (kind == WORK_GET_TIME)
			tells_time(&p);
		else if (kind == WORK_STATUS)
			states(&p, REPORT_OK, VT_NS(0));
		else
			answers(&p, WORK_DONE);
		told += kind == WORK_QUALITY;
	}
	assert_in_range(told, 5, 7); /* every 90 s */
}

static void test_a_host_that_is_not_synchronised(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	p.rules.quality.is_synchronized = false;
	p.off = VT_MS(1500);
	runs_again(&p, HOST_REASON_PAUSE);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_int_equal(p.s.last.end, FLEET_END_RIGHT);
	assert_non_null(strstr(p.s.note, "left so"));
	assert_non_null(strstr(p.s.note, "not synchronised"));

	pass(&p, VT_SEC(2));
	p.off = VT_MS(2500);
	runs_again(&p, HOST_REASON_PAUSE);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	ask(&p, WORK_SET_TIME);
	p.off = VT_NS(0);
	answers(&p, WORK_DONE);
	ask(&p, WORK_RESET_RTC);
	answers(&p, WORK_DONE);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_int_equal(p.s.last.end, FLEET_END_SET);
	assert_non_null(strstr(p.s.note, "not synchronised"));
}

static void test_a_host_in_1970_sets_nobody(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	runs_again(&p, HOST_REASON_PAUSE);
	p.now.real = (vt_real){ VT_SEC(1000).ns };
	p.off = VT_SEC(-1800000000);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_false(sequence_wants(&p.s));
	assert_int_equal(p.s.sets, 0);
	assert_non_null(strstr(p.s.note, "impossible date"));
}

static void test_a_guest_in_2106_or_before_1970_is_set(void **state)
{
	(void)state;
	static const int64_t SECONDS[] = { 4294967296, 1, 0, -1, -9223372036 };

	for (size_t i = 0; i < COUNT(SECONDS); i++) {
		struct play p;
		struct work_outcome outcome;

		play_watching(&p);
		runs_again(&p, HOST_REASON_PAUSE);
		ask(&p, WORK_GET_TIME);
		outcome = play_outcome(&p, WORK_DONE);
		outcome.guest_time = (vt_real){ VT_SEC(SECONDS[i]).ns };
		hand(&p, &outcome);
		ask(&p, WORK_SET_TIME);
		p.off = VT_NS(0);
		answers(&p, WORK_DONE);
		ask(&p, WORK_RESET_RTC);
		answers(&p, WORK_DONE);
		ask(&p, WORK_GET_TIME);
		tells_time(&p);
		assert_int_equal(p.s.last.end, FLEET_END_SET);
	}
}

/* The host's own clock is stepped while a guest is asked: that answer does not count. */
static void test_a_measurement_across_a_step_is_thrown_away(void **state)
{
	(void)state;
	struct play p;
	struct work_outcome outcome;

	play_watching(&p);
	runs_again(&p, HOST_REASON_PAUSE);
	ask(&p, WORK_GET_TIME);
	outcome = play_outcome(&p, WORK_DONE);
	outcome.answered.real = vt_real_add(outcome.answered.real, VT_SEC(7));
	outcome.guest_time = outcome.sent.real;
	hand(&p, &outcome);
	assert_int_equal(count(&p, SEQUENCE_DISCARDED), 1);
	assert_int_equal(count(&p, SEQUENCE_MEASURED), 0);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	assert_int_equal(p.s.last.end, FLEET_END_RIGHT);
}

static void test_slow_answers_are_asked_again_and_then_do(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	runs_again(&p, HOST_REASON_PAUSE);
	p.trip = VT_MS(700);
	for (unsigned i = 0; i < 4; i++) {
		ask(&p, WORK_GET_TIME);
		tells_time(&p);
	}
	assert_int_equal(p.s.last.end, FLEET_END_RIGHT);
	assert_non_null(strstr(p.s.note, "slow"));
}

/* The host slept: the guests' clocks stood, though no guest was stopped. */
static void test_the_hosts_own_sleep(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	p.off = VT_SEC(3600);
	sequence_host_jumped(&p.s, HOST_REASON_RESUME, VT_SEC(3600), p.now);
	play_settle(&p);
	assert_int_equal(p.s.last.reason, HOST_REASON_RESUME);
	assert_int_equal(p.s.last.stopped.ns, VT_SEC(3600).ns);
	ask(&p, WORK_GET_TIME);
	tells_time(&p);
	ask(&p, WORK_SET_TIME);

	stops(&p);
	p.n_results = 0;
	sequence_host_jumped(&p.s, HOST_REASON_RESUME, VT_SEC(3600), p.now);
	play_settle(&p);
	assert_false(sequence_wants(&p.s));
	assert_int_equal(p.n_results, 0);
}

/* A back end owes an outcome.  One that forgets it does not stop the guest for ever. */
static void test_an_outcome_that_never_comes(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	runs_again(&p, HOST_REASON_PAUSE);
	ask(&p, WORK_GET_TIME);
	pass_until_due(&p, VT_SEC(10));
	assert_true(sequence_pop_drop(&p.s));
	pass_until_due(&p, VT_SEC(1));
	ask(&p, WORK_GET_TIME);
}

static void test_by_hand(void **state)
{
	(void)state;
	struct play p;

	play_watching(&p);
	sequence_check(&p.s, p.now);
	play_settle(&p);
	ask(&p, WORK_GET_TIME);
	sequence_check(&p.s, p.now); /* it is at it */
	play_settle(&p);
	tells_time(&p);
	assert_int_equal(count(&p, SEQUENCE_ENDED), 1);
	assert_int_equal(latest(&p, SEQUENCE_ENDED)->end, FLEET_END_RIGHT);

	/* What waits for its next try does not wait any longer. */
	runs_again(&p, HOST_REASON_PAUSE);
	ask(&p, WORK_GET_TIME);
	answers(&p, WORK_LOST);
	assert_false(sequence_wants(&p.s));
	sequence_check(&p.s, p.now);
	play_settle(&p);
	ask(&p, WORK_GET_TIME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vmtimed_is_nudged_asked_and_measured),
		cmocka_unit_test(test_without_an_agent_vmtimeds_word_is_all_there_is),
		cmocka_unit_test(test_no_help_from_vmtimed),
		cmocka_unit_test(test_a_vmtimed_that_does_not_get_right),
		cmocka_unit_test(test_a_vmtimed_without_a_source),
		cmocka_unit_test(test_a_vmtimed_that_contradicts_is_not_set),
		cmocka_unit_test(test_an_unknown_vmtimed_delays_nothing),
		cmocka_unit_test(test_in_peace_it_is_measured_at_even_intervals),
		cmocka_unit_test(test_peace_makes_room_at_once),
		cmocka_unit_test(test_the_agent_is_asked_once_after_each_connect),
		cmocka_unit_test(test_quality_is_told_now_and_then_and_when_it_changes),
		cmocka_unit_test(test_a_host_that_is_not_synchronised),
		cmocka_unit_test(test_a_host_in_1970_sets_nobody),
		cmocka_unit_test(test_a_guest_in_2106_or_before_1970_is_set),
		cmocka_unit_test(test_a_measurement_across_a_step_is_thrown_away),
		cmocka_unit_test(test_slow_answers_are_asked_again_and_then_do),
		cmocka_unit_test(test_the_hosts_own_sleep),
		cmocka_unit_test(test_an_outcome_that_never_comes),
		cmocka_unit_test(test_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
