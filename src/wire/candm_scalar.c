/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/candm_scalar.h"

#include <math.h>
#include <string.h>

#define COEFFICIENT_BITS 25
#define COEFFICIENT_MAX  0xffffff /* the smallest is -COEFFICIENT_MAX - 1 */
#define COEFFICIENT_MASK 0x1ffffffu
#define EXPONENT_MAX     63
#define EXPONENT_MIN     (-64)

#define NO_HIGH_SECONDS 0x7fffffffu
#define NS_PER_S        INT64_C(1000000000)

uint16_t candm_get_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t candm_get_u32(const uint8_t *at)
{
	return (uint32_t)candm_get_u16(at) << 16 | candm_get_u16(at + 2);
}

void candm_put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void candm_put_u32(uint8_t *at, uint32_t value)
{
	candm_put_u16(at, (uint16_t)(value >> 16));
	candm_put_u16(at + 2, (uint16_t)value);
}

static uint32_t pack(int exponent, int32_t coefficient)
{
	return (uint32_t)exponent << COEFFICIENT_BITS | ((uint32_t)coefficient & COEFFICIENT_MASK);
}

uint32_t candm_float_encode(double value)
{
	int exponent;
	double coefficient;

	if (!(value == value) || value == 0)
		return 0;
	if (value >= CANDM_FLOAT_MAX)
		return pack(EXPONENT_MAX, COEFFICIENT_MAX);
	if (value <= CANDM_FLOAT_MIN)
		return pack(EXPONENT_MAX, -COEFFICIENT_MAX - 1);

	/* frexp leaves a magnitude from 1/2 to 1, the coefficient has 24 bits besides its sign. */
	(void)frexp(value, &exponent);
	exponent = exponent + 1 < EXPONENT_MIN ? EXPONENT_MIN : exponent + 1;
	coefficient = rint(ldexp(value, COEFFICIENT_BITS - exponent));
	if (coefficient > COEFFICIENT_MAX) {
		/* Rounded up to a power of two.  Below CANDM_FLOAT_MAX there is an exponent more. */
		coefficient /= 2;
		exponent++;
	} else if (coefficient == -(COEFFICIENT_MAX + 1) / 2 && exponent > EXPONENT_MIN) {
		/* Either way the same number; chrony writes this one. */
		coefficient *= 2;
		exponent--;
	}
	return coefficient == 0 ? 0 : pack(exponent, (int32_t)coefficient);
}

double candm_float_decode(uint32_t bits)
{
	int exponent = (int)(bits >> COEFFICIENT_BITS);
	int32_t coefficient = (int32_t)(bits & COEFFICIENT_MASK);

	if (exponent > EXPONENT_MAX)
		exponent -= 2 * (EXPONENT_MAX + 1);
	if (coefficient > COEFFICIENT_MAX)
		coefficient -= 2 * (COEFFICIENT_MAX + 1);
	return ldexp(coefficient, exponent - COEFFICIENT_BITS);
}

void candm_time_encode(vt_real at, uint8_t to[CANDM_TIME_SIZE])
{
	int64_t seconds = at.ns / NS_PER_S, rest = at.ns % NS_PER_S;

	if (rest < 0) {
		seconds--;
		rest += NS_PER_S;
	}
	candm_put_u32(to, (uint32_t)((uint64_t)seconds >> 32));
	candm_put_u32(to + 4, (uint32_t)seconds);
	candm_put_u32(to + 8, (uint32_t)rest);
}

vt_real candm_time_decode(const uint8_t from[CANDM_TIME_SIZE])
{
	uint64_t high = candm_get_u32(from);
	uint32_t low = candm_get_u32(from + 4), ns = candm_get_u32(from + 8);
	int64_t seconds, whole;

	if (high == NO_HIGH_SECONDS)
		high = 0;
	seconds = (int64_t)(high << 32 | low);
	if (ns >= NS_PER_S)
		ns = NS_PER_S - 1;
	/* The instants that fit begin in the middle of a second. */
	if (seconds == INT64_MIN / NS_PER_S - 1)
		return (vt_real){ vt_sat_add(INT64_MIN / NS_PER_S * NS_PER_S, (int64_t)ns - NS_PER_S) };
	if (__builtin_mul_overflow(seconds, NS_PER_S, &whole))
		return (vt_real){ seconds < 0 ? INT64_MIN : INT64_MAX };
	return (vt_real){ vt_sat_add(whole, ns) };
}

static size_t family_size(unsigned family)
{
	return family == CANDM_IPV6 ? 16 : family == CANDM_IPV4 || family == CANDM_ID ? 4 : 0;
}

void candm_address_encode(const struct candm_address *address, uint8_t to[CANDM_ADDRESS_SIZE])
{
	size_t n = family_size(address->family);

	memset(to, 0, CANDM_ADDRESS_SIZE);
	memcpy(to, address->bytes, n);
	candm_put_u16(to + 16, n ? address->family : CANDM_UNSPECIFIED);
}

struct candm_address candm_address_decode(const uint8_t from[CANDM_ADDRESS_SIZE])
{
	struct candm_address address = { .family = candm_get_u16(from + 16) };
	size_t n = family_size(address.family);

	memcpy(address.bytes, from, n);
	if (!n)
		address.family = CANDM_UNSPECIFIED;
	return address;
}
