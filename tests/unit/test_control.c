/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_control.c - the control protocol, there and back, and what it refuses
 *
 * VMTIME_SEED=N repeats a random run.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* --- Random reports --- */

static uint64_t the_random;

static uint64_t next_random(void)
{
	/* xorshift64*: any seed but 0 will do. */
	the_random ^= the_random >> 12;
	the_random ^= the_random << 25;
	the_random ^= the_random >> 27;
	return the_random * UINT64_C(2685821657736338717);
}

/* Small, large and extreme ones. */
static int64_t random_ns(void)
{
	switch (next_random() % 8) {
	case 0: return 0;
	case 1: return INT64_MIN;
	case 2: return INT64_MAX;
	case 3: return (int64_t)(next_random() % 2000) - 1000;
	case 4: return INT64_C(9007199254740993) + (int64_t)(next_random() % 2); /* no double */
	default: return (int64_t)next_random() >> next_random() % 63;
	}
}

static double random_ppm(void)
{
	switch (next_random() % 6) {
	case 0: return 0;
	case 1: return (double)NAN;
	case 2: return 1e300;
	default:
		return (double)(int64_t)next_random() / 0x1p63 *
		       pow(10, (double)(next_random() % 8));
	}
}

/* Characters of one to four bytes, quotes, control characters; valid UTF-8. */
static void random_text(char *to, size_t size)
{
	static const char *const pieces[] = { "a",
		                              "Z",
		                              " ",
		                              "\"",
		                              "\\",
		                              "/",
		                              "\x01",
		                              "\x7f",
		                              "\n",
		                              "\x1b",
		                              "\xc3\xa4",
		                              "\xe2\x82\xac",
		                              "\xf0\x9f\x95\x92" };
	size_t used = 0, want = next_random() % (size + 1);

	memset(to, 0, size);
	while (used < want) {
		const char *piece = pieces[next_random() % COUNT(pieces)];

		if (used + strlen(piece) >= size)
			break;
		memcpy(to + used, piece, strlen(piece));
		used += strlen(piece);
	}
}

#define RANDOM_TEXT(member) random_text(member, sizeof(member))
#define RANDOM_NS(member)   ((member).ns = random_ns())

static void random_tracking(struct report_tracking *t)
{
	t->refid = (uint32_t)next_random();
	RANDOM_TEXT(t->name);
	t->stratum = (int)next_random();
	RANDOM_NS(t->ref_time);
	RANDOM_NS(t->system_offset);
	RANDOM_NS(t->last_offset);
	RANDOM_NS(t->rms_offset);
	t->frequency_ppm = random_ppm();
	t->residual_ppm = random_ppm();
	t->skew_ppm = random_ppm();
	RANDOM_NS(t->root_delay);
	RANDOM_NS(t->root_dispersion);
	RANDOM_NS(t->update_interval);
	t->leap = (enum report_leap)(next_random() % 4);
}

static void random_source(struct report_source *s)
{
	RANDOM_TEXT(s->name);
	RANDOM_TEXT(s->device);
	RANDOM_TEXT(s->clock_name);
	RANDOM_TEXT(s->method);
	RANDOM_TEXT(s->trouble);
	s->refid = (uint32_t)next_random();
	s->stratum = (int)next_random();
	s->poll = (int)next_random();
	RANDOM_NS(s->reading_interval);
	s->selection = (enum report_selection)(next_random() % 6);
	s->is_host = next_random() & 1;
	s->reach = (unsigned)next_random();
	s->has_sample = next_random() & 1;
	if (s->has_sample) {
		RANDOM_NS(s->since_sample);
		RANDOM_NS(s->adjusted_offset);
		RANDOM_NS(s->measured_offset);
		RANDOM_NS(s->error);
		RANDOM_NS(s->bracket);
	}
	s->readings = next_random() >> 1;
	s->failures = next_random() >> 1;
	s->outliers = next_random() >> 1;
}

