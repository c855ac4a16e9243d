/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_candm_forms.c - each form of the command protocol: its layout, and that nothing is lost
 *
 * The layouts are checked against docs/protocol/candm.md, whose tables give each field's offset
 * and type.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "rng.h"
#include "wire/candm.h"
#include "wire/candm_table.h"

static size_t width_of(const struct candm_field *fields)
{
	size_t width = 0;

	for (const struct candm_field *f = fields; f && f->kind != CANDM_FIELD_END; f++)
		width += f->count * candm_field_width(f->kind);
	return width;
}

/* The field that stands at @offset of the data; NULL: none begins there. */
static const struct candm_field *field_at(const struct candm_field *fields, size_t offset)
{
	size_t at = 0;

	for (const struct candm_field *f = fields; f && f->kind != CANDM_FIELD_END; f++)
		for (unsigned i = 0; i < f->count; i++) {
			if (at == offset)
				return f;
			at += candm_field_width(f->kind);
		}
	return NULL;
}

static void test_lengths(void **state)
{
	(void)state;
	for (unsigned command = 0; command < CANDM_COMMANDS; command++) {
		const struct candm_command_row *row = candm_command_row(command);

		if (!row)
			continue;
		/* Its own data or the reply, whichever is longer: that is what chrony's table says. */
		size_t own = CANDM_REQUEST_HEADER + width_of(row->fields);
		size_t reply = candm_reply_length(row->code);

		if (row->length != (own > reply ? own : reply))
			fail_msg("command %u: %u bytes, own %zu, reply %zu", command, row->length, own,
				 reply);
	}
	for (unsigned code = 0; code < CANDM_REPLIES; code++) {
		const struct candm_reply_row *row = candm_reply_row(code);

		if (row && row->length != CANDM_REPLY_HEADER + width_of(row->fields))
			fail_msg("reply %u: %u bytes, %zu of data", code, row->length,
				 width_of(row->fields));
	}
}

/* No two fields of a form share a byte of the data as a value. */
static void test_members_do_not_overlap(void **state)
{
	(void)state;
	static uint8_t used[4096];

	for (unsigned i = 0; i < CANDM_COMMANDS + CANDM_REPLIES; i++) {
		const struct candm_command_row *command = candm_command_row(i);
		const struct candm_reply_row *reply = candm_reply_row(i - CANDM_COMMANDS);
		const struct candm_field *fields = command ? command->fields
						   : reply ? reply->fields
							   : NULL;

		memset(used, 0, sizeof used);
		for (const struct candm_field *f = fields; f && f->kind != CANDM_FIELD_END; f++)
			for (size_t k = 0; k < f->count * candm_field_size(f->kind); k++) {
				assert_true(f->offset + k < sizeof used);
				if (used[f->offset + k]++)
					fail_msg("form %u: byte %zu twice", i, f->offset + k);
			}
	}
}

static void fill(struct rng *rng, uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)rng_next(rng);
}

/* Any content decodes; what was understood comes back the same, and so do its bytes. */
static void test_replies_come_back(void **state)
{
	struct rng rng;

	(void)state;
	rng_start(&rng);
	for (int i = 0; i < 20000; i++)
		for (unsigned code = 0; code < CANDM_REPLIES; code++) {
			size_t n = candm_reply_length(code), k = 0;
			uint8_t first[CANDM_REPLY_MAX], second[CANDM_REPLY_MAX], third[CANDM_REPLY_MAX];
			struct candm_reply one, two;

			if (!n)
				continue;
			fill(&rng, first, n);
			memcpy(first, "\6\2\0\0\0\x21\0", 7);
			first[7] = (uint8_t)code;
			memcpy(first + 16, "\1\2\3\4", 4);
			/* Half of the names end, and half of the numbers are extreme. */
			if (rng_next(&rng) % 2)
				first[n - 1] = 0;
			for (k = CANDM_REPLY_HEADER; k + 4 <= n && rng_next(&rng) % 2; k += 4)
				memset(first + k, rng_next(&rng) % 2 ? 0xff : 0, 4);

			assert_int_equal(candm_decode_reply(first, n, 0x21, 0x01020304, &one), CANDM_ANSWERED);
			assert_int_equal(candm_encode_reply(&one, second), n);
			assert_int_equal(candm_decode_reply(second, n, 0x21, 0x01020304, &two),
					 CANDM_ANSWERED);
			if (memcmp(&one, &two, sizeof one) != 0)
				fail_msg("reply %u is changed by a trip there and back", code);
			assert_int_equal(candm_encode_reply(&two, third), n);
			assert_memory_equal(second, third, n);
		}
}

