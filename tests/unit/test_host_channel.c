/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "proto/host_channel.h"
#include "rng.h"

static struct host_request decode(const char *line)
{
	struct host_request request;
	struct control_error error;

	if (host_channel_decode(line, strlen(line), &request, &error) != 0)
		fail_msg("%s: %s", line, error.text);
	return request;
}

static void test_nudges(void **state)
{
	(void)state;
	static const char *const WORDS[] = { "pause", "restore", "migration", "host-step", "resume" };
	struct host_request r = decode("{\"v\":1,\"cmd\":\"nudge\"}\r\n");
	char line[80];

	assert_int_equal(r.command, HOST_NUDGE);
	assert_int_equal(r.reason, HOST_REASON_NONE);
	assert_int_equal(r.id.kind, CONTROL_ID_NONE);
	assert_int_equal(COUNT(WORDS), HOST_REASONS - 1);
	for (unsigned i = 0; i < COUNT(WORDS); i++) {
		snprintf(line, sizeof line, "{\"v\":1,\"id\":7,\"cmd\":\"nudge\",\"reason\":\"%s\"}", WORDS[i]);
		r = decode(line);
		assert_int_equal(r.reason, i + 1);
		assert_int_equal(r.id.number, 7);
		assert_string_equal(host_reason_name(r.reason), WORDS[i]);
	}
}

static void test_qualities(void **state)
{
	(void)state;
	struct host_request r = decode("{\"v\":1,\"cmd\":\"host-quality\",\"daemon\":\"chronyd\","
	                               "\"is_synchronized\":true,\"root_distance_ns\":1250000,"
	                               "\"leap\":\"insert-second\"}");

	assert_int_equal(r.command, HOST_QUALITY);
	assert_string_equal(r.quality.daemon, "chronyd");
	assert_true(r.quality.is_synchronized);
	assert_true(r.quality.has_root_distance);
	assert_int_equal(r.quality.root_distance.ns, 1250000);
	assert_int_equal(r.quality.leap, REPORT_LEAP_INSERT);

	r = decode("{\"v\":1,\"cmd\":\"host-quality\",\"daemon\":\"\",\"is_synchronized\":false,"
	           "\"leap\":\"not-synchronised\"}");
	assert_false(r.quality.is_synchronized);
	assert_false(r.quality.has_root_distance);
}

#define QUALITY(rest)  "{\"v\":1,\"cmd\":\"host-quality\"" rest "}"
#define GOOD_NAME      ",\"daemon\":\"x\""
#define LONG_NAME      ",\"daemon\":\"0123456789012345678901234567890123456789012345678901234567890123\""
#define NORMAL         ",\"leap\":\"normal\""
#define IN_SYNC        ",\"is_synchronized\":true"
#define DISTANCE(text) ",\"root_distance_ns\":" text

