/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "rng.h"
#include "wire/candm_scalar.h"

/* Bytes that chronyc 4.3 sent for the numbers that were typed, and the edges of the format. */
static void test_float_vectors(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		double value;
		uint32_t bits;
	} cases[] = {
		{ "0",       0,      0x00000000 },
		{ "0.3",     0.3,    0x0099999a },
		{ "2.5",     2.5,    0x06a00000 },
		{ "10",      10,     0x0aa00000 },
		{ "100",     100,    0x10c80000 },
		{ "1.5",     1.5,    0x04c00000 },
		{ "-0.25",   -0.25,  0xff000000 },
		{ "0.1",     0.1,    0xfccccccd },
		{ "0.001",   0.001,  0xf083126f },
		{ "1",       1,      0x04800000 },
		{ "-1",      -1,     0x03000000 },
		{ "largest",      0xffffffp38, 0x7effffff },
		{ "smallest",     -0x1p62,     0x7f000000 },
		{ "least above 0", 0x1p-89,    0x80000001 },
		{ "least below 0", -0x1p-89,   0x81ffffff },
		{ "least that keeps all digits", 0x1p-66, 0x80800000 },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t bits = candm_float_encode(cases[i].value);
		double error = candm_float_decode(cases[i].bits) - cases[i].value;

		if (bits != cases[i].bits)
			fail_msg("%s: got %08x, want %08x", cases[i].what, bits, cases[i].bits);
		if (fabs(error) > fabs(cases[i].value) * 0x1p-24)
			fail_msg("%s: %08x decodes wrong by %g", cases[i].what, cases[i].bits, error);
	}
}

static void test_float_beyond_the_format(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		double value;
		uint32_t bits;
	} cases[] = {
		{ "no number",           NAN,         0 },
		{ "minus zero",          -0.0,        0 },
		{ "infinity",            INFINITY,    0x7effffff },
		{ "minus infinity",      -INFINITY,   0x7f000000 },
		{ "too large",           0x1p62,      0x7effffff },
		{ "the largest double",  0x1.fffffffffffffp1023, 0x7effffff },
		{ "too small",           -0x1.000001p62, 0x7f000000 },
		{ "half of the least",   0x1p-90,     0 },
		{ "more than half",      0x1.8p-90,   0x80000001 },
		{ "the least double",    0x1p-1074,   0 },
		{ "a rounding that carries", 0x1.ffffffffp0, 0x06800000 },
		{ "the same below zero", -0x1.ffffffffp0, 0x05000000 },
		{ "the carry at the top", 0x1.fffffep61, 0x7effffff },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t bits = candm_float_encode(cases[i].value);

		if (bits != cases[i].bits)
			fail_msg("%s: got %08x, want %08x", cases[i].what, bits, cases[i].bits);
	}
	assert_true(candm_float_decode(0x7effffff) == CANDM_FLOAT_MAX);
	assert_true(candm_float_decode(0x7f000000) == CANDM_FLOAT_MIN);
	assert_true(candm_float_decode(0x80000001) == CANDM_FLOAT_TINY);
}

/* Whatever bits come, they are a number, and the same one after a trip there and back. */
static void test_any_bits_are_a_number(void **state)
{
	struct rng rng;

	(void)state;
	rng_start(&rng);
	for (int i = 0; i < 1000000; i++) {
		uint32_t bits = (uint32_t)rng_next(&rng);
		double value = candm_float_decode(bits);

		if (!isfinite(value) || candm_float_decode(candm_float_encode(value)) != value)
			fail_msg("%08x: %a", bits, value);
	}
}

static void test_float_is_precise_enough(void **state)
{
	struct rng rng;

	(void)state;
	rng_start(&rng);
	for (int i = 0; i < 1000000; i++) {
		double value = ldexp((double)(int64_t)rng_next(&rng), (int)rng_in(&rng, -120, -10));
		double error = fabs(candm_float_decode(candm_float_encode(value)) - value);

		/* Half a unit of the last of 24 bits, or of the least number. */
		if (error > fmax(fabs(value) * 0x1p-24, 0x1p-90))
			fail_msg("%a: wrong by %a", value, error);
	}
}

