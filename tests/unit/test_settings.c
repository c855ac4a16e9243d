/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings_text.h"

static bool is_untouched(const struct settings *s)
{
	const unsigned char *bytes = (const unsigned char *)s;

	for (size_t i = 0; i < sizeof *s; i++)
		if (bytes[i] != 0x5a)
			return false;
	return true;
}

static void refuse_text(const char *text, const char *want)
{
	struct loaded loaded;

	load_text(text, &loaded);
	if (!loaded.err)
		fail_msg("accepted: %s", text);
	assert_string_equal(loaded.error, want);
	assert_true(is_untouched(&loaded.settings));
}

static bool has_note(const struct conf_notes *notes, const char *text)
{
	for (unsigned i = 0; i < notes->n; i++)
		if (strstr(notes->list[i].text, text))
			return true;
	return false;
}

static void test_no_configuration_at_all(void **state)
{
	(void)state;
	struct settings s;

	settings_default(&s);
	assert_int_equal(s.n_refclocks, 0);
	assert_true(s.hostclock && s.is_rtcsync);
	assert_int_equal(s.vsock_port, 9532);
	assert_false(s.is_host_error_given);
	assert_false(s.is_makestep_given || s.is_max_change_given);
	assert_string_equal(s.drift_file, "/var/lib/vmtime/drift");
	assert_int_equal(s.drift_interval.ns, VT_SEC(3600).ns);
	assert_string_equal(s.pid_file, "/run/vmtime/vmtimed.pid");
	assert_string_equal(s.user, "vmtime");
	assert_true(s.max_slew_rate.ppb == 83333333);
	assert_string_equal(s.agent, "off");
	assert_int_equal(s.clock_owner, CLOCK_OWNER_REFUSE);
	assert_int_equal(s.resume, STEP_RESUME_STEP);
}

static void test_an_empty_file(void **state)
{
	(void)state;
	struct settings s = accept_text("");

	assert_int_equal(s.n_refclocks, 0);
	assert_true(s.hostclock);
	assert_false(s.is_rtcsync || s.is_makestep_given || s.is_max_change_given);
	assert_string_equal(s.drift_file, "");
	assert_string_equal(s.pid_file, "/run/vmtime/vmtimed.pid");
	assert_string_equal(s.user, "vmtime");
	assert_true(s.max_slew_rate.ppb == 83333333);
}

static void test_every_directive(void **state)
{
	(void)state;
	struct settings s = accept_text(
		"hostclock off\nhosterror 1500us\nvsock 1024\nagent vsock:9533\nclockowner ignore\nresume slew\nmakestep 0.5 -1\nmaxslewrate 500\n"
		"maxchange 1000 1 2\ndriftfile /d interval 60\nrtcsync\npidfile /p\nuser 65534\n");

	assert_false(s.hostclock);
	assert_true(s.is_host_error_given);
	assert_int_equal(s.host_error.ns, 1500000);
	assert_int_equal(s.vsock_port, 1024);
	assert_string_equal(s.agent, "vsock:9533");
	assert_int_equal(s.agent_port, 9533);
	assert_int_equal(s.clock_owner, CLOCK_OWNER_IGNORE);
	assert_int_equal(s.resume, STEP_RESUME_SLEW);
	assert_true(s.is_makestep_given);
	assert_int_equal(s.makestep_threshold.ns, VT_MS(500).ns);
	assert_int_equal(s.makestep_limit, -1);
	assert_true(s.max_slew_rate.ppb == 500000);
	assert_true(s.is_max_change_given);
	assert_int_equal(s.max_change.ns, VT_SEC(1000).ns);
	assert_int_equal(s.max_change_start, 1);
	assert_int_equal(s.max_change_ignore, 2);
	assert_string_equal(s.drift_file, "/d");
	assert_int_equal(s.drift_interval.ns, VT_SEC(60).ns);
	assert_true(s.is_rtcsync);
	assert_string_equal(s.pid_file, "/p");
	assert_string_equal(s.user, "65534");
	assert_string_equal(accept_text("pidfile /").pid_file, "");
}

