/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_agent.c - what is said to agents, and how their answers are taken
 *
 * The texts of qemu-ga are those that releases of it were seen to send.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/agent.h"
#include "proto/guest_agent.h"

static void test_requests(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		struct agent_request request;
		const char          *want;
	} CASES[] = {
		{ { .command = AGENT_PING }, "{\"execute\":\"guest-ping\"}\n" },
		{ { .command = AGENT_SYNC_DELIMITED, .id = INT64_MAX },
		  "\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":9223372036854775807}}\n" },
		{ { .command = AGENT_INFO }, "{\"execute\":\"guest-info\"}\n" },
		{ { .command = AGENT_GET_TIME }, "{\"execute\":\"guest-get-time\"}\n" },
		{ { .command = AGENT_SET_TIME, .time = { 1795452803500000012 } },
		  "{\"execute\":\"guest-set-time\",\"arguments\":{\"time\":1795452803500000012}}\n" },
		{ { .command = AGENT_FREEZE_STATUS }, "{\"execute\":\"guest-fsfreeze-status\"}\n" },
		{ { .command = AGENT_NUDGE }, "{\"execute\":\"vmtime-nudge\"}\n" },
		{ { .command = AGENT_NUDGE, .reason = HOST_REASON_PAUSE },
		  "{\"execute\":\"vmtime-nudge\",\"arguments\":{\"reason\":\"pause\"}}\n" },
		{ { .command = AGENT_STATUS }, "{\"execute\":\"vmtime-status\"}\n" },
		{ { .command = AGENT_HOST_QUALITY,
		    .quality = { .daemon = "chronyd", .is_synchronized = true, .has_root_distance = true,
		                 .root_distance = { 1250000 } } },
		  "{\"execute\":\"vmtime-host-quality\",\"arguments\":{\"daemon\":\"chronyd\","
		  "\"is_synchronized\":true,\"root_distance_ns\":1250000,\"leap\":\"normal\"}}\n" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(CASES); i++) {
		char text[AGENT_REQUEST_MAX];
		size_t n;

		assert_int_equal(agent_encode(&CASES[i].request, text, &n), 0);
		assert_string_equal(text, CASES[i].want);
		assert_int_equal(n, strlen(text));
	}
}

static void test_the_longest_request_fits(void **state)
{
	(void)state;
	struct agent_request request = { .command = AGENT_HOST_QUALITY };
	char text[AGENT_REQUEST_MAX];
	size_t n;

	memset(request.quality.daemon, '"', sizeof request.quality.daemon - 1);
	request.quality.leap = REPORT_LEAP_UNSYNCHRONISED;
	request.quality.has_root_distance = true;
	request.quality.root_distance.ns = INT64_MAX;
	assert_int_equal(agent_encode(&request, text, &n), 0);
}

static enum agent_outcome decode(enum agent_command command, const char *line,
                                 struct agent_reply *ret, char why[200])
{
	return agent_decode(line, strlen(line), command, ret, why, 200);
}

static void test_answers(void **state)
{
	(void)state;
	struct agent_reply r;
	char why[200] = "untouched";

	assert_int_equal(decode(AGENT_SYNC_DELIMITED, "{\"return\": 77}", &r, why), AGENT_ANSWERED);
	assert_int_equal(r.id, 77);
	assert_int_equal(decode(AGENT_GET_TIME, "{\"return\": 4294967295123456000}", &r, why),
	                 AGENT_ANSWERED);
	assert_int_equal(r.time.ns, 4294967295123456000); /* a guest in 2106 */
	assert_int_equal(decode(AGENT_SET_TIME, "{\"return\": {}}", &r, why), AGENT_ANSWERED);
	assert_int_equal(decode(AGENT_FREEZE_STATUS, "{\"return\": \"frozen\"}", &r, why),
	                 AGENT_ANSWERED);
	assert_true(r.is_frozen);
	assert_int_equal(decode(AGENT_FREEZE_STATUS, "{\"return\": \"thawed\"}", &r, why),
	                 AGENT_ANSWERED);
	assert_false(r.is_frozen);
	assert_int_equal(decode(AGENT_NUDGE, "{\"return\": {\"is_delayed\": true}}", &r, why),
	                 AGENT_ANSWERED);
	assert_true(r.vmtime.is_delayed);
	assert_int_equal(decode(AGENT_STATUS,
	                        "{\"return\": {\"state\": \"disrupted\", \"offset_ns\": -3}}", &r, why),
	                 AGENT_ANSWERED);
	assert_int_equal(r.vmtime.state, REPORT_DISRUPTED);
	assert_true(r.vmtime.has_offset && !r.vmtime.has_bound);
	assert_int_equal(r.vmtime.offset.ns, -3);
	assert_string_equal(why, "untouched");
}

