/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_control.c - the control protocol: what is understood and what is refused
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "proto/control.h"

/* --- Requests --- */

/* Bytes no decoder would write by itself. */
static void poison(void *p, size_t n)
{
	memset(p, 0x5a, n);
}

static bool is_poisoned(const void *p, size_t n)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < n; i++)
		if (bytes[i] != 0x5a)
			return false;
	return true;
}

static void test_good_requests(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what, *line;
		enum control_command want;
		int id_kind;
		int64_t id_number;
		const char *id_text;
	} cases[] = {
		{ "plain",           "{\"v\":1,\"cmd\":\"status\"}",                CONTROL_STATUS,      CONTROL_ID_NONE, 0, "" },
		{ "a line's end",    "{\"v\":1,\"cmd\":\"sources\"}\n",             CONTROL_SOURCES,     CONTROL_ID_NONE, 0, "" },
		{ "CR LF",           "{\"v\":1,\"cmd\":\"sourcestats\"}\r\n",       CONTROL_SOURCESTATS, CONTROL_ID_NONE, 0, "" },
		{ "blanks, order",   " { \"cmd\" : \"tracking\" , \"v\" : 1 } ",    CONTROL_TRACKING,    CONTROL_ID_NONE, 0, "" },
		{ "number as id",    "{\"v\":1,\"cmd\":\"status\",\"id\":-9223372036854775808}", CONTROL_STATUS, CONTROL_ID_NUMBER, INT64_MIN, "" },
		{ "string as id",    "{\"v\":1,\"cmd\":\"status\",\"id\":\"a\\u00e4\"}",         CONTROL_STATUS, CONTROL_ID_TEXT, 0, "a\xc3\xa4" },
		{ "longest id",      "{\"v\":1,\"cmd\":\"status\",\"id\":\"0123456789012345678901234567890123456789012345678901234567890123\"}",
		  CONTROL_STATUS, CONTROL_ID_TEXT, 0, "0123456789012345678901234567890123456789012345678901234567890123" },
		{ "escaped command", "{\"v\":1,\"cmd\":\"st\\u0061tus\"}",          CONTROL_STATUS,      CONTROL_ID_NONE, 0, "" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct control_request request;
		struct control_error error;

		poison(&error, sizeof error);
		if (control_decode_request(cases[i].line, strlen(cases[i].line), &request, &error))
			fail_msg("%s: refused: %s", cases[i].what, error.text);
		if (request.command != cases[i].want || (int)request.id.kind != cases[i].id_kind ||
		    request.id.number != cases[i].id_number ||
		    strcmp(request.id.text, cases[i].id_text) != 0)
			fail_msg("%s: not what was asked", cases[i].what);
		assert_true(is_poisoned(&error, sizeof error));
	}
}

static void test_arguments_come_as_they_were_sent(void **state)
{
	(void)state;
	const char events[] = "{\"v\":1,\"cmd\":\"events\",\"limit\":256,\"since\":0,\"before\":9}\n";
	const char wait[] = "{\"v\":1,\"cmd\":\"waitsync\",\"max_correction_ns\":0,"
			    "\"max_skew_ppm\":0.5,\"after_now\":false,\"timeout_ns\":3600000000000}\n";
	const char nudge[] = "{\"v\":1,\"cmd\":\"nudge\",\"reason\":\"host-step\"}\n";
	struct control_request request;
	struct control_error error;
	char again[CONTROL_REQUEST_MAX];

	assert_int_equal(control_decode_request(events, strlen(events), &request, &error), 0);
	assert_true(request.arguments.has_limit && request.arguments.limit == 256);
	assert_true(request.arguments.has_since && request.arguments.since == 0);
	assert_true(request.arguments.has_before && request.arguments.before == 9);
	assert_false(request.arguments.has_timeout);
	assert_int_equal(control_encode_request(&request, again, sizeof again), 0);
	assert_string_equal(again, events);

	assert_int_equal(control_decode_request(nudge, strlen(nudge), &request, &error), 0);
	assert_int_equal(request.command, CONTROL_NUDGE);
	assert_true(request.arguments.has_reason);
	assert_int_equal(request.arguments.reason, HOST_REASON_STEP);
	assert_int_equal(control_encode_request(&request, again, sizeof again), 0);
	assert_string_equal(again, nudge);

	assert_int_equal(control_decode_request(wait, strlen(wait), &request, &error), 0);
	assert_true(request.arguments.has_max_correction && request.arguments.has_after_now);
	assert_false(request.arguments.is_after_now || request.arguments.has_limit);
	assert_int_equal(request.arguments.timeout.ns, VT_SEC(3600).ns);
	assert_int_equal(control_encode_request(&request, again, sizeof again), 0);
	assert_string_equal(again, wait);
}

