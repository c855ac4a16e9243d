/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/agent_reader.h"
#include "proto/guest_agent.h"

/* What comes out of @bytes: each request in brackets, each refusal as its first word, one behind another. */
static void read_all(const char *bytes, size_t n, size_t at_a_time, char *to, size_t size)
{
	struct agent_reader reader;
	size_t used = 0;

	agent_reader_reset(&reader);
	to[0] = '\0';
	for (size_t at = 0; at < n;) {
		size_t part = n - at < at_a_time ? n - at : at_a_time;
		struct slice request;
		const char *why;
		size_t taken = 0;

		switch (agent_reader_feed(&reader, (struct slice){ bytes + at, part }, &taken,
		                          &request, &why)) {
		case AGENT_READER_MORE: assert_int_equal(taken, part); break;
		case AGENT_READER_REQUEST:
			used += (size_t)snprintf(to + used, size - used, "<%.*s>", (int)request.n,
			                         request.p);
			break;
		case AGENT_READER_BAD:
			used += (size_t)snprintf(to + used, size - used, "!%.8s", why + 5);
			break;
		}
		assert_true(taken > 0 && taken <= part && used < size);
		at += taken;
	}
}

static void test_where_requests_end(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *bytes, *want;
	} cases[] = {
		{ "{}",                        "<{}>" },
		{ "{}{\"a\":1}\n\n[1]",        "<{}><{\"a\":1}><[1]>" },
		{ "{\"}\":\"\\\"}\"}{}",       "<{\"}\":\"\\\"}\"}><{}>" },
		{ "{\"a\"",                    "" },
		{ "{\"a\"\xff{}",              "!parse er<{}>" },
		{ "\xff\xff{}",                "!parse er!parse er<{}>" },
		{ "hello {}",                  "!parse er<{}>" },
		{ "12{}",                      "!parse er<{}>" },
		{ "} {}",                      "!parse er<{}>" },
		{ "[[[[[[[[[[[[[[[[[ [[\n{}",  "!nesting <{}>" },
		{ "[[[[[[[[[[[[[[[[[ ]]\xff{}", "!nesting !parse er<{}>" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t step = 1; step < 40; step++) {
			char got[256];

			read_all(cases[i].bytes, strlen(cases[i].bytes), step, got, sizeof got);
			if (strcmp(got, cases[i].want) != 0)
				fail_msg("%s by %zu: %s", cases[i].bytes, step, got);
		}
}

static void test_too_long_is_skipped(void **state)
{
	(void)state;
	const size_t n = 3 * AGENT_READER_MAX;
	char *bytes = malloc(n + 4);
	char got[64];

	assert_non_null(bytes);
	memset(bytes, 'x', n);
	memcpy(bytes, "{\"", 2);
	memcpy(bytes + n, "\n{}", 4);
	read_all(bytes, n + 3, 1000, got, sizeof got);
	assert_string_equal(got, "!token si<{}>");
	/* To the byte: the longest there is, and one more. */
	memset(bytes, ' ', n);
	bytes[0] = '{';
	bytes[AGENT_READER_MAX - 1] = '}';
	struct agent_reader reader;
	struct slice request;
	const char *why;
	size_t taken;

	agent_reader_reset(&reader);
	assert_int_equal(agent_reader_feed(&reader, (struct slice){ bytes, n }, &taken, &request,
	                                   &why),
	                 AGENT_READER_REQUEST);
	assert_int_equal(request.n, AGENT_READER_MAX);
	bytes[AGENT_READER_MAX - 1] = ' ';
	bytes[AGENT_READER_MAX] = '}';
	agent_reader_reset(&reader);
	assert_int_equal(agent_reader_feed(&reader, (struct slice){ bytes, n }, &taken, &request,
	                                   &why),
	                 AGENT_READER_BAD);
	free(bytes);
}

/* The reply to @text, with an answer that is always the same. */
static void reply_to(const char *text, char *to, size_t size)
{
	const struct guest_agent_answer answer = {
		.shows = { 1795468408314153000 },
		.host = { .state = REPORT_OK, .has_offset = true, .offset = { -3 }, .valid = VT_SEC(300) },
	};
	struct guest_agent_request request;
	struct guest_agent_error error;
	char *line;
	size_t n;

	if (guest_agent_decode(slice_of(text), &request, &error) < 0)
		assert_int_equal(guest_agent_encode_error(&error, &line, &n), 0);
	else
		assert_int_equal(guest_agent_encode(&request, &answer, &line, &n), 0);
	assert_int_equal(n, strlen(line));
	assert_true(n < size && line[n - 1] == '\n');
	memcpy(to, line, n);
	to[n - 1] = '\0';
	free(line);
}

