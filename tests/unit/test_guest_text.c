/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "cli/guest_text.h"

static const vt_real NOW = { INT64_C(1795452803000000000) };

static struct fleet_guest guest(const char *name, enum fleet_state state, int64_t offset_ms)
{
	struct fleet_guest g = {
		.backend = "qemu",
		.state = state,
		.is_running = true,
		.has_offset = true,
		.offset = VT_MS(offset_ms),
		.uncertainty = VT_MS(1),
		.agent = FLEET_AGENT_QEMU_GA,
	};

	snprintf(g.name, sizeof g.name, "%s", name);
	return g;
}

static struct fleet_report report_of(struct fleet_guest *guests, unsigned n)
{
	return (struct fleet_report){
		.host = { .threshold = VT_MS(100),
			  .quality = { .daemon = "chronyd", .is_synchronized = true,
				       .has_root_distance = true, .root_distance = VT_US(1250) } },
		.n = n,
		.guests = guests,
	};
}

/* All lines, with their LF. */
static void render(const struct fleet_report *report, char *to, size_t size)
{
	char line[GUEST_LINE_MAX];
	enum guest_concern concern;
	struct guest_lines lines;
	size_t used = 0;

	*to = '\0';
	guest_lines_begin(&lines, report, NOW);
	while (guest_lines_next(&lines, line, &concern)) {
		used += (size_t)snprintf(to + used, size - used, "%s\n", line);
		assert_true(used < size);
	}
}

static void test_the_worst_come_first(void **state)
{
	(void)state;
	struct fleet_guest guests[] = {
		guest("a-stopped", FLEET_STOPPED, 0),    guest("b-fine", FLEET_WATCHING, 3),
		guest("c-off", FLEET_WATCHING, 102),     guest("d-setting", FLEET_SETTING, 9000),
		guest("e-verified", FLEET_VERIFIED, 0),  guest("f-failed", FLEET_FAILED, -5000),
		guest("g-frozen", FLEET_FROZEN, 9000),   guest("h-new", FLEET_DISCOVERED, 0),
		guest("i-hidden", FLEET_WATCHING, -101),
	};
	static const char *const want[] = {
		/* 102 ms +/- 1 is off by more than 100; 101 +/- 1 need not be. */
		"c-off",  "f-failed",   "d-setting", "g-frozen",  "b-fine",
		"e-verified", "i-hidden", "a-stopped", "h-new",
	};
	struct fleet_report report = report_of(guests, COUNT(guests));

	guest_text_sort(&report);
	for (size_t i = 0; i < COUNT(want); i++)
		assert_string_equal(report.guests[i].name, want[i]);
}

static void test_a_table(void **state)
{
	(void)state;
	struct fleet_guest guests[] = { guest("web", FLEET_VERIFIED, 0),
					guest("a-much-longer-name", FLEET_FAILED, 3600000) };
	struct fleet_report report = report_of(guests, 2);
	char text[8192];

	guests[0].has_vmtimed = true;
	guests[0].last = (struct fleet_disruption){
		.is_there = true, .reason = HOST_REASON_PAUSE, .end = FLEET_END_SET,
		.at = vt_real_add(NOW, VT_SEC(-200)), .has_lost = true, .lost = VT_SEC(10),
		.has_took = true, .took = VT_MS(182),
	};
	guests[1].last = (struct fleet_disruption){ .is_there = true,
						    .reason = HOST_REASON_RESTORE,
						    .end = FLEET_END_FAILED,
						    .at = vt_real_add(NOW, VT_SEC(7)) };
	strcpy(guests[1].note, "the agent said \"no\"\n\x1b[2J");
	guest_text_sort(&report);
	render(&report, text, sizeof text);
	assert_string_equal(
		text,
		"This host's own clock is right within 1.25 ms (chronyd).\n"
		"2 guests: 1 failed, 1 verified.\n"
		"\n"
		"Guest               State       Clock                               Agent             "
		"Last disruption           Lost        Right after\n"
		"a-much-longer-name  failed      1 h 0 min behind (+/- 1 ms)         qemu-ga           "
		"restore just now          -           no\n"
		"                    the agent said \"no\"\\x0a\\x1b[2J\n"
		"web                 verified    right within 1 ms                   qemu-ga, vmtimed  "
		"pause 3 min 20 s ago      10 s        182 ms\n");
}

static void test_the_host_comes_first(void **state)
{
	(void)state;
	struct fleet_report report = report_of(NULL, 0);
	char text[8192];

	report.host.quality = (struct report_host_quality){ .daemon = "" };
	report.host.n_alerts = 2;
	strcpy(report.host.alerts[0], "one");
	strcpy(report.host.alerts[1], "two");
	render(&report, text, sizeof text);
	assert_string_equal(text, "Nobody keeps this host's own clock.\none\ntwo\n0 guests.\n");
	strcpy(report.host.quality.daemon, "chronyd");
	report.host.n_alerts = 0;
	render(&report, text, sizeof text);
	assert_string_equal(text, "This host's own clock is not synchronised (chronyd).\n0 guests.\n");
}

/* Whatever a guest says of itself stays on its line, and fits. */
static void test_the_longest_texts_fit(void **state)
{
	(void)state;
	struct fleet_guest guests[] = { guest("x", FLEET_FAILED, 0) };
	struct fleet_report report = report_of(guests, 1);
	char line[GUEST_LINE_MAX];
	enum guest_concern concern;
	struct guest_lines lines;

	memset(guests[0].name, 1, sizeof guests[0].name - 1);
	memset(guests[0].note, 2, sizeof guests[0].note - 1);
	guests[0].offset = guests[0].uncertainty = VT_NS(INT64_MAX);
	guests[0].last = (struct fleet_disruption){ .is_there = true, .has_lost = true,
						    .lost = VT_NS(INT64_MIN), .has_took = true,
						    .took = VT_NS(INT64_MAX), .end = FLEET_END_SET,
						    .at = { INT64_MIN } };
	memset(report.host.quality.daemon, 3, sizeof report.host.quality.daemon - 1);
	report.host.n_alerts = FLEET_ALERTS_MAX;
	for (unsigned i = 0; i < FLEET_ALERTS_MAX; i++)
		memset(report.host.alerts[i], 4, sizeof report.host.alerts[i] - 1);
	guest_lines_begin(&lines, &report, NOW);
	while (guest_lines_next(&lines, line, &concern)) {
		assert_true(strlen(line) < GUEST_LINE_MAX);
		for (const char *p = line; *p; p++)
			assert_true(*p >= ' ' && *p <= '~');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_worst_come_first),
		cmocka_unit_test(test_a_table),
		cmocka_unit_test(test_the_host_comes_first),
		cmocka_unit_test(test_the_longest_texts_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
