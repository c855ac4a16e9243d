/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_host_doc.c - the document of the host's channel tells the truth
 *
 *     test_host_doc docs/protocol/host.md
 *
 * Every request in it is understood, every reply and refusal is what the code
 * writes, and every word that can be said is explained.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "doc_examples.h"
#include "proto/host_channel.h"

static char the_document[65536];

static void check_request(const char *example)
{
	struct host_request request;
	struct control_error error;

	if (host_channel_decode(example, strlen(example), &request, &error))
		fail_msg("%s: %s", example, error.text);
}

static void check_refusal(struct slice request_line, const char *example)
{
	struct host_request request;
	struct control_error error;
	char *again;
	size_t length;

	assert_int_equal(host_channel_decode(request_line.p, request_line.n, &request, &error), -EINVAL);
	assert_int_equal(control_encode_error(&error, &again, &length), 0);
	assert_string_equal(again, example);
	free(again);
}

static bool take_span(json_t *data, const char *key, vt_span *ret)
{
	json_t *value = json_object_get(data, key);

	ret->ns = json_integer_value(value);
	return value != NULL;
}

static enum report_state state_named(const char *name)
{
	static const char *const NAMES[] = { "starting", "ok", "holdover", "disrupted", "contested" };

	for (unsigned i = 0; name && i < COUNT(NAMES); i++)
		if (strcmp(NAMES[i], name) == 0)
			return (enum report_state)i;
	return REPORT_STARTING;
}

/* The values are taken out of the example by the JSON library, and come back by our own code. */
static void check_reply(struct slice name, const char *example)
{
	static const char *const NAMES[] = { "nudge", "host-quality", "status" };
	struct host_request request = { .command = HOST_COMMANDS };
	struct host_reply reply = { 0 };
	json_t *root = json_loads(example, 0, NULL), *id = json_object_get(root, "id"), *data;
	char *again;
	size_t length;

	for (unsigned i = 0; i < COUNT(NAMES); i++)
		if (slice_equals(name, NAMES[i]))
			request.command = (enum host_command)i;
	assert_true(root && request.command < HOST_COMMANDS);
	data = json_object_get(root, NAMES[request.command]);
	if (json_is_integer(id))
		request.id = (struct control_id){ .kind = CONTROL_ID_NUMBER, .number = json_integer_value(id) };
	if (json_is_string(id)) {
		request.id.kind = CONTROL_ID_TEXT;
		snprintf(request.id.text, sizeof request.id.text, "%s", json_string_value(id));
	}
	reply.is_delayed = json_is_true(json_object_get(data, "is_delayed"));
	(void)take_span(data, "valid_ns", &reply.valid);
	reply.state = state_named(json_string_value(json_object_get(data, "state")));
	reply.has_offset = take_span(data, "offset_ns", &reply.offset);
	reply.has_bound = take_span(data, "bound_ns", &reply.bound);
	assert_int_equal(host_channel_encode(&request, &reply, &again, &length), 0);
	assert_string_equal(again, example);
	free(again);
	json_decref(root);
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
	assert_true(requests >= 5 && refusals >= 3 && replies >= 5);
}

static void check_named(const char *word)
{
	char quoted[80];

	snprintf(quoted, sizeof quoted, "`%s`", word);
	if (!strstr(the_document, quoted))
		fail_msg("host.md does not name %s", quoted);
}

static void test_the_document_names_every_word(void **state)
{
	(void)state;
	char number[16];

	for (unsigned i = HOST_REASON_NONE + 1; i < HOST_REASONS; i++)
		check_named(host_reason_name((enum host_reason)i));
	for (unsigned i = 0; i < HOST_COMMANDS; i++) {
		const struct host_request request = { .command = (enum host_command)i };
		const struct host_reply reply = { .has_offset = true, .has_bound = true };
		json_t *root, *value;
		const char *key;
		char *line;
		size_t length;

		assert_int_equal(host_channel_encode(&request, &reply, &line, &length), 0);
		root = json_loads(line, 0, NULL);
		json_object_foreach(root, key, value)
		{
			const char *inner;
			json_t *part;

			check_named(key);
			json_object_foreach(value, inner, part) check_named(inner);
		}
		json_decref(root);
		free(line);
	}
	snprintf(number, sizeof number, "%d bytes", HOST_CHANNEL_REQUEST_MAX);
	assert_non_null(strstr(the_document, number));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_documents_examples_are_what_the_code_does),
		cmocka_unit_test(test_the_document_names_every_word),
	};

	if (argc != 2 || !doc_read(argv[1], the_document, sizeof the_document)) {
		fprintf(stderr, "usage: test_host_doc HOST.MD (a file of less than 64 KB)\n");
		return 1;
	}
	return cmocka_run_group_tests_name("host_doc", tests, NULL, NULL);
}
