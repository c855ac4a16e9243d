/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_FIRST 4096

static bool has_room(struct text *t, size_t n)
{
	size_t size = t->size ? t->size : TEXT_FIRST;
	char *p;

	if (t->is_broken || n >= SIZE_MAX / 4 - t->n)
		return false;
	while (size <= t->n + n) /* with a NUL */
		size *= 2;
	if (size == t->size)
		return true;
	p = realloc(t->p, size);
	if (!p)
		return false;
	t->p = p;
	t->size = size;
	return true;
}

void text_add(struct text *t, const char *p, size_t n)
{
	if (!has_room(t, n)) {
		t->is_broken = true;
		return;
	}
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

void text_put(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

/* At least @width digits, zeros before them. */
static void put_digits(struct text *t, uint64_t value, unsigned width)
{
	char digits[20];
	size_t at = sizeof digits;

	while (value || width) {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
		width -= width > 0;
	}
	text_add(t, digits + at, sizeof digits - at);
}

static uint64_t magnitude(struct text *t, int64_t value)
{
	if (value >= 0)
		return (uint64_t)value;
	text_put(t, "-");
	return 0 - (uint64_t)value;
}

void text_int(struct text *t, int64_t value)
{
	put_digits(t, magnitude(t, value), 1);
}

void text_seconds(struct text *t, vt_span span)
{
	const uint64_t ns = magnitude(t, span.ns);
	uint64_t rest = ns % 1000000000;
	unsigned width = 9;

	put_digits(t, ns / 1000000000, 1);
	if (rest == 0)
		return;
	for (; rest % 10 == 0; rest /= 10)
		width--;
	text_put(t, ".");
	put_digits(t, rest, width);
}

/* How many bytes the character at @s has; 0: they are no character (RFC 3629). */
static size_t character(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, low, high; /* @low, @high: of the second byte */
		size_t n;
	} FORMS[] = {
		{ 0x20, 0x7e, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t f = 0;

	while (f < COUNT(FORMS) && !(s[0] >= FORMS[f].first && s[0] <= FORMS[f].last))
		f++;
	if (f == COUNT(FORMS))
		return 0;
	if (FORMS[f].n > 1 && (s[1] < FORMS[f].low || s[1] > FORMS[f].high))
		return 0;
	for (size_t i = 2; i < FORMS[f].n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return FORMS[f].n;
}

void text_escaped(struct text *t, const char *s)
{
	while (*s) {
		const size_t n = character((const unsigned char *)s);

		if (*s == '"' || *s == '\\')
			text_put(t, "\\");
		if (n)
			text_add(t, s, n);
		else
			text_put(t, "?");
		s += n ? n : 1;
	}
}

int text_take(struct text *t, char **ret, size_t *ret_n)
{
	text_add(t, "", 1);
	if (t->is_broken) {
		free(t->p);
		*t = (struct text)TEXT_INIT;
		return -ENOMEM;
	}
	*ret = t->p;
	*ret_n = t->n - 1;
	*t = (struct text)TEXT_INIT;
	return 0;
}
