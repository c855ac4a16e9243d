/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/units.h"

struct unit {
	const char *suffix;
	int64_t scale;
};

/* From small to large, because printing takes the largest that divides. */
static const struct unit SPAN_UNITS[] = {
	{ "ns", 1 },         { "us", 1000 },         { "ms", 1000000 },
	{ "s", 1000000000 }, { "min", 60000000000 }, { "h", 3600000000000 },
};
static const struct unit RATE_UNITS[] = {
	{ "ppb", CONF_UNITS_PER_PPM / 1000 },
	{ "ppm", CONF_UNITS_PER_PPM },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits followed by one of @units; a bare number is refused, whatever it is. */
static bool read_with_unit(struct slice s, const struct unit *units, size_t n, int64_t *ret)
{
	struct slice digits = { s.p, 0 };
	int64_t number;

	while (digits.n < s.n && is_digit(s.p[digits.n]))
		digits.n++;
	if (!slice_to_int(digits, &number))
		return false;
	s = (struct slice){ s.p + digits.n, s.n - digits.n };
	for (size_t i = 0; i < n; i++)
		if (slice_equals_nocase(s, units[i].suffix))
			return !__builtin_mul_overflow(number, units[i].scale, ret);
	return false;
}

static bool read_switch(struct slice s, int64_t *ret)
{
	*ret = slice_equals_nocase(s, "on");
	return *ret || slice_equals_nocase(s, "off");
}

/* On, off, or a number that is neither. */
static bool read_port(const struct conf_value *value, struct slice s, int64_t *ret)
{
	if (!read_switch(s, ret))
		return slice_to_int(s, ret) && *ret >= CONF_PORT_MIN && *ret <= value->max;
	*ret = *ret ? value->min : 0;
	return true;
}

static bool read_choice(struct slice s, const char *const *choices, int64_t *ret)
{
	for (*ret = 0; choices[*ret]; ++*ret)
		if (slice_equals_nocase(s, choices[*ret]))
			return true;
	return false;
}

static bool read_refid(struct slice s, int64_t *ret)
{
	uint32_t id = 0;

	if (s.n < 1 || s.n > 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		unsigned char c = i < s.n ? (unsigned char)s.p[i] : 0;

		if (i < s.n && (c <= ' ' || c > '~'))
			return false;
		id = id << 8 | c;
	}
	*ret = id;
	return true;
}

/* Everything but text is a number between reading and storing. */
static bool read_number(const struct conf_value *value, struct slice s, int64_t *ret)
{
	switch (value->kind) {
	case CONF_INT:
	case CONF_COUNT: return slice_to_int(s, ret);
	case CONF_SECONDS:
	case CONF_PPM:
	case CONF_DECIMAL: return slice_to_scaled(s, 9, ret);
	case CONF_SPAN: return read_with_unit(s, SPAN_UNITS, COUNT(SPAN_UNITS), ret);
	case CONF_RATE: return read_with_unit(s, RATE_UNITS, COUNT(RATE_UNITS), ret);
	case CONF_SWITCH: return read_switch(s, ret);
	case CONF_PORT: return read_port(value, s, ret);
	case CONF_CHOICE:
	case CONF_FLAGS: return read_choice(s, value->choices, ret);
	case CONF_REFID: return read_refid(s, ret);
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_ADDRESS:
	case CONF_NONE: return false;
	}
	return false;
}

static bool is_text(enum conf_kind kind)
{
	return kind == CONF_TEXT || kind == CONF_PATH || kind == CONF_ADDRESS;
}

static bool has_range(enum conf_kind kind)
{
	return kind >= CONF_INT && kind <= CONF_DECIMAL;
}

static void store(const struct conf_value *value, int64_t number, void *member)
{
	switch (value->kind) {
	case CONF_INT: *(int *)member = (int)number; return;
	case CONF_COUNT:
	case CONF_PORT:
	case CONF_CHOICE: /* gcc and clang store an enum without negative members as unsigned */
		*(unsigned *)member = (unsigned)number;
		return;
	case CONF_SECONDS:
	case CONF_SPAN: *(vt_span *)member = VT_NS(number); return;
	case CONF_PPM:
	case CONF_RATE: *(vt_rate *)member = (vt_rate){ (double)number / 1e6 }; return;
	case CONF_DECIMAL: *(double *)member = (double)number / 1e9; return;
	case CONF_FLAGS: *(unsigned *)member |= 1u << number; return;
	case CONF_REFID: *(uint32_t *)member = (uint32_t)number; return;
	case CONF_SWITCH: *(bool *)member = number != 0; return;
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_ADDRESS:
	case CONF_NONE: return;
	}
}

static int64_t load(const struct conf_value *value, const void *member)
{
	switch (value->kind) {
	case CONF_INT: return *(const int *)member;
	case CONF_COUNT:
	case CONF_PORT:
	case CONF_CHOICE:
	case CONF_FLAGS: return *(const unsigned *)member;
	case CONF_SECONDS:
	case CONF_SPAN: return ((const vt_span *)member)->ns;
	case CONF_PPM:
	case CONF_RATE: return llround(((const vt_rate *)member)->ppb * 1e6);
	case CONF_DECIMAL: return llround(*(const double *)member * 1e9);
	case CONF_REFID: return *(const uint32_t *)member;
	case CONF_SWITCH: return *(const bool *)member;
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_ADDRESS:
	case CONF_NONE: return 0;
	}
	return 0;
}

/* @member NULL: only checked. */
static bool read_text(const struct conf_value *value, struct slice s, char *member)
{
	struct address address;
	char text[CONF_WORD_MAX];

	assert(value->max < CONF_WORD_MAX);
	if (s.n == 0 || !slice_copy(s, text, (size_t)value->max + 1))
		return false;
	if (value->kind == CONF_PATH && text[0] != '/')
		return false;
	if (value->kind == CONF_ADDRESS && !address_read(s, &address))
		return false;
	if (member)
		memcpy(member, text, s.n + 1);
	return true;
}

bool conf_value_read(const struct conf_value *value, struct slice s, void *target)
{
	void *member = value->at ? (char *)target + (value->at - 1) : NULL;
	int64_t number;

	if (is_text(value->kind))
		return read_text(value, s, member);
	if (!read_number(value, s, &number))
		return false;
	if (has_range(value->kind) && (number < value->min || number > value->max))
		return false;
	if (member)
		store(value, number, member);
	return true;
}

/* @number x 1e-9 in digits, without zeros at the end. */
static void format_decimal(int64_t number, char *to, size_t size)
{
	uint64_t digits = number < 0 ? -(uint64_t)number : (uint64_t)number;
	int n = snprintf(to, size, "%s%llu.%09llu", number < 0 ? "-" : "",
			 (unsigned long long)(digits / 1000000000),
			 (unsigned long long)(digits % 1000000000));

	if (n < 0 || (size_t)n >= size)
		return;
	while (to[n - 1] == '0')
		to[--n] = '\0';
	if (to[n - 1] == '.')
		to[--n] = '\0';
}

static void format_with_unit(int64_t number, const struct unit *units, size_t n, char *to,
			     size_t size)
{
	size_t largest = 0;

	for (size_t i = 1; i < n; i++)
		if (number && number % units[i].scale == 0)
			largest = i;
	snprintf(to, size, "%lld%s", (long long)(number / units[largest].scale),
		 units[largest].suffix);
}

static void format_refid(uint32_t id, char *to, size_t size)
{
	char text[5] = { (char)(id >> 24), (char)(id >> 16 & 0xff), (char)(id >> 8 & 0xff),
			 (char)(id & 0xff), '\0' };

	snprintf(to, size, "%s", text);
}

static void format_flags(unsigned flags, const char *const *choices, char *to, size_t size)
{
	size_t used = 0;

	to[0] = '\0';
	for (unsigned i = 0; choices[i] && used < size; i++)
		if (flags >> i & 1)
			used += (size_t)snprintf(to + used, size - used, "%s%s", used ? " " : "",
						 choices[i]);
}

static void format_port(const struct conf_value *value, int64_t number, char *to, size_t size)
{
	if (number == 0 || number == value->min)
		snprintf(to, size, "%s", number ? "on" : "off");
	else
		snprintf(to, size, "%lld", (long long)number);
}

static void format_number(const struct conf_value *value, int64_t number, char *to, size_t size)
{
	switch (value->kind) {
	case CONF_INT:
	case CONF_COUNT: snprintf(to, size, "%lld", (long long)number); return;
	case CONF_SECONDS:
	case CONF_PPM:
	case CONF_DECIMAL: format_decimal(number, to, size); return;
	case CONF_SPAN: format_with_unit(number, SPAN_UNITS, COUNT(SPAN_UNITS), to, size); return;
	case CONF_RATE: format_with_unit(number, RATE_UNITS, COUNT(RATE_UNITS), to, size); return;
	case CONF_REFID: format_refid((uint32_t)number, to, size); return;
	case CONF_SWITCH: snprintf(to, size, "%s", number ? "on" : "off"); return;
	case CONF_PORT: format_port(value, number, to, size); return;
	case CONF_CHOICE: snprintf(to, size, "%s", value->choices[number]); return;
	case CONF_FLAGS: format_flags((unsigned)number, value->choices, to, size); return;
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_ADDRESS:
	case CONF_NONE: return;
	}
}

const char *conf_value_format(const struct conf_value *value, const void *target, char *to,
			      size_t size)
{
	const void *member = (const char *)target + (value->at - 1);

	assert(value->at > 0 && size >= CONF_WORD_MAX);
	assert(!is_text(value->kind) || value->max < CONF_WORD_MAX);
	to[0] = '\0';
	if (is_text(value->kind))
		snprintf(to, size, "%s", (const char *)member);
	else
		format_number(value, load(value, member), to, size);
	return to;
}

static const char *const EXPECTED[] = {
	[CONF_NONE] = "nothing",
	[CONF_INT] = "a whole number",
	[CONF_COUNT] = "a whole number",
	[CONF_SECONDS] = "a number of seconds",
	[CONF_PPM] = "a number of ppm",
	[CONF_SPAN] = "a length of time with its unit (ns us ms s min h)",
	[CONF_RATE] = "a rate with its unit (ppb ppm)",
	[CONF_TEXT] = "a word of at most",
	[CONF_PATH] = "a path that begins with / of at most",
	[CONF_REFID] = "one to four printable characters",
	[CONF_DECIMAL] = "a number",
	[CONF_ADDRESS] = "an IPv4 or IPv6 address",
	[CONF_SWITCH] = "on or off",
	[CONF_PORT] = "on, off, or a port from",
	[CONF_CHOICE] = "one of",
	[CONF_FLAGS] = "one of",
};

const char *conf_value_expected(const struct conf_value *value, char *to, size_t size)
{
	const char *what = EXPECTED[value->kind];
	char min[32], max[32];
	size_t used;

	if (has_range(value->kind)) {
		format_number(value, value->min, min, sizeof min);
		format_number(value, value->max, max, sizeof max);
		snprintf(to, size, "%s from %s to %s", what, min, max);
	} else if (value->kind == CONF_PORT) {
		snprintf(to, size, "%s %d to %lld", what, CONF_PORT_MIN, (long long)value->max);
	} else if (value->kind != CONF_ADDRESS && is_text(value->kind)) {
		snprintf(to, size, "%s %lld bytes", what, (long long)value->max);
	} else {
		snprintf(to, size, "%s", what);
	}
	if (!value->choices)
		return to;
	for (size_t i = 0; value->choices[i]; i++) {
		used = strlen(to);
		snprintf(to + used, size - used, "%s%s", i ? ", " : " ", value->choices[i]);
	}
	return to;
}
