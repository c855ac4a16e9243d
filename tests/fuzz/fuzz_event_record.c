/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_event_record.c - a record of an event from arbitrary bytes
 *
 * What is understood must come back the same from its own bytes.  A fuzzer does
 * not guess checksums, so the bytes are tried with their own and with a good one.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/event_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int is_true)
{
	if (!is_true)
		abort();
}

/* Written anew, with the shortest possible code: another one than event_record.c's. */
static void correct_checksum(uint8_t bytes[EVENT_RECORD_SIZE])
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < 8 * (EVENT_RECORD_SIZE - 4); i++) {
		uint32_t bit = bytes[i / 8] >> i % 8 & 1;

		crc = (crc ^ bit) & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	for (unsigned i = 0; i < 4; i++)
		bytes[EVENT_RECORD_SIZE - 4 + i] = (uint8_t)(~crc >> 8 * i);
}

static void try(const uint8_t bytes[EVENT_RECORD_SIZE])
{
	uint8_t again[EVENT_RECORD_SIZE];
	struct event_record record, back;

	memset(&record, 0, sizeof record);
	memset(&back, 0, sizeof back);
	if (event_record_decode(bytes, &record) != EVENT_RECORD_READ)
		return;
	require(record.number > 0 && record.end < EVENT_ENDS);
	require(strlen(record.cause) < sizeof record.cause);
	require(strlen(record.source) < sizeof record.source);
	event_record_encode(&record, again);
	require(event_record_decode(again, &back) == EVENT_RECORD_READ);
	require(back.number == record.number && back.size.ns == record.size.ns);
	require(strcmp(back.cause, record.cause) == 0 && strcmp(back.source, record.source) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[EVENT_RECORD_SIZE] = { 0 };

	memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
	try(bytes);
	memcpy(bytes, "vmteven1", 8);
	correct_checksum(bytes);
	try(bytes);
	return 0;
}