/* clang-format off */
static const struct refusal {
	const char       *line;
	enum control_code code;
} REFUSALS[] = {
	{ "",                                                     CONTROL_MALFORMED },
	{ "nudge",                                                CONTROL_MALFORMED },
	{ "[]",                                                   CONTROL_MALFORMED },
	{ "{\"v\":1,\"cmd\":\"nudge\",\"cmd\":\"status\"}",       CONTROL_MALFORMED },
	{ "{\"v\":1,\"cmd\":\"nudge\"}{}",                        CONTROL_MALFORMED },
	{ "{\"v\":1,\"cmd\":\"nu\\u0000dge\"}",                   CONTROL_MALFORMED },
	{ "{\"v\":1,\"cmd\":\"nudge\",\"reason\":\"\xff\"}",      CONTROL_MALFORMED },
	{ "{\"v\":1,\"cmd\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}",   CONTROL_MALFORMED },
	{ "{\"cmd\":\"nudge\"}",                                  CONTROL_BAD_VALUE },
	{ "{\"v\":\"1\",\"cmd\":\"nudge\"}",                      CONTROL_BAD_VALUE },
	{ "{\"v\":2,\"cmd\":\"nudge\"}",                          CONTROL_BAD_VERSION },
	{ "{\"v\":1}",                                            CONTROL_BAD_VALUE },
	{ "{\"v\":1,\"id\":true,\"cmd\":\"nudge\"}",              CONTROL_BAD_VALUE },
	{ "{\"v\":1,\"cmd\":\"sources\"}",                        CONTROL_UNKNOWN_COMMAND },
	{ "{\"v\":1,\"cmd\":\"set-time\"}",                       CONTROL_UNKNOWN_COMMAND },
	{ "{\"v\":1,\"cmd\":\"\"}",                               CONTROL_UNKNOWN_COMMAND },
	{ "{\"v\":1,\"cmd\":\"nudge\",\"time\":1}",               CONTROL_UNKNOWN_KEY },
	{ "{\"v\":1,\"cmd\":\"nudge\",\"leap\":\"normal\"}",      CONTROL_UNKNOWN_KEY },
	{ "{\"v\":1,\"cmd\":\"status\",\"reason\":\"pause\"}",    CONTROL_UNKNOWN_KEY },
	{ "{\"v\":1,\"cmd\":\"nudge\",\"reason\":\"Pause\"}",     CONTROL_BAD_VALUE },
	{ "{\"v\":1,\"cmd\":\"nudge\",\"reason\":\"\"}",          CONTROL_BAD_VALUE },
	{ "{\"v\":1,\"cmd\":\"nudge\",\"reason\":null}",          CONTROL_BAD_VALUE },
	{ "{\"v\":1,\"cmd\":\"nudge\",\"reason\":3}",             CONTROL_BAD_VALUE },
	{ QUALITY(""),                                                            CONTROL_BAD_VALUE },
	{ QUALITY(GOOD_NAME NORMAL ",\"is_synchronized\":true"),                  CONTROL_BAD_VALUE },
	{ QUALITY(GOOD_NAME NORMAL ",\"is_synchronized\":1" DISTANCE("1")),       CONTROL_BAD_VALUE },
	{ QUALITY(GOOD_NAME NORMAL IN_SYNC DISTANCE("-1")),                       CONTROL_BAD_VALUE },
	{ QUALITY(GOOD_NAME NORMAL IN_SYNC DISTANCE("1.0")),                      CONTROL_BAD_VALUE },
	{ QUALITY(GOOD_NAME NORMAL IN_SYNC DISTANCE("null")),                     CONTROL_BAD_VALUE },
	{ QUALITY(GOOD_NAME NORMAL IN_SYNC DISTANCE("9223372036854775808")),      CONTROL_MALFORMED },
	{ QUALITY(GOOD_NAME IN_SYNC DISTANCE("1")),                               CONTROL_BAD_VALUE },
	{ QUALITY(GOOD_NAME ",\"leap\":0" IN_SYNC DISTANCE("1")),                 CONTROL_BAD_VALUE },
	{ QUALITY(GOOD_NAME ",\"leap\":\"not-synchronised\"" IN_SYNC DISTANCE("1")), CONTROL_BAD_VALUE },
	{ QUALITY(LONG_NAME NORMAL IN_SYNC DISTANCE("1")),                        CONTROL_BAD_VALUE },
	{ QUALITY(NORMAL IN_SYNC DISTANCE("1")),                                  CONTROL_BAD_VALUE },
	{ QUALITY(GOOD_NAME NORMAL IN_SYNC DISTANCE("1") ",\"valid_ns\":1"),      CONTROL_UNKNOWN_KEY },
};
/* clang-format on */

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(REFUSALS); i++) {
		struct host_request request, before;
		struct control_error error = { .code = CONTROL_CODES };

		memset(&request, 0x5a, sizeof request);
		before = request;
		if (host_channel_decode(REFUSALS[i].line, strlen(REFUSALS[i].line), &request, &error) != -EINVAL)
			fail_msg("%s: taken", REFUSALS[i].line);
		if (error.code != REFUSALS[i].code)
			fail_msg("%s: %s: %s", REFUSALS[i].line, control_code_name(error.code), error.text);
		assert_memory_equal(&request, &before, sizeof request);
	}
}

