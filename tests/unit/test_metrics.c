/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/metrics.h"

/* The fleet's own, which is not linked here. */
const vt_span FLEET_BUCKET_EDGES[FLEET_BUCKETS] = { { 50000000 }, { 1000000000 }, { 60000000000 } };

static char *written(const struct fleet_report *report, const struct fleet_counters *counters)
{
	const struct process_usage process = { .cpu = VT_MS(1250),
		                               .has_memory = true,
		                               .resident_bytes = 4096,
		                               .virtual_bytes = 8192 };
	const vt_real now = { INT64_C(1793491300000000000) };
	struct text text = TEXT_INIT;
	char *p;
	size_t n;

	metrics_write(report, counters, &process, now, &text);
	assert_int_equal(text_take(&text, &p, &n), 0);
	return p;
}

/* Whether @line is a whole line of @text. */
static bool has_line(const char *text, const char *line)
{
	const size_t n = strlen(line);

	for (const char *at = strstr(text, line); at; at = strstr(at + 1, line))
		if ((at == text || at[-1] == '\n') && at[n] == '\n')
			return true;
	return false;
}

static void assert_lines(const char *text, const char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!has_line(text, lines[i]))
			fail_msg("no line %s in\n%s", lines[i], text);
}

#define G(name) "vmtime_guest_" name "{guest=\"we\\\"b\\\\1?\",backend=\"libvirt\""

static const struct fleet_counters NOTHING;

static void test_a_guest(void **state)
{
	(void)state;
	struct fleet_guest guest = {
		.name = "we\"b\\1\n",
		.backend = "libvirt",
		.state = FLEET_VERIFIED,
		.is_running = true,
		.was_measured = true,
		.has_offset = true,
		.offset = VT_MS(-1500),
		.uncertainty = VT_US(700),
		.offset_age = VT_SEC(12),
		.agent = FLEET_AGENT_QEMU_GA,
		.agent_version = "7.2.0",
		.last = { .is_there = true,
		          .end = FLEET_END_SET,
		          .at = { INT64_C(1793491200500000000) },
		          .has_stopped = true,
		          .stopped = VT_SEC(60),
		          .has_lost = true,
		          .lost = VT_MS(59900),
		          .has_took = true,
		          .took = VT_MS(80) },
		.disruptions = 4,
		.sets = 3,
		.nudges = 2,
		.failures = 1,
	};
	const struct fleet_report report = { .n = 1, .guests = &guest };
	/* clang-format off */
	static const char *const LINES[] = {
		"# TYPE vmtime_guest_offset_seconds gauge",
		G("offset_seconds") "} -1.5",
		G("uncertainty_seconds") "} 0.0007",
		G("measurement_timestamp_seconds") "} 1793491288",
		G("state") ",state=\"verified\"} 1",
		G("running") "} 1",
		G("repaired") "} 1",
		G("agent_up") "} 1",
		G("agent_info") ",agent=\"qemu-ga\",version=\"7.2.0\"} 1",
		G("vmtimed_up") "} 0",
		G("last_disruption_timestamp_seconds") "} 1793491200.5",
		G("last_stopped_seconds") "} 60",
		G("last_lost_seconds") "} 59.9",
		G("last_recovery_seconds") "} 0.08",
		"# TYPE vmtime_guest_disruptions_total counter",
		G("disruptions_total") "} 4",
		G("sets_total") "} 3",
		G("nudges_total") "} 2",
		G("failures_total") "} 1",
		"vmtime_guests{state=\"verified\"} 1",
		"vmtime_guests{state=\"failed\"} 0",
		"process_cpu_seconds_total 1.25",
		"process_resident_memory_bytes 4096",
	};
	/* clang-format on */
	char *text = written(&report, &NOTHING);

	assert_lines(text, LINES, COUNT(LINES));
	free(text);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		n++;
	return n;
}

static void test_an_agent_that_is_silent_is_not_up(void **state)
{
	(void)state;
	struct fleet_guest guest = { .name = "deaf", .backend = "qemu", .agent = FLEET_AGENT_QEMU_GA,
		                     .was_measured = true, .offset_age = VT_SEC(300) };
	const struct fleet_report report = { .n = 1, .guests = &guest };
	char *text = written(&report, &NOTHING);

	assert_int_equal(count(text, "vmtime_guest_agent_up{guest=\"deaf\",backend=\"qemu\"} 1\n"), 1);
	assert_int_equal(count(text, "vmtime_guest_measurement_timestamp_seconds{"), 1);
	assert_int_equal(count(text, "vmtime_guest_offset_seconds{"), 0);
	free(text);
	guest.is_silent = true;
	text = written(&report, &NOTHING);
	assert_int_equal(count(text, "vmtime_guest_agent_up{guest=\"deaf\",backend=\"qemu\"} 0\n"), 1);
	free(text);
}

static void test_what_is_not_known_has_no_line(void **state)
{
	(void)state;
	struct fleet_guest guest = { .name = "new", .backend = "qemu" };
	const struct fleet_report report = { .n = 1, .guests = &guest };
	char *text = written(&report, &NOTHING);

	assert_int_equal(count(text, "vmtime_guest_offset_seconds{"), 0);
	assert_int_equal(count(text, "vmtime_guest_uncertainty_seconds{"), 0);
	assert_int_equal(count(text, "vmtime_guest_measurement_timestamp_seconds{"), 0);
	assert_int_equal(count(text, "vmtime_guest_last_"), 4 * 2); /* HELP and TYPE alone */
	assert_int_equal(count(text, "vmtime_host_root_distance_seconds"), 0);
	assert_int_equal(count(text, "vmtime_host_clocksource"), 0);
	assert_int_equal(count(text, "vmtime_guest_agent_up{guest=\"new\",backend=\"qemu\"} 0\n"),
	                 1);
	assert_int_equal(count(text, "vmtime_guest_running{guest=\"new\",backend=\"qemu\"} 0\n"),
	                 1);
	free(text);
}

