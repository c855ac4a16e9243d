/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "guestd/candm_access.h"

static struct candm_address address(const char *text)
{
	struct candm_address a = { .family = CANDM_UNSPECIFIED };

	if (inet_pton(AF_INET, text, a.bytes) == 1)
		a.family = CANDM_IPV4;
	else if (inet_pton(AF_INET6, text, a.bytes) == 1)
		a.family = CANDM_IPV6;
	else
		assert_string_equal(text, "");
	return a;
}

static bool add(struct candm_access *a, const char *subnet, int bits, bool is_allowed,
		bool is_for_all)
{
	struct candm_address s = address(subnet);

	return candm_access_add(a, &s, bits, is_allowed, is_for_all);
}

static bool check(const struct candm_access *a, const char *text)
{
	struct candm_address from = address(text);

	return candm_access_check(a, &from);
}

static void test_rules(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		struct {
			const char *subnet;
			int bits;
			bool is_allowed, is_for_all;
		} rules[4];
		const char *in, *out; /* addresses that are let in, and not */
	} cases[] = {
		{ "without a rule only loopback", { { 0 } }, "127.0.0.1", "192.0.2.1" },
		{ "all of 127 is loopback",       { { 0 } }, "127.9.9.9", "128.0.0.1" },
		{ "loopback of IPv6",             { { 0 } }, "::1", "::2" },
		{ "loopback cannot be denied",    { { "127.0.0.0", 8, false, false } }, "127.0.0.1", "::" },
		{ "a subnet",                     { { "192.0.2.0", 24, true, false } },
		  "192.0.2.255", "192.0.3.0" },
		{ "bits behind the prefix do not count", { { "192.0.2.77", 24, true, false } },
		  "192.0.2.1", "192.0.3.77" },
		{ "a prefix within a byte",       { { "10.32.0.0", 11, true, false } },
		  "10.63.255.255", "10.64.0.0" },
		{ "one address",                  { { "192.0.2.1", 32, true, false } },
		  "192.0.2.1", "192.0.2.0" },
		{ "IPv6",                         { { "2001:db8::", 32, true, false } },
		  "2001:db8:ffff::1", "2001:db9::" },
		{ "IPv4 is not IPv6",             { { "0.0.0.0", 0, true, false } }, "1.2.3.4", "2001::" },
		{ "everything is both: IPv4",     { { "", 0, true, false } }, "1.2.3.4", "" },
		{ "everything is both: IPv6",     { { "", 0, true, false } }, "2001::", "" },
		{ "the longer prefix decides",    { { "10.0.0.0", 8, true, false },
		                                    { "10.1.0.0", 16, false, false } },
		  "10.2.0.1", "10.1.0.1" },
		{ "whichever comes first",        { { "10.1.0.0", 16, false, false },
		                                    { "10.0.0.0", 8, true, false } },
		  "10.2.0.1", "10.1.0.1" },
		{ "all removes what is within",   { { "10.1.0.0", 16, false, false },
		                                    { "10.0.0.0", 8, true, true } },
		  "10.1.0.1", "11.0.0.1" },
		{ "but not what is about it",     { { "10.0.0.0", 8, true, false },
		                                    { "10.1.0.0", 16, false, true } },
		  "10.2.0.1", "10.1.0.1" },
		{ "nor what is beside it",        { { "10.1.0.0", 16, true, false },
		                                    { "10.2.0.0", 16, false, true } },
		  "10.1.0.1", "10.2.0.1" },
		{ "a later rule replaces its like", { { "10.0.0.0", 8, false, false },
		                                    { "10.0.0.0", 8, true, false } },
		  "10.0.0.1", "11.0.0.1" },
	};
	/* clang-format on */
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct candm_access a = { 0 };

		for (size_t k = 0; k < 4 && cases[i].rules[k].subnet; k++)
			assert_true(add(&a, cases[i].rules[k].subnet, cases[i].rules[k].bits,
					cases[i].rules[k].is_allowed, cases[i].rules[k].is_for_all));
		if (!check(&a, cases[i].in))
			fail_msg("%s: %s is not let in", cases[i].what, cases[i].in);
		if (check(&a, cases[i].out))
			fail_msg("%s: %s is let in", cases[i].what, cases[i].out);
	}
}

static void test_what_is_no_subnet(void **state)
{
	(void)state;
	struct candm_access a = { 0 };
	struct candm_address id = { .family = CANDM_ID };

	assert_false(add(&a, "10.0.0.0", 33, true, false));
	assert_false(add(&a, "10.0.0.0", -1, true, false));
	assert_false(add(&a, "2001::", 129, true, false));
	assert_false(add(&a, "", 1, true, false));
	assert_false(candm_access_add(&a, &id, 0, true, false));
	assert_int_equal(a.n, 0);
}

static void test_too_many(void **state)
{
	(void)state;
	struct candm_access a = { 0 };
	char text[16];

	for (int i = 0; i < CANDM_ACCESS_MAX; i++) {
		snprintf(text, sizeof text, "10.%d.0.0", i);
		assert_true(add(&a, text, 16, true, false));
	}
	assert_false(add(&a, "11.0.0.0", 8, true, false));
	assert_false(check(&a, "11.0.0.1"));
	assert_true(check(&a, "10.0.0.1"));
	/* In its like's place there is room; for everything both families need one. */
	assert_true(add(&a, "10.5.0.0", 16, false, false));
	assert_false(check(&a, "10.5.0.1"));
	assert_false(add(&a, "", 0, true, false));
	assert_int_equal(a.n, CANDM_ACCESS_MAX);
	assert_true(add(&a, "", 0, false, true));
	assert_false(check(&a, "10.0.0.1"));
	assert_int_equal(a.n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_what_is_no_subnet),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests_name("candm_access", tests, NULL, NULL);
}
