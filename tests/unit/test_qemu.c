/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_qemu.c - the back end over QEMU's sockets: what is asked of a guest, and what it answers
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "qemu_world.h"

static void test_a_guest_is_measured_and_set(void **state)
{
	struct world *w = *state;
	uint32_t guest = start(w);
	struct work_outcome o;
	long long asked;

	begin(w, guest, WORK_GET_TIME, 41);
	agree(w);
	assert_string_equal(played_hear(&w->agent), "{\"execute\":\"guest-get-time\"}\n");
	check_no_outcome(w);
	played_say(&w->agent, "{\"return\": 1795452803500000012}\n");
	o = take_outcome(w, WORK_DONE);
	assert_int_equal(o.guest, guest);
	assert_int_equal(o.number, 41);
	assert_int_equal(o.kind, WORK_GET_TIME);
	assert_int_equal(o.guest_time.ns, 1795452803500000012);
	assert_true(o.was_sent && o.sent.mono.ns < o.answered.mono.ns);

	begin(w, guest, WORK_SET_TIME, 42); /* they are in step: nothing more is needed */
	assert_int_equal(sscanf(played_hear(&w->agent),
	                        "{\"execute\":\"guest-set-time\",\"arguments\":{\"time\":%lld}}\n",
	                        &asked),
	                 1);
	played_say(&w->agent, "{\"return\": {}}\n");
	o = take_outcome(w, WORK_DONE);
	assert_int_equal(asked, o.sent.real.ns + VT_MS(3).ns);
	check_no_outcome(w);
}

static void test_a_resume_without_a_stop_is_told(void **state)
{
	struct world *w = *state;
	uint32_t guest = start(w);
	struct sign sign;

	played_say(&w->monitor, EVENT("RESUME"));
	pass(w, VT_MS(1));
	sign = take_sign(w, SIGN_RUNNING);
	assert_int_equal(sign.guest, guest);
	assert_int_equal(sign.at.ns, w->now.ns);
	assert_int_equal(sign.reason, HOST_REASON_NONE);

	played_say(&w->monitor, EVENT("STOP") EVENT("RTC_CHANGE") EVENT("RESUME"));
	pass(w, VT_MS(1));
	take_sign(w, SIGN_STOPPED);
	sign = take_sign(w, SIGN_RUNNING);
	assert_int_equal(sign.reason, HOST_REASON_PAUSE);
	check_no_sign(w);
}

static void test_nothing_is_sent_to_a_guest_that_stands_still(void **state)
{
	struct world *w = *state;
	uint32_t guest = start(w);

	played_say(&w->monitor, EVENT("STOP"));
	pass(w, VT_MS(1));
	take_sign(w, SIGN_STOPPED);
	begin(w, guest, WORK_SET_TIME, 1);
	assert_false(take_outcome(w, WORK_STOPPED).was_sent);
	assert_false(played_accept(&w->agent));

	/* Stopped while they get in step: set-time never goes out. */
	played_say(&w->monitor, EVENT("RESUME"));
	pass(w, VT_MS(1));
	take_sign(w, SIGN_RUNNING);
	begin(w, guest, WORK_SET_TIME, 2);
	played_say(&w->monitor, EVENT("STOP"));
	pass(w, VT_MS(1));
	take_sign(w, SIGN_STOPPED);
	assert_false(take_outcome(w, WORK_STOPPED).was_sent);
	agree(w);
	assert_string_equal(played_hear(&w->agent), "");
}

static void test_the_ticks_are_reset_where_that_is_known(void **state)
{
	struct world *w = *state;
	uint32_t guest = start(w);

	begin(w, guest, WORK_RESET_RTC, 1);
	assert_string_equal(played_hear(&w->monitor),
	                    "{\"execute\":\"rtc-reset-reinjection\",\"id\":5}\r\n");
	played_say(&w->monitor, EVENT("RTC_CHANGE") "{\"return\": {}, \"id\": 5}\r\n");
	assert_true(take_outcome(w, WORK_DONE).was_sent);

	begin(w, guest, WORK_RESET_RTC, 2);
	played_say(&w->monitor, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command "
	                        "rtc-reset-reinjection has not been found\"}, \"id\": 6}\r\n");
	take_outcome(w, WORK_UNSUPPORTED);
	check_no_sign(w);
}

/* --- Agents that do not behave --- */

static void test_answers_to_older_requests_are_thrown_away(void **state)
{
	struct world *w = *state;
	uint32_t guest = start(w);

	begin(w, guest, WORK_GET_TIME, 1);
	agree(w);
	assert_string_equal(played_hear(&w->agent), "{\"execute\":\"guest-get-time\"}\n");
	pass(w, VT_SEC(6));
	assert_true(take_outcome(w, WORK_TIMED_OUT).was_sent);

	/* Its answer comes while the next one is being prepared, and another one's mark. */
	begin(w, guest, WORK_GET_TIME, 2);
	played_say(&w->agent, "{\"return\": 1}\n\xff{\"return\": 4711}\n{\"return\": 2}\n");
	check_no_outcome(w);
	agree(w);
	assert_string_equal(played_hear(&w->agent), "{\"execute\":\"guest-get-time\"}\n");
	played_say(&w->agent, "{\"return\": 3}\n");
	assert_int_equal(take_outcome(w, WORK_DONE).guest_time.ns, 3);

	/* What nobody asked for makes the next one be prepared again. */
	played_say(&w->agent, "{\"return\": 4}\n");
	check_no_outcome(w);
	begin(w, guest, WORK_GET_TIME, 3);
	agree(w);
	assert_string_equal(played_hear(&w->agent), "{\"execute\":\"guest-get-time\"}\n");
}

