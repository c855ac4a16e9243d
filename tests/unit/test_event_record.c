/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_event_record.c - what is kept of an event comes back, or is seen to be damaged
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "wire/event_record.h"

static const struct event_record JUMP = {
	.number = 18,
	.boot = { 0x3f, 0x1c, 0x0a, 0x52, 0x7a, 0x0e, 0x4e, 0x0b,
	          0x9a, 0x52, 0x0d, 0x3c, 0x5a, 0x1b, 0x7e, 0x11 },
	.end = EVENT_END_STEPPED,
	.evidence = 0x4081,
	.noticed_at = { INT64_C(1795445692930431556) },
	.repaired_at = { INT64_C(1795445703120045012) },
	.size = { -INT64_C(10002113456) },
	.blind_for = { 1000000000 },
	.disrupted_for = { 187500000 },
	.cause = "jump, cause unknown",
	.source = "PHC0",
};

/* By Python's struct and zlib: the beginning, and the checksum of all. */
static const char VECTOR[] =
	"766d746576656e31" "1200000000000000" "3f1c0a527a0e4e0b9a520d3c5a1b7e11" "01000000" "81400000"
	"449a9f5458b4ea18" "d4c3f8b35ab4ea18" "50dcd3abfdffffff" "00ca9a3b00000000" "e0052d0b00000000"
	"6a756d702c20636175736520756e6b6e6f776e00";
static const uint8_t VECTOR_CHECKSUM[4] = { 0x39, 0x67, 0xc4, 0xdc };

static unsigned hex(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

static void assert_same(const struct event_record *a, const struct event_record *b)
{
	assert_true(a->number == b->number && a->end == b->end && a->evidence == b->evidence);
	assert_memory_equal(a->boot, b->boot, sizeof a->boot);
	assert_true(a->noticed_at.ns == b->noticed_at.ns && a->repaired_at.ns == b->repaired_at.ns);
	assert_true(a->size.ns == b->size.ns && a->blind_for.ns == b->blind_for.ns);
	assert_true(a->disrupted_for.ns == b->disrupted_for.ns);
	assert_string_equal(a->cause, b->cause);
	assert_string_equal(a->source, b->source);
}

static void test_what_is_written_comes_back(void **state)
{
	(void)state;
	uint8_t bytes[EVENT_RECORD_SIZE];
	struct event_record back;
	struct event_record extreme = JUMP;

	event_record_encode(&JUMP, bytes);
	assert_int_equal(event_record_decode(bytes, &back), EVENT_RECORD_READ);
	assert_same(&back, &JUMP);

	extreme.number = EVENT_NUMBER_MAX;
	extreme.size.ns = INT64_MIN;
	extreme.blind_for.ns = INT64_MAX;
	extreme.evidence = UINT32_MAX;
	extreme.end = EVENT_END_UNFINISHED;
	memset(extreme.cause, 'c', sizeof extreme.cause - 1);
	event_record_encode(&extreme, bytes);
	assert_int_equal(event_record_decode(bytes, &back), EVENT_RECORD_READ);
	assert_same(&back, &extreme);
}

/* The layout is a file's: it must not change unnoticed. */
static void test_the_vector(void **state)
{
	(void)state;
	uint8_t bytes[EVENT_RECORD_SIZE], want[(sizeof VECTOR - 1) / 2];

	for (size_t i = 0; i < sizeof want; i++)
		want[i] = (uint8_t)(hex(VECTOR[2 * i]) << 4 | hex(VECTOR[2 * i + 1]));
	event_record_encode(&JUMP, bytes);
	assert_memory_equal(bytes, want, sizeof want);
	assert_string_equal((const char *)bytes + 144, "PHC0");
	for (size_t i = 176; i < 252; i++)
		assert_int_equal(bytes[i], 0);
	assert_memory_equal(bytes + 252, VECTOR_CHECKSUM, 4);
}

static void test_every_bit_counts(void **state)
{
	(void)state;
	uint8_t bytes[EVENT_RECORD_SIZE];
	struct event_record back = { .number = 7 };

	event_record_encode(&JUMP, bytes);
	for (size_t i = 0; i < 8 * sizeof bytes; i++) {
		bytes[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(event_record_decode(bytes, &back), EVENT_RECORD_DAMAGED);
		assert_int_equal(back.number, 7);
		bytes[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

/* A record that is torn holds the first bytes of the new one and the rest of the old. */
static void test_a_torn_record_is_damaged(void **state)
{
	(void)state;
	uint8_t old[EVENT_RECORD_SIZE], new[EVENT_RECORD_SIZE], torn[EVENT_RECORD_SIZE];
	struct event_record later = JUMP, back;
	unsigned n_torn = 0;

	later.number += 256;
	later.size.ns = 1;
	later.source[0] = 'X';
	event_record_encode(&JUMP, old);
	event_record_encode(&later, new);
	for (size_t n = 1; n < sizeof torn; n++) {
		bool is_torn;

		memcpy(torn, old, sizeof torn);
		memcpy(torn, new, n);
		is_torn = memcmp(torn, new, sizeof torn) != 0 && memcmp(torn, old, sizeof torn) != 0;
		assert_int_equal(event_record_decode(torn, &back),
		                 is_torn ? EVENT_RECORD_DAMAGED : EVENT_RECORD_READ);
		n_torn += is_torn;
	}
	assert_true(n_torn > 200);
}

static void test_nothing_and_nonsense(void **state)
{
	(void)state;
	uint8_t bytes[EVENT_RECORD_SIZE] = { 0 };
	struct event_record record = JUMP, back;

	assert_int_equal(event_record_decode(bytes, &back), EVENT_RECORD_EMPTY);
	memset(bytes, 0xff, sizeof bytes);
	assert_int_equal(event_record_decode(bytes, &back), EVENT_RECORD_DAMAGED);
	record.number = 0;
	event_record_encode(&record, bytes);
	assert_int_equal(event_record_decode(bytes, &back), EVENT_RECORD_DAMAGED);
	record.number = EVENT_NUMBER_MAX + 1;
	event_record_encode(&record, bytes);
	assert_int_equal(event_record_decode(bytes, &back), EVENT_RECORD_DAMAGED);
	record.number = 1;
	record.end = EVENT_ENDS;
	event_record_encode(&record, bytes);
	assert_int_equal(event_record_decode(bytes, &back), EVENT_RECORD_DAMAGED);
}

static void test_texts_are_safe_to_print(void **state)
{
	(void)state;
	uint8_t bytes[EVENT_RECORD_SIZE];
	struct event_record record = JUMP, back;

	memcpy(record.cause, "a\x1b[2J\"\\\xff", 9);
	memset(record.source, 's', sizeof record.source); /* no terminator */
	event_record_encode(&record, bytes);
	assert_int_equal(event_record_decode(bytes, &back), EVENT_RECORD_READ);
	assert_string_equal(back.cause, "a?[2J???");
	assert_int_equal(strlen(back.source), EVENT_SOURCE_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_comes_back),
		cmocka_unit_test(test_the_vector),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_a_torn_record_is_damaged),
		cmocka_unit_test(test_nothing_and_nonsense),
		cmocka_unit_test(test_texts_are_safe_to_print),
	};

	return cmocka_run_group_tests_name("event_record", tests, NULL, NULL);
}
