/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "guestd/settings.h"
#include "rng.h"
#include "settings_text.h"

static bool is_same_address(const struct candm_address *a, const struct candm_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* What is let in by one and not by the other, for addresses at the edges of the rules. */
static bool is_same_access(const struct candm_access *a, const struct candm_access *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		bool is_there = false;

		for (unsigned k = 0; k < b->n && !is_there; k++)
			is_there = a->rules[i].bits == b->rules[k].bits &&
				   a->rules[i].is_allowed == b->rules[k].is_allowed &&
				   is_same_address(&a->rules[i].subnet, &b->rules[k].subnet);
		if (!is_there)
			return false;
	}
	return true;
}

static bool is_same(const struct candm_conf *a, const struct candm_conf *b)
{
	return strcmp(a->path, b->path) == 0 && is_same_address(&a->bind4, &b->bind4) &&
	       is_same_address(&a->bind6, &b->bind6) && a->port == b->port &&
	       strcmp(a->device, b->device) == 0 && is_same_access(&a->access, &b->access) &&
	       a->is_limited == b->is_limited && a->interval == b->interval &&
	       a->burst == b->burst && a->leak == b->leak &&
	       a->is_open_given == b->is_open_given && a->open == b->open;
}

static void test_defaults_are_chronys(void **state)
{
	(void)state;
	const struct candm_conf want = CANDM_CONF_DEFAULT;
	struct settings s = accept_text(""), none;

	assert_true(is_same(&s.command, &want));
	settings_default(&none);
	assert_true(is_same(&none.command, &want));
	assert_int_equal(want.port, 323);
	assert_int_equal(want.bind4.bytes[0], 127);
	assert_int_equal(want.bind6.bytes[15], 1);
	assert_false(want.is_limited);
	assert_string_equal(want.path, "");
}

static void test_values(void **state)
{
	(void)state;
	struct candm_conf c = accept_text("bindcmdaddress 192.0.2.1\n"
					  "bindcmdaddress 2001:db8::7\n"
					  "bindcmdaddress /run/x.sock\n"
					  "bindcmddevice eth0\n"
					  "cmdport 1323\n"
					  "cmdratelimit interval 2 leak 4\n"
					  "opencommands tracking activity tracking\n").command;

	assert_memory_equal(c.bind4.bytes, "\xc0\0\2\1", 4);
	assert_int_equal(c.bind4.family, CANDM_IPV4);
	assert_memory_equal(c.bind6.bytes, "\x20\1\x0d\xb8", 4);
	assert_int_equal(c.bind6.family, CANDM_IPV6);
	assert_string_equal(c.path, "/run/x.sock");
	assert_string_equal(c.device, "eth0");
	assert_int_equal(c.port, 1323);
	assert_true(c.is_limited);
	assert_int_equal(c.interval, 2);
	assert_int_equal(c.burst, 8);
	assert_int_equal(c.leak, 4);
	assert_int_equal(c.open, CANDM_OPEN_TRACKING | CANDM_OPEN_ACTIVITY);
	/* One family replaces its own default only; an empty list opens nothing. */
	c = accept_text("bindcmdaddress 0.0.0.0\nopencommands\n").command;
	assert_int_equal(c.bind4.bytes[0], 0);
	assert_int_equal(c.bind6.bytes[15], 1);
	assert_int_equal(c.open, 0);
	/* The last line says all. */
	assert_int_equal(accept_text("opencommands sources\nopencommands clients\n").command.open,
			 CANDM_OPEN_CLIENTS);
}

static void test_access(void **state)
{
	(void)state;
	static const struct candm_address near = { CANDM_IPV4, { 10, 1, 2, 3 } };
	static const struct candm_address far = { CANDM_IPV4, { 10, 9, 2, 3 } };
	static const struct candm_address six = { CANDM_IPV6, { 0x20, 1, 0x0d, 0xb8 } };
	/* clang-format off */
	static const struct {
		const char *text;
		bool near, far, six;
	} cases[] = {
		{ "", false, false, false },
		{ "cmdallow", true, true, true },
		{ "cmdallow all", true, true, true },
		{ "cmdallow 10.1", true, false, false },
		{ "cmdallow 10.1.2.3", true, false, false },
		{ "cmdallow 10.0.0.0/8", true, true, false },
		{ "cmdallow 2001:db8::/32", false, false, true },
		{ "cmdallow\ncmddeny 10.1/16", false, true, true },
		{ "cmddeny 10.1/16\ncmdallow", false, true, true },
		{ "cmddeny 10.1/16\ncmdallow all", true, true, true },
		{ "CMDALLOW ALL 10/8\ncmddeny all 10.9/16", true, false, false },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct candm_access a = accept_text(cases[i].text).command.access;

		if (candm_access_check(&a, &near) != cases[i].near ||
		    candm_access_check(&a, &far) != cases[i].far ||
		    candm_access_check(&a, &six) != cases[i].six)
			fail_msg("%s", cases[i].text);
	}
}