static void test_what_an_agent_can(void **state)
{
	(void)state;
	struct agent_reply r;
	char why[200];

	assert_int_equal(decode(AGENT_INFO,
	                        "{\"return\": {\"version\": \"7.2.22\", \"supported_commands\": ["
	                        "{\"enabled\": true, \"name\": \"guest-get-time\"}, "
	                        "{\"enabled\": false, \"name\": \"guest-set-time\"}]}}",
	                        &r, why),
	                 AGENT_ANSWERED);
	assert_true(r.can_get_time);
	assert_false(r.can_set_time); /* it is there, and may not be used */
	assert_false(r.is_vmtimed);
	assert_string_equal(r.version, "7.2.22");
	assert_int_equal(decode(AGENT_INFO,
	                        "{\"return\": {\"version\": \"1\", \"supported_commands\": ["
	                        "{\"name\": \"guest-set-time\"}, {\"name\": \"vmtime-status\"}]}}",
	                        &r, why),
	                 AGENT_ANSWERED);
	assert_true(r.can_set_time && r.is_vmtimed);
	assert_false(r.can_get_time);
}

static void test_refusals(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char        *class, *text;
		enum agent_outcome want;
	} CASES[] = {
		{ "CommandNotFound", "The command vmtime-nudge has not been found", AGENT_UNKNOWN_COMMAND },
		{ "CommandNotFound", "Command guest-set-time has been disabled", AGENT_DISABLED },
		{ "CommandNotFound", "The command guest-set-time has been disabled for this instance",
		  AGENT_DISABLED },
		{ "GenericError", "The command guest-set-time has been disabled for this instance",
		  AGENT_DISABLED },
		{ "CommandNotFound", "Command guest-set-time has been disabled: the agent is in frozen state",
		  AGENT_FROZEN },
		{ "CommandNotFound", "Command guest-set-time has been disabled: the command is not allowed",
		  AGENT_DISABLED },
		{ "GenericError", "hwclock failed to set hardware clock to system time", AGENT_REFUSED },
		{ "GenericError", "JSON parse error, stray '\\\\xFF'", AGENT_REFUSED },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct agent_reply r = { .id = -77 };
		char line[400], why[200];

		snprintf(line, sizeof line, "{\"error\": {\"class\": \"%s\", \"desc\": \"%s\"}}",
		         CASES[i].class, CASES[i].text);
		if (decode(AGENT_SET_TIME, line, &r, why) != CASES[i].want)
			fail_msg("%s", line);
		assert_int_equal(r.id, -77);
		assert_memory_equal(why, CASES[i].text, 10);
	}
}