static void random_statistics(struct report_source *s)
{
	s->samples = (unsigned)next_random();
	s->runs = (unsigned)next_random();
	RANDOM_NS(s->span);
	s->frequency_ppm = random_ppm();
	s->frequency_skew_ppm = random_ppm();
	RANDOM_NS(s->estimated_offset);
	RANDOM_NS(s->standard_deviation);
}

static void random_event(struct report_event *e)
{
	e->is_there = next_random() & 1;
	if (!e->is_there)
		return;
	RANDOM_TEXT(e->cause);
	RANDOM_NS(e->at);
	RANDOM_NS(e->size);
	e->is_repaired = next_random() & 1;
	RANDOM_NS(e->noticed_after);
	RANDOM_NS(e->repaired_after);
}

static void random_daemon(struct report_status *r)
{
	r->state = (enum report_state)(next_random() % 5);
	RANDOM_TEXT(r->reason);
	RANDOM_TEXT(r->version);
	r->pid = (int)next_random();
	RANDOM_NS(r->uptime);
	RANDOM_TEXT(r->user);
	r->is_observing = next_random() & 1;
	RANDOM_TEXT(r->configuration);
	RANDOM_TEXT(r->clocksource);
	r->has_bound = next_random() & 1;
	if (r->has_bound)
		RANDOM_NS(r->bound);
	r->has_host_error = next_random() & 1;
	if (r->has_host_error)
		RANDOM_NS(r->host_error);
	r->has_state_age = next_random() & 1;
	if (r->has_state_age)
		RANDOM_NS(r->state_age);
	r->is_kernel_synchronized = next_random() & 1;
	RANDOM_TEXT(r->owner);
	r->steps = next_random() >> 1;
	r->jumps = next_random() >> 1;
}

/* Only what @command carries. */
static void random_report(enum control_command command, struct report_status *r)
{
	memset(r, 0, sizeof *r);
	if (command == CONTROL_STATUS) {
		random_daemon(r);
		random_event(&r->last_event);
	}
	if (command == CONTROL_STATUS || command == CONTROL_TRACKING)
		random_tracking(&r->tracking);
	if (command == CONTROL_TRACKING)
		return;
	r->sources.n = (unsigned)(next_random() % (REPORT_SOURCES_MAX + 1));
	for (unsigned i = 0; i < r->sources.n; i++)
		if (command != CONTROL_SOURCESTATS) {
			random_source(&r->sources.sources[i]);
		} else {
			RANDOM_TEXT(r->sources.sources[i].name);
			r->sources.sources[i].refid = (uint32_t)next_random();
			random_statistics(&r->sources.sources[i]);
		}
}

/* Doubles pass as 15 digits; everything else must be equal to the last bit. */
static void assert_and_level_double(double want, double *got)
{
	if (isnan(want))
		assert_true(isnan(*got));
	else
		assert_true(fabs(want - *got) <= fabs(want) * 1e-14);
	*got = want;
}

static void level_doubles(const struct report_status *want, struct report_status *got)
{
	assert_and_level_double(want->tracking.frequency_ppm, &got->tracking.frequency_ppm);
	assert_and_level_double(want->tracking.residual_ppm, &got->tracking.residual_ppm);
	assert_and_level_double(want->tracking.skew_ppm, &got->tracking.skew_ppm);
	for (unsigned i = 0; i < REPORT_SOURCES_MAX; i++) {
		assert_and_level_double(want->sources.sources[i].frequency_ppm,
		                        &got->sources.sources[i].frequency_ppm);
		assert_and_level_double(want->sources.sources[i].frequency_skew_ppm,
		                        &got->sources.sources[i].frequency_skew_ppm);
	}
}

