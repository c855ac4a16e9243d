/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "rng.h"

/* The C library is the judge: @text is an address to both or to neither, and the same one. */
static void compare(const char *text)
{
	struct address a;
	unsigned char binary[16];
	bool is_ours = address_read(slice_of(text), &a);
	bool is_4 = inet_pton(AF_INET, text, binary) == 1;
	bool is_6 = !is_4 && inet_pton(AF_INET6, text, binary) == 1;

	if (is_ours != (is_4 || is_6))
		fail_msg("\"%s\": %d, the C library says %d", text, is_ours, is_4 || is_6);
	if (!is_ours)
		return;
	assert_int_equal(a.family, is_4 ? ADDRESS_IPV4 : ADDRESS_IPV6);
	if (memcmp(a.bytes, binary, is_4 ? 4 : 16) != 0)
		fail_msg("\"%s\" is another address", text);
}

static void test_as_the_c_library(void **state)
{
	(void)state;
	static const char *const TEXTS[] = {
		"0.0.0.0", "255.255.255.255", "1.2.3.4", "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256",
		"01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1..3.4", ".1.2.3", "1.2.3.", "1.2.3.-4", "a.b.c.d",
		"::", "::1", "1::", "1::8", ":::", ":1", "1:", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8",
		"1::3::5", "12345::", "g::", "FE80::aBcD", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4",
		"1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "1.2.3.4::", "1.2.3.4:1::", "::1.2.3.4:5", "fe80::1%lo",
		"1:2:3:4:5::1.2.3.4", "1:2:3:4:5:6::1.2.3.4", "::1:", "0000::00001", "64:ff9b::192.0.2.33",
	};

	for (size_t i = 0; i < COUNT(TEXTS); i++)
		compare(TEXTS[i]);
}

static void test_noise(void **state)
{
	struct rng *rng = *state;
	static const char LETTERS[] = "0129afF:::..::";
	char text[48];

	for (int i = 0; i < 300000; i++) {
		size_t n = (size_t)rng_in(rng, 0, 24);

		for (size_t k = 0; k < n; k++)
			text[k] = LETTERS[rng_in(rng, 0, (int64_t)sizeof LETTERS - 2)];
		text[n] = '\0';
		compare(text);
	}
}

/* Whatever the C library prints is read as what it printed. */
static void test_what_is_printed_reads_as_the_same(void **state)
{
	struct rng *rng = *state;
	char text[INET6_ADDRSTRLEN];

	for (int i = 0; i < 20000; i++) {
		unsigned char bytes[16];

		for (size_t k = 0; k < sizeof bytes; k++)
			bytes[k] = rng_in(rng, 0, 2) ? (unsigned char)rng_next(rng) : 0;
		assert_non_null(inet_ntop(AF_INET6, bytes, text, sizeof text));
		compare(text);
		assert_non_null(inet_ntop(AF_INET, bytes, text, sizeof text));
		compare(text);
	}
}

/* As the C library writes it, but for IPv4 addresses within IPv6, which it writes with dots. */
static void test_writing(void **state)
{
	struct rng *rng = *state;

	for (int i = 0; i < 20000; i++) {
		struct address a = { .family = rng_in(rng, 0, 3) ? ADDRESS_IPV6 : ADDRESS_IPV4 };
		char text[ADDRESS_TEXT_MAX], want[INET6_ADDRSTRLEN];

		for (unsigned k = 0; k < (unsigned)a.family; k++)
			a.bytes[k] = (uint8_t)(rng_in(rng, 0, 2) ? 0 : rng_next(rng));
		inet_ntop(a.family == ADDRESS_IPV4 ? AF_INET : AF_INET6, a.bytes, want, sizeof want);
		if (a.family == ADDRESS_IPV6 && strchr(want, '.'))
			continue;
		address_write(&a, text);
		assert_string_equal(text, want);
	}
}

static void test_subnets(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *text;
		int family; /* 0: no subnet */
		uint8_t bytes[4];
		unsigned bits;
	} cases[] = {
		{ "10", ADDRESS_IPV4, { 10 }, 8 },
		{ "10.1", ADDRESS_IPV4, { 10, 1 }, 16 },
		{ "10.1.2", ADDRESS_IPV4, { 10, 1, 2 }, 24 },
		{ "10.1.2.3", ADDRESS_IPV4, { 10, 1, 2, 3 }, 32 },
		{ "10/12", ADDRESS_IPV4, { 10 }, 12 },
		{ "10.1.2.3/0", ADDRESS_IPV4, { 10, 1, 2, 3 }, 0 },
		{ "10.1.2.3/33", ADDRESS_IPV4, { 10, 1, 2, 3 }, 32 },
		{ "::/0", ADDRESS_IPV6, { 0 }, 0 },
		{ "fe80::/10", ADDRESS_IPV6, { 0xfe, 0x80 }, 10 },
		{ "fe80::1", ADDRESS_IPV6, { 0xfe, 0x80 }, 128 },
		{ "10/", 0, { 0 }, 0 }, { "/8", 0, { 0 }, 0 }, { "", 0, { 0 }, 0 },
		{ "10/129", 0, { 0 }, 0 }, { "10/-1", 0, { 0 }, 0 }, { "10/8/8", 0, { 0 }, 0 },
		{ "10.", 0, { 0 }, 0 }, { "256", 0, { 0 }, 0 }, { "host", 0, { 0 }, 0 },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct subnet net = { .bits = 77 };

		if (subnet_read(slice_of(cases[i].text), &net) != (cases[i].family != 0))
			fail_msg("\"%s\"", cases[i].text);
		if (!cases[i].family) {
			assert_int_equal(net.bits, 77); /* untouched on refusal */
			continue;
		}
		assert_int_equal((int)net.address.family, cases[i].family);
		assert_memory_equal(net.address.bytes, cases[i].bytes, 4);
		assert_int_equal(net.bits, cases[i].bits);
	}
}

int main(void)
{
	struct rng rng;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_c_library),
		cmocka_unit_test_prestate(test_noise, &rng),
		cmocka_unit_test_prestate(test_what_is_printed_reads_as_the_same, &rng),
		cmocka_unit_test_prestate(test_writing, &rng),
		cmocka_unit_test(test_subnets),
	};

	rng_start(&rng);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
