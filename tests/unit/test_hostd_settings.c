/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_manual.h"
#include "hostd/settings.h"
#include "hostd/settings_table.h"
#include "memory_files.h"

/* 0 or -errno; *@ret as it was where it is refused. */
static int load_text(const char *text, struct settings *ret, char *error, size_t size)
{
	struct memory_file files[] = { { .path = "/c", .text = text }, { .path = NULL } };
	struct memory_files memory = { files };
	struct conf_loader loader = memory_loader(&memory);
	struct conf_error why = { .text = "untouched" };
	struct conf_notes notes;
	int r;

	conf_notes_init(&notes);
	r = settings_load("/c", NULL, 0, &loader, &notes, ret, &why);
	conf_error_format(&why, error, size);
	return r;
}

static struct settings accept_text(const char *text)
{
	struct settings s;
	char error[1024];

	if (load_text(text, &s, error, sizeof error))
		fail_msg("refused: %s\n%s", error, text);
	return s;
}

static void test_an_empty_file_is_the_default(void **state)
{
	(void)state;
	struct settings s = accept_text("# nothing\n"), d;

	settings_default(&d);
	assert_true(settings_equal(&s, &d));
	assert_int_equal(s.libvirt, SETTINGS_LIBVIRT_AUTO);
	assert_true(s.is_http_on);
	assert_int_equal(s.http_port, 9532);
	assert_int_equal(s.threshold.ns, 100000000);
	assert_int_equal(s.unsynchronized_threshold.ns, 2000000000);
}

static void test_what_is_written_is_understood(void **state)
{
	(void)state;
	struct settings s = accept_text("libvirt qemu:///session\n"
					"qemu web qmp /run/web.qmp agent /run/web.qga cid 5\n"
					"qemu vm* qmp /run/q/*.qmp agent /run/q/*.qga\n"
					"vsock tiny cid 7\n"
					"threshold 20ms\nunsynchronized-threshold 1min\ninterval 5s\n"
					"parallel 3\n"
					"http [::1]:80\npidfile /\nloglevel debug\ngroup 12\n");

	assert_int_equal(s.libvirt, SETTINGS_LIBVIRT_URI);
	assert_string_equal(s.libvirt_uri, "qemu:///session");
	assert_int_equal(s.n_qemu, 2);
	assert_string_equal(s.qemu[0].name, "web");
	assert_string_equal(s.qemu[0].qmp, "/run/web.qmp");
	assert_string_equal(s.qemu[0].agent, "/run/web.qga");
	assert_int_equal(s.qemu[0].cid, 5);
	assert_string_equal(s.qemu[1].name, "vm*");
	assert_int_equal(s.qemu[1].cid, 0);
	assert_int_equal(s.n_vsock, 1);
	assert_string_equal(s.vsock[0].name, "tiny");
	assert_int_equal(s.vsock[0].cid, 7);
	assert_int_equal(s.threshold.ns, 20000000);
	assert_int_equal(s.unsynchronized_threshold.ns, 60000000000);
	assert_int_equal(s.interval.ns, 5000000000);
	assert_int_equal(s.parallel, 3);
	assert_int_equal(s.http_port, 80);
	assert_int_equal(s.http_address.family, ADDRESS_IPV6);
	assert_string_equal(s.pid_file, "");
	assert_int_equal(s.log_level, LOG_LEVEL_DEBUG);
}

