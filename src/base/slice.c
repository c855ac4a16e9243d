/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

struct slice slice_cut(struct slice *rest, char at)
{
	const char *found = rest->n ? memchr(rest->p, at, rest->n) : NULL;
	struct slice head = *rest;

	if (!found) {
		*rest = (struct slice){ rest->p + rest->n, 0 };
		return head;
	}
	head.n = (size_t)(found - rest->p);
	rest->p = found + 1;
	rest->n -= head.n + 1;
	return head;
}

struct slice slice_trim(struct slice s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct slice slice_word(struct slice *rest)
{
	struct slice s = slice_trim(*rest);
	struct slice word = { s.p, 0 };

	while (word.n < s.n && !is_blank(s.p[word.n]))
		word.n++;
	*rest = (struct slice){ s.p + word.n, s.n - word.n };
	return word;
}

bool slice_equals(struct slice s, const char *text)
{
	return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

bool slice_equals_nocase(struct slice s, const char *text)
{
	if (s.n != strlen(text))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (lower(s.p[i]) != lower(text[i]))
			return false;
	return true;
}

bool slice_copy(struct slice s, char *to, size_t size)
{
	if (s.n >= size || (s.n && memchr(s.p, '\0', s.n)))
		return false;
	if (s.n)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return true;
}

/* Takes an optional sign off *@s. */
static bool take_sign(struct slice *s)
{
	bool is_negative = s->n && s->p[0] == '-';

	if (s->n && (s->p[0] == '-' || s->p[0] == '+')) {
		s->p++;
		s->n--;
	}
	return is_negative;
}

bool slice_to_int(struct slice s, int64_t *ret)
{
	bool is_negative = take_sign(&s);
	int64_t value = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int digit = s.p[i] - '0';

		if (!is_digit(s.p[i]) || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, digit, &value))
			return false;
	}
	/* Gathered as a negative number, so that the smallest one can be written too. */
	if (!is_negative && __builtin_sub_overflow((int64_t)0, value, &value))
		return false;
	*ret = value;
	return true;
}

/* Takes digits off *@s, adding them to *@value; returns how many there were. */
static size_t take_digits(struct slice *s, double *value)
{
	size_t n = 0;

	for (; n < s->n && is_digit(s->p[n]); n++)
		*value = *value * 10 + (s->p[n] - '0');
	s->p += n;
	s->n -= n;
	return n;
}

/* Takes "e", a sign and digits off *@s.  False where there is something else. */
static bool take_exponent(struct slice *s, int64_t *ret)
{
	if (s->n == 0) {
		*ret = 0;
		return true;
	}
	if (lower(s->p[0]) != 'e')
		return false;
	s->p++;
	s->n--;
	return slice_to_int(*s, ret) && *ret >= -400 && *ret <= 400;
}

bool slice_to_double(struct slice s, double *ret)
{
	bool is_negative = take_sign(&s);
	double value = 0, scale = 1;
	size_t whole = take_digits(&s, &value), fraction = 0;
	int64_t exponent;

	if (s.n && s.p[0] == '.') {
		s.p++;
		s.n--;
		fraction = take_digits(&s, &value);
	}
	if (whole + fraction == 0 || !take_exponent(&s, &exponent))
		return false;

	exponent -= (int64_t)fraction;
	/* One division instead of many multiplications: 0.1 must come out as the double 0.1. */
	for (int64_t i = exponent < 0 ? -exponent : exponent; i > 0 && scale < 1e300; i--)
		scale *= 10;
	value = exponent < 0 ? value / scale : value * scale;
	if (!(value <= 1e300))
		return false;
	*ret = is_negative ? -value : value;
	return true;
}