static void test_refusals(void **state)
{
	(void)state;
	/* clang-format off */
	static const char *const cases[] = {
		"bindcmdaddress", "bindcmdaddress localhost", "bindcmdaddress 1.2.3",
		"bindcmdaddress 127.0.0.1 ::1", "bindcmddevice", "bindcmddevice 0123456789abcdef",
		"cmdport", "cmdport 65536", "cmdport -1", "cmdport http", "cmdallow 1.2.3.4/x",
		"cmdallow all 10/8 x", "cmdallow 300.1.1.1", "cmddeny 10/8 11/8", "cmdratelimit 4",
		"cmdratelimit interval", "opencommands makestep", "opencommands tracking,sources",
	};
	/* clang-format on */
	char path[256] = "bindcmdaddress /";

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct loaded loaded;

		load_text(cases[i], &loaded);
		if (!loaded.err)
			fail_msg("accepted: %s", cases[i]);
	}
	memset(path + strlen(path), 'x', CANDM_PATH_MAX);
	struct loaded loaded;
	load_text(path, &loaded);
	assert_true(loaded.err < 0);
}

/* chrony would look it up, so it is no error; but nobody is let in by a name. */
static void test_names_are_told(void **state)
{
	(void)state;
	struct loaded loaded;

	load_text("cmdallow host.example", &loaded);
	assert_int_equal(loaded.err, 0);
	assert_int_equal(loaded.notes.n, 1);
	assert_non_null(strstr(loaded.notes.list[0].text, "names are not looked up"));
	assert_int_equal(loaded.settings.command.access.n, 0);
}

static struct candm_conf random_conf(struct rng *rng)
{
	struct candm_conf c = CANDM_CONF_DEFAULT;

	if (rng_in(rng, 0, 1))
		snprintf(c.path, sizeof c.path, "/%d", (int)rng_in(rng, 0, 99));
	for (unsigned i = 0; i < 16; i++) {
		c.bind4.bytes[i] = (uint8_t)(i < 4 ? rng_next(rng) : 0);
		/* Runs of zeros, which are written short. */
		c.bind6.bytes[i] = (uint8_t)(rng_in(rng, 0, 2) ? 0 : rng_next(rng));
	}
	for (int i = (int)rng_in(rng, 0, 12); i > 0; i--) {
		bool is_v6 = rng_in(rng, 0, 1);
		struct candm_address a = is_v6 ? c.bind6 : c.bind4;

		a.bytes[rng_in(rng, 0, is_v6 ? 15 : 3)] = (uint8_t)rng_next(rng);
		(void)candm_access_add(&c.access, &a, (int)rng_in(rng, 0, is_v6 ? 128 : 32),
				       rng_in(rng, 0, 1), rng_in(rng, 0, 1));
	}
	c.port = (int)rng_in(rng, 0, 65535);
	if (rng_in(rng, 0, 1))
		strcpy(c.device, "eth0");
	c.is_limited = rng_in(rng, 0, 1);
	if (c.is_limited) {
		c.interval = (int)rng_in(rng, INT32_MIN, INT32_MAX);
		c.burst = (int)rng_in(rng, INT32_MIN, INT32_MAX);
		c.leak = (int)rng_in(rng, INT32_MIN, INT32_MAX);
	}
	c.is_open_given = rng_in(rng, 0, 1);
	if (c.is_open_given)
		c.open = (unsigned)rng_in(rng, 0, 0x1fff);
	return c;
}

static void test_what_is_printed_loads_as_the_same(void **state)
{
	struct rng rng;

	(void)state;
	rng_start(&rng);
	for (int i = 0; i < 2000; i++) {
		struct settings s, again;
		char text[SETTINGS_PRINT_MAX];

		settings_default(&s);
		s.command = random_conf(&rng);
		assert_true(settings_print(&s, text, sizeof text) < sizeof text);
		again = accept_text(text);
		if (!is_same(&s.command, &again.command))
			fail_msg("loaded as something else:\n%s", text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_chronys),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_names_are_told),
		cmocka_unit_test(test_what_is_printed_loads_as_the_same),
	};

	return cmocka_run_group_tests_name("settings_command", tests, NULL, NULL);
}