/* Prometheus refuses a scrape that has one series twice. */
static void test_twins_are_one_series(void **state)
{
	(void)state;
	struct fleet_guest guests[] = { { .name = "a", .backend = "qemu" },
		                        { .name = "a", .backend = "qemu" },
		                        { .name = "a", .backend = "vsock" } };
	const struct fleet_report report = { .n = COUNT(guests), .guests = guests };
	char *text = written(&report, &NOTHING);

	assert_int_equal(count(text, "vmtime_guest_running{guest=\"a\",backend=\"qemu\"}"), 1);
	assert_int_equal(count(text, "vmtime_guest_running{guest=\"a\",backend=\"vsock\"}"), 1);
	free(text);
}

static void test_when_a_guest_is_repaired(void **state)
{
	(void)state;
	static const struct {
		enum fleet_state state;
		bool is_there;
		enum fleet_end end;
		const char *want;
	} CASES[] = {
		{ FLEET_WATCHING, false, FLEET_END_OPEN, "1" },
		{ FLEET_MEASURING, true, FLEET_END_OPEN, "0" },
		{ FLEET_VERIFIED, true, FLEET_END_SET, "1" },
		{ FLEET_WATCHING, true, FLEET_END_FAILED, "0" },
		{ FLEET_FAILED, false, FLEET_END_OPEN, "0" },
		{ FLEET_VERIFIED, true, FLEET_END_NUDGED, "1" },
	};

	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct fleet_guest guest = { .name = "g",
			                     .backend = "b",
			                     .state = CASES[i].state,
			                     .last = { .is_there = CASES[i].is_there,
			                               .end = CASES[i].end } };
		const struct fleet_report report = { .n = 1, .guests = &guest };
		char *text = written(&report, &NOTHING), line[96];

		snprintf(line, sizeof line, "vmtime_guest_repaired{guest=\"g\",backend=\"b\"} %s",
		         CASES[i].want);
		if (!has_line(text, line))
			fail_msg("row %zu", i);
		free(text);
	}
}

static void test_the_host(void **state)
{
	(void)state;
	struct fleet_report report = { .host = { .version = "0.1.0",
		                                 .uptime = VT_SEC(100),
		                                 .clocksource = "hpet",
		                                 .quality = { .daemon = "chronyd",
		                                              .is_synchronized = true,
		                                              .has_root_distance = true,
		                                              .root_distance = VT_US(830),
		                                              .leap = REPORT_LEAP_INSERT },
		                                 .threshold = VT_MS(100),
		                                 .n_alerts = 2 } };
	static const char *const LINES[] = {
		"vmtime_hostd_build_info{version=\"0.1.0\"} 1",
		"vmtime_host_synchronized 1",
		"vmtime_host_root_distance_seconds 0.00083",
		"vmtime_host_leap{leap=\"normal\"} 0",
		"vmtime_host_leap{leap=\"insert-second\"} 1",
		"vmtime_host_clocksource_tsc 0",
		"vmtime_host_clocksource_info{clocksource=\"hpet\"} 1",
		"vmtime_host_time_daemon_info{daemon=\"chronyd\"} 1",
		"vmtime_host_alerts 2",
		"vmtime_hostd_threshold_seconds 0.1",
		"process_start_time_seconds 1793491200",
	};
	char *text = written(&report, &NOTHING);

	assert_lines(text, LINES, COUNT(LINES));
	free(text);
	strcpy(report.host.clocksource, "tsc");
	text = written(&report, &NOTHING);
	assert_true(has_line(text, "vmtime_host_clocksource_tsc 1"));
	free(text);
}

/* A histogram's buckets count what is below their edge: each includes those before it. */
static void test_histograms_add_up(void **state)
{
	(void)state;
	const struct fleet_report report = { .n = 0 };
	const struct fleet_counters counters = {
		.to_right = { .counts = { 2, 3, 1, [FLEET_BUCKETS] = 4 },
		              .n = 10,
		              .sum = VT_MS(1500) },
		.ends = { [FLEET_END_SET] = 5 },
		.false_yes = 6,
	};
	static const char *const LINES[] = {
		"# TYPE vmtime_hostd_recovery_seconds histogram",
		"vmtime_hostd_recovery_seconds_bucket{le=\"0.05\"} 2",
		"vmtime_hostd_recovery_seconds_bucket{le=\"1\"} 5",
		"vmtime_hostd_recovery_seconds_bucket{le=\"60\"} 6",
		"vmtime_hostd_recovery_seconds_bucket{le=\"+Inf\"} 10",
		"vmtime_hostd_recovery_seconds_sum 1.5",
		"vmtime_hostd_recovery_seconds_count 10",
		"vmtime_hostd_repairs_total{end=\"set\"} 5",
		"vmtime_hostd_agent_false_answers_total{answer=\"yes\"} 6",
	};
	char *text = written(&report, &counters);

	assert_lines(text, LINES, COUNT(LINES));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_guest),
		cmocka_unit_test(test_what_is_not_known_has_no_line),
		cmocka_unit_test(test_an_agent_that_is_silent_is_not_up),
		cmocka_unit_test(test_twins_are_one_series),
		cmocka_unit_test(test_when_a_guest_is_repaired),
		cmocka_unit_test(test_the_host),
		cmocka_unit_test(test_histograms_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