static void test_requests_come_back(void **state)
{
	struct rng rng;

	(void)state;
	rng_start(&rng);
	for (int i = 0; i < 5000; i++)
		for (unsigned command = 0; command < CANDM_COMMANDS; command++) {
			uint8_t first[CANDM_REQUEST_ANY], second[CANDM_REQUEST_ANY];
			struct candm_request one, two;
			enum candm_status status;

			if (!candm_request_length(command))
				continue;
			fill(&rng, first, sizeof first);
			memcpy(first, "\6\1\0\0\0", 5);
			first[5] = (uint8_t)command;
			assert_int_equal(candm_decode_request(first, sizeof first, &one, &status),
					 CANDM_ARRIVED);
			assert_int_equal(candm_encode_request(&one, second), sizeof second);
			assert_int_equal(candm_decode_request(second, sizeof second, &two, &status),
					 CANDM_ARRIVED);
			if (memcmp(&one, &two, sizeof one) != 0)
				fail_msg("command %u is changed by a trip there and back", command);
		}
}

/* Every field counts: where one byte of the data differs, so does what is understood. */
static void test_no_field_is_lost(void **state)
{
	(void)state;
	for (unsigned code = 0; code < CANDM_REPLIES; code++) {
		const struct candm_reply_row *row = candm_reply_row(code);
		uint8_t p[CANDM_REPLY_MAX] = { 6, 2, 0, 0, 0, 33, 0, (uint8_t)code };
		struct candm_reply one, two;

		for (size_t at = CANDM_REPLY_HEADER; row && at < row->length; at++) {
			const struct candm_field *f = field_at(row->fields, at - CANDM_REPLY_HEADER);

			if (!f || candm_field_size(f->kind) == 0)
				continue;
			memset(p + CANDM_REPLY_HEADER, 0, sizeof p - CANDM_REPLY_HEADER);
			(void)candm_decode_reply(p, row->length, 33, 0, &one);
			/* Of an address the family, of an instant the low seconds, else the last byte. */
			p[at + (f->kind == CANDM_FIELD_ADDRESS ? 17u
				: f->kind == CANDM_FIELD_TIME  ? 7u
				: f->kind == CANDM_FIELD_NAME  ? 0u
							       : candm_field_width(f->kind) - 1)] = 1;
			(void)candm_decode_reply(p, row->length, 33, 0, &two);
			if (memcmp(&one, &two, sizeof one) == 0)
				fail_msg("reply %u: byte %zu is lost", code, at);
		}
	}
}

/* --- The document --- */

static const char *document_path;

static const struct {
	const char *name;
	unsigned kind;
} TYPES[] = {
	{ "u8", CANDM_FIELD_U8 },           { "i8", CANDM_FIELD_U8 },
	{ "u16", CANDM_FIELD_U16 },         { "i16", CANDM_FIELD_U16 },
	{ "u32", CANDM_FIELD_U32 },         { "i32", CANDM_FIELD_U32 },
	{ "u64", CANDM_FIELD_U64 },         { "float", CANDM_FIELD_FLOAT },
	{ "time", CANDM_FIELD_TIME },       { "address", CANDM_FIELD_ADDRESS },
	{ "text256", CANDM_FIELD_NAME },    { "u32", CANDM_FIELD_U64_SHORT },
	{ "reserved", CANDM_FIELD_ONES },   { "reserved", CANDM_FIELD_ZERO_BYTE },
};

static bool is_type(const char *name, unsigned kind)
{
	for (size_t i = 0; i < COUNT(TYPES); i++)
		if (strcmp(TYPES[i].name, name) == 0 && TYPES[i].kind == kind)
			return true;
	return false;
}