static void test_time(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		uint8_t bytes[CANDM_TIME_SIZE];
		int64_t ns;
		bool is_exact; /* encodes to these bytes again */
	} cases[] = {
		{ "1970",                 { 0 }, 0, true },
		{ "as chronyc sends noon", { 0, 0, 0, 0, 0x6b, 0x04, 0x2a, 0xc0 },
		  INT64_C(1795435200000000000), true },
		{ "without high seconds", { 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 7, 0, 0, 0, 1 },
		  INT64_C(7000000001), false },
		{ "nanoseconds that are none", { [7] = 7, [8] = 0xff, 0xff, 0xff, 0xff },
		  INT64_C(7999999999), false },
		{ "a billion of them",    { [7] = 7, [8] = 0x3b, 0x9a, 0xca, 0x00 },
		  INT64_C(7999999999), false },
		{ "after 2106",           { [3] = 1 }, INT64_C(4294967296000000000), true },
		{ "before 1970",          { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3b, 0x9a,
		                            0xc9, 0xff }, -1, true },
		{ "the end",              { 0, 0, 0, 2, 0x25, 0xc1, 0x7d, 0x04, 0x32, 0xf2, 0xd7, 0xff },
		  INT64_MAX, true },
		{ "behind the end",       { 0, 0, 0, 2, 0x25, 0xc1, 0x7d, 0x05 }, INT64_MAX, false },
		{ "the beginning",        { 0xff, 0xff, 0xff, 0xfd, 0xda, 0x3e, 0x82, 0xfb, 0x08, 0xa7,
		                            0xf2, 0x00 }, INT64_MIN, true },
		{ "before the beginning", { 0xff, 0xff, 0xff, 0xfd, 0xda, 0x3e, 0x82, 0xfb }, INT64_MIN,
		  false },
		{ "far before it",        { 0x80 }, INT64_MIN, false },
		{ "far behind the end",   { 0x7f, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff }, INT64_MAX,
		  false },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		vt_real at = candm_time_decode(cases[i].bytes);
		uint8_t bytes[CANDM_TIME_SIZE];

		if (at.ns != cases[i].ns)
			fail_msg("%s: got %lld, want %lld", cases[i].what, (long long)at.ns,
				 (long long)cases[i].ns);
		candm_time_encode(at, bytes);
		if (cases[i].is_exact && memcmp(bytes, cases[i].bytes, sizeof bytes) != 0)
			fail_msg("%s: encodes to something else", cases[i].what);
		assert_true(candm_time_decode(bytes).ns == at.ns);
	}
}

static void test_any_time_comes_back(void **state)
{
	struct rng rng;

	(void)state;
	rng_start(&rng);
	for (int i = 0; i < 1000000; i++) {
		vt_real at = { (int64_t)rng_next(&rng) };
		uint8_t bytes[CANDM_TIME_SIZE];

		candm_time_encode(at, bytes);
		assert_true(candm_time_decode(bytes).ns == at.ns);
	}
}

static void test_address(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		uint8_t family[2];
		uint16_t want;
		size_t n; /* bytes that count */
	} cases[] = {
		{ "unspecified", { 0, 0 }, CANDM_UNSPECIFIED, 0 },
		{ "IPv4", { 0, 1 }, CANDM_IPV4, 4 },
		{ "IPv6", { 0, 2 }, CANDM_IPV6, 16 },
		{ "ID", { 0, 3 }, CANDM_ID, 4 },
		{ "unknown", { 0, 4 }, CANDM_UNSPECIFIED, 0 },
		{ "the other byte order", { 1, 0 }, CANDM_UNSPECIFIED, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t bytes[CANDM_ADDRESS_SIZE], again[CANDM_ADDRESS_SIZE];
		struct candm_address address;

		memset(bytes, 0xa5, sizeof bytes);
		memcpy(bytes + 16, cases[i].family, 2);
		address = candm_address_decode(bytes);
		if (address.family != cases[i].want)
			fail_msg("%s: family %u", cases[i].what, address.family);
		for (size_t k = 0; k < 16; k++)
			assert_int_equal(address.bytes[k], k < cases[i].n ? 0xa5 : 0);

		memset(again, 0xff, sizeof again);
		candm_address_encode(&address, again);
		assert_memory_equal(again, address.bytes, 16);
		assert_int_equal(again[16] << 8 | again[17], cases[i].want);
		assert_int_equal(again[18] | again[19], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_float_vectors),
		cmocka_unit_test(test_float_beyond_the_format),
		cmocka_unit_test(test_any_bits_are_a_number),
		cmocka_unit_test(test_float_is_precise_enough),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_any_time_comes_back),
		cmocka_unit_test(test_address),
	};

	return cmocka_run_group_tests_name("candm_scalar", tests, NULL, NULL);
}