static void test_records(void **state)
{
	(void)state;
	struct settings s = accept_text("");
	struct loaded loaded;

	assert_true(s.logs == 0 && s.log_dir[0] == '\0');
	assert_int_equal(s.log_banner, 32);
	assert_int_equal(s.log_change.ns, VT_SEC(1).ns);
	load_text("logdir /var/log/chrony\nlog Tracking statistics\nlog refclocks\nlog\nlogbanner 0\n"
	          "logchange 0.5\n", &loaded);
	s = loaded.settings;
	assert_true(loaded.err == 0 && loaded.notes.n == 0);
	assert_string_equal(s.log_dir, "/var/log/chrony");
	assert_int_equal(s.logs, SETTINGS_LOG_TRACKING | SETTINGS_LOG_STATISTICS |
	                         SETTINGS_LOG_REFCLOCKS);
	assert_int_equal(s.log_banner, 0);
	assert_int_equal(s.log_change.ns, VT_MS(500).ns);

	load_text("log tracking rawmeasurements measurements selection rtc tempcomp", &loaded);
	assert_int_equal(loaded.err, 0);
	assert_int_equal(loaded.notes.n, 5);
	assert_true(has_note(&loaded.notes, "log measurements: it tells of NTP sources"));
	assert_true(has_note(&loaded.notes, "log rawmeasurements: it tells of NTP sources"));
	assert_true(has_note(&loaded.notes, "log selection: which source is followed"));
	assert_true(has_note(&loaded.notes, "log rtc: the kernel keeps the RTC"));
	assert_true(has_note(&loaded.notes, "log tempcomp: no temperature"));
}

static void test_the_line_that_everybody_writes(void **state)
{
	(void)state;
	struct settings s = accept_text("refclock PHC /dev/ptp0 poll 2\n");
	const struct source_conf *source = &s.refclocks[0].source;

	assert_int_equal(s.n_refclocks, 1);
	assert_string_equal(s.refclocks[0].device, "/dev/ptp0");
	assert_false(s.refclocks[0].is_precise_off);
	assert_int_equal(source->poll, 2);
	assert_int_equal(source->dpoll, 0);
	assert_false(source->is_dpoll_given);
	assert_int_equal(source->filter, 64);
	assert_int_equal(source->delay.ns, 1);
	assert_int_equal(source->offset.ns, 0);
	assert_int_equal(source->precision.ns, 0);
	assert_int_equal(source->refid, 0x50484330); /* PHC0 */
	assert_int_equal(source->stratum, 0);
	assert_false(source->is_tai || source->prefer || source->noselect || source->require ||
	             source->trust);
}

static void test_every_option_of_a_refclock(void **state)
{
	(void)state;
	struct settings s = accept_text(
		"refclock phc /dev/ptp1:nocrossts poll 3 dpoll -2 offset -37.000000001 delay 1e-6 "
		"precision 5e-9 refid KVM stratum 2 prefer noselect require trust filter 8 tai\n");
	const struct source_conf *source = &s.refclocks[0].source;

	assert_string_equal(s.refclocks[0].device, "/dev/ptp1");
	assert_true(s.refclocks[0].is_precise_off);
	assert_int_equal(source->poll, 3);
	assert_int_equal(source->dpoll, -2);
	assert_true(source->is_dpoll_given);
	assert_int_equal(source->offset.ns, -37000000001);
	assert_int_equal(source->delay.ns, 1000);
	assert_int_equal(source->precision.ns, 5);
	assert_int_equal(source->refid, 0x4b564d00);
	assert_int_equal(source->stratum, 2);
	assert_int_equal(source->filter, 8);
	assert_true(source->is_tai && source->prefer && source->noselect && source->require &&
	            source->trust);
}

