/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_fleet_control.c - vmtime-hostd's control protocol, there and back
 *
 *     test_fleet_control docs/protocol/hostd.md
 *
 * Every request in the document is understood, every reply comes out of the code as it stands
 * there, and every key and word that can be said is explained.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "doc_examples.h"
#include "proto/fleet_control.h"
#include "proto/host_reason.h"

static char the_document[65536];

/* Room for what any command is answered. */
union any_report {
	struct fleet_page page;
	struct fleet_host host;
	struct fleet_synced synced;
};

static void free_report(enum fleet_command command, union any_report *report)
{
	if (command == FLEET_COMMAND_GUESTS)
		free(report->page.report.guests);
}

/* --- The document --- */

static void check_request(const char *example)
{
	struct fleet_request request;
	struct control_error error;

	if (fleet_control_decode(example, strlen(example), &request, &error))
		fail_msg("%s: %s", example, error.text);
}

static void check_refusal(struct slice request_line, const char *example)
{
	struct fleet_request request;
	struct control_error error;
	char *again;
	size_t length;

	memset(&request, 0x5a, sizeof request);
	assert_int_equal(fleet_control_decode(request_line.p, request_line.n, &request, &error), -EINVAL);
	assert_int_equal(request.n_names, 0x5a5a5a5a); /* output untouched on refusal */
	assert_int_equal(control_encode_error(&error, &again, &length), 0);
	assert_string_equal(again, example);
	free(again);
}

static struct control_id id_of(const char *example)
{
	json_t *root = json_loads(example, 0, NULL), *id = json_object_get(root, "id");
	struct control_id ret = { .kind = CONTROL_ID_NONE };

	if (json_is_integer(id))
		ret = (struct control_id){ .kind = CONTROL_ID_NUMBER, .number = json_integer_value(id) };
	if (json_is_string(id)) {
		ret.kind = CONTROL_ID_TEXT;
		snprintf(ret.text, sizeof ret.text, "%s", json_string_value(id));
	}
	json_decref(root);
	return ret;
}

/* What the client reads out of it makes the daemon write the same. */
static void check_reply(struct slice name, const char *example)
{
	static union any_report report;
	struct fleet_request request = { .command = FLEET_COMMANDS, .id = id_of(example) };
	struct control_error error;
	char *again;
	size_t length;

	for (unsigned i = 0; i < FLEET_COMMANDS; i++)
		if (slice_equals(name, fleet_command_name((enum fleet_command)i)))
			request.command = (enum fleet_command)i;
	assert_true(request.command < FLEET_COMMANDS);
	if (fleet_control_read(example, strlen(example), request.command, &report, &error) !=
	    CONTROL_ANSWERED)
		fail_msg("%s: %s", example, error.text);
	assert_int_equal(fleet_control_encode(&request, &report, &again, &length), 0);
	assert_string_equal(again, example);
	assert_int_equal(length, strlen(example));
	free(again);
	free_report(request.command, &report);
}

static void test_the_documents_examples_are_what_the_code_does(void **state)
{
	(void)state;
	struct slice rest = slice_of(the_document);
	static struct doc_example example;
	unsigned requests = 0, refusals = 0, replies = 0;

	while (doc_next(&rest, &example)) {
		if (slice_equals(example.kind, "request"))
			requests++, check_request(example.text);
		else if (slice_equals(example.kind, "refusal"))
			refusals++, check_refusal(example.rest, example.text);
		else if (slice_equals(example.kind, "reply"))
			replies++, check_reply(example.rest, example.text);
		else
			fail_msg("a block of unknown kind: %.*s", (int)example.kind.n, example.kind.p);
	}
	assert_true(requests >= 5 && refusals >= 3 && replies >= 3);
}

static void check_named(const char *word)
{
	char quoted[80];

	snprintf(quoted, sizeof quoted, "`%s`", word);
	if (*word && !strstr(the_document, quoted))
		fail_msg("hostd.md does not name %s", quoted);
}

/* Each key of @value, and of all that is in it. */
static void check_keys_named(const json_t *value)
{
	const char *key;
	json_t *part;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)value, key, part)
	{
		check_named(key);
		check_keys_named(part);
	}
	json_array_foreach(value, i, part) check_keys_named(part);
}

