/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/candm.h"

#include <string.h>

#include "wire/candm_table.h"

#define TYPE_REQUEST 1
#define TYPE_REPLY   2

/* Who speaks an older version than this would not understand that we refuse it. */
#define OLDEST_ANSWERED 5

/* Where things stand in both headers, and in one of them. */
enum {
	AT_VERSION = 0,
	AT_TYPE = 1,
	AT_RESERVED = 2, /* and the byte behind it */
	AT_COMMAND = 4,
	REQUEST_ATTEMPT = 6,
	REQUEST_SEQUENCE = 8,
	REPLY_CODE = 6,
	REPLY_STATUS = 8,
	REPLY_SEQUENCE = 16,
};

static uint64_t get_u64(const uint8_t *at)
{
	return (uint64_t)candm_get_u32(at) << 32 | candm_get_u32(at + 4);
}

static void put_u64(uint8_t *at, uint64_t value)
{
	candm_put_u32(at, (uint32_t)(value >> 32));
	candm_put_u32(at + 4, (uint32_t)value);
}

/* A text fills its field; one that is not terminated on the wire is none. */
static void get_name(char *to, const uint8_t *from)
{
	memset(to, 0, CANDM_NAME_SIZE);
	if (from[CANDM_NAME_SIZE - 1] == 0)
		memcpy(to, from, strlen((const char *)from));
}

static void put_name(uint8_t *to, const char *from)
{
	memset(to, 0, CANDM_NAME_SIZE);
	memcpy(to, from, strnlen(from, CANDM_NAME_SIZE - 1));
}

/* Members are copied byte by byte, so that the table need not know their alignment. */
static void get_field(unsigned kind, const uint8_t *from, char *to)
{
	switch ((enum candm_field_kind)kind) {
	case CANDM_FIELD_U8: memcpy(to, from, 1); return;
	case CANDM_FIELD_U16: memcpy(to, &(uint16_t){ candm_get_u16(from) }, 2); return;
	case CANDM_FIELD_U32: memcpy(to, &(uint32_t){ candm_get_u32(from) }, 4); return;
	case CANDM_FIELD_U64: memcpy(to, &(uint64_t){ get_u64(from) }, 8); return;
	case CANDM_FIELD_U64_SHORT: memcpy(to, &(uint64_t){ candm_get_u32(from) }, 8); return;
	case CANDM_FIELD_FLOAT:
		memcpy(to, &(double){ candm_float_decode(candm_get_u32(from)) }, sizeof(double));
		return;
	case CANDM_FIELD_TIME:
		memcpy(to, &(vt_real){ candm_time_decode(from).ns }, sizeof(vt_real));
		return;
	case CANDM_FIELD_ADDRESS: {
		struct candm_address address = candm_address_decode(from);

		memcpy(to, &address, sizeof address);
		return;
	}
	case CANDM_FIELD_NAME: get_name(to, from); return;
	case CANDM_FIELD_END:
	case CANDM_FIELD_ONES:
	case CANDM_FIELD_ZERO_BYTE: return;
	}
}

static void put_number(unsigned kind, const char *from, uint8_t *to)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	if (kind == CANDM_FIELD_U16) {
		memcpy(&u16, from, sizeof u16);
		candm_put_u16(to, u16);
	} else if (kind == CANDM_FIELD_U32) {
		memcpy(&u32, from, sizeof u32);
		candm_put_u32(to, u32);
	} else {
		memcpy(&u64, from, sizeof u64);
		if (kind == CANDM_FIELD_U64)
			put_u64(to, u64);
		else
			candm_put_u32(to, u64 < UINT32_MAX ? (uint32_t)u64 : UINT32_MAX);
	}
}

static void put_field(unsigned kind, const char *from, uint8_t *to)
{
	double value;
	vt_real at;
	struct candm_address address;

	switch ((enum candm_field_kind)kind) {
	case CANDM_FIELD_U8: memcpy(to, from, 1); return;
	case CANDM_FIELD_U16:
	case CANDM_FIELD_U32:
	case CANDM_FIELD_U64:
	case CANDM_FIELD_U64_SHORT: put_number(kind, from, to); return;
	case CANDM_FIELD_FLOAT:
		memcpy(&value, from, sizeof value);
		candm_put_u32(to, candm_float_encode(value));
		return;
	case CANDM_FIELD_TIME:
		memcpy(&at, from, sizeof at);
		candm_time_encode(at, to);
		return;
	case CANDM_FIELD_ADDRESS:
		memcpy(&address, from, sizeof address);
		candm_address_encode(&address, to);
		return;
	case CANDM_FIELD_NAME: put_name(to, from); return;
	case CANDM_FIELD_ONES: memset(to, 0xff, 4); return;
	case CANDM_FIELD_ZERO_BYTE: *to = 0; return;
	case CANDM_FIELD_END: return;
	}
}

static void get_data(const struct candm_field *fields, const uint8_t *from, void *data)
{
	for (const struct candm_field *f = fields; f && f->kind != CANDM_FIELD_END; f++)
		for (unsigned i = 0; i < f->count; i++) {
			get_field(f->kind, from, (char *)data + f->offset + i * candm_field_size(f->kind));
			from += candm_field_width(f->kind);
		}
}

