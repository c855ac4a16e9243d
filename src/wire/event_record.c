/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/event_record.h"

#include <stdbool.h>
#include <string.h>

/* Where each member lies. */
enum {
	AT_MAGIC = 0,
	AT_NUMBER = 8,
	AT_BOOT = 16,
	AT_END = 32,
	AT_EVIDENCE = 36,
	AT_NOTICED = 40,
	AT_REPAIRED = 48,
	AT_SIZE = 56,
	AT_BLIND = 64,
	AT_DISRUPTED = 72,
	AT_CAUSE = 80,
	AT_SOURCE = AT_CAUSE + EVENT_CAUSE_MAX,
	AT_SPARE = AT_SOURCE + EVENT_SOURCE_MAX,
	AT_CHECKSUM = EVENT_RECORD_SIZE - 4,
};
_Static_assert((int)AT_SPARE <= (int)AT_CHECKSUM, "a record holds all of it");

/* The last character is the version. */
static const uint8_t MAGIC[8] = { 'v', 'm', 't', 'e', 'v', 'e', 'n', '1' };

/* CRC-32 as in ISO 3309, bit by bit: a table would cost more than it saves. */
static uint32_t checksum(const uint8_t *bytes, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static void put(uint8_t *to, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *from, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)from[i] << 8 * i;
	return value;
}

static int64_t get_ns(const uint8_t *from)
{
	return (int64_t)get(from, 8);
}

/* Readers put these into terminals and JSON. */
static uint8_t printable(uint8_t c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\' ? c : '?';
}

static void put_text(uint8_t *to, const char *text, size_t size)
{
	const size_t n = strnlen(text, size - 1);

	memset(to, 0, size);
	for (size_t i = 0; i < n; i++)
		to[i] = printable((uint8_t)text[i]);
}

static void get_text(const uint8_t *from, char *to, size_t size)
{
	memset(to, 0, size);
	for (size_t i = 0; i < size - 1 && from[i]; i++)
		to[i] = (char)printable(from[i]);
}

void event_record_encode(const struct event_record *record, uint8_t ret[EVENT_RECORD_SIZE])
{
	memset(ret, 0, EVENT_RECORD_SIZE);
	memcpy(ret + AT_MAGIC, MAGIC, sizeof MAGIC);
	put(ret + AT_NUMBER, record->number, 8);
	memcpy(ret + AT_BOOT, record->boot, EVENT_BOOT_SIZE);
	put(ret + AT_END, (uint64_t)record->end, 1);
	put(ret + AT_EVIDENCE, record->evidence, 4);
	put(ret + AT_NOTICED, (uint64_t)record->noticed_at.ns, 8);
	put(ret + AT_REPAIRED, (uint64_t)record->repaired_at.ns, 8);
	put(ret + AT_SIZE, (uint64_t)record->size.ns, 8);
	put(ret + AT_BLIND, (uint64_t)record->blind_for.ns, 8);
	put(ret + AT_DISRUPTED, (uint64_t)record->disrupted_for.ns, 8);
	put_text(ret + AT_CAUSE, record->cause, EVENT_CAUSE_MAX);
	put_text(ret + AT_SOURCE, record->source, EVENT_SOURCE_MAX);
	put(ret + AT_CHECKSUM, checksum(ret, AT_CHECKSUM), 4);
}

static bool is_empty(const uint8_t bytes[EVENT_RECORD_SIZE])
{
	for (size_t i = 0; i < EVENT_RECORD_SIZE; i++)
		if (bytes[i])
			return false;
	return true;
}

static bool is_sound(const uint8_t bytes[EVENT_RECORD_SIZE])
{
	const uint64_t number = get(bytes + AT_NUMBER, 8);

	return memcmp(bytes + AT_MAGIC, MAGIC, sizeof MAGIC) == 0 &&
	       get(bytes + AT_CHECKSUM, 4) == checksum(bytes, AT_CHECKSUM) &&
	       number > 0 && number <= EVENT_NUMBER_MAX && bytes[AT_END] < EVENT_ENDS;
}

enum event_record_outcome event_record_decode(const uint8_t bytes[EVENT_RECORD_SIZE],
                                              struct event_record *ret)
{
	if (is_empty(bytes))
		return EVENT_RECORD_EMPTY;
	if (!is_sound(bytes))
		return EVENT_RECORD_DAMAGED;
	*ret = (struct event_record){
		.number = get(bytes + AT_NUMBER, 8),
		.end = (enum event_end)bytes[AT_END],
		.evidence = (uint32_t)get(bytes + AT_EVIDENCE, 4),
		.noticed_at = { get_ns(bytes + AT_NOTICED) },
		.repaired_at = { get_ns(bytes + AT_REPAIRED) },
		.size = { get_ns(bytes + AT_SIZE) },
		.blind_for = { get_ns(bytes + AT_BLIND) },
		.disrupted_for = { get_ns(bytes + AT_DISRUPTED) },
	};
	memcpy(ret->boot, bytes + AT_BOOT, EVENT_BOOT_SIZE);
	get_text(bytes + AT_CAUSE, ret->cause, EVENT_CAUSE_MAX);
	get_text(bytes + AT_SOURCE, ret->source, EVENT_SOURCE_MAX);
	return EVENT_RECORD_READ;
}
