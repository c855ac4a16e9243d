/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

/*
 * address.h - addresses of the Internet and their subnets, from text
 *
 * Without the C library's functions, which belong to sockets: a configuration is parsed where no
 * socket may be.  No names are looked up.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/slice.h"

/* How many bytes an address has. */
enum address_family {
	ADDRESS_IPV4 = 4,
	ADDRESS_IPV6 = 16,
};

struct address {
	enum address_family family;
	uint8_t bytes[16]; /* in network order; behind those of IPv4: 0 */
};

/* What begins with the first @bits of @address. */
struct subnet {
	struct address address;
	unsigned bits;
};

/*
 * Reads all of @s: 192.0.2.1 (four decimal numbers without zeros before them) or the forms of RFC
 * 4291, 2.2, without a zone.  False, and *@ret untouched, for anything else.
 */
bool address_read(struct slice s, struct address *ret) must_check;

/* Writes what address_read reads as @a: the longest run of zeros in an IPv6 address as "::". */
#define ADDRESS_TEXT_MAX 40 /* with its terminator */
void address_write(const struct address *a, char to[ADDRESS_TEXT_MAX]);

/*
 * Reads all of @s as chrony's `allow` does: an address, or fewer than four numbers of an IPv4 one
 * (10.1 stands for 10.1.0.0/16), then perhaps / and the number of bits, which is cut to what the
 * family has.  False, and *@ret untouched, for anything else, a host's name for one.
 */
bool subnet_read(struct slice s, struct subnet *ret) must_check;

#endif
