/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_qemu_monitors.c - the back end over QEMU's sockets: monitors that come and go
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "qemu_world.h"

/* --- Monitors that come and go --- */

static void test_a_monitor_that_closes_in_mid_greeting(void **state)
{
	struct world *w = *state;

	listen_at(w, &w->monitor, "web.qmp");
	open_qemu(w, "web", "web.qmp", NULL);
	pass(w, VT_NS(0));
	assert_true(played_accept(&w->monitor));
	played_say(&w->monitor, "{\"QMP\": {\"ver");
	played_hang_up(&w->monitor);
	pass(w, VT_NS(0));
	check_no_sign(w);
	pass(w, VT_NS(0));
	assert_non_null(strstr(w->qemu.backend.trouble, "hung up before it had answered"));
	pass(w, VT_MS(30));
	assert_false(played_accept(&w->monitor)); /* not at once */
	pass(w, VT_MS(30));
	assert_string_equal(greet(w), "{\"execute\":\"query-uuid\",\"id\":2}\r\n"
	                              "{\"execute\":\"query-status\",\"id\":3}\r\n");
	tell_status(w, "00000000-0000-0000-0000-000000000000", "inmigrate", 3);
	assert_string_equal(take_sign(w, SIGN_APPEARED).uuid, "");
	pass(w, VT_NS(0));
	assert_string_equal(w->qemu.backend.trouble, "");

	played_say(&w->monitor, EVENT("RESUME")); /* the destination of a migration */
	pass(w, VT_NS(0));
	assert_int_equal(take_sign(w, SIGN_RUNNING).reason, HOST_REASON_MIGRATION);
}

static void test_a_monitor_that_does_not_greet(void **state)
{
	struct world *w = *state;

	listen_at(w, &w->monitor, "web.qmp");
	open_qemu(w, "web", "web.qmp", NULL);
	pass(w, VT_NS(0));
	assert_true(played_accept(&w->monitor));
	pass(w, VT_SEC(6));
	assert_true(played_is_gone(&w->monitor));
	check_no_sign(w);
	assert_non_null(strstr(w->qemu.backend.trouble, "somebody else"));
	pass(w, VT_SEC(1));
	assert_true(played_accept(&w->monitor));
	assert_non_null(strstr(w->qemu.backend.trouble, "somebody else")); /* another try ends nothing */
	played_say(&w->monitor, "220 smtp.example.org\r\n"); /* something else listens there */
	pass(w, VT_NS(0));
	assert_true(played_is_gone(&w->monitor));
}

static void test_a_connection_that_was_lost(void **state)
{
	struct world *w = *state;
	uint32_t guest = start(w);

	played_hang_up(&w->monitor);
	pass(w, VT_NS(0));
	check_no_sign(w);
	begin(w, guest, WORK_GET_TIME, 1); /* whether it runs is not known now */
	assert_false(take_outcome(w, WORK_LOST).was_sent);
	pass(w, VT_MS(100));
	greet(w);
	tell_status(w, FULL_UUID, "running", 4);
	assert_int_equal(take_sign(w, SIGN_RUNNING).guest, guest);
	check_no_sign(w);

	played_hang_up(&w->monitor);
	pass(w, VT_NS(0));
	pass(w, VT_MS(200));
	greet(w);
	tell_status(w, FULL_UUID, "paused", 4);
	take_sign(w, SIGN_STOPPED);

	played_hang_up(&w->monitor); /* another guest at the same place */
	pass(w, VT_NS(0));
	pass(w, VT_MS(200));
	greet(w);
	tell_status(w, "99999999-2222-3333-4444-555555555555", "running", 4);
	assert_int_equal(take_sign(w, SIGN_GONE).guest, guest);
	check_no_sign(w);
	pass(w, VT_NS(0));
	pass(w, VT_SEC(2));
	greet(w);
	tell_status(w, "99999999-2222-3333-4444-555555555555", "running", 4);
	assert_true(take_sign(w, SIGN_APPEARED).guest > guest);
}

