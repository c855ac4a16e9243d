/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <stdio.h>
#include <string.h>

/* One to three digits without a zero before them. */
static bool read_byte(struct slice s, uint8_t *ret)
{
	unsigned byte = 0;

	if (s.n < 1 || s.n > 3 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		byte = byte * 10 + (unsigned)(s.p[i] - '0');
	}
	*ret = (uint8_t)byte;
	return byte <= 255;
}

/* At most four numbers between dots.  Returns how many there are; 0: it is something else. */
static unsigned read_dotted(struct slice s, uint8_t to[4])
{
	unsigned n = 0;

	if (!s.n || s.p[s.n - 1] == '.')
		return 0;
	while (s.n)
		if (n == 4 || !read_byte(slice_cut(&s, '.'), &to[n++]))
			return 0;
	return n;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One to four hexadecimal digits. */
static bool read_group(struct slice s, uint8_t to[2])
{
	unsigned group = 0;

	if (s.n < 1 || s.n > 4)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int digit = hex_digit(s.p[i]);

		if (digit < 0)
			return false;
		group = group << 4 | (unsigned)digit;
	}
	to[0] = (uint8_t)(group >> 8);
	to[1] = (uint8_t)(group & 0xff);
	return true;
}

/*
 * Groups between colons, the last perhaps an IPv4 address, into @to.  Returns how many bytes they
 * are, or -1.  Nothing at all is none.
 */
static int read_groups(struct slice s, uint8_t to[16])
{
	int n = 0;

	if (s.n && s.p[s.n - 1] == ':')
		return -1;
	while (s.n) {
		struct slice group = slice_cut(&s, ':');

		if (!s.n && n <= 12 && read_dotted(group, to + n) == 4)
			return n + 4;
		if (n == 16 || !read_group(group, to + n))
			return -1;
		n += 2;
	}
	return n;
}

/* Where "::" stands in @s, or its length. */
static size_t find_gap(struct slice s)
{
	for (size_t i = 0; i + 1 < s.n; i++)
		if (s.p[i] == ':' && s.p[i + 1] == ':')
			return i;
	return s.n;
}

static bool read_ipv6(struct slice s, uint8_t to[16])
{
	uint8_t head[16] = { 0 }, tail[16] = { 0 };
	size_t gap = find_gap(s);
	int n_head = read_groups((struct slice){ s.p, gap }, head), n_tail = 0;

	if (gap == s.n && n_head != 16)
		return false;
	if (gap < s.n) {
		/* An IPv4 address is the end, so none stands before the gap. */
		if (memchr(s.p, '.', gap))
			return false;
		n_tail = read_groups((struct slice){ s.p + gap + 2, s.n - gap - 2 }, tail);
		/* The gap stands for one group at least. */
		if (n_head < 0 || n_tail < 0 || n_head + n_tail > 14)
			return false;
	}
	memcpy(to, head, 16);
	memcpy(to + 16 - n_tail, tail, (size_t)n_tail);
	return true;
}

bool address_read(struct slice s, struct address *ret)
{
	struct address a = { .family = ADDRESS_IPV4 };

	if (read_dotted(s, a.bytes) != 4) {
		memset(a.bytes, 0, sizeof a.bytes);
		a.family = ADDRESS_IPV6;
		if (!read_ipv6(s, a.bytes))
			return false;
	}
	*ret = a;
	return true;
}

/* How many groups of zeros begin with group @i. */
static unsigned zeros_at(const uint8_t bytes[16], unsigned i)
{
	unsigned n = 0;

	while (i + n < 8 && bytes[2 * (i + n)] == 0 && bytes[2 * (i + n) + 1] == 0)
		n++;
	return n;
}

static void write_ipv6(const uint8_t bytes[16], char to[ADDRESS_TEXT_MAX])
{
	unsigned gap = 8, length = 1; /* a single group is no gap */
	size_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		if (zeros_at(bytes, i) > length) {
			gap = i;
			length = zeros_at(bytes, i);
		}
	for (unsigned i = 0; i < 8; i++) {
		unsigned group = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];

		if (i == gap) {
			n += (size_t)snprintf(to + n, ADDRESS_TEXT_MAX - n, "::");
			i += length - 1;
		} else {
			n += (size_t)snprintf(to + n, ADDRESS_TEXT_MAX - n, "%s%x",
					      n && to[n - 1] != ':' ? ":" : "", group);
		}
	}
}

void address_write(const struct address *a, char to[ADDRESS_TEXT_MAX])
{
	const uint8_t *b = a->bytes;

	if (a->family == ADDRESS_IPV4)
		snprintf(to, ADDRESS_TEXT_MAX, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	else
		write_ipv6(b, to);
}

bool subnet_read(struct slice s, struct subnet *ret)
{
	struct slice bits = s, text = slice_cut(&bits, '/');
	struct subnet net = { .bits = 0 };
	unsigned n;
	int64_t given;

	if (address_read(text, &net.address)) {
		net.bits = 8 * (unsigned)net.address.family;
	} else {
		net.address = (struct address){ .family = ADDRESS_IPV4 };
		n = read_dotted(text, net.address.bytes);
		if (n == 0)
			return false;
		net.bits = 8 * n;
	}
	if (text.n < s.n) {
		if (!slice_to_int(bits, &given) || given < 0 || given > 128)
			return false;
		n = 8 * (unsigned)net.address.family;
		net.bits = given > n ? n : (unsigned)given;
	}
	*ret = net;
	return true;
}