static struct fleet_guest full_guest(const char *name)
{
	struct fleet_guest g = {
		.backend = "qemu",
		.state = FLEET_VERIFIED,
		.has_offset = true,
		.offset = VT_MS(-3),
		.uncertainty = VT_US(20),
		.last = { .is_there = true, .has_stopped = true, .has_lost = true, .has_took = true },
	};

	snprintf(g.name, sizeof g.name, "%s", name);
	return g;
}

static void test_the_document_names_every_key_and_word(void **state)
{
	(void)state;
	static union any_report report;
	struct fleet_guest guest = full_guest("a");

	for (unsigned i = 0; i < FLEET_COMMANDS; i++) {
		const struct fleet_request request = { .command = (enum fleet_command)i };
		json_t *root;
		char *line;
		size_t length;

		memset(&report, 0, sizeof report);
		if (i == FLEET_COMMAND_GUESTS) {
			report.page.report.guests = &guest;
			report.page.report.n = 1;
			report.page.has_next = true;
		} else if (i == FLEET_COMMAND_HOST) {
			report.host.quality.has_root_distance = true;
		} else {
			report.synced.n = 1;
			report.synced.list[0].has_offset = true;
		}
		assert_int_equal(fleet_control_encode(&request, &report, &line, &length), 0);
		root = json_loads(line, 0, NULL);
		check_keys_named(root);
		json_decref(root);
		free(line);
	}
	for (unsigned i = 0; i < FLEET_STATES; i++)
		check_named(fleet_state_name((enum fleet_state)i));
	for (unsigned i = 0; i < FLEET_AGENTS; i++)
		check_named(fleet_agent_name((enum fleet_agent)i));
	for (unsigned i = 0; i < FLEET_ENDS; i++)
		check_named(fleet_end_name((enum fleet_end)i));
	for (unsigned i = 0; i < HOST_REASONS; i++)
		check_named(host_reason_name((enum host_reason)i));
}

/* --- Requests --- */

static void test_requests_come_back_as_they_were(void **state)
{
	(void)state;
	struct fleet_request requests[] = {
		{ .command = FLEET_COMMAND_GUESTS },
		{ .command = FLEET_COMMAND_GUESTS, .has_after = true, .after = { "a\"b", "qemu" } },
		{ .command = FLEET_COMMAND_HOST, .id = { .kind = CONTROL_ID_NUMBER, .number = -7 } },
		{ .command = FLEET_COMMAND_SYNC, .has_all = true, .is_all = true,
		  .timeout = FLEET_SYNC_TIMEOUT },
		{ .command = FLEET_COMMAND_SYNC, .n_names = 2, .names = { "x", "y\xc3\xa4" },
		  .has_timeout = true, .timeout = VT_MS(1500) },
	};

	for (size_t i = 0; i < COUNT(requests); i++) {
		struct fleet_request again;
		struct control_error error;
		char line[CONTROL_REQUEST_MAX], tiny[8] = "tiny";

		assert_int_equal(fleet_control_request(&requests[i], line, sizeof line), 0);
		assert_int_equal(fleet_control_request(&requests[i], tiny, sizeof tiny), -ENOBUFS);
		assert_string_equal(tiny, "tiny");
		if (fleet_control_decode(line, strlen(line), &again, &error))
			fail_msg("%s: %s", line, error.text);
		assert_memory_equal(&again, &requests[i], sizeof again);
	}
}

