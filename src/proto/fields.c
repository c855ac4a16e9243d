/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/fields.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- UTF-8 --- */

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The bytes of the character at @p, by its first byte; 0 where none starts so. */
static size_t length_by_first_byte(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	if (c >= 0xf0 && c <= 0xf4)
		return 4;
	return 0;
}

/* The bytes of the character at @p, of which @n are left; 0 where it is not one. */
static size_t character_length(const unsigned char *p, size_t n)
{
	size_t length = length_by_first_byte(p[0]);

	if (length == 0 || length > n)
		return 0;
	for (size_t i = 1; i < length; i++)
		if (!is_continuation(p[i]))
			return 0;
	/* Overlong forms, surrogates, and what lies behind the last code point. */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

json_t *fields_text(const char *text, size_t size)
{
	const size_t n = strnlen(text, size);
	char clean[512];
	size_t used = 0;

	for (size_t i = 0; i < n;) {
		size_t length = character_length((const unsigned char *)text + i, n - i);

		if (used + (length ? length : 1) > sizeof clean)
			break;
		if (length)
			memcpy(clean + used, text + i, length);
		else
			clean[used] = '?';
		i += length ? length : 1;
		used += length ? length : 1;
	}
	return json_stringn(clean, used);
}

void fields_copy_text(const char *text, size_t length, char *to, size_t size)
{
	size_t used = 0;

	while (used < length) {
		size_t n = character_length((const unsigned char *)text + used, length - used);

		if (n == 0 || used + n >= size)
			break;
		used += n;
	}
	memcpy(to, text, used);
	memset(to + used, 0, size - used);
}

/* --- Out --- */

static json_t *encode_count(const void *at)
{
	uint64_t count;

	memcpy(&count, at, sizeof count);
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

static json_t *encode_double(const void *at)
{
	double number;

	memcpy(&number, at, sizeof number);
	return isfinite(number) ? json_real(number) : json_null();
}

static json_t *encode_int(const void *at, bool is_signed)
{
	unsigned bits;
	int number;

	memcpy(&bits, at, sizeof bits);
	memcpy(&number, at, sizeof number);
	return json_integer(is_signed ? (json_int_t)number : (json_int_t)bits);
}

static json_t *encode_word(const struct field *field, const void *at)
{
	unsigned value;

	memcpy(&value, at, sizeof value);
	/* A value outside the enum is a mistake of the program's own, never of a peer's. */
	return value < field->size ? json_string(field->words[value]) : json_null();
}

static json_t *encode_set(const struct field *field, const void *at)
{
	json_t *array = json_array();
	unsigned bits;

	memcpy(&bits, at, sizeof bits);
	for (unsigned i = 0; array && i < field->size; i++)
		if (bits & 1u << i && json_array_append_new(array, json_string(field->words[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *encode_value(const struct field *field, const void *base)
{
	const char *at = (const char *)base + field->offset;
	int64_t ns;
	bool is_true;

	switch (field->kind) {
	case FIELD_TEXT: return fields_text(at, field->size);
	case FIELD_NS:
	case FIELD_LENGTH: memcpy(&ns, at, sizeof ns); return json_integer(ns);
	case FIELD_DOUBLE: return encode_double(at);
	case FIELD_INT: return encode_int(at, true);
	case FIELD_UNSIGNED: return encode_int(at, false);
	case FIELD_COUNT: return encode_count(at);
	case FIELD_BOOL: memcpy(&is_true, at, sizeof is_true); return json_boolean(is_true);
	case FIELD_WORD: return encode_word(field, at);
	case FIELD_SET: return encode_set(field, at);
	case FIELD_GROUP: return fields_encode(field->group, at);
	}
	return NULL;
}

static bool is_present(const struct field *field, const void *base)
{
	bool has = true;

	if (field->is_optional)
		memcpy(&has, (const char *)base + field->presence, sizeof has);
	return has;
}

json_t *fields_encode(const struct field *table, const void *base)
{
	json_t *object = json_object();

	/* json_object_set_new refuses a NULL value, so one check covers both. */
	for (const struct field *field = table; object && field->key; field++)
		if (is_present(field, base) &&
		    json_object_set_new(object, field->key, encode_value(field, base)) != 0) {
			json_decref(object);
			return NULL;
		}
	return object;
}

/* --- In --- */

static bool decode_integer(const json_t *value, int64_t min, int64_t max, int64_t *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < min ||
	    json_integer_value(value) > max)
		return false;
	*ret = json_integer_value(value);
	return true;
}

static bool decode_text(const json_t *value, char *to, size_t size)
{
	if (!json_is_string(value))
		return false;
	fields_copy_text(json_string_value(value), json_string_length(value), to, size);
	return true;
}

static bool decode_double(const json_t *value, void *to)
{
	const double number = json_is_null(value) ? (double)NAN : json_number_value(value);

	if (!json_is_number(value) && !json_is_null(value))
		return false;
	memcpy(to, &number, sizeof number);
	return true;
}

static bool decode_bool(const json_t *value, void *to)
{
	const bool is_true = json_is_true(value);

	if (!json_is_boolean(value))
		return false;
	memcpy(to, &is_true, sizeof is_true);
	return true;
}

static bool decode_word(const struct field *field, const json_t *value, void *to)
{
	if (!json_is_string(value))
		return false;
	for (unsigned i = 0; i < field->size; i++)
		if (strcmp(field->words[i], json_string_value(value)) == 0) {
			memcpy(to, &i, sizeof i);
			return true;
		}
	return false;
}

/* Words that are not known here are a newer daemon's. */
static bool decode_set(const struct field *field, const json_t *array, void *to)
{
	unsigned bits = 0;

	if (!json_is_array(array))
		return false;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *word = json_string_value(json_array_get(array, i));

		if (!word)
			return false;
		for (unsigned bit = 0; bit < field->size; bit++)
			if (strcmp(field->words[bit], word) == 0)
				bits |= 1u << bit;
	}
	memcpy(to, &bits, sizeof bits);
	return true;
}

static bool decode_ns(const json_t *value, int64_t min, void *to)
{
	int64_t ns;

	if (!decode_integer(value, min, INT64_MAX, &ns))
		return false;
	memcpy(to, &ns, sizeof ns);
	return true;
}

/* All but groups. */
static bool decode_value(const struct field *field, const json_t *value, char *to)
{
	int64_t number;

	switch (field->kind) {
	case FIELD_TEXT: return decode_text(value, to, field->size);
	case FIELD_DOUBLE: return decode_double(value, to);
	case FIELD_BOOL: return decode_bool(value, to);
	case FIELD_WORD: return decode_word(field, value, to);
	case FIELD_SET: return decode_set(field, value, to);
	case FIELD_NS: return decode_ns(value, INT64_MIN, to);
	case FIELD_LENGTH: return decode_ns(value, 0, to);
	case FIELD_COUNT:
		if (!decode_integer(value, 0, INT64_MAX, &number))
			return false;
		memcpy(to, &(uint64_t){ (uint64_t)number }, sizeof(uint64_t));
		return true;
	case FIELD_INT:
		if (!decode_integer(value, INT_MIN, INT_MAX, &number))
			return false;
		memcpy(to, &(int){ (int)number }, sizeof(int));
		return true;
	case FIELD_UNSIGNED:
		if (!decode_integer(value, 0, UINT_MAX, &number))
			return false;
		memcpy(to, &(unsigned){ (unsigned)number }, sizeof(unsigned));
		return true;
	case FIELD_GROUP: break;
	}
	return false;
}

int fields_decode(const struct field *table, const json_t *object, void *base, char *reterr_text,
                  size_t text_size)
{
	for (const struct field *field = table; field->key; field++) {
		const json_t *value = json_object_get(object, field->key);
		const bool has = value != NULL;

		if (field->is_optional)
			memcpy((char *)base + field->presence, &has, sizeof has);
		if (!has && field->is_optional)
			continue;
		if (!has) {
			snprintf(reterr_text, text_size, "the key \"%s\" is missing", field->key);
			return -EINVAL;
		}
		if (field->kind == FIELD_GROUP && json_is_object(value)) {
			if (fields_decode(field->group, value, (char *)base + field->offset, reterr_text,
			                  text_size))
				return -EINVAL;
		} else if (!decode_value(field, value, (char *)base + field->offset)) {
			snprintf(reterr_text, text_size,
			         "the value of \"%s\" has a wrong type or is out of range",
			         field->key);
			return -EINVAL;
		}
	}
	return 0;
}

bool fields_have(const struct field *table, const char *key)
{
	for (const struct field *field = table; field->key; field++)
		if (strcmp(field->key, key) == 0)
			return true;
	return false;
}