/* Files that chronyd starts with: it has no limit for the one and the kernel's for the other. */
static void test_large_numbers_that_chronyd_takes(void **state)
{
	(void)state;
	struct settings s = accept_text("refclock PHC /dev/ptp0 filter 128\nmaxslewrate 1000000\n");

	assert_int_equal(s.refclocks[0].source.filter, 128);
	assert_true(s.max_slew_rate.ppb == 1e8);
	assert_true(accept_text("maxslewrate 100000\n").max_slew_rate.ppb == 1e8);
}

static void test_dpoll_is_never_longer_than_poll(void **state)
{
	(void)state;
	struct settings s = accept_text("refclock PHC /dev/ptp0 poll -2\n"
	                                "refclock PHC /dev/ptp1 dpoll 6 poll 3\n"
	                                "refclock PHC /dev/ptp2 poll 6 dpoll 3\n");

	assert_int_equal(s.refclocks[0].source.dpoll, -2);
	assert_false(s.refclocks[0].source.is_dpoll_given);
	assert_int_equal(s.refclocks[1].source.dpoll, 3);
	assert_true(s.refclocks[1].source.is_dpoll_given);
	assert_int_equal(s.refclocks[2].source.dpoll, 3);
}

/* By the number of the line among all refclocks, as chrony does, and never over a written one. */
static void test_assigned_names(void **state)
{
	(void)state;
	struct settings s =
		accept_text("refclock SHM 0 refid GPS\nrefclock PHC /dev/ptp0\n"
	                    "refclock PHC /dev/ptp1 refid NIC\nrefclock PHC /dev/ptp2\n");

	assert_int_equal(s.n_refclocks, 3);
	assert_int_equal(s.refclocks[0].source.refid, 0x50484331); /* PHC1 */
	assert_int_equal(s.refclocks[1].source.refid, 0x4e494300); /* NIC  */
	assert_int_equal(s.refclocks[2].source.refid, 0x50484333); /* PHC3 */
}

static void test_what_is_not_available_is_said(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *text, *note;
		unsigned n_refclocks;
	} cases[] = {
		{ "refclock SHM 0 poll 2", "refclock SHM: this driver is not available", 0 },
		{ "refclock SHM 0:perm=0644", "refclock SHM: this driver is not available", 0 },
		{ "refclock SOCK /run/x.sock", "refclock SOCK: this driver is not available", 0 },
		{ "refclock PPS /dev/pps0 poll 3", "refclock PPS: this driver is not available", 0 },
		{ "refclock RTC /dev/rtc0:utc", "refclock RTC: this driver is not available", 0 },
		{ "refclock PHC /dev/ptp0:extpps:pin=1", "extpps: pulses on a pin", 0 },
		{ "refclock PHC /dev/ptp0:pin=1:extpps:clear", "extpps: pulses on a pin", 0 },
		{ "refclock PHC /dev/ptp0:pin=1", "pin, channel and clear have no meaning without", 1 },
		{ "refclock PHC /dev/ptp0:channel=0:nocrossts", "pin, channel and clear have no meaning", 1 },
		{ "refclock PHC /dev/ptp0:clear", "pin, channel and clear have no meaning", 1 },
		{ "refclock PHC /dev/ptp0 lock GPS", "refclock lock: it has no meaning", 1 },
		{ "refclock PHC /dev/ptp0 rate 5", "refclock rate: it has no meaning", 1 },
		{ "refclock PHC /dev/ptp0 maxlockage 5", "refclock maxlockage: it has no meaning", 1 },
		{ "refclock PHC /dev/ptp0 width 0.1", "refclock width: it has no meaning", 1 },
		{ "refclock PHC /dev/ptp0 pps", "refclock pps: it has no meaning", 1 },
		{ "refclock PHC /dev/ptp0 maxdispersion 0.1", "maxdispersion: it has no meaning", 1 },
		{ "refclock PHC /dev/ptp0 local", "refclock local: it has no meaning", 1 },
		{ "refclock PHC /dev/ptp0 minsamples 4", "minsamples: it has no meaning", 1 },
		{ "refclock PHC /dev/ptp0 maxsamples 4", "maxsamples: it has no meaning", 1 },
		{ "refclock PHC /dev/ptp0 maxunreach 4", "maxunreach: it has no meaning", 1 },
		{ "refclock PHC eth0", "refclock PHC \"eth0\": a clock is found by its device", 0 },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct loaded loaded;

		load_text(cases[i].text, &loaded);
		if (loaded.err)
			fail_msg("%s: %s", cases[i].text, loaded.error);
		if (!has_note(&loaded.notes, cases[i].note))
			fail_msg("%s: no note \"%s\"", cases[i].text, cases[i].note);
		assert_int_equal(loaded.notes.n, 1);
		assert_int_equal(loaded.settings.n_refclocks, cases[i].n_refclocks);
	}
}