static void test_the_longest_line(void **state)
{
	(void)state;
	static char line[HOST_CHANNEL_REQUEST_MAX + 3];
	struct host_request request;
	struct control_error error;
	const char *start = "{\"v\":1,\"cmd\":\"nudge\"";

	memset(line, ' ', sizeof line);
	memcpy(line, start, strlen(start));
	line[HOST_CHANNEL_REQUEST_MAX - 1] = '}';
	line[HOST_CHANNEL_REQUEST_MAX] = '\n';
	assert_int_equal(host_channel_decode(line, HOST_CHANNEL_REQUEST_MAX + 1, &request, &error), 0);
	line[HOST_CHANNEL_REQUEST_MAX] = ' ';
	line[HOST_CHANNEL_REQUEST_MAX + 1] = '\n';
	assert_int_equal(host_channel_decode(line, HOST_CHANNEL_REQUEST_MAX + 2, &request, &error),
	                 -EINVAL);
	assert_int_equal(error.code, CONTROL_TOO_LONG);
}

static void check_reply(enum host_command command, struct host_reply reply, const char *want)
{
	struct host_request request = { .command = command, .id = { .kind = CONTROL_ID_NUMBER, .number = -4 } };
	char *line;
	size_t length;

	assert_int_equal(host_channel_encode(&request, &reply, &line, &length), 0);
	assert_int_equal(length, strlen(line));
	assert_string_equal(line, want);
	free(line);
}

static void test_replies(void **state)
{
	(void)state;
	check_reply(HOST_NUDGE, (struct host_reply){ .is_delayed = true },
	            "{\"v\":1,\"id\":-4,\"ok\":true,\"nudge\":{\"is_delayed\":true}}\n");
	check_reply(HOST_QUALITY, (struct host_reply){ .valid = VT_SEC(300) },
	            "{\"v\":1,\"id\":-4,\"ok\":true,\"host-quality\":{\"valid_ns\":300000000000}}\n");
	/* What is not known is not there: a host must not read it as zero. */
	check_reply(HOST_STATUS, (struct host_reply){ .state = REPORT_HOLDOVER, .offset = VT_NS(5) },
	            "{\"v\":1,\"id\":-4,\"ok\":true,\"status\":{\"state\":\"holdover\"}}\n");
	check_reply(HOST_STATUS,
	            (struct host_reply){ .state = REPORT_OK, .has_offset = true, .offset = VT_NS(-5),
	                                 .has_bound = true, .bound = VT_NS(6) },
	            "{\"v\":1,\"id\":-4,\"ok\":true,\"status\":{\"state\":\"ok\",\"offset_ns\":-5,"
	            "\"bound_ns\":6}}\n");
}

/* A byte of a good message is changed, doubled or lost: it is refused, or means something in range. */
static void test_spoilt_messages(void **state)
{
	(void)state;
	static const char *const GOOD[] = {
		"{\"v\":1,\"id\":7,\"cmd\":\"nudge\",\"reason\":\"host-step\"}",
		QUALITY(GOOD_NAME NORMAL IN_SYNC DISTANCE("1250000")),
		"{\"v\":1,\"id\":\"x\",\"cmd\":\"status\"}",
	};
	struct rng rng;
	unsigned taken = 0;

	rng_start(&rng);
	for (int i = 0; i < 100000; i++) {
		const char *good = GOOD[i % 3];
		struct host_request request = { 0 };
		struct control_error error;
		char line[256];
		size_t n = strlen(good), at = (size_t)rng_in(&rng, 0, (int64_t)n - 1);

		memcpy(line, good, n + 1);
		switch (rng_in(&rng, 0, 2)) {
		case 0: line[at] = (char)rng_in(&rng, 0, 255); break;
		case 1: memmove(line + at, line + at + 1, n - at), n--; break;
		default: memmove(line + at + 1, line + at, n - at), n++; break;
		}
		if (host_channel_decode(line, n, &request, &error) != 0) {
			assert_true(strlen(error.text) > 0 && strlen(error.text) < sizeof error.text);
			continue;
		}
		taken++;
		assert_in_range(request.command, 0, HOST_COMMANDS - 1);
		assert_in_range(request.reason, 0, HOST_REASONS - 1);
		assert_true(!request.quality.has_root_distance || request.quality.root_distance.ns >= 0);
		assert_true(memchr(request.quality.daemon, '\0', sizeof request.quality.daemon) != NULL);
	}
	assert_true(taken > 100); /* an id's digit may change, a daemon's name too */
}