static void assert_round_trip(enum control_command command)
{
	const struct control_request request = { .command = command };
	/* Static: zero padding that stays zero, so that memcmp compares members alone. */
	static struct report_status want, got;
	struct control_error error;
	char *line;
	size_t length;

	random_report(command, &want);
	memset(&got, 0, sizeof got);
	assert_int_equal(control_encode_reply(&request, &want, &line, &length), 0);
	assert_true(length <= CONTROL_REPLY_MAX);
	assert_ptr_equal(memchr(line, '\n', length), line + length - 1);
	if (control_decode_reply(line, length, command, &got, &error) != CONTROL_ANSWERED)
		fail_msg("%s: %s", line, error.text);
	level_doubles(&want, &got);
	if (memcmp(&want, &got, sizeof want) != 0)
		fail_msg("not the same again: %s", line);
	free(line);
}

static void test_reports_come_back_as_they_went(void **state)
{
	(void)state;
	const char *given = getenv("VMTIME_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	print_message("VMTIME_SEED=%" PRIu64 "\n", seed);
	the_random = seed * 2 + 1;
	for (int i = 0; i < 20; i++)
		next_random();
	for (unsigned i = 0; i < 2000; i++)
		assert_round_trip((enum control_command)(i % CONTROL_COMMANDS));
}

static void test_a_truncated_or_bent_reply_is_garbage_and_touches_nothing(void **state)
{
	(void)state;
	static struct report_status report, got;
	const struct control_request request = { .command = CONTROL_STATUS };
	struct control_error error;
	char *line;
	size_t length;

	the_random = 42;
	random_report(CONTROL_STATUS, &report);
	assert_int_equal(control_encode_reply(&request, &report, &line, &length), 0);
	for (size_t n = 0; n < length - 1; n += 1 + n / 50) {
		poison(&got, sizeof got);
		assert_int_equal(control_decode_reply(line, n, CONTROL_STATUS, &got, &error),
		                 CONTROL_GARBAGE);
		assert_true(is_poisoned(&got, sizeof got));
	}
	assert_int_equal(control_decode_reply(line, length, CONTROL_TRACKING, &got, &error),
	                 CONTROL_GARBAGE);
	assert_true(is_poisoned(&got, sizeof got));
	free(line);
}

/* Whatever a report holds can be sent. */
static void test_bytes_that_are_not_text_become_question_marks(void **state)
{
	(void)state;
	static struct report_status report, got;
	const struct control_request request = { .command = CONTROL_STATUS };
	struct control_error error;
	char *line;
	size_t length;

	strcpy(report.clocksource, "a\xff\xc3.\xed\xa0\x80\xf0\x9f\x95");
	memset(report.reason, 'x', sizeof report.reason); /* no terminator */
	report.steps = UINT64_MAX;
	report.tracking.frequency_ppm = (double)INFINITY;
	assert_int_equal(control_encode_reply(&request, &report, &line, &length), 0);
	assert_int_equal(control_decode_reply(line, length, CONTROL_STATUS, &got, &error),
	                 CONTROL_ANSWERED);
	assert_string_equal(got.clocksource, "a\?\?.\?\?\?\?\?\?");
	assert_int_equal(strlen(got.reason), sizeof got.reason - 1);
	assert_true(got.steps == INT64_MAX);
	assert_true(isnan(got.tracking.frequency_ppm));
	free(line);
}

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
		cmocka_unit_test(test_bad_requests_are_refused_untouched),
		cmocka_unit_test(test_limits_of_length_and_depth),
		cmocka_unit_test(test_every_prefix_of_a_request_is_refused),
		cmocka_unit_test(test_an_error_carries_the_id),
		cmocka_unit_test(test_the_daemons_own_refusal),
		cmocka_unit_test(test_reports_come_back_as_they_went),
		cmocka_unit_test(test_a_truncated_or_bent_reply_is_garbage_and_touches_nothing),
		cmocka_unit_test(test_bytes_that_are_not_text_become_question_marks),
		cmocka_unit_test(test_replies_bent_in_one_place),
		cmocka_unit_test(test_pretty_keeps_what_it_does_not_know),
		cmocka_unit_test(test_request_does_not_overflow_its_buffer),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