static void test_refusals(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "refclock PHC /dev/ptp0 poll two", "/c:1:29: refclock poll: expected N, a whole number from -7 to 24, got \"two\"" },
		{ "refclock PHC /dev/ptp0 poll -8", "/c:1:29: refclock poll: expected N, a whole number from -7 to 24, got \"-8\"" },
		{ "refclock PHC /dev/ptp0 filter 0", "/c:1:31: refclock filter: expected N, a whole number from 1 to 2147483647, got \"0\"" },
		{ "refclock PHC /dev/ptp0 stratum 16", "/c:1:32: refclock stratum: expected N, a whole number from 0 to 15, got \"16\"" },
		{ "refclock PHC /dev/ptp0 delay -1", "/c:1:30: refclock delay: expected SECONDS, a number of seconds from 0 to 1000000000, got \"-1\"" },
		{ "refclock PHC /dev/ptp0 offset nan", "/c:1:31: refclock offset: expected SECONDS, a number of seconds from -1000000000 to 1000000000, got \"nan\"" },
		{ "refclock PHC /dev/ptp0 refid", "/c:1:29: refclock refid: expected NAME, one to four printable characters, got the end of the line" },
		{ "refclock PHC /dev/ptp0 fast", "/c:1:24: refclock: expected the name of an option, got \"fast\"" },
		{ "refclock PHC", "/c:1:13: refclock: expected DEVICE[:nocrossts], a word of at most 319 bytes, got the end of the line" },
		{ "refclock", "/c:1:9: refclock: expected DRIVER, one of PHC, SHM, SOCK, PPS, RTC, got the end of the line" },
		{ "refclock GPS /dev/x", "/c:1:10: refclock: expected DRIVER, one of PHC, SHM, SOCK, PPS, RTC, got \"GPS\"" },
		{ "refclock PHC :nocrossts", "/c:1: refclock PHC: expected the path of a device, such as /dev/ptp0, got \"\"" },
		{ "refclock PHC /dev/ptp0:fast", "/c:1: refclock PHC: expected nocrossts behind the device, got \"fast\"" },
		{ "refclock PHC /dev/ptp0:pin=x", "/c:1: refclock PHC: expected nocrossts behind the device, got \"pin=x\"" },
		{ "refclock PHC /dev/ptp0::nocrossts", "/c:1: refclock PHC: expected nocrossts behind the device, got \"\"" },
		{ "refclock PHC /dev/ptp0\nrefclock PHC /dev/ptp0:nocrossts", "/c:2: refclock PHC: expected each device once, got \"/dev/ptp0\" again" },
		{ "refclock PHC /a\nrefclock PHC /b\nrefclock PHC /b", "/c:3: refclock PHC: expected each device once, got \"/b\" again" },
		{ "refclock SHM 0 poll two", "/c:1:21: refclock poll: expected N, a whole number from -7 to 24, got \"two\"" },
		{ "makestep 1", "/c:1:11: makestep: expected LIMIT, a whole number from -2147483648 to 2147483647, got the end of the line" },
		{ "makestep -1 3", "/c:1:10: makestep: expected THRESHOLD, a number of seconds from 0 to 1000000000, got \"-1\"" },
		{ "makestep 1 3 4", "/c:1:14: makestep: expected the end of the line, got \"4\"" },
		{ "maxslewrate 0", "/c:1:13: maxslewrate: expected PPM, a number of ppm from 0.001 to 1000000000, got \"0\"" },
		{ "maxslewrate 1e10", "/c:1:13: maxslewrate: expected PPM, a number of ppm from 0.001 to 1000000000, got \"1e10\"" },
		{ "maxchange 1 -1 0", "/c:1:13: maxchange: expected START, a whole number from 0 to 2147483647, got \"-1\"" },
		{ "driftfile /d every 5", "/c:1:14: driftfile: expected the name of an option, got \"every\"" },
		{ "driftfile /d interval 0", "/c:1:23: driftfile interval: expected SECONDS, a number of seconds from 1 to 1000000000, got \"0\"" },
		{ "rtcsync on", "/c:1:9: rtcsync: expected the end of the line, got \"on\"" },
		{ "hosterror 5", "/c:1:11: hosterror: expected DURATION, a length of time with its unit "
		                 "(ns us ms s min h) from 1ns to 1h, got \"5\"" },
		{ "hosterror 0ms", "/c:1:11: hosterror: expected DURATION, a length of time with its unit "
		                   "(ns us ms s min h) from 1ns to 1h, got \"0ms\"" },
		{ "vsock 1023", "/c:1:7: vsock: expected PORT, on, off, or a port from 1024 to 4294967294, got "
		                "\"1023\"" },
		{ "vsock 4294967295", "/c:1:7: vsock: expected PORT, on, off, or a port from 1024 to "
		                      "4294967294, got \"4294967295\"" },
		{ "hostclock maybe", "/c:1:11: hostclock: expected SWITCH, on or off, got \"maybe\"" },
		{ "agent vsock:80", "/c:1: agent: expected off, auto, a device below /dev, or vsock:PORT with "
		                    "a port of at least 1024" },
		{ "clockowner share", "/c:1:12: clockowner: expected RULE, one of refuse, ignore, got \"share\"" },
		{ "log tracking colour", "/c:1:14: log: expected NAME, one of measurements, statistics, tracking, refclocks, rawmeasurements, selection, rtc, tempcomp, got \"colour\"" },
		{ "logdir log", "/c:1:8: logdir: expected PATH, a path that begins with / of at most 255 bytes, got \"log\"" },
		{ "logbanner x", "/c:1:11: logbanner: expected ENTRIES, a whole number from -2147483648 to 2147483647, got \"x\"" },
		{ "logchange", "/c:1:10: logchange: expected SECONDS, a number of seconds from -1000000000 to 1000000000, got the end of the line" },
		{ "lock_all 1", "/c:1:10: lock_all: expected the end of the line, got \"1\"" },
		{ "sched_priority 100", "/c:1:16: sched_priority: expected PRIORITY, a whole number from 0 to 99, got \"100\"" },
		{ "ntpsnoop on", "/c:1:1: expected a directive, got \"ntpsnoop\"" },
		{ "include /none", "/c:1: cannot read \"/none\": No such file or directory" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++)
		refuse_text(cases[i].text, cases[i].want);
}