/* What one end writes the other one reads, and the other way round. */
static void test_both_ends_fit(void **state)
{
	(void)state;
	const struct host_reply said = { .is_delayed = true, .valid = VT_SEC(300),
		                         .state = REPORT_HOLDOVER, .has_bound = true,
		                         .bound = { 912 } };

	for (unsigned i = 0; i < HOST_COMMANDS; i++) {
		struct host_request request = { .command = (enum host_command)i,
			                        .id = { .kind = CONTROL_ID_NUMBER, .number = 77 },
			                        .reason = HOST_REASON_RESTORE,
			                        .quality = { .daemon = "ntpd", .has_root_distance = true,
			                                     .root_distance = { 5 },
			                                     .leap = REPORT_LEAP_DELETE } };
		struct host_request heard;
		struct host_reply reply = { .bound = { -1 } };
		struct control_error error;
		char line[HOST_CHANNEL_REQUEST_MAX + 2], *answer;
		size_t n, length;

		assert_int_equal(host_channel_encode_request(&request, line, sizeof line, &n), 0);
		assert_int_equal(n, strlen(line));
		if (host_channel_decode(line, n, &heard, &error))
			fail_msg("%s: %s", line, error.text);
		assert_int_equal(heard.command, i);
		assert_int_equal(heard.id.number, 77);
		assert_int_equal(heard.reason, i == HOST_NUDGE ? HOST_REASON_RESTORE : HOST_REASON_NONE);
		if (i == HOST_QUALITY)
			assert_int_equal(heard.quality.leap, REPORT_LEAP_DELETE);

		assert_int_equal(host_channel_encode(&heard, &said, &answer, &length), 0);
		assert_int_equal(host_channel_decode_reply(answer, length, &request, &reply, &error),
		                 CONTROL_ANSWERED);
		if (i == HOST_NUDGE)
			assert_true(reply.is_delayed);
		if (i == HOST_QUALITY)
			assert_int_equal(reply.valid.ns, VT_SEC(300).ns);
		if (i == HOST_STATUS)
			assert_true(reply.state == REPORT_HOLDOVER && !reply.has_offset &&
			            reply.bound.ns == 912);

		request.id.number = 78; /* the answer to something else */
		reply.bound.ns = -1;
		assert_int_equal(host_channel_decode_reply(answer, length, &request, &reply, &error),
		                 CONTROL_GARBAGE);
		assert_int_equal(reply.bound.ns, -1);
		free(answer);
	}
}

static void test_a_request_without_room_is_not_written(void **state)
{
	(void)state;
	const struct host_request request = { .command = HOST_STATUS };
	char line[8] = "before";
	size_t n = 7;

	assert_int_equal(host_channel_encode_request(&request, line, sizeof line, &n), -ENOBUFS);
	assert_string_equal(line, "before");
	assert_int_equal(n, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends_fit),
		cmocka_unit_test(test_a_request_without_room_is_not_written),
		cmocka_unit_test(test_nudges),
		cmocka_unit_test(test_qualities),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_the_longest_line),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_spoilt_messages),
	};

	return cmocka_run_group_tests_name("host_channel", tests, NULL, NULL);
}