static void test_dropped_work_has_no_outcome(void **state)
{
	struct world *w = *state;
	uint32_t guest = start(w);

	begin(w, guest, WORK_GET_TIME, 1);
	agree(w);
	w->qemu.backend.ops->drop(&w->qemu.backend, guest);
	played_hear(&w->agent);
	played_say(&w->agent, "{\"return\": 1}\n");
	check_no_outcome(w);
	pass(w, VT_SEC(10));
	check_no_outcome(w);

	/* And work that is begun while there is some replaces it. */
	begin(w, guest, WORK_GET_TIME, 2);
	begin(w, guest, WORK_GET_TIME, 3);
	pass(w, VT_SEC(20));
	assert_int_equal(take_outcome(w, WORK_TIMED_OUT).number, 3);
	check_no_outcome(w);
	begin(w, 999, WORK_INFO, 4); /* nobody */
	assert_int_equal(take_outcome(w, WORK_LOST).number, 4);
}

static void test_garbage_is_called_that(void **state)
{
	struct world *w = *state;
	static const char *const SAID[] = { "no JSON {{{\n", "{\"return\": \"soon\"}\n", "[]\n" };
	uint32_t guest = start(w);

	for (unsigned i = 0; i < COUNT(SAID); i++) {
		begin(w, guest, WORK_GET_TIME, i);
		agree(w); /* each time anew */
		played_hear(&w->agent);
		played_say(&w->agent, SAID[i]);
		take_outcome(w, WORK_GARBAGE);
	}
	begin(w, guest, WORK_GET_TIME, 7);
	agree(w);
	played_say(&w->agent, "{\"return\": 17");
	check_no_outcome(w);
	played_hang_up(&w->agent);
	take_outcome(w, WORK_LOST);
}

static void test_an_agent_that_floods_is_hung_up_on(void **state)
{
	struct world *w = *state;
	uint32_t guest = start(w);
	static char flood[60000];
	struct work_outcome o = { .number = 0 };

	memset(flood, 'x', sizeof flood);
	begin(w, guest, WORK_GET_TIME, 1);
	agree(w);
	for (unsigned i = 0; i < 100 && o.number == 0; i++) {
		(void)send(w->agent.peer, flood, sizeof flood, MSG_NOSIGNAL);
		pass(w, VT_NS(0));
		(void)w->qemu.backend.ops->pop_outcome(&w->qemu.backend, &o);
	}
	assert_int_equal(o.result, WORK_GARBAGE);
	assert_int_equal(send(w->agent.peer, "x", 1, MSG_NOSIGNAL), -1);

	/* Lines without end of them, unasked. */
	memset(flood, '\n', sizeof flood);
	begin(w, guest, WORK_GET_TIME, 2);
	assert_true(played_accept(&w->agent));
	agree(w);
	played_say(&w->agent, "{\"return\": 3}\n");
	take_outcome(w, WORK_DONE);
	for (unsigned i = 0; i < 100; i++) {
		(void)send(w->agent.peer, flood, sizeof flood, MSG_NOSIGNAL);
		pass(w, VT_NS(0));
	}
	assert_int_equal(send(w->agent.peer, "x", 1, MSG_NOSIGNAL), -1);
	check_no_outcome(w);
}

static void test_frozen_filesystems(void **state)
{
	struct world *w = *state;
	uint32_t guest = start(w);

	begin(w, guest, WORK_SET_TIME, 1);
	agree(w);
	played_hear(&w->agent);
	played_say(&w->agent, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"Command guest-set-time "
	                      "has been disabled: the agent is in frozen state\"}}\n");
	take_outcome(w, WORK_FROZEN);

	/* Old ones do not say why. */
	for (unsigned i = 0; i < 2; i++) {
		begin(w, guest, WORK_SET_TIME, 2);
		played_hear(&w->agent);
		played_say(&w->agent, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command "
		                      "guest-set-time has been disabled for this instance\"}}\n");
		check_no_outcome(w);
		assert_string_equal(played_hear(&w->agent),
		                    "{\"execute\":\"guest-fsfreeze-status\"}\n");
		played_say(&w->agent, i ? "{\"return\": \"thawed\"}\n" : "{\"return\": \"frozen\"}\n");
		take_outcome(w, i ? WORK_UNSUPPORTED : WORK_FROZEN);
	}
}

static void test_after_a_pause_they_get_in_step_again(void **state)
{
	struct world *w = *state;
	uint32_t guest = start(w);

	begin(w, guest, WORK_GET_TIME, 1);
	agree(w);
	played_hear(&w->agent);
	played_say(&w->agent, "{\"return\": 1}\n");
	take_outcome(w, WORK_DONE);
	played_say(&w->monitor, EVENT("RESUME"));
	pass(w, VT_NS(0));
	take_sign(w, SIGN_RUNNING);
	begin(w, guest, WORK_SET_TIME, 2);
	agree(w);
	assert_non_null(strstr(played_hear(&w->agent), "guest-set-time"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_guest_is_measured_and_set),
		TEST(test_a_resume_without_a_stop_is_told),
		TEST(test_nothing_is_sent_to_a_guest_that_stands_still),
		TEST(test_the_ticks_are_reset_where_that_is_known),
		TEST(test_answers_to_older_requests_are_thrown_away),
		TEST(test_dropped_work_has_no_outcome),
		TEST(test_garbage_is_called_that),
		TEST(test_an_agent_that_floods_is_hung_up_on),
		TEST(test_frozen_filesystems),
		TEST(test_after_a_pause_they_get_in_step_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