static void test_long_words(void **state)
{
	(void)state;
	char text[900], path[SETTINGS_PATH_MAX + 1] = "";
	struct loaded loaded;

	memset(path, 'x', SETTINGS_PATH_MAX);
	path[0] = '/';
	path[SETTINGS_PATH_MAX - 1] = '\0';
	snprintf(text, sizeof text, "refclock PHC %s:nocrossts\ndriftfile %s\npidfile %s", path,
	         path, path);
	load_text(text, &loaded);
	assert_int_equal(loaded.err, 0);
	assert_string_equal(loaded.settings.refclocks[0].device, path);

	path[SETTINGS_PATH_MAX - 1] = 'x';
	snprintf(text, sizeof text, "refclock PHC %s", path);
	load_text(text, &loaded);
	assert_int_equal(loaded.err, -EINVAL);
	snprintf(text, sizeof text, "driftfile %s", path);
	load_text(text, &loaded);
	assert_int_equal(loaded.err, -EINVAL);
}

static void test_too_many_refclocks(void **state)
{
	(void)state;
	char text[1024] = "";

	for (int i = 0; i < SETTINGS_REFCLOCKS_MAX; i++)
		sprintf(text + strlen(text), "refclock PHC /dev/ptp%d\n", i);
	assert_int_equal(accept_text(text).n_refclocks, SETTINGS_REFCLOCKS_MAX);
	strcat(text, "refclock PHC /dev/ptp8\n");
	refuse_text(text, "/c:9: refclock: expected at most 8 reference clocks");
}

