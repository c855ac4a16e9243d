/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CANDM_TABLE_H
#define WIRE_CANDM_TABLE_H

/*
 * candm_table.h - the layout of each request and reply as a table of fields
 *
 * Private to candm.c and its tests.  The fields of a form follow each other on
 * the wire without gaps, so their offsets there are the sums of their widths.
 */

#include <stddef.h>
#include <stdint.h>

enum candm_field_kind {
	CANDM_FIELD_END = 0,
	CANDM_FIELD_U8,      /* u8 and i8 alike: bits are copied */
	CANDM_FIELD_U16,
	CANDM_FIELD_U32,
	CANDM_FIELD_U64,
	CANDM_FIELD_U64_SHORT, /* u64 here, u32 on the wire, saturating */
	CANDM_FIELD_FLOAT,
	CANDM_FIELD_TIME,
	CANDM_FIELD_ADDRESS,
	CANDM_FIELD_NAME,
	CANDM_FIELD_ONES, /* on the wire only: words of 4 bytes */
	CANDM_FIELD_ZERO_BYTE,
};

struct candm_field {
	uint8_t kind;
	uint8_t count;   /* of equal fields in a row */
	uint16_t offset; /* of the first, in the data as a value */
};

struct candm_command_row {
	const struct candm_field *fields; /* NULL: no data */
	uint16_t length; /* of the shortest request that any chronyc sends; 0: no such command */
	uint8_t code;    /* of the reply; of the oldest form where there are several */
};

struct candm_reply_row {
	const struct candm_field *fields;
	uint16_t length; /* 0: no such reply */
};

/* NULL for what is no command, or no code. */
const struct candm_command_row *candm_command_row(unsigned command);
const struct candm_reply_row *candm_reply_row(unsigned code);

/* How many bytes one field of this kind takes on the wire, and here. */
size_t candm_field_width(unsigned kind);
size_t candm_field_size(unsigned kind);

#endif