static void test_a_qemu_that_ends(void **state)
{
	struct world *w = *state;
	uint32_t guest = start(w);

	begin(w, guest, WORK_GET_TIME, 1);
	played_end(&w->monitor);
	pass(w, VT_NS(0));
	pass(w, VT_MS(200));
	assert_int_equal(take_sign(w, SIGN_GONE).guest, guest);
	check_no_sign(w);
	take_outcome(w, WORK_LOST);
	check_no_outcome(w);
}

static void test_ports_that_open_and_close(void **state)
{
	struct world *w = *state;
	char answer[700], id[] = "5";

	start(w);
	for (unsigned i = 0; i < 2; i++) {
		played_say(&w->monitor, EVENT("VSERPORT_CHANGE"));
		pass(w, VT_NS(0));
		assert_non_null(strstr(played_hear(&w->monitor), "query-chardev"));
		check_no_sign(w);
		snprintf(answer, sizeof answer,
		         "{\"return\": [{\"frontend-open\": true, \"filename\": \"pty\", \"label\": \"x\"}, "
		         "{\"frontend-open\": %s, \"filename\": \"disconnected:unix:%s,server=on\", "
		         "\"label\": \"qga\"}], \"id\": %s}\r\n",
		         i ? "false" : "true", scratch_path(w->scratch, "web.qga"), id);
		played_say(&w->monitor, answer);
		pass(w, VT_NS(0));
		take_sign(w, i ? SIGN_AGENT_DOWN : SIGN_AGENT_UP);
		check_no_sign(w);
		id[0]++;
	}
}

static void test_a_flood_of_events_is_two_signs(void **state)
{
	struct world *w = *state;

	start(w);
	for (unsigned i = 0; i < 60; i++)
		played_say(&w->monitor, EVENT("STOP") EVENT("RESUME"));
	played_say(&w->monitor, EVENT("STOP"));
	pass(w, VT_NS(0));
	take_sign(w, SIGN_RUNNING);
	take_sign(w, SIGN_STOPPED); /* and this is how it is */
	check_no_sign(w);
}

/* --- Rules --- */

static void test_guests_that_a_star_stands_for(void **state)
{
	struct world *w = *state;
	struct sign sign;

	open_qemu(w, "node-*", "vm-*.qmp", "vm-*.qga");
	pass(w, VT_NS(0));
	listen_at(w, &w->monitor, "vm-17.qmp");
	pass(w, VT_MS(30));
	pass(w, VT_NS(0));
	greet(w);
	tell_status(w, FULL_UUID, "running", 4);
	sign = take_sign(w, SIGN_APPEARED);
	assert_string_equal(sign.name, "node-17");
	begin(w, sign.guest, WORK_INFO, 1); /* its agent is not there yet */
	take_outcome(w, WORK_LOST);
	listen_at(w, &w->agent, "vm-17.qga");
	begin(w, sign.guest, WORK_INFO, 2);
	agree(w);
	assert_string_equal(played_hear(&w->agent), "{\"execute\":\"guest-info\"}\n");
}

static void test_rules_that_cannot_be_followed(void **state)
{
	(void)state;
	static const struct qemu_rule BAD[] = {
		{ .name = "", .qmp = "/a" },
		{ .name = "a", .qmp = "a" },
		{ .name = "a", .qmp = "/a", .agent = "b" },
		{ .name = "a", .qmp = "/a*" },
		{ .name = "*", .qmp = "/a" },
		{ .name = "*", .qmp = "/*/*" },
		{ .name = "*", .qmp = "/*", .agent = "/a" },
		{ .name = "a", .qmp = "/a", .agent = "/*" },
		{ .name = "*", .qmp = "/*", .cid = 5 },
	};
	char why[200];

	for (unsigned i = 0; i < COUNT(BAD); i++) {
		why[0] = '\0';
		assert_int_equal(qemu_rule_check(&BAD[i], why, sizeof why), -EINVAL);
		assert_true(why[0]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_monitor_that_closes_in_mid_greeting),
		TEST(test_a_monitor_that_does_not_greet),
		TEST(test_a_connection_that_was_lost),
		TEST(test_a_qemu_that_ends),
		TEST(test_ports_that_open_and_close),
		TEST(test_a_flood_of_events_is_two_signs),
		TEST(test_guests_that_a_star_stands_for),
		cmocka_unit_test(test_rules_that_cannot_be_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