/* What a section of the document is about. */
struct section {
	bool is_there, is_reply;
	unsigned number;
	const struct candm_field *fields;
	size_t begin, next; /* of the fields: the first one's offset, and where the next must be */
};

static void end_section(const struct section *s)
{
	size_t length = s->is_reply ? candm_reply_length(s->number) : s->next;

	if (s->is_there && s->next - s->begin != width_of(s->fields))
		fail_msg("%s %u: the document ends at byte %zu", s->is_reply ? "reply" : "request",
			 s->number, s->next);
	if (s->is_there && s->next != length)
		fail_msg("reply %u: %zu bytes", s->number, length);
}

/* "### Reply 5: TRACKING, 104 bytes" or "### Request 3: BURST, 68 bytes" */
static struct section begin_section(const char *line)
{
	struct section s = { 0 };
	unsigned number, length;

	if (sscanf(line, "### Reply %u: %*[A-Z0-9_], %u bytes", &number, &length) == 2) {
		s = (struct section){ true, true, number, candm_reply_row(number)->fields,
				      CANDM_REPLY_HEADER, CANDM_REPLY_HEADER };
		assert_int_equal(length, candm_reply_length(number));
	} else if (sscanf(line, "### Request %u: %*[A-Z0-9_], %u bytes", &number, &length) == 2) {
		s = (struct section){ true, false, number, candm_command_row(number)->fields,
				      CANDM_REQUEST_HEADER, CANDM_REQUEST_HEADER };
		assert_int_equal(length, candm_request_length(number));
	}
	return s;
}

/* "| 28 | u32 | ... |"; a repeated part is written out once, "| 32+24i | time | ... |". */
static void read_row(struct section *s, const char *line)
{
	unsigned offset, step, n = 1;
	char type[16];
	const struct candm_field *f;

	if (sscanf(line, "| %u | %15[a-z0-9] |", &offset, type) == 2)
		step = 0;
	else if (sscanf(line, "| %u+%ui, i < %u | %15[a-z0-9] |", &offset, &step, &n, type) != 4)
		return;
	for (unsigned i = 0; i < n; i++) {
		f = field_at(s->fields, offset + i * step - s->begin);
		if (!f || !is_type(type, f->kind))
			fail_msg("%s %u: no %s at %u", s->is_reply ? "reply" : "request", s->number,
				 type, offset + i * step);
		s->next += candm_field_width(f->kind);
	}
}

static void test_document(void **state)
{
	(void)state;
	char line[512];
	bool has_reply[CANDM_REPLIES] = { false };
	bool has_request[CANDM_COMMANDS] = { false };
	struct section section = { 0 };
	FILE *file = fopen(document_path, "re");

	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		unsigned number, length;

		if (line[0] == '#') {
			end_section(&section);
			section = begin_section(line);
			if (section.is_there)
				(section.is_reply ? has_reply : has_request)[section.number] = true;
		} else if (section.is_there) {
			read_row(&section, line);
		} else if (sscanf(line, "| %u | `%*[A-Z0-9_]` | %u |", &number, &length) == 2) {
			/* The list of all requests. */
			assert_true(number < CANDM_COMMANDS);
			assert_int_equal(length, candm_request_length(number));
			has_request[number] = true;
		}
	}
	end_section(&section);
	fclose(file);
	for (unsigned i = 0; i < CANDM_REPLIES; i++)
		if (candm_reply_length(i) > CANDM_REPLY_HEADER && !has_reply[i])
			fail_msg("reply %u is not in the document", i);
	for (unsigned i = 0; i < CANDM_COMMANDS; i++)
		if (candm_request_length(i) && !has_request[i])
			fail_msg("request %u is not in the document", i);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_members_do_not_overlap),
		cmocka_unit_test(test_replies_come_back),
		cmocka_unit_test(test_requests_come_back),
		cmocka_unit_test(test_no_field_is_lost),
		cmocka_unit_test(test_document),
	};

	document_path = argc > 1 ? argv[1] : "docs/protocol/candm.md";
	return cmocka_run_group_tests_name("candm_forms", tests, NULL, NULL);
}