/* Refuses, with @code and, where @word is not NULL, with @word in its sentence. */
static void assert_refused(const char *what, const char *line, size_t length,
                           enum control_code code, const char *word)
{
	struct control_request request;
	struct control_error error;
	char *exact = malloc(length ? length : 1);

	/* In a block of exactly its length, so that the sanitizer sees a read behind it. */
	assert_non_null(exact);
	memcpy(exact, line, length);
	poison(&request, sizeof request);
	if (control_decode_request(exact, length, &request, &error) != -EINVAL)
		fail_msg("%s: accepted", what);
	if (error.code != code)
		fail_msg("%s: refused as %s: %s", what, control_code_name(error.code), error.text);
	if (word && !strstr(error.text, word))
		fail_msg("%s: \"%s\" does not name %s", what, error.text, word);
	for (const char *c = error.text; *c; c++)
		assert_true(*c >= ' ' && *c <= '~');
	assert_true(is_poisoned(&request, sizeof request));
	free(exact);
}

static void test_bad_requests_are_refused_untouched(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what, *line;
		size_t length; /* 0: as a string's */
		enum control_code want;
		const char *word;
	} cases[] = {
		{ "nothing",              "",                    0, CONTROL_MALFORMED, "empty" },
		{ "only a line's end",    "\n",                  0, CONTROL_MALFORMED, "empty" },
		{ "noise",                "GET / HTTP/1.1\r\n",  0, CONTROL_MALFORMED, NULL },
		{ "half a message",       "{\"v\":1,\"cmd\":",   0, CONTROL_MALFORMED, NULL },
		{ "an array",             "[1]",                 0, CONTROL_MALFORMED, "object" },
		{ "a string",             "\"status\"",          0, CONTROL_MALFORMED, NULL },
		{ "two messages",         "{\"v\":1,\"cmd\":\"status\"}{}", 0, CONTROL_MALFORMED, NULL },
		{ "a key twice",          "{\"v\":1,\"cmd\":\"status\",\"cmd\":\"status\"}", 0, CONTROL_MALFORMED, "twice" },
		{ "NUL byte",             "{\"v\":1,\"cmd\":\"sta\0tus\"}", 23, CONTROL_MALFORMED, NULL },
		{ "NUL behind it",        "{\"v\":1,\"cmd\":\"status\"}\0", 23, CONTROL_MALFORMED, NULL },
		{ "escaped NUL",          "{\"v\":1,\"cmd\":\"status\\u0000\"}", 0, CONTROL_MALFORMED, NULL },
		{ "not UTF-8",            "{\"v\":1,\"cmd\":\"\xff\xfe\"}", 0, CONTROL_MALFORMED, NULL },
		{ "overlong UTF-8",       "{\"v\":1,\"cmd\":\"\xc0\xaf\"}", 0, CONTROL_MALFORMED, NULL },
		{ "byte order mark",      "\xef\xbb\xbf{\"v\":1,\"cmd\":\"status\"}", 0, CONTROL_MALFORMED, NULL },
		{ "number too large",     "{\"v\":99999999999999999999,\"cmd\":\"status\"}", 0, CONTROL_MALFORMED, NULL },
		{ "no version",           "{\"cmd\":\"status\"}",              0, CONTROL_BAD_VALUE, "\"v\"" },
		{ "version a string",     "{\"v\":\"1\",\"cmd\":\"status\"}",  0, CONTROL_BAD_VALUE, "\"v\"" },
		{ "version a fraction",   "{\"v\":1.0,\"cmd\":\"status\"}",    0, CONTROL_BAD_VALUE, "\"v\"" },
		{ "version 0",            "{\"v\":0,\"cmd\":\"status\"}",      0, CONTROL_BAD_VERSION, "only 1" },
		{ "version 2",            "{\"v\":2,\"command\":\"new\"}",     0, CONTROL_BAD_VERSION, "version 2" },
		{ "no command",           "{\"v\":1}",                         0, CONTROL_BAD_VALUE, "\"cmd\"" },
		{ "command a number",     "{\"v\":1,\"cmd\":1}",               0, CONTROL_BAD_VALUE, "\"cmd\"" },
		{ "unknown command",      "{\"v\":1,\"cmd\":\"Status\"}",      0, CONTROL_UNKNOWN_COMMAND, "\"Status\"" },
		{ "empty command",        "{\"v\":1,\"cmd\":\"\"}",            0, CONTROL_UNKNOWN_COMMAND, "\"\"" },
		{ "terminal escape",      "{\"v\":1,\"cmd\":\"\\u001b[2J\"}",  0, CONTROL_UNKNOWN_COMMAND, "\\x1b[2J" },
		{ "unknown key",          "{\"v\":1,\"cmd\":\"status\",\"verbose\":true}", 0, CONTROL_UNKNOWN_KEY, "\"verbose\"" },
		{ "key of other case",    "{\"V\":1,\"v\":1,\"cmd\":\"status\"}", 0, CONTROL_UNKNOWN_KEY, "\"V\"" },
		{ "another's argument",   "{\"v\":1,\"cmd\":\"status\",\"limit\":3}", 0, CONTROL_UNKNOWN_KEY, "\"limit\"" },
		{ "no events",            "{\"v\":1,\"cmd\":\"events\",\"limit\":0}", 0, CONTROL_BAD_VALUE, "\"limit\"" },
		{ "too many events",      "{\"v\":1,\"cmd\":\"events\",\"limit\":257}", 0, CONTROL_BAD_VALUE, "\"limit\"" },
		{ "since a fraction",     "{\"v\":1,\"cmd\":\"events\",\"since\":1.5}", 0, CONTROL_BAD_VALUE, "\"since\"" },
		{ "since negative",       "{\"v\":1,\"cmd\":\"events\",\"since\":-1}", 0, CONTROL_BAD_VALUE, "\"since\"" },
		{ "correction negative",  "{\"v\":1,\"cmd\":\"waitsync\",\"max_correction_ns\":-1}", 0, CONTROL_BAD_VALUE, "\"max_correction_ns\"" },
		{ "skew negative",        "{\"v\":1,\"cmd\":\"waitsync\",\"max_skew_ppm\":-0.1}", 0, CONTROL_BAD_VALUE, "\"max_skew_ppm\"" },
		{ "skew not a number",    "{\"v\":1,\"cmd\":\"waitsync\",\"max_skew_ppm\":null}", 0, CONTROL_BAD_VALUE, "\"max_skew_ppm\"" },
		{ "a wait too long",      "{\"v\":1,\"cmd\":\"waitsync\",\"timeout_ns\":3600000000001}", 0, CONTROL_BAD_VALUE, "\"timeout_ns\"" },
		{ "a reason unheard of",  "{\"v\":1,\"cmd\":\"nudge\",\"reason\":\"because\"}", 0, CONTROL_BAD_VALUE, "\"reason\"" },
		{ "no reason in it",      "{\"v\":1,\"cmd\":\"nudge\",\"reason\":\"\"}", 0, CONTROL_BAD_VALUE, "\"reason\"" },
		{ "a time to set",        "{\"v\":1,\"cmd\":\"nudge\",\"time_unix_ns\":1}", 0, CONTROL_UNKNOWN_KEY, "\"time_unix_ns\"" },
		{ "after_now a number",   "{\"v\":1,\"cmd\":\"waitsync\",\"after_now\":1}", 0, CONTROL_BAD_VALUE, "\"after_now\"" },
		{ "id an object",         "{\"v\":1,\"cmd\":\"status\",\"id\":{}}", 0, CONTROL_BAD_VALUE, "id" },
		{ "id a fraction",        "{\"v\":1,\"cmd\":\"status\",\"id\":1.5}", 0, CONTROL_BAD_VALUE, "id" },
		{ "id too long",          "{\"v\":1,\"cmd\":\"status\",\"id\":\"01234567890123456789012345678901234567890123456789012345678901234\"}",
		  0, CONTROL_BAD_VALUE, "64" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refused(cases[i].what, cases[i].line,
		               cases[i].length ? cases[i].length : strlen(cases[i].line),
		               cases[i].want, cases[i].word);
}

static void test_limits_of_length_and_depth(void **state)
{
	(void)state;
	char line[CONTROL_REQUEST_MAX + 16];
	struct control_request request;
	struct control_error error;
	const char good[] = "{\"v\":1,\"cmd\":\"status\"}";

	/* Blanks are allowed, so that the longest good request can be made of them. */
	memset(line, ' ', sizeof line);
	memcpy(line, good, sizeof good - 1);
	assert_int_equal(control_decode_request(line, CONTROL_REQUEST_MAX, &request, &error), 0);
	line[CONTROL_REQUEST_MAX] = '\n';
	assert_int_equal(control_decode_request(line, CONTROL_REQUEST_MAX + 1, &request, &error),
	                 0);
	line[CONTROL_REQUEST_MAX] = ' ';
	assert_refused("a byte too long", line, CONTROL_REQUEST_MAX + 1, CONTROL_TOO_LONG, "4097");

	memset(line, '[', CONTROL_REQUEST_MAX);
	assert_refused("all brackets", line, CONTROL_REQUEST_MAX, CONTROL_MALFORMED, "nested");
	const char seventeen[] = "{\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}";
	const char sixteen[] = "{\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}";
	const char in_a_string[] = "{\"v\":1,\"cmd\":\"[[[[[[[[[[[[[[[[[[[[\\\"[\"}";

	assert_refused("17 deep", seventeen, strlen(seventeen), CONTROL_MALFORMED, "nested");
	assert_refused("16 deep", sixteen, strlen(sixteen), CONTROL_BAD_VALUE, "\"v\"");
	assert_refused("brackets in a string", in_a_string, strlen(in_a_string),
	               CONTROL_UNKNOWN_COMMAND, NULL);
}

static void test_every_prefix_of_a_request_is_refused(void **state)
{
	(void)state;
	const char good[] = "{\"v\":1,\"id\":\"\\u00e4\\\"\",\"cmd\":\"status\"}";

	for (size_t n = 1; n < sizeof good - 1; n++)
		assert_refused("a prefix", good, n, CONTROL_MALFORMED, NULL);
}

static void test_an_error_carries_the_id(void **state)
{
	(void)state;
	const char line[] = "{\"v\":1,\"id\":\"q\\n1\",\"cmd\":\"reboot\"}";
	struct control_request request;
	struct control_error error;
	char *reply;
	size_t length;

	assert_int_equal(control_decode_request(line, strlen(line), &request, &error), -EINVAL);
	assert_int_equal(control_encode_error(&error, &reply, &length), 0);
	assert_string_equal(reply, "{\"v\":1,\"id\":\"q\\n1\",\"ok\":false,\"error\":{\"code\":"
	                           "\"unknown-command\",\"text\":\"the command \\\"reboot\\\" is "
	                           "not known here\"}}\n");
	assert_int_equal(length, strlen(reply));
	free(reply);
}

static void test_the_daemons_own_refusal(void **state)
{
	(void)state;
	struct control_id id = { .kind = CONTROL_ID_NUMBER, .number = 7 };
	struct control_error error, back;
	struct report_status report;
	char *reply;
	size_t length;

	for (unsigned code = 0; code < CONTROL_CODES; code++) {
		control_error_make(&error, (enum control_code)code, &id, "try again in %d s", 5);
		assert_int_equal(control_encode_error(&error, &reply, &length), 0);
		poison(&report, sizeof report);
		assert_int_equal(
			control_decode_reply(reply, length, CONTROL_STATUS, &report, &back),
			CONTROL_REFUSED);
		assert_int_equal(back.code, code);
		assert_string_equal(back.text, "try again in 5 s");
		assert_int_equal(back.id.number, 7);
		assert_true(is_poisoned(&report, sizeof report));
		free(reply);
	}
}

/* --- Replies --- */

static void test_replies_bent_in_one_place(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what, *line;
		enum control_outcome want;
		const char *word;
	} cases[] = {
		{ "no version",        "{\"ok\":true,\"sources\":[]}",              CONTROL_GARBAGE,  "\"v\"" },
		{ "a later version",   "{\"v\":2,\"ok\":true,\"sources\":[]}",      CONTROL_GARBAGE,  "version 2" },
		{ "later, refusing",   "{\"v\":2,\"ok\":false,\"error\":{\"code\":\"x\",\"text\":\"y\"}}", CONTROL_REFUSED, "y" },
		{ "no ok",             "{\"v\":1,\"sources\":[]}",                  CONTROL_GARBAGE,  "\"ok\"" },
		{ "ok a number",       "{\"v\":1,\"ok\":1,\"sources\":[]}",         CONTROL_GARBAGE,  "\"ok\"" },
		{ "no data",           "{\"v\":1,\"ok\":true}",                     CONTROL_GARBAGE,  "missing" },
		{ "other data",        "{\"v\":1,\"ok\":true,\"tracking\":{}}",     CONTROL_GARBAGE,  "missing" },
		{ "data an object",    "{\"v\":1,\"ok\":true,\"sources\":{}}",      CONTROL_GARBAGE,  "missing" },
		{ "a source no object","{\"v\":1,\"ok\":true,\"sources\":[3]}",     CONTROL_GARBAGE,  "object" },
		{ "a source, empty",   "{\"v\":1,\"ok\":true,\"sources\":[{}]}",    CONTROL_GARBAGE,  "\"name\"" },
		{ "17 sources",        "{\"v\":1,\"ok\":true,\"sources\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}", CONTROL_GARBAGE, "too long" },
		{ "none at all",       "{\"v\":1,\"ok\":true,\"sources\":[]}",      CONTROL_ANSWERED, NULL },
		{ "keys to come",      "{\"v\":1,\"ok\":true,\"sources\":[],\"more\":{\"a\":[1]}}", CONTROL_ANSWERED, NULL },
		{ "error, no text",    "{\"v\":1,\"ok\":false,\"error\":{\"code\":\"busy\"}}", CONTROL_GARBAGE, "text" },
		{ "escapes in text",   "{\"v\":1,\"ok\":false,\"error\":{\"code\":\"busy\",\"text\":\"\\u001b[2Jno\"}}", CONTROL_REFUSED, "?[2Jno" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		static struct report_status got;
		struct control_error error = { .text = "" };

		poison(&got, sizeof got);
		if (control_decode_reply(cases[i].line, strlen(cases[i].line), CONTROL_SOURCES,
		                         &got, &error) != cases[i].want)
			fail_msg("%s: %s", cases[i].what, error.text);
		if (cases[i].word && !strstr(error.text, cases[i].word))
			fail_msg("%s: \"%s\" lacks %s", cases[i].what, error.text, cases[i].word);
		if (cases[i].want != CONTROL_ANSWERED)
			assert_true(is_poisoned(&got, sizeof got));
	}
}

static void test_pretty_keeps_what_it_does_not_know(void **state)
{
	(void)state;
	const char line[] = "{\"v\":1,\"ok\":true,\"sources\":[],\"x\":1}\n";
	const char tracking[] =
		"{\"v\":1,\"ok\":true,\"tracking\":{\"refid\":1,\"name\":\"\xc2\x9b\",\"stratum\":1,"
		"\"ref_time_unix_ns\":9007199254740993,\"system_offset_ns\":0,\"last_offset_ns\":0,"
		"\"rms_offset_ns\":0,\"frequency_ppm\":0.1,\"residual_ppm\":0,\"skew_ppm\":0,"
		"\"root_delay_ns\":0,\"root_dispersion_ns\":0,\"update_interval_ns\":0,"
		"\"leap\":\"normal\",\"later\":[true]}}\n";
	struct control_error error;
	char *text = NULL;

	assert_int_equal(control_pretty(line, strlen(line), CONTROL_SOURCES, &text, &error),
	                 CONTROL_ANSWERED);
	assert_string_equal(text, "[]\n");
	free(text);
	assert_int_equal(
		control_pretty(tracking, strlen(tracking), CONTROL_TRACKING, &text, &error),
		CONTROL_ANSWERED);
	assert_non_null(strstr(text, "  \"ref_time_unix_ns\": 9007199254740993,\n"));
	assert_non_null(strstr(text, "\"frequency_ppm\": 0.1,"));
	assert_non_null(strstr(text, "\"\\u009B\"")); /* a terminal would obey the raw character */
	assert_non_null(strstr(text, "\"later\": ["));
	free(text);

	text = NULL;
	assert_int_equal(control_pretty("[]", 2, CONTROL_SOURCES, &text, &error), CONTROL_GARBAGE);
	assert_null(text);
}

static void test_request_does_not_overflow_its_buffer(void **state)
{
	(void)state;
	const struct control_request request = { .command = CONTROL_SOURCESTATS };
	const char want[] = "{\"v\":1,\"cmd\":\"sourcestats\"}\n";
	char to[64];

	poison(to, sizeof to);
	assert_int_equal(control_encode_request(&request, to, sizeof want - 1), -ENOBUFS);
	assert_true(is_poisoned(to, sizeof to));
	assert_int_equal(control_encode_request(&request, to, sizeof want), 0);
	assert_string_equal(to, want);
	assert_true(is_poisoned(to + sizeof want, sizeof to - sizeof want));
}

static void test_names(void **state)
{
	(void)state;
	enum control_command command = CONTROL_COMMANDS;

	control_prepare();
	assert_false(control_command_find("reboot", &command));
	assert_int_equal(command, CONTROL_COMMANDS);
	for (unsigned i = 0; i < CONTROL_COMMANDS; i++) {
		assert_true(control_command_find(control_command_name((enum control_command)i),
		                                 &command));
		assert_int_equal(command, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_requests),
		cmocka_unit_test(test_arguments_come_as_they_were_sent),
		cmocka_unit_test(test_bad_requests_are_refused_untouched),
		cmocka_unit_test(test_limits_of_length_and_depth),
		cmocka_unit_test(test_every_prefix_of_a_request_is_refused),
		cmocka_unit_test(test_an_error_carries_the_id),
		cmocka_unit_test(test_the_daemons_own_refusal),
		cmocka_unit_test(test_replies_bent_in_one_place),
		cmocka_unit_test(test_pretty_keeps_what_it_does_not_know),
		cmocka_unit_test(test_request_does_not_overflow_its_buffer),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
