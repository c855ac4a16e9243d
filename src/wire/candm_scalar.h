/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CANDM_SCALAR_H
#define WIRE_CANDM_SCALAR_H

/*
 * candm_scalar.h - the numbers, instants and addresses of chrony's command protocol
 *
 * All integers are big-endian.  The protocol has three formats of its own: a
 * 32-bit float, an instant in three words, and an address of a fixed size.
 *
 * Pure: bytes in, values out.
 */

#include <stdint.h>

#include "base/units.h"

#define CANDM_ADDRESS_SIZE 20
#define CANDM_TIME_SIZE    12

/* The largest and smallest numbers that a float of the protocol holds; beyond it saturates. */
#define CANDM_FLOAT_MAX 0xffffffp38
#define CANDM_FLOAT_MIN (-0x1p62)
/* Half of this and less becomes 0. */
#define CANDM_FLOAT_TINY 0x1p-89

enum candm_family {
	CANDM_UNSPECIFIED = 0,
	CANDM_IPV4 = 1, /* the first 4 bytes                                       */
	CANDM_IPV6 = 2, /* 16 bytes                                                */
	CANDM_ID = 3,   /* the first 4 bytes: a number for a name without address  */
};

struct candm_address {
	uint16_t family;   /* enum candm_family */
	uint8_t bytes[16]; /* as on the wire; those that the family does not use are 0 */
};

uint16_t candm_get_u16(const uint8_t *at);
uint32_t candm_get_u32(const uint8_t *at);
void candm_put_u16(uint8_t *at, uint16_t value);
void candm_put_u32(uint8_t *at, uint32_t value);

/*
 * The float: 7 bits of exponent, 25 of coefficient, both signed, no hidden bit; the value is
 * coefficient x 2^(exponent - 25).  Encoding rounds to nearest; what is not a number becomes 0.
 * Any 32 bits decode to a finite number, exactly.
 */
uint32_t candm_float_encode(double value);
double candm_float_decode(uint32_t bits);

/*
 * The instant: high and low half of the seconds, nanoseconds.  A high half of 0x7fffffff means that
 * the sender has only the low one.  Decoding clamps the nanoseconds below a second and saturates.
 */
void candm_time_encode(vt_real at, uint8_t to[CANDM_TIME_SIZE]);
vt_real candm_time_decode(const uint8_t from[CANDM_TIME_SIZE]);

/* A family that the protocol does not know decodes, and encodes, as unspecified. */
void candm_address_encode(const struct candm_address *address, uint8_t to[CANDM_ADDRESS_SIZE]);
struct candm_address candm_address_decode(const uint8_t from[CANDM_ADDRESS_SIZE]);

#endif