#define ERROR(text)   "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" text "\"}}"
#define MISSING(text) "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"" text "\"}}"
#define CALL(name)    "{\"execute\":\"" name "\"}"
#define GIVE(name, arguments) "{\"execute\":\"" name "\",\"arguments\":{" arguments "}}"

static void test_replies(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *request, *want;
	} cases[] = {
		{ CALL("guest-ping"),                      "{\"return\": {}}" },
		{ "{\"id\":[1],\"execute\":\"guest-ping\"}", "{\"return\": {}, \"id\": [1]}" },
		{ GIVE("guest-sync", "\"id\":-7"),         "{\"return\": -7}" },
		{ GIVE("guest-sync-delimited", "\"id\":7"), "\xff{\"return\": 7}" },
		{ CALL("guest-get-time"),                  "{\"return\": 1795468408314153000}" },
		{ CALL("guest-set-time"),                  "{\"return\": {}}" },
		{ GIVE("guest-set-time", "\"time\":1"),    "{\"return\": {}}" },
		{ GIVE("guest-set-time", "\"time\":1.5"),  ERROR("Invalid parameter type for 'time', expected: integer") },
		{ GIVE("guest-set-time", "\"t\":1"),       ERROR("Parameter 't' is unexpected") },
		{ GIVE("guest-sync", "\"id\":9223372036854775808"), ERROR("JSON parse error near byte 61") },
		{ CALL("guest-sync"),                      ERROR("Parameter 'id' is missing") },
		{ CALL("guest-shutdown"),                  MISSING("The command guest-shutdown has not been found") },
		{ CALL("guest-get-host-name"),             MISSING("The command guest-get-host-name has not been found in vmtimed") },
		{ GIVE("vmtime-nudge", "\"reason\":\"pause\""), "{\"return\": {\"is_delayed\": false}}" },
		{ CALL("vmtime-status"),                   "{\"return\": {\"state\": \"ok\", \"offset_ns\": -3}}" },
		{ GIVE("vmtime-status", "\"x\":1"),        ERROR("the key \\\"x\\\" is not known here") },
		{ GIVE("vmtime-host-quality",
		       "\"daemon\":\"c\",\"is_synchronized\":false,\"leap\":\"normal\""), "{\"return\": {\"valid_ns\": 300000000000}}" },
		{ "{\"execute\":\"guest-ping\",\"id\":\"\xc3\xa4\"}", "{\"return\": {}, \"id\": \"\\u00E4\"}" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		char got[512];

		reply_to(cases[i].request, got, sizeof got);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s\n  got  %s\n  want %s", cases[i].request, got, cases[i].want);
	}
}

/* The arguments of a request are what the daemon acts on. */
static void test_what_was_asked(void **state)
{
	(void)state;
	struct guest_agent_request r;
	struct guest_agent_error error;

	assert_int_equal(guest_agent_decode(slice_of(GIVE("guest-set-time", "\"time\":-5")), &r, &error), 0);
	assert_true(r.command == GUEST_AGENT_SET_TIME && r.has_time && r.time.ns == -5);
	assert_int_equal(guest_agent_decode(slice_of(CALL("guest-set-time")), &r, &error), 0);
	assert_false(r.has_time);
	assert_int_equal(guest_agent_decode(slice_of(GIVE("vmtime-nudge", "\"reason\":\"restore\"")), &r,
	                              &error),
	                 0);
	assert_int_equal(r.host.reason, HOST_REASON_RESTORE);
}

static void test_an_id_has_its_limit(void **state)
{
	(void)state;
	char text[2 * GUEST_AGENT_ID_MAX + 64], got[512];

	snprintf(text, sizeof text, "{\"execute\":\"guest-ping\",\"id\":\"%0*d\"}", GUEST_AGENT_ID_MAX - 3, 1);
	reply_to(text, got, sizeof got);
	assert_non_null(strstr(got, "\"return\": {}"));
	snprintf(text, sizeof text, "{\"execute\":\"guest-ping\",\"id\":\"%0*d\"}", GUEST_AGENT_ID_MAX - 2, 1);
	reply_to(text, got, sizeof got);
	assert_string_equal(got, ERROR("The id is longer than 255 bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where_requests_end), cmocka_unit_test(test_too_long_is_skipped),
		cmocka_unit_test(test_replies),            cmocka_unit_test(test_what_was_asked),
		cmocka_unit_test(test_an_id_has_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