static void test_what_is_wrong_is_refused(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *line;
		enum control_code code;
	} cases[] = {
		{ "",                                                         CONTROL_MALFORMED },
		{ "[]",                                                       CONTROL_MALFORMED },
		{ "{\"v\":1}",                                                CONTROL_BAD_VALUE },
		{ "{\"v\":2,\"cmd\":\"guests\"}",                             CONTROL_BAD_VERSION },
		{ "{\"v\":1,\"cmd\":\"guests\",\"all\":true}",                CONTROL_UNKNOWN_KEY },
		{ "{\"v\":1,\"cmd\":\"guests\",\"after\":\"a\"}",             CONTROL_BAD_VALUE },
		{ "{\"v\":1,\"cmd\":\"guests\",\"after\":{\"name\":\"a\"}}",  CONTROL_BAD_VALUE },
		{ "{\"v\":1,\"cmd\":\"host\",\"guests\":[]}",                 CONTROL_UNKNOWN_KEY },
		{ "{\"v\":1,\"cmd\":\"sync\",\"guests\":[]}",                 CONTROL_BAD_VALUE },
		{ "{\"v\":1,\"cmd\":\"sync\",\"guests\":\"a\"}",              CONTROL_BAD_VALUE },
		{ "{\"v\":1,\"cmd\":\"sync\",\"guests\":[1]}",                CONTROL_BAD_VALUE },
		{ "{\"v\":1,\"cmd\":\"sync\",\"guests\":[\"\"]}",             CONTROL_BAD_VALUE },
		{ "{\"v\":1,\"cmd\":\"sync\",\"all\":false}",                 CONTROL_BAD_VALUE },
		{ "{\"v\":1,\"cmd\":\"sync\",\"all\":1}",                     CONTROL_BAD_VALUE },
		{ "{\"v\":1,\"cmd\":\"sync\",\"all\":true,\"timeout_ns\":-1}", CONTROL_BAD_VALUE },
		{ "{\"v\":1,\"cmd\":\"sync\",\"all\":true,\"timeout_ns\":3600000000001}", CONTROL_BAD_VALUE },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fleet_request request = { .n_names = 77 };
		struct control_error error = { .code = CONTROL_INTERNAL };

		if (fleet_control_decode(cases[i].line, strlen(cases[i].line), &request, &error) == 0)
			fail_msg("accepted: %s", cases[i].line);
		if (error.code != cases[i].code)
			fail_msg("%s: %s", cases[i].line, error.text);
		assert_int_equal(request.n_names, 77);
	}
}

static void test_too_many_and_too_long_names_are_refused(void **state)
{
	(void)state;
	struct fleet_request request = { .command = FLEET_COMMAND_SYNC, .n_names = 1 }, again;
	struct control_error error;
	char line[CONTROL_REQUEST_MAX], name[200], longer[512];

	memset(request.names[0], 'n', FLEET_NAME_MAX - 1);
	assert_int_equal(fleet_control_request(&request, line, sizeof line), 0);
	assert_int_equal(fleet_control_decode(line, strlen(line), &again, &error), 0);
	assert_string_equal(again.names[0], request.names[0]);

	/* One byte more would be another guest's name when it is cut. */
	memset(name, 'n', FLEET_NAME_MAX);
	name[FLEET_NAME_MAX] = '\0';
	snprintf(longer, sizeof longer, "{\"v\":1,\"cmd\":\"sync\",\"guests\":[\"%s\"]}", name);
	assert_int_equal(fleet_control_decode(longer, strlen(longer), &again, &error), -EINVAL);

	strcpy(longer, "{\"v\":1,\"cmd\":\"sync\",\"guests\":[\"a\"");
	for (unsigned i = 1; i < FLEET_NAMES_MAX; i++)
		strcat(longer, ",\"a\"");
	strcat(longer, "]}");
	assert_int_equal(fleet_control_decode(longer, strlen(longer), &again, &error), 0);
	assert_int_equal(again.n_names, FLEET_NAMES_MAX);
	strcpy(longer + strlen(longer) - 2, ",\"a\"]}");
	assert_int_equal(fleet_control_decode(longer, strlen(longer), &again, &error), -EINVAL);
}

/* --- Pages --- */

static struct fleet_report many_guests(unsigned n)
{
	struct fleet_report all = { .n = n, .guests = calloc(n, sizeof *all.guests) };
	char name[32];

	assert_non_null(all.guests);
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof name, "guest-%05u", i / 2);
		all.guests[i] = full_guest(name);
		snprintf(all.guests[i].backend, sizeof all.guests[i].backend, "%s",
		         i % 2 ? "qemu" : "libvirt");
	}
	return all;
}

static void test_pages_hold_every_guest_once(void **state)
{
	(void)state;
	static const unsigned sizes[] = { 0, 1, FLEET_PAGE_MAX, FLEET_PAGE_MAX + 1,
					  3 * FLEET_PAGE_MAX, 1000, FLEET_GUESTS_MAX };

	for (size_t s = 0; s < COUNT(sizes); s++) {
		struct fleet_report all = many_guests(sizes[s] ? sizes[s] : 1);
		struct fleet_page page = { .has_next = false };
		unsigned seen = 0;

		all.n = sizes[s];
		do {
			struct fleet_cursor after = page.next;

			fleet_page_cut(&all, seen ? &after : NULL, &page);
			assert_true(page.report.n <= FLEET_PAGE_MAX);
			assert_int_equal(page.total, all.n);
			for (unsigned i = 0; i < page.report.n; i++, seen++)
				assert_ptr_equal(&page.report.guests[i], &all.guests[seen]);
		} while (page.has_next);
		assert_int_equal(seen, all.n);
		free(all.guests);
	}
}

