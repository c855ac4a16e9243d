/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_FIELDS_H
#define PROTO_FIELDS_H

/*
 * fields.h - one table that turns a struct into a JSON object and back
 *
 * Each row says which key a member has, what it holds and where it lies.  The
 * encoder and the decoder read the same row, so they cannot disagree.
 *
 * Encoding never fails for what a member holds: bytes that are not UTF-8 become
 * '?', numbers that are not finite become null.  Decoding is strict in types and
 * ranges, wants every row's key (but those of absent things), and does not mind
 * keys that no row has, nor words of a set that it does not know.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum field_kind {
	FIELD_TEXT,     /* char[size], terminated                         */
	FIELD_NS,       /* vt_span, vt_real: nanoseconds in an int64_t    */
	FIELD_LENGTH,   /* vt_span, never negative                        */
	FIELD_DOUBLE,   /* double; null is NaN                            */
	FIELD_INT,      /* int                                            */
	FIELD_UNSIGNED, /* unsigned, uint32_t                             */
	FIELD_COUNT,    /* uint64_t; saturates at INT64_MAX               */
	FIELD_BOOL,     /* bool                                           */
	FIELD_WORD,     /* an enum of @size values, spelled as in @words  */
	FIELD_SET,      /* an unsigned of @size bits, an array of @words  */
	FIELD_GROUP,    /* an object of its own, by @group, at @offset    */
};

struct field {
	const char *key; /* NULL: the table ends here */
	enum field_kind kind;
	size_t offset;
	size_t size;
	const char *const *words;
	const struct field *group;
	bool is_optional; /* then the bool at @presence says whether it is there */
	size_t presence;
};

/* clang-format off */
#define FIELD(name, what, type, member) \
	{ .key = (name), .kind = (what), .offset = offsetof(type, member), \
	  .size = sizeof(((type *)0)->member) }
#define FIELD_OF_WORDS(name, type, member, list) \
	{ .key = (name), .kind = FIELD_WORD, .offset = offsetof(type, member), \
	  .size = COUNT(list), .words = (list) }
#define FIELD_OF_BITS(name, type, member, list) \
	{ .key = (name), .kind = FIELD_SET, .offset = offsetof(type, member), \
	  .size = COUNT(list), .words = (list) }
#define FIELD_IF(name, what, type, member, has) \
	{ .key = (name), .kind = (what), .offset = offsetof(type, member), \
	  .size = sizeof(((type *)0)->member), \
	  .is_optional = true, .presence = offsetof(type, has) }
#define FIELD_GROUP_IF(name, type, table, has) \
	{ .key = (name), .kind = FIELD_GROUP, .group = (table), \
	  .is_optional = true, .presence = offsetof(type, has) }
#define FIELD_OBJECT(name, type, member, table) \
	{ .key = (name), .kind = FIELD_GROUP, .offset = offsetof(type, member), .group = (table) }
#define FIELD_OBJECT_IF(name, type, member, table, has) \
	{ .key = (name), .kind = FIELD_GROUP, .offset = offsetof(type, member), .group = (table), \
	  .is_optional = true, .presence = offsetof(type, has) }
#define FIELDS_END { .key = NULL }
/* clang-format on */

/* A new object of the struct at @base, or NULL: out of memory. */
json_t *fields_encode(const struct field *table, const void *base);

/*
 * Reads @object into the struct at @base.  0, or -EINVAL with one sentence in @reterr_text, and
 * then some members may have been written: decode into a copy.
 */
int fields_decode(const struct field *table, const json_t *object, void *base, char *reterr_text,
                  size_t text_size) must_check;

/* Whether a row of @table has the key @key. */
bool fields_have(const struct field *table, const char *key);

/* A JSON string of @text, at most @size bytes of it; what is not UTF-8 becomes '?'. */
json_t *fields_text(const char *text, size_t size);

/* Copies UTF-8 text, cut between two characters where it does not fit. */
void fields_copy_text(const char *text, size_t length, char *to, size_t size);

#endif