static void test_nonsense(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		enum agent_command command;
		const char        *line;
	} CASES[] = {
		{ AGENT_GET_TIME, "" }, { AGENT_GET_TIME, "{" }, { AGENT_GET_TIME, "17" },
		{ AGENT_GET_TIME, "{\"return\": {}}" }, { AGENT_GET_TIME, "{\"return\": 1.5}" },
		{ AGENT_GET_TIME, "{\"return\": \"7\"}" }, { AGENT_GET_TIME, "{}" },
		{ AGENT_GET_TIME, "{\"return\": 9223372036854775808}" },
		{ AGENT_SET_TIME, "{\"return\": 17}" }, { AGENT_SYNC_DELIMITED, "{\"return\": {}}" },
		{ AGENT_INFO, "{\"return\": {}}" }, { AGENT_FREEZE_STATUS, "{\"return\": {}}" },
		{ AGENT_STATUS, "{\"return\": {\"state\": \"splendid\"}}" },
		{ AGENT_STATUS, "{\"return\": 1}" }, { AGENT_NUDGE, "{\"return\": {}}" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct agent_reply r = { .id = -77 };
		char why[200] = "";

		if (decode(CASES[i].command, CASES[i].line, &r, why) != AGENT_NONSENSE)
			fail_msg("%s", CASES[i].line);
		assert_int_equal(r.id, -77);
		assert_true(why[0]);
	}
}

static void test_depth_10000_is_refused_before_it_is_parsed(void **state)
{
	(void)state;
	static char line[20001];
	struct agent_reply r;
	char why[200];

	memset(line, '[', 10000);
	memset(line + 10000, ']', 10000);
	assert_int_equal(decode(AGENT_GET_TIME, line, &r, why), AGENT_NONSENSE);
	assert_string_equal(why, "a message nested more than 32 deep");
}

/* vmtimed's end of it, guest_agent.h, understands and is understood. */
static void test_both_ends_fit(void **state)
{
	(void)state;
	static const enum agent_command COMMANDS[] = {
		AGENT_PING,  AGENT_SYNC_DELIMITED, AGENT_INFO,        AGENT_GET_TIME, AGENT_SET_TIME,
		AGENT_NUDGE, AGENT_STATUS,         AGENT_HOST_QUALITY,
	};
	const struct guest_agent_answer answer = {
		.shows = { 1795452803500000000 },
		.host = { .is_delayed = true, .valid = VT_SEC(300), .state = REPORT_OK },
	};

	for (size_t i = 0; i < COUNT(COMMANDS); i++) {
		struct agent_request request = { .command = COMMANDS[i], .id = 4711,
			                         .time = { 1795452803500000000 },
			                         .reason = HOST_REASON_MIGRATION,
			                         .quality = { .daemon = "chronyd",
			                                      .leap = REPORT_LEAP_UNSYNCHRONISED } };
		bool is_marked = COMMANDS[i] == AGENT_SYNC_DELIMITED;
		struct guest_agent_request heard;
		struct guest_agent_error error;
		struct agent_reply reply;
		char text[AGENT_REQUEST_MAX], why[200], *said;
		size_t n;

		assert_int_equal(agent_encode(&request, text, &n), 0);
		if (guest_agent_decode((struct slice){ text + is_marked, n - is_marked - 1 }, &heard,
		                       &error))
			fail_msg("%s: %s", text, error.text);
		assert_int_equal(guest_agent_encode(&heard, &answer, &said, &n), 0);
		if (agent_decode(said + is_marked, n - is_marked - 1, COMMANDS[i], &reply, why,
		                 sizeof why) != AGENT_ANSWERED)
			fail_msg("%s: %s", said, why);
		free(said);
		if (is_marked)
			assert_int_equal(reply.id, 4711);
		if (COMMANDS[i] == AGENT_INFO)
			assert_true(reply.is_vmtimed && reply.can_get_time && reply.can_set_time);
		if (COMMANDS[i] == AGENT_GET_TIME)
			assert_int_equal(reply.time.ns, 1795452803500000000);
		if (COMMANDS[i] == AGENT_NUDGE)
			assert_true(reply.vmtime.is_delayed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_the_longest_request_fits),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_what_an_agent_can),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_both_ends_fit),
		cmocka_unit_test(test_depth_10000_is_refused_before_it_is_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