/* The guest that a page ended with goes, and one comes in front: the others are told all the same. */
static void test_a_page_goes_on_where_guests_went(void **state)
{
	(void)state;
	struct fleet_report all = many_guests(300), fewer = all;
	struct fleet_page first, second;

	fleet_page_cut(&all, NULL, &first);
	fewer.guests = all.guests + FLEET_PAGE_MAX; /* all of the first page went */
	fewer.n -= FLEET_PAGE_MAX;
	fleet_page_cut(&fewer, &first.next, &second);
	assert_ptr_equal(second.report.guests, all.guests + FLEET_PAGE_MAX);
	free(all.guests);
}

/* A page of guests whose every text is as long as it can be fits into a reply. */
static void test_the_longest_page_fits(void **state)
{
	(void)state;
	const struct fleet_request request = { .command = FLEET_COMMAND_GUESTS };
	struct fleet_report all = many_guests(FLEET_PAGE_MAX);
	struct fleet_page page, again = { .total = 0 };
	struct control_error error;
	char *line;
	size_t length;

	for (unsigned i = 0; i < all.n; i++) {
		struct fleet_guest *g = &all.guests[i];

		memset(g->name, '"', sizeof g->name - 1);
		memset(g->uuid, '0', sizeof g->uuid - 1);
		memset(g->note, '"', sizeof g->note - 1);
		memset(g->agent_version, '"', sizeof g->agent_version - 1);
		memset(g->vmtimed_state, 'x', sizeof g->vmtimed_state - 1);
		g->offset = g->uncertainty = g->offset_age = VT_NS(INT64_MAX);
		g->last.stopped = g->last.lost = g->last.took = VT_NS(INT64_MIN);
		g->last.at = (vt_real){ INT64_MAX };
		g->disruptions = g->sets = g->nudges = g->failures = INT64_MAX;
	}
	all.host.n_alerts = FLEET_ALERTS_MAX;
	for (unsigned i = 0; i < FLEET_ALERTS_MAX; i++)
		memset(all.host.alerts[i], '"', sizeof all.host.alerts[i] - 1);
	fleet_page_cut(&all, NULL, &page);
	assert_int_equal(fleet_control_encode(&request, &page, &line, &length), 0);
	assert_true(length <= CONTROL_REPLY_MAX);
	assert_int_equal(fleet_control_read(line, length, FLEET_COMMAND_GUESTS, &again, &error),
	                 CONTROL_ANSWERED);
	assert_int_equal(again.report.n, FLEET_PAGE_MAX);
	free(again.report.guests);
	free(line);
	free(all.guests);
}

static void test_replies_that_are_none_leave_the_output_alone(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"",
		"{}",
		"{\"v\":1,\"ok\":true}",
		"{\"v\":1,\"ok\":true,\"guests\":[]}",
		"{\"v\":1,\"ok\":true,\"guests\":{\"guests\":[],\"total\":0}}",
		"{\"v\":2,\"ok\":true,\"guests\":{}}",
	};

	for (size_t i = 0; i < COUNT(lines); i++) {
		struct fleet_page page = { .total = 77 };
		struct control_error error;

		assert_int_equal(fleet_control_read(lines[i], strlen(lines[i]), FLEET_COMMAND_GUESTS,
		                                    &page, &error),
		                 CONTROL_GARBAGE);
		assert_int_equal(page.total, 77);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_documents_examples_are_what_the_code_does),
		cmocka_unit_test(test_the_document_names_every_key_and_word),
		cmocka_unit_test(test_requests_come_back_as_they_were),
		cmocka_unit_test(test_what_is_wrong_is_refused),
		cmocka_unit_test(test_too_many_and_too_long_names_are_refused),
		cmocka_unit_test(test_pages_hold_every_guest_once),
		cmocka_unit_test(test_a_page_goes_on_where_guests_went),
		cmocka_unit_test(test_the_longest_page_fits),
		cmocka_unit_test(test_replies_that_are_none_leave_the_output_alone),
	};

	if (argc != 2 || !doc_read(argv[1], the_document, sizeof the_document)) {
		fprintf(stderr, "usage: test_fleet_control HOSTD.MD (a file of less than 64 KB)\n");
		return 1;
	}
	return cmocka_run_group_tests_name("fleet_control", tests, NULL, NULL);
}