static void put_data(const struct candm_field *fields, const void *data, uint8_t *to)
{
	for (const struct candm_field *f = fields; f && f->kind != CANDM_FIELD_END; f++)
		for (unsigned i = 0; i < f->count; i++) {
			put_field(f->kind,
				  (const char *)data + f->offset + i * candm_field_size(f->kind), to);
			to += candm_field_width(f->kind);
		}
}

size_t candm_request_length(unsigned command)
{
	const struct candm_command_row *row = candm_command_row(command);

	return row ? row->length : 0;
}

size_t candm_reply_length(unsigned code)
{
	const struct candm_reply_row *row = candm_reply_row(code);

	return row ? row->length : 0;
}

enum candm_reply_code candm_reply_form(unsigned command, size_t length)
{
	static const uint8_t forms[][2] = {
		/* newer before older */
		{ CANDM_SERVER_STATS, CANDM_REPLY_SERVER_STATS4 },
		{ CANDM_SERVER_STATS, CANDM_REPLY_SERVER_STATS3 },
		{ CANDM_NTP_DATA, CANDM_REPLY_NTP_DATA2 },
	};
	const struct candm_command_row *row = candm_command_row(command);

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (command == forms[i][0] && length >= candm_reply_length(forms[i][1]))
			return (enum candm_reply_code)forms[i][1];
	return row ? (enum candm_reply_code)row->code : CANDM_REPLY_NULL;
}

enum candm_arrival candm_decode_request(const uint8_t *packet, size_t n, struct candm_request *ret,
					enum candm_status *ret_status)
{
	const struct candm_command_row *row;

	if (n < CANDM_REPLY_HEADER || n > CANDM_REQUEST_MAX || packet[AT_TYPE] != TYPE_REQUEST ||
	    packet[AT_RESERVED] != 0 || packet[AT_RESERVED + 1] != 0 ||
	    packet[AT_VERSION] < OLDEST_ANSWERED)
		return CANDM_DROPPED;

	memset(ret, 0, sizeof *ret);
	ret->command = candm_get_u16(packet + AT_COMMAND);
	ret->attempt = candm_get_u16(packet + REQUEST_ATTEMPT);
	ret->sequence = candm_get_u32(packet + REQUEST_SEQUENCE);
	ret->length = n;
	row = candm_command_row(ret->command);

	if (packet[AT_VERSION] != CANDM_VERSION)
		*ret_status = CANDM_BAD_VERSION;
	else if (!row)
		*ret_status = CANDM_INVALID;
	else if (n < row->length)
		*ret_status = CANDM_BAD_LENGTH;
	else {
		get_data(row->fields, packet + CANDM_REQUEST_HEADER, &ret->data);
		return CANDM_ARRIVED;
	}
	return CANDM_REFUSED;
}

size_t candm_encode_request(const struct candm_request *request, uint8_t to[CANDM_REQUEST_ANY])
{
	const struct candm_command_row *row = candm_command_row(request->command);

	if (!row)
		return 0;
	memset(to, 0, CANDM_REQUEST_ANY);
	to[AT_VERSION] = CANDM_VERSION;
	to[AT_TYPE] = TYPE_REQUEST;
	candm_put_u16(to + AT_COMMAND, request->command);
	candm_put_u16(to + REQUEST_ATTEMPT, request->attempt);
	candm_put_u32(to + REQUEST_SEQUENCE, request->sequence);
	put_data(row->fields, &request->data, to + CANDM_REQUEST_HEADER);
	return CANDM_REQUEST_ANY;
}

size_t candm_encode_reply(const struct candm_reply *reply, uint8_t to[CANDM_REPLY_MAX])
{
	const struct candm_reply_row *row = candm_reply_row(reply->code);

	if (!row)
		return 0;
	memset(to, 0, CANDM_REPLY_HEADER);
	to[AT_VERSION] = CANDM_VERSION;
	to[AT_TYPE] = TYPE_REPLY;
	candm_put_u16(to + AT_COMMAND, reply->command);
	candm_put_u16(to + REPLY_CODE, reply->code);
	candm_put_u16(to + REPLY_STATUS, reply->status);
	candm_put_u32(to + REPLY_SEQUENCE, reply->sequence);
	put_data(row->fields, &reply->data, to + CANDM_REPLY_HEADER);
	return row->length;
}

enum candm_answer candm_decode_reply(const uint8_t *packet, size_t n, uint16_t command,
				     uint32_t sequence, struct candm_reply *ret)
{
	const struct candm_reply_row *row;

	if (n < CANDM_REPLY_HEADER || packet[AT_VERSION] != CANDM_VERSION ||
	    packet[AT_TYPE] != TYPE_REPLY || packet[AT_RESERVED] != 0 ||
	    packet[AT_RESERVED + 1] != 0 || candm_get_u16(packet + AT_COMMAND) != command ||
	    candm_get_u32(packet + REPLY_SEQUENCE) != sequence)
		return CANDM_FOREIGN;

	row = candm_reply_row(candm_get_u16(packet + REPLY_CODE));
	if (!row || n < row->length)
		return CANDM_BROKEN;
	memset(ret, 0, sizeof *ret);
	ret->command = command;
	ret->sequence = sequence;
	ret->code = candm_get_u16(packet + REPLY_CODE);
	ret->status = candm_get_u16(packet + REPLY_STATUS);
	get_data(row->fields, packet + CANDM_REPLY_HEADER, &ret->data);
	return CANDM_ANSWERED;
}
