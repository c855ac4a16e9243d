/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "settings_text.h"

static void test_a_plain_server(void **state)
{
	(void)state;
	struct settings s = accept_text("server ntp.example\n");
	const struct ntp_settings *n = &s.ntp[0];

	assert_int_equal(s.n_ntp, 1);
	assert_int_equal(n->kind, NTP_SERVER);
	assert_string_equal(n->name, "ntp.example");
	assert_true(n->port == 123 && n->nts_port == 4460);
	assert_true(n->min_poll == 6 && n->max_poll == 10 && n->poll_target == 8);
	assert_true(n->filter == 0 && n->version == 0 && n->min_stratum == 0);
	assert_true(n->max_sources == 4 && n->max_unreach == 100000);
	assert_true(n->min_samples == -1 && n->max_samples == -1);
	assert_int_equal(n->max_delay.ns, VT_SEC(3).ns);
	assert_true(n->min_delay.ns == 0 && n->offset.ns == 0);
	assert_true(n->max_delay_ratio == 0 && n->max_delay_dev_ratio == 10);
	assert_true(n->max_delay_quantile == 0);
	assert_false(n->has_key || n->has_presend || n->has_asymmetry);
	assert_true(n->cert_set == 0 && n->extensions == 0);
	assert_false(n->iburst || n->burst || n->nts || n->offline || n->auto_offline);
	assert_false(n->xleave || n->copy || n->ipv4 || n->ipv6);
	assert_false(n->prefer || n->noselect || n->trust || n->require);
}

static void test_every_option(void **state)
{
	(void)state;
	struct settings s = accept_text(
		"POOL p.example MinPoll -7 maxpoll 24 iburst burst key 4294967295 nts ntsport 1 "
		"certset 2 maxdelay 0.5 maxdelayratio 1.5 maxdelaydevratio 2.5 maxdelayquant 0.25 "
		"mindelay 1e-3 asymmetry -0.5 offset -1e-9 minsamples 3 maxsamples 4 filter 5 "
		"offline auto_offline prefer noselect trust require xleave polltarget 6 port 7 "
		"presend 8 minstratum 9 version 3 maxsources 11 maxunreach 12 copy ipv4 ipv6 "
		"extfield f323 extfield 10a\n");
	const struct ntp_settings *n = &s.ntp[0];

	assert_int_equal(n->kind, NTP_POOL);
	assert_true(n->min_poll == -7 && n->max_poll == 24);
	assert_true(n->has_key && n->key == UINT32_MAX);
	assert_true(n->nts_port == 1 && n->cert_set == 2);
	assert_int_equal(n->max_delay.ns, VT_MS(500).ns);
	assert_true(n->max_delay_ratio == 1.5 && n->max_delay_dev_ratio == 2.5);
	assert_true(n->max_delay_quantile == 0.25);
	assert_int_equal(n->min_delay.ns, VT_MS(1).ns);
	assert_true(n->has_asymmetry && n->asymmetry == -0.5);
	assert_int_equal(n->offset.ns, -1);
	assert_true(n->min_samples == 3 && n->max_samples == 4 && n->filter == 5);
	assert_true(n->poll_target == 6 && n->port == 7 && n->has_presend);
	assert_true(n->presend_min_poll == 8 && n->min_stratum == 9 && n->version == 3);
	assert_true(n->max_sources == 11 && n->max_unreach == 12);
	assert_int_equal(n->extensions, NTP_EXTENSION_F323 | NTP_EXTENSION_10A);
	assert_true(n->iburst && n->burst && n->nts && n->offline && n->auto_offline);
	assert_true(n->xleave && n->copy && n->ipv4 && n->ipv6);
	assert_true(n->prefer && n->noselect && n->trust && n->require);
}

static void test_refusals(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "server", "/c:1:7: server: expected NAME, a word of at most 255 bytes, got the end of the line" },
		{ "server a b", "/c:1:10: server: expected the name of an option, got \"b\"" },
		{ "pool a minpoll", "/c:1:15: pool minpoll: expected N, a whole number from -2147483648 to 2147483647, got the end of the line" },
		{ "peer a minpoll x", "/c:1:16: peer minpoll: expected N, a whole number from -2147483648 to 2147483647, got \"x\"" },
		{ "server a key 0", "/c:1:14: server key: expected ID, a whole number from 1 to 4294967295, got \"0\"" },
		{ "server a maxdelay x", "/c:1:19: server maxdelay: expected SECONDS, a number of seconds from -1000000000 to 1000000000, got \"x\"" },
		{ "server a extfield 1", "/c:1:19: server extfield: expected TYPE, one of F323, F324, 10A, got \"1\"" },
		{ "server a tai", "/c:1:10: server: expected the name of an option, got \"tai\"" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct loaded loaded;

		load_text(cases[i].text, &loaded);
		if (!loaded.err)
			fail_msg("accepted: %s", cases[i].text);
		assert_string_equal(loaded.error, cases[i].want);
	}
}

/* However many there are, the note that nothing asks them comes once. */
static void test_kinds_stand_together(void **state)
{
	(void)state;
	static const char *const WANT[] = { "a", "d", "f", "c", "e", "b" };
	struct loaded loaded;

	load_text("server a\npeer b\npool c\nserver d\npool e\nserver f\n", &loaded);
	assert_int_equal(loaded.err, 0);
	assert_int_equal(loaded.settings.n_ntp, 6);
	for (size_t i = 0; i < COUNT(WANT); i++)
		assert_string_equal(loaded.settings.ntp[i].name, WANT[i]);
	assert_int_equal(loaded.notes.n, 1);
	assert_string_equal(loaded.notes.list[0].text,
	                    "server, pool, peer: NTP sources are not built yet: they are kept and "
	                    "not asked for the time");
}

static void test_too_many(void **state)
{
	(void)state;
	char text[1024] = "";
	struct loaded loaded;

	for (int i = 0; i < SETTINGS_NTP_MAX; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "server s%d\n", i);
	load_text(text, &loaded);
	assert_int_equal(loaded.err, 0);
	assert_int_equal(loaded.notes.n, 1);
	strcat(text, "server one\npool more\n");
	load_text(text, &loaded);
	assert_int_equal(loaded.err, 0);
	assert_int_equal(loaded.settings.n_ntp, SETTINGS_NTP_MAX);
	assert_string_equal(loaded.settings.ntp[SETTINGS_NTP_MAX - 1].name, "s15");
	assert_int_equal(loaded.notes.n, 2);
	assert_string_equal(loaded.notes.list[1].text,
	                    "more than 16 NTP sources: those behind them are left out");
	assert_int_equal(loaded.notes.list[1].place.line, SETTINGS_NTP_MAX + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_plain_server),
		cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_kinds_stand_together),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
