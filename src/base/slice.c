/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"

#include <float.h>
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

/* Eighteen digits fit an int64_t, and a double has room for fewer. */
#define DIGITS_MAX 18

/* A decimal number taken apart: digits x 10^exponent. */
struct decimal {
	int64_t digits;
	int n_digits;     /* kept, without leading zeros     */
	int64_t exponent; /* of the last digit kept          */
	size_t n_seen;    /* digits of the text, zeros too   */
};

/* Takes digits off *@s; those behind the eighteenth only move the exponent. */
static void take_digits(struct slice *s, struct decimal *d, bool is_fraction)
{
	for (; s->n && is_digit(s->p[0]); s->p++, s->n--) {
		bool is_kept = d->n_digits < DIGITS_MAX;

		if (is_kept) {
			d->digits = d->digits * 10 + (s->p[0] - '0');
			d->n_digits += d->digits != 0;
		}
		if (is_fraction && is_kept)
			d->exponent--;
		if (!is_fraction && !is_kept)
			d->exponent++;
		d->n_seen++;
	}
}

/* Takes all of @s, without a sign, apart. */
static bool split_decimal(struct slice s, struct decimal *d)
{
	int64_t exponent = 0;

	*d = (struct decimal){ 0 };
	take_digits(&s, d, false);
	if (s.n && s.p[0] == '.') {
		s = (struct slice){ s.p + 1, s.n - 1 };
		take_digits(&s, d, true);
	}
	if (d->n_seen == 0)
		return false;
	if (s.n &&
	    (lower(s.p[0]) != 'e' || !slice_to_int((struct slice){ s.p + 1, s.n - 1 }, &exponent) ||
	     exponent < -1000 || exponent > 1000))
		return false;
	d->exponent += exponent;
	return true;
}

/* @digits x 10^@exponent, rounded half away from zero; @digits is not negative. */
static bool shift_decimal(int64_t digits, int64_t exponent, int64_t *ret)
{
	int64_t divisor = 1;

	for (; digits && exponent > 0; exponent--)
		if (__builtin_mul_overflow(digits, 10, &digits))
			return false;
	/* Below 10^-18 even the most digits there are come to less than a half. */
	if (exponent < -DIGITS_MAX)
		digits = 0;
	for (; digits && exponent < 0; exponent++)
		divisor *= 10;
	*ret = digits / divisor + (digits % divisor >= divisor - digits % divisor);
	return true;
}

bool slice_to_scaled(struct slice s, int scale, int64_t *ret)
{
	bool is_negative = take_sign(&s);
	struct decimal d;
	int64_t value;

	if (!split_decimal(s, &d) || !shift_decimal(d.digits, d.exponent + scale, &value))
		return false;
	*ret = is_negative ? -value : value;
	return true;
}

bool slice_to_double(struct slice s, double *ret)
{
	bool is_negative = take_sign(&s);
	struct decimal d;
	double value, scale = 1;

	if (!split_decimal(s, &d))
		return false;
	value = (double)d.digits;
	/* 1e22 is the largest power of ten that a double holds exactly. */
	for (; d.exponent > 22 && value <= DBL_MAX; d.exponent -= 22)
		value *= 1e22;
	for (; d.exponent < -22; d.exponent += 22)
		value /= 1e22;
	/* One division instead of many multiplications: 0.1 must come out as the double 0.1. */
	for (int64_t i = d.exponent < 0 ? -d.exponent : d.exponent; i > 0 && i <= 22; i--)
		scale *= 10;
	value = d.exponent < 0 ? value / scale : value * scale;
	if (!(value <= DBL_MAX))
		return false;
	*ret = is_negative ? -value : value;
	return true;
}