/* clang-format off */
static const struct refusal {
	const char *text;
	const char *says; /* part of the sentence */
} REFUSALS[] = {
	{ "threshold 5",                              "its unit" },
	{ "threshold 0s",                             "from 1ms" },
	{ "parallel 0",                               "from 1 to 1024" },
	{ "qemu a",                                   "expected qmp" },
	{ "qemu a qmp run/a",                         "begins with /" },
	{ "qemu a qmp /run/*",                        "a * in the name" },
	{ "qemu * qmp /run/a",                        "a * in the name" },
	{ "qemu * qmp /run/*/a",                      "at most one *" },
	{ "qemu * qmp /run/*.*",                      "at most one *" },
	{ "qemu * qmp /run/*.q agent /run/a",         "a * in agent" },
	{ "qemu a qmp /run/q agent /run/*",           "a * in agent" },
	{ "qemu * qmp /run/*.q cid 4",                "no cid" },
	{ "qemu a qmp /q\nqemu b qmp /q",             "once" },
	{ "qemu a qmp /q\nqemu a qmp /r",             "each name once" },
	{ "vsock a",                                  "expected cid" },
	{ "vsock a cid 2",                            "from 3" },
	{ "vsock a cid 3\nvsock b cid 3",             "once" },
	{ "vsock a cid 3\nvsock a cid 4",             "once" },
	{ "libvirt qemu+ssh://other/system",          "another host" },
	{ "libvirt yes",                              "auto, off or a URI" },
	{ "http 127.0.0.1",                           "an address and a port" },
	{ "http 127.0.0.1:0",                         "an address and a port" },
	{ "http ::1:80",                              "an address and a port" },
	{ "http [127.0.0.1]:80",                      "an address and a port" },
	{ "http localhost:80",                        "an address and a port" },
	{ "http 0.0.0.0:80",                          "missing: both" },
	{ "http [::]:80",                             "missing: both" },
	{ "http 10.0.0.1:80\ntoken /t",               "missing: tls" },
	{ "http 10.0.0.1:80\ntls /c /k",              "missing: token" },
	{ "tls /c",                                   "KEY" },
	{ "threshold 3s",                             "at least as much as threshold" },
	{ "loglevel loud",                            "one of debug, info, warning, error" },
	{ "server a",                                 "expected a directive" },
};
/* clang-format on */

static void test_what_is_wrong_is_refused_and_named(void **state)
{
	(void)state;
	static const char untouched[] = "untouched";

	for (size_t i = 0; i < COUNT(REFUSALS); i++) {
		static struct settings s;
		char error[1024];

		memcpy(s.socket, untouched, sizeof untouched);
		if (!load_text(REFUSALS[i].text, &s, error, sizeof error))
			fail_msg("accepted: %s", REFUSALS[i].text);
		if (!strstr(error, REFUSALS[i].says) || strncmp(error, "/c:", 3) != 0)
			fail_msg("%s: %s", REFUSALS[i].text, error);
		assert_string_equal(s.socket, untouched);
	}
}

static void test_another_address_with_tls_and_token(void **state)
{
	(void)state;
	struct settings s = accept_text("http 0.0.0.0:9532\ntls /c /k\ntoken /t\n");

	assert_string_equal(s.tls_certificate, "/c");
	assert_string_equal(s.tls_key, "/k");
	assert_string_equal(s.token_file, "/t");
	/* Nobody listens: nothing to be protected. */
	assert_false(accept_text("http off\n").is_http_on);
}

static void test_what_is_printed_loads_as_the_same(void **state)
{
	(void)state;
	static const char *const TEXTS[] = {
		"",
		"libvirt off",
		"libvirt qemu:///system",
		"qemu web qmp /run/web.qmp",
		"qemu web qmp /run/web.qmp agent /run/web.qga",
		"qemu web qmp /run/web.qmp agent /run/web.qga cid 5",
		"qemu vm* qmp /run/q/*.qmp agent /run/q/*.qga\nqemu b qmp /b",
		"vsock a cid 3",
		"vsock a cid 3\nvsock b cid 4",
		"threshold 99ms",
		"unsynchronized-threshold 1h",
		"interval 90s",
		"parallel 1024",
		"http off",
		"http [::1]:9532",
		"http 10.0.0.1:9532\ntls /c /k\ntoken /t",
		"socket /s",
		"group adm",
		"pidfile /",
		"pidfile /p",
		"loglevel error",
	};

	for (size_t i = 0; i < COUNT(TEXTS); i++) {
		struct settings s = accept_text(TEXTS[i]), again;
		char text[SETTINGS_PRINT_MAX];

		assert_true(settings_print(&s, text, sizeof text) < sizeof text);
		again = accept_text(text);
		for (size_t k = 0; k < COUNT(TEXTS); k++) {
			struct settings other = accept_text(TEXTS[k]);

			if (settings_equal(&again, &other) != (i == k))
				fail_msg("\"%s\" and \"%s\"", TEXTS[i], TEXTS[k]);
		}
	}
}