static void test_directives_on_the_command_line(void **state)
{
	(void)state;
	static const struct memory_file FILES[] = {
		{ .path = "/c", .text = "makestep 1 3\nrtcsync\n" },
		{ .path = NULL },
	};
	static const char *const GOOD[] = { "makestep 2 -1", "refclock PHC /dev/ptp0" };
	static const char *const BAD[] = { "makestep 2 -1", "refclock phc" };
	struct loaded loaded;

	load(FILES, "/c", GOOD, COUNT(GOOD), &loaded);
	assert_int_equal(loaded.err, 0);
	assert_int_equal(loaded.settings.makestep_threshold.ns, VT_SEC(2).ns);
	assert_int_equal(loaded.settings.n_refclocks, 1);
	assert_true(loaded.settings.is_rtcsync);

	load(FILES, NULL, GOOD, COUNT(GOOD), &loaded);
	assert_int_equal(loaded.err, 0);
	assert_false(loaded.settings.is_rtcsync);

	load(FILES, "/c", BAD, COUNT(BAD), &loaded);
	assert_int_equal(loaded.err, -EINVAL);
	assert_string_equal(loaded.error,
	                    "command line:2:13: refclock: expected "
	                    "DEVICE[:nocrossts], a word of at most 319 bytes, got the "
	                    "end of the line");
	assert_true(is_untouched(&loaded.settings));
}

/* No name is in the table twice. */
static void test_names_are_unique(void **state)
{
	(void)state;
	const struct conf_row *row;

	for (size_t i = 0; (row = conf_row_at(&SETTINGS_TABLE, i)); i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(row->name, conf_row_at(&SETTINGS_TABLE, k)->name) == 0)
				fail_msg("%s stands twice", row->name);
}

/* The defaults that the table tells are those that the code has. */
static void check_defaults(const struct conf_table *table, const void *target)
{
	char text[CONF_WORD_MAX];
	const struct conf_row *row;

	for (size_t i = 0; (row = conf_row_at(table, i)); i++) {
		if (row->initial && row->act == CONF_SET &&
		    strcmp(conf_value_format(&row->values[0], target, text, sizeof text),
		           row->initial) != 0)
			fail_msg("%s: default is %s, the table says %s", row->name, text,
			         row->initial);
	}
}

static void test_defaults_are_told_as_they_are(void **state)
{
	(void)state;
	struct settings_builder b = { .settings = accept_text("") };

	const struct conf_row *row;

	check_defaults(&SETTINGS_TABLE, &b);
	for (size_t i = 0; (row = conf_row_at(&SETTINGS_TABLE, i)); i++) {
		if (row->options)
			check_defaults(row->options, row->open ? row->open(&b) : &b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_configuration_at_all),
		cmocka_unit_test(test_an_empty_file),
		cmocka_unit_test(test_every_directive),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_the_line_that_everybody_writes),
		cmocka_unit_test(test_every_option_of_a_refclock),
		cmocka_unit_test(test_large_numbers_that_chronyd_takes),
		cmocka_unit_test(test_dpoll_is_never_longer_than_poll),
		cmocka_unit_test(test_assigned_names),
		cmocka_unit_test(test_what_is_not_available_is_said),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_too_many_refclocks),
		cmocka_unit_test(test_directives_on_the_command_line),
		cmocka_unit_test(test_names_are_unique),
		cmocka_unit_test(test_defaults_are_told_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
