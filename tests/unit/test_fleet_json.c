/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "proto/fleet_json.h"
#include "proto/fleet_text.h"

static struct fleet_guest full_guest(void)
{
	return (struct fleet_guest){
		.name = "web \"1\"\\",
		.uuid = "7f0e3f36-2f3c-4a53-8d6f-000000000001",
		.backend = "libvirt",
		.state = FLEET_FAILED,
		.is_running = true,
		.has_offset = true,
		.offset = VT_MS(-1500),
		.uncertainty = VT_US(700),
		.offset_age = VT_SEC(12),
		.agent = FLEET_AGENT_QEMU_GA,
		.agent_version = "7.2.0",
		.has_vmtimed = true,
		.vmtimed_state = "holdover",
		.last = { .is_there = true,
		          .reason = HOST_REASON_RESTORE,
		          .end = FLEET_END_FAILED,
		          .at = { INT64_C(1793491200000000001) },
		          .has_stopped = true,
		          .stopped = VT_SEC(60),
		          .has_lost = true,
		          .lost = VT_NS(INT64_C(59999999999)),
		          .has_took = true,
		          .took = VT_MS(80) },
		.disruptions = 4,
		.sets = 3,
		.nudges = 2,
		.failures = 1,
		.note = "it is wrong",
	};
}

static struct fleet_host full_host(void)
{
	return (struct fleet_host){
		.version = "0.1.0",
		.uptime = VT_SEC(90),
		.clocksource = "tsc",
		.quality = { .daemon = "chronyd",
		             .is_synchronized = true,
		             .has_root_distance = true,
		             .root_distance = VT_US(830),
		             .leap = REPORT_LEAP_INSERT },
		.threshold = VT_MS(100),
		.n_alerts = 2,
		.alerts = { "the first", "the second" },
	};
}

/* By all that they say. */
static void assert_same(const struct fleet_report *a, const struct fleet_report *b)
{
	json_t *first = fleet_json_report(a), *second = fleet_json_report(b);

	assert_non_null(first);
	assert_true(json_equal(first, second));
	json_decref(first);
	json_decref(second);
}

static void test_there_and_back(void **state)
{
	(void)state;
	struct fleet_guest guests[] = { full_guest(), { .name = "bare", .backend = "qemu" } };
	struct fleet_report report = { .host = full_host(), .n = 2, .guests = guests }, back;
	char why[256] = "";
	json_t *data = fleet_json_report(&report);

	assert_int_equal(fleet_json_read(data, &back, why, sizeof why), 0);
	assert_int_equal(back.n, 2);
	assert_same(&report, &back);
	assert_string_equal(back.guests[0].name, "web \"1\"\\");
	assert_int_equal(back.guests[0].offset.ns, -1500000000);
	assert_int_equal(back.guests[0].uncertainty.ns, 700000);
	assert_int_equal(back.guests[0].last.lost.ns, INT64_C(59999999999));
	assert_int_equal(back.guests[0].last.reason, HOST_REASON_RESTORE);
	assert_false(back.guests[1].has_offset);
	assert_false(back.guests[1].last.is_there);
	assert_string_equal(back.host.alerts[1], "the second");
	free(back.guests);
	json_decref(data);
}

static void test_what_is_not_known_has_no_key(void **state)
{
	(void)state;
	static const char *const ABSENT[] = { "offset_ns", "uncertainty_ns", "offset_age_ns",
		                              "last" };
	const struct fleet_guest bare = { .name = "bare" };
	json_t *guest = fleet_json_guest(&bare);

	assert_non_null(guest);
	for (size_t i = 0; i < COUNT(ABSENT); i++)
		assert_null(json_object_get(guest, ABSENT[i]));
	json_decref(guest);
}

static void test_refusals_leave_the_report_alone(void **state)
{
	(void)state;
	/* clang-format off */
	static const char *const BAD[] = {
		"[]",
		"{\"guests\":[]}",
		"{\"guests\":[],\"host\":{\"alerts\":[]}}",
		"{\"guests\":{},\"host\":{}}",
	};
	/* clang-format on */
	for (size_t i = 0; i < COUNT(BAD); i++) {
		struct fleet_report report = { .n = 77 };
		char why[256] = "";
		json_t *data = json_loads(BAD[i], 0, NULL);

		assert_non_null(data);
		assert_int_equal(fleet_json_read(data, &report, why, sizeof why), -EINVAL);
		assert_string_not_equal(why, "");
		assert_int_equal(report.n, 77);
		json_decref(data);
	}
}

static void test_the_text_counts_the_states(void **state)
{
	(void)state;
	struct fleet_guest guests[] = { full_guest(), full_guest(), { .state = FLEET_VERIFIED } };
	struct fleet_report report = { .host = full_host(), .n = 3, .guests = guests };
	char *text;
	size_t length;

	assert_int_equal(fleet_text(&report, "kvm7", (vt_real){ 5 }, false, &text, &length), 0);
	assert_int_equal(length, strlen(text));
	assert_non_null(strstr(text, "{\"v\":1,\"name\":\"kvm7\",\"now_unix_ns\":5,"));
	assert_non_null(strstr(text, "\"verified\":1,"));
	assert_non_null(strstr(text, "\"failed\":2}"));
	assert_null(strstr(text, "\"guests\""));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_what_is_not_known_has_no_key),
		cmocka_unit_test(test_refusals_leave_the_report_alone),
		cmocka_unit_test(test_the_text_counts_the_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