/* The largest configuration that can be loaded can be printed and compared, too. */
static void test_the_largest_one_fits(void **state)
{
	(void)state;
	static struct settings s;
	static char text[SETTINGS_PRINT_MAX];
	struct settings again;

	settings_default(&s);
	s.n_qemu = SETTINGS_QEMU_MAX;
	for (unsigned i = 0; i < s.n_qemu; i++) {
		struct qemu_settings *q = &s.qemu[i];

		memset(q->name, 'n', sizeof q->name - 1);
		snprintf(q->name + sizeof q->name - 5, 5, "%04u", i % 10000);
		memset(q->qmp, 'q', sizeof q->qmp - 1);
		memset(q->agent, 'a', sizeof q->agent - 1);
		q->qmp[0] = q->agent[0] = '/';
		snprintf(q->qmp + 250, 5, "%04u", i % 10000);
		q->has_cid = true;
		q->cid = UINT32_MAX - 1;
	}
	s.n_vsock = SETTINGS_VSOCK_MAX;
	for (unsigned i = 0; i < s.n_vsock; i++) {
		memset(s.vsock[i].name, 'v', sizeof s.vsock[i].name - 1);
		snprintf(s.vsock[i].name + 120, 5, "%04u", i % 10000);
		s.vsock[i].cid = 3 + i;
	}
	assert_true(settings_print(&s, text, sizeof text) < sizeof text);
	again = accept_text(text);
	assert_true(settings_equal(&s, &again));
}

static void test_reference_fits_and_tells_all(void **state)
{
	(void)state;
	char text[SETTINGS_REFERENCE_MAX];
	const struct conf_row *row;

	assert_true(settings_reference(text, sizeof text) < sizeof text);
	for (size_t i = 0; (row = conf_row_at(&SETTINGS_TABLE, i)); i++) {
		assert_non_null(strstr(text, row->name));
		assert_non_null(strstr(text, row->help));
	}
}

/* What the table prints as the default is what an empty file comes to. */
static void test_initial_values_are_the_defaults(void **state)
{
	(void)state;
	struct settings d;
	const struct conf_row *row;
	char text[SETTINGS_PRINT_MAX], line[512];

	settings_default(&d);
	settings_print(&d, text, sizeof text);
	for (size_t i = 0; (row = conf_row_at(&SETTINGS_TABLE, i)); i++) {
		if (!row->initial)
			continue;
		snprintf(line, sizeof line, "%s %s\n", row->name, row->initial);
		if (!strstr(text, line))
			fail_msg("not the default: %s", line);
	}
}

static void test_manual_tells_what_the_table_tells(void **state)
{
	(void)state;
	char manual[65536];

	read_manual("vmtime-hostd.conf.5", manual, sizeof manual);
	check_manual(manual, &SETTINGS_TABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_file_is_the_default),
		cmocka_unit_test(test_what_is_written_is_understood),
		cmocka_unit_test(test_what_is_wrong_is_refused_and_named),
		cmocka_unit_test(test_another_address_with_tls_and_token),
		cmocka_unit_test(test_what_is_printed_loads_as_the_same),
		cmocka_unit_test(test_the_largest_one_fits),
		cmocka_unit_test(test_reference_fits_and_tells_all),
		cmocka_unit_test(test_initial_values_are_the_defaults),
		cmocka_unit_test(test_manual_tells_what_the_table_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
