/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_control_doc.c - the document of the control protocol tells the truth
 *
 *     test_control_doc docs/protocol/control.md
 *
 * Every example in it is decoded and encoded again, and every key that can be
 * sent is explained in it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doc_examples.h"
#include "proto/control.h"

static char the_document[65536];

static void check_request_example(const char *example)
{
	struct control_request request;
	struct control_error error;
	char again[CONTROL_REQUEST_MAX];

	if (control_decode_request(example, strlen(example), &request, &error))
		fail_msg("%s: %s", example, error.text);
	assert_int_equal(control_encode_request(&request, again, sizeof again), 0);
	assert_string_equal(again, example);
}

static void check_refusal_example(struct slice request_line, const char *example)
{
	struct control_request request;
	struct control_error error;
	char *again;
	size_t length;

	assert_int_equal(control_decode_request(request_line.p, request_line.n, &request, &error),
	                 -EINVAL);
	assert_int_equal(control_encode_error(&error, &again, &length), 0);
	assert_string_equal(again, example);
	free(again);
}

/* The id of a reply is the request's; there is none to decode it from but the example. */
static struct control_id id_of_example(const char *example)
{
	struct control_id id = { .kind = CONTROL_ID_NONE };

	if (sscanf(example, "{\"v\":1,\"id\":%" SCNd64, &id.number) == 1)
		id.kind = CONTROL_ID_NUMBER;
	else if (sscanf(example, "{\"v\":1,\"id\":\"%64[^\"]", id.text) == 1)
		id.kind = CONTROL_ID_TEXT;
	return id;
}

static void check_reply_example(struct slice name, const char *example)
{
	struct control_request request = { .id = id_of_example(example) };
	static union report report;
	struct control_error error;
	char word[32], *again;
	size_t length;

	memset(&report, 0, sizeof report);
	assert_true(slice_copy(name, word, sizeof word));
	assert_true(control_command_find(word, &request.command));
	if (control_decode_reply(example, strlen(example), request.command, &report, &error) !=
	    CONTROL_ANSWERED)
		fail_msg("%s: %s", example, error.text);
	assert_int_equal(control_encode_reply(&request, &report, &again, &length), 0);
	assert_string_equal(again, example);
	free(again);
}

static void test_the_documents_examples_are_what_the_code_does(void **state)
{
	(void)state;
	struct slice rest = slice_of(the_document);
	unsigned requests = 0, refusals = 0, replies = 0;
	static struct doc_example example;

	while (doc_next(&rest, &example)) {
		if (slice_equals(example.kind, "request"))
			requests++, check_request_example(example.text);
		else if (slice_equals(example.kind, "refusal"))
			refusals++, check_refusal_example(example.rest, example.text);
		else if (slice_equals(example.kind, "reply"))
			replies++, check_reply_example(example.rest, example.text);
		else
			fail_msg("a block of unknown kind: %.*s", (int)example.kind.n, example.kind.p);
	}
	assert_true(requests >= 2 && refusals >= 3 && replies >= 5);
}

static void assert_named(const char *word)
{
	char quoted[80];

	snprintf(quoted, sizeof quoted, "`%s`", word);
	if (!strstr(the_document, quoted))
		fail_msg("control.md does not name %s", quoted);
}

/* Every key and word that can be sent stands in the document, in backquotes. */
static void test_the_document_names_every_key(void **state)
{
	(void)state;
	static union report reports[CONTROL_COMMANDS];
	unsigned seen = 0;

	for (unsigned command = CONTROL_STATUS; command <= CONTROL_TRACKING; command++)
		reports[command].status = (struct report_status){
			.has_bound = true,
			.has_host_error = true,
			.has_host_quality = true,
			.host_quality.has_root_distance = true,
			.channel.is_there = true,
			.senses.is_there = true,
			.has_state_age = true,
			.last_event.is_there = true,
			.sources = { .n = 1, .sources[0].has_sample = true },
		};
	reports[CONTROL_EVENTS].events = (struct report_events){
		.n = 1,
		.events[0] = { .is_there = true, .evidence = (1u << REPORT_EVIDENCE_BITS) - 1 },
	};
	reports[CONTROL_FOLLOW].notice = (struct report_notice){
		.has_bound = true,
		.event.is_there = true,
	};

	for (unsigned command = 0; command < CONTROL_COMMANDS; command++) {
		const struct control_request request = { .command = (enum control_command)command };
		char *line;
		size_t length;

		assert_int_equal(control_encode_reply(&request, &reports[command], &line, &length), 0);
		for (const char *at = line; (at = strstr(at, "\":")) != NULL; at += 2) {
			const char *start = at;
			char quoted[80];

			while (start[-1] != '"')
				start--;
			snprintf(quoted, sizeof quoted, "`%.*s`", (int)(at - start), start);
			if (!strstr(the_document, quoted) && strcmp(quoted, "`sourcestats`") != 0)
				fail_msg("control.md does not name %s", quoted);
			seen++;
		}
		free(line);
	}
	assert_true(seen > 90);
	for (unsigned i = 0; i < REPORT_EVIDENCE_BITS; i++)
		assert_named(report_evidence_name(i));
	for (unsigned i = 0; i < REPORT_ENDS; i++)
		assert_named(report_end_name((enum report_end)i));
	for (unsigned i = 0; i < REPORT_HAPPENINGS; i++)
		assert_named(report_happening_name((enum report_happening)i));
	for (unsigned code = 0; code < CONTROL_CODES; code++) {
		char quoted[40];

		snprintf(quoted, sizeof quoted, "| `%s` |",
		         control_code_name((enum control_code)code));
		if (!strstr(the_document, quoted))
			fail_msg("control.md does not name the code %s", quoted);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_documents_examples_are_what_the_code_does),
		cmocka_unit_test(test_the_document_names_every_key),
	};

	if (argc != 2 || !doc_read(argv[1], the_document, sizeof the_document)) {
		fprintf(stderr, "usage: test_control_doc CONTROL.MD (a file of less than 64 KB)\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
