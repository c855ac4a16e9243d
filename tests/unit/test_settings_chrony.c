/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_settings_chrony.c - whatever chrony reads is read here
 *
 * Which lines chrony takes and which it refuses was tried with chronyd 4.3 (-p); what is newer is
 * taken from its documentation.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings_text.h"

/* Every directive of chrony 4.0 to 4.8. */
static const char DIRECTIVES[] =
	"acquisitionport allow authselectmode bindacqaddress bindacqdevice bindaddress "
	"bindcmdaddress bindcmddevice binddevice broadcast clientloglimit clockprecision cmdallow "
	"cmddeny cmdport cmdratelimit combinelimit commandkey confdir corrtimeratio deny driftfile "
	"dscp dumpdir dumponexit fallbackdrift generatecommandkey hwclockfile hwtimestamp "
	"hwtstimeout include initstepslew keyfile leapseclist leapsecmode leapsectz "
	"linux_freq_scale linux_hz local lock_all log logbanner logchange logdir mailonchange "
	"makestep manual maxchange maxclockerror maxdistance maxdrift maxjitter maxntsconnections "
	"maxsamples maxslewrate maxtxbuffers maxupdateskew minsamples minsources nocerttimecheck "
	"noclientlog nosystemcert ntpsigndsocket ntsaeads ntscachedir ntsdumpdir ntsntpserver "
	"ntsport ntsprocesses ntsratelimit ntsrefresh ntsrotate ntsservercert ntsserverkey "
	"ntstrustedcerts opencommands peer pidfile pool port ptpdomain ptpport ratelimit refclock "
	"refresh reselectdist rtcautotrim rtcdevice rtcfile rtconutc rtcsync sched_priority server "
	"smoothtime sourcedir stratumweight tempcomp user";

/* Lines without effect, at least one for each such directive. */
static const char *const GOOD[] = {
	"initstepslew 1", "initstepslew 30 ntp1.example 10.0.0.1", "keyfile /etc/chrony.keys",
	"refresh 1209600", "dscp 46", "maxtxbuffers 10", "acquisitionport 0", "acquisitionport 1123",
	"bindacqaddress 0.0.0.0", "bindacqaddress ::", "bindacqdevice eth0", "hwtimestamp *",
	"hwtimestamp eth0 minpoll 1 minsamples 2 maxsamples 16 precision 100e-9 nocrossts",
	"hwtimestamp eth0 maxpoll 3 txcomp 1e-6 rxcomp -2e-6 rxfilter ptp",
	"hwtstimeout 0.001", "ptpport 319", "ptpdomain 123", "authselectmode mix",
	"AuthSelectMode REQUIRE", "ntsdumpdir /var/lib/chrony", "ntsrefresh 2419200", "ntsaeads 15",
	"ntsaeads 30 15", "ntstrustedcerts /etc/pki/nts.crt", "ntstrustedcerts 1 /etc/pki/nts.crt",
	"nocerttimecheck 1", "nosystemcert",

	"port 0", "port 123", "allow", "allow all", "allow 10/8", "allow 10", "allow 1.2",
	"allow 192.168.0.0/16", "allow all 10.0.0.0/8", "allow 1.2.3.4", "allow ::/0",
	"allow fe80::/10", "allow 2001:db8::1", "allow host.example", "deny", "deny all",
	"deny 1.2.3.0/24", "local", "local stratum 10", "local stratum 15 orphan distance 2.5",
	"local activate 0.5 waitsynced 300 waitunsynced 10", "bindaddress 1.2.3.4",
	"bindaddress ::1", "binddevice eth0", "broadcast 30 192.168.1.255",
	"broadcast 60 ff02::101 10123", "ratelimit", "ratelimit interval 3 burst 8 leak 2 kod 2",
	"ntsratelimit interval 6 burst 8", "clientloglimit 524288", "noclientlog",
	"smoothtime 400 0.001", "smoothtime 400 0.001024 leaponly", "ntpsigndsocket /var/lib/samba",
	"ntsport 4460", "ntsservercert /etc/nts.crt", "ntsserverkey /etc/nts.key", "ntsprocesses 1",
	"ntsrotate 604800", "ntsntpserver ntp.example", "ntscachedir /var/lib/chrony",
	"maxntsconnections 100",

	"manual",

	"minsources 2", "maxdistance 16.0", "maxjitter 1", "stratumweight 0", "reselectdist 1e-4",
	"combinelimit 3", "maxupdateskew 100.0", "corrtimeratio 3", "maxdrift 100",
	"fallbackdrift 16 19", "minsamples 6", "maxsamples 0", "clockprecision 25e-9",
	"tempcomp /sys/temp1_input 30 26000 0.0 0.000183 0.0", "tempcomp /sys/temp1_input 30 /points",
	"maxclockerror 1", "leapsectz right/UTC", "leapseclist /usr/share/zoneinfo/leap-seconds.list",
	"leapsecmode slew", "LEAPSECMODE Step", "mailonchange root@localhost 0.5", "dumpdir /var/lib/chrony", "dumponexit",
	"dumponexit yes", "rtcfile /var/lib/chrony/rtc", "rtcdevice /dev/rtc0", "rtcautotrim 30",
	"rtconutc", "hwclockfile /etc/adjtime", "commandkey 1",
	"commandkey", "generatecommandkey", "linux_hz 100", "linux_freq_scale 0.99902439",
};

/* Lines that chrony refuses, and what is said of each; a form, not a directive, has its row here. */
/* clang-format off */
static const struct {
	const char *text, *want;
} BAD[] = {
	{ "keyfile", "keyfile: expected WORD, a word of at most 255 bytes, got the end of the line" },
	{ "keyfile /a /b", "keyfile: expected the end of the line, got \"/b\"" },
	{ "port http", "port: expected N, a whole number from -2147483648 to 2147483647, got \"http\"" },
	{ "port", "port: expected N, a whole number from -2147483648 to 2147483647, got the end of the line" },
	{ "port 1 2", "port: expected the end of the line, got \"2\"" },
	{ "maxupdateskew x", "maxupdateskew: expected NUMBER, a number from -1000000 to 1000000, got \"x\"" },
	{ "maxupdateskew", "maxupdateskew: expected NUMBER, a number from -1000000 to 1000000, got the end of the line" },
	{ "combinelimit 1 2", "combinelimit: expected the end of the line, got \"2\"" },
	{ "manual yes", "manual: expected the end of the line, got \"yes\"" },
	{ "noclientlog x", "noclientlog: expected the end of the line, got \"x\"" },
	{ "bindaddress localhost", "bindaddress: expected ADDRESS, an IPv4 or IPv6 address, got \"localhost\"" },
	{ "bindacqaddress 1.2.3", "bindacqaddress: expected ADDRESS, an IPv4 or IPv6 address, got \"1.2.3\"" },
	{ "authselectmode maybe", "authselectmode: expected MODE, one of require, prefer, mix, ignore, got \"maybe\"" },
	{ "leapsecmode", "leapsecmode: expected MODE, one of system, step, slew, ignore, got the end of the line" },
	{ "fallbackdrift 16", "fallbackdrift: expected MAX, a whole number from -2147483648 to 2147483647, got the end of the line" },
	{ "fallbackdrift 16 19 2", "fallbackdrift: expected the end of the line, got \"2\"" },
	{ "mailonchange root@localhost", "mailonchange: expected NUMBER, a number from -1000000 to 1000000, got the end of the line" },
	{ "opencommands settime", "opencommands: expected COMMAND, one of activity, authdata, clients, manual, ntpdata, rtcdata, selectdata, serverstats, smoothing, sourcename, sources, sourcestats, tracking, got \"settime\"" },
	{ "allow 10/8 all", "allow: expected [all] [SUBNET], such as 10.0.0.0/8, got \"10/8 all\"" },
	{ "allow 300.1", "allow: expected [all] [SUBNET], such as 10.0.0.0/8, got \"300.1\"" },
	{ "allow 1.2.3.4.5", "allow: expected [all] [SUBNET], such as 10.0.0.0/8, got \"1.2.3.4.5\"" },
	{ "allow 10/x", "allow: expected [all] [SUBNET], such as 10.0.0.0/8, got \"10/x\"" },
	{ "allow host.example/8", "allow: expected [all] [SUBNET], such as 10.0.0.0/8, got \"host.example/8\"" },
	/* A name that were ignored would let in whom it was to keep out. */
	{ "cmddeny badhost.example", "cmddeny: expected [all] [SUBNET], such as 10.0.0.0/8, got \"badhost.example\"" },
	{ "cmddeny all all x", "cmddeny: expected [all] [SUBNET], such as 10.0.0.0/8, got \"all all x\"" },
	{ "local stratum 16", "local stratum: expected N, a whole number from 1 to 15, got \"16\"" },
	{ "local stratum", "local stratum: expected N, a whole number from 1 to 15, got the end of the line" },
	{ "local always", "local: expected the name of an option, got \"always\"" },
	{ "broadcast 30", "broadcast: expected ADDRESS, an IPv4 or IPv6 address, got the end of the line" },
	{ "broadcast 30 1.2.3.4 123 4", "broadcast: expected the end of the line, got \"4\"" },
	{ "ratelimit interval", "ratelimit interval: expected N, a whole number from -2147483648 to 2147483647, got the end of the line" },
	{ "cmdratelimit bursts 3", "cmdratelimit: expected the name of an option, got \"bursts\"" },
	{ "hwtimestamp", "hwtimestamp: expected WORD, a word of at most 255 bytes, got the end of the line" },
	{ "hwtimestamp eth0 rxfilter some", "hwtimestamp rxfilter: expected FILTER, one of all, ntp, ptp, none, got \"some\"" },
	{ "smoothtime 400", "smoothtime: expected WANDER, a number from -1000000 to 1000000, got the end of the line" },
	{ "smoothtime 400 1 leap", "smoothtime: expected the name of an option, got \"leap\"" },
	{ "initstepslew", "initstepslew: expected NUMBER, a number from -1000000 to 1000000, got the end of the line" },
	{ "ntsaeads", "ntsaeads: expected N, a whole number from -2147483648 to 2147483647, got the end of the line" },
	{ "ntsaeads 15 gcm", "ntsaeads: expected N, a whole number from -2147483648 to 2147483647, got \"gcm\"" },
	{ "ntstrustedcerts", "ntstrustedcerts: expected [SET] PATH, the set being a number, got the end of the line" },
	{ "ntstrustedcerts a /x", "ntstrustedcerts: expected [SET] PATH, the set being a number, got \"a /x\"" },
	{ "ntstrustedcerts 1 /x y", "ntstrustedcerts: expected [SET] PATH, the set being a number, got \"1 /x y\"" },
	{ "tempcomp /x", "tempcomp: expected a file and an interval, got \"/x\"" },
	{ "tempcomp /x a /y", "tempcomp: expected a file and an interval, got \"/x a /y\"" },
	{ "tempcomp /x 30", "tempcomp: expected a file of points or four numbers, got the end of the line" },
	{ "tempcomp /x 30 1 2 3", "tempcomp: expected a file of points or four numbers, got \"1 2 3\"" },
	{ "tempcomp /x 30 /y z", "tempcomp: expected a file of points or four numbers, got \"/y z\"" },
	{ "tempcomp /x 30 1 2 3 z", "tempcomp: expected a file of points or four numbers, got \"1 2 3 z\"" },
};
/* clang-format on */

static const struct conf_row *find(const char *name, size_t n)
{
	const struct conf_row *row;

	for (size_t i = 0; (row = conf_row_at(&SETTINGS_TABLE, i)); i++)
		if (strlen(row->name) == n && memcmp(row->name, name, n) == 0)
			return row;
	return NULL;
}

static void test_every_directive_is_known(void **state)
{
	(void)state;
	unsigned n = 0;

	for (const char *p = DIRECTIVES; *p; p += strcspn(p, " "), p += strspn(p, " "), n++)
		if (!find(p, strcspn(p, " ")))
			fail_msg("not in the table: %.20s", p);
	assert_int_equal(n, 98);
}

static void accept_line(const char *text)
{
	struct settings empty = accept_text("");
	struct loaded loaded;
	char quoted_name[64];

	load_text(text, &loaded);
	if (loaded.err)
		fail_msg("%s: %s", text, loaded.error);
	if (loaded.notes.n != 1)
		fail_msg("%s: %u notes instead of one", text, loaded.notes.n);
	snprintf(quoted_name, sizeof quoted_name, "%.*s: ", (int)strcspn(text, " "), text);
	if (strncasecmp(loaded.notes.list[0].text, quoted_name, strlen(quoted_name)) != 0)
		fail_msg("%s: the note is \"%s\"", text, loaded.notes.list[0].text);
	assert_true(settings_equal(&empty, &loaded.settings));
}

static void test_what_has_no_effect_is_told_once(void **state)
{
	(void)state;
	const struct conf_row *row;

	for (size_t i = 0; i < COUNT(GOOD); i++)
		accept_line(GOOD[i]);
	for (size_t i = 0; (row = conf_row_at(&SETTINGS_TABLE, i)); i++) {
		bool is_tried = row->act != CONF_IGNORE;

		for (size_t k = 0; k < COUNT(GOOD); k++)
			is_tried |= strcspn(GOOD[k], " ") == strlen(row->name) &&
			            strncmp(GOOD[k], row->name, strlen(row->name)) == 0;
		if (!is_tried)
			fail_msg("%s has no line in this test", row->name);
	}
}

static void test_forms_are_checked_all_the_same(void **state)
{
	(void)state;
	struct loaded loaded;

	for (size_t i = 0; i < COUNT(BAD); i++) {
		const char *said;

		load_text(BAD[i].text, &loaded);
		if (!loaded.err)
			fail_msg("accepted: %s", BAD[i].text);
		said = strchr(loaded.error, ' ');
		assert_non_null(said);
		assert_string_equal(said + 1, BAD[i].want);
	}
}

/* All of them in one file: a warning each, none lost. */
static void test_a_file_of_everything(void **state)
{
	(void)state;
	static char text[32768];
	struct loaded loaded;
	const struct conf_row *row;
	unsigned n = 0;

	for (size_t i = 0; i < COUNT(GOOD); i++)
		strcat(strcat(text, GOOD[i]), "\n");
	for (size_t i = 0; (row = conf_row_at(&SETTINGS_TABLE, i)); i++)
		n += row->act == CONF_IGNORE;
	load_text(text, &loaded);
	assert_int_equal(loaded.err, 0);
	assert_int_equal(loaded.notes.n, n);
	assert_int_equal(loaded.notes.n_lost, 0);
}

/* The forms of files that distributions and clouds ship, in tests/distributions. */
/* clang-format off */
static const struct distribution {
	const char *name;
	unsigned n_ntp, n_refclocks, n_notes;
	const char *drift_file;
	int64_t step_ms;
	int step_limit;
} DISTRIBUTIONS[] = {
	{ "debian-11", 1, 0, 5, "/var/lib/chrony/chrony.drift", 1000, 3 },
	{ "debian-12", 1, 0, 5, "/var/lib/chrony/chrony.drift", 1000, 3 },
	{ "debian-13", 1, 0, 5, "/var/lib/chrony/chrony.drift", 1000, 3 },
	{ "ubuntu-20.04", 4, 0, 3, "/var/lib/chrony/chrony.drift", 1000, 3 },
	{ "ubuntu-22.04", 4, 0, 5, "/var/lib/chrony/chrony.drift", 1000, 3 },
	{ "ubuntu-24.04", 4, 0, 5, "/var/lib/chrony/chrony.drift", 1000, 3 },
	{ "rhel-7-early", 4, 0, 6, "/var/lib/chrony/drift", 10000, 3 },
	{ "rhel-7", 4, 0, 1, "/var/lib/chrony/drift", 1000, 3 },
	{ "rhel-8", 1, 0, 3, "/var/lib/chrony/drift", 1000, 3 },
	{ "rhel-9", 1, 0, 4, "/var/lib/chrony/drift", 1000, 3 },
	{ "fedora", 1, 0, 4, "/var/lib/chrony/drift", 1000, 3 },
	{ "amazon-2", 2, 0, 2, "/var/lib/chrony/drift", 1000, 3 },
	{ "amazon-2023", 2, 1, 4, "/var/lib/chrony/drift", 1000, 3 },
	{ "azure", 0, 1, 2, "/var/lib/chrony/drift", 1000, -1 },
	{ "google", 1, 1, 3, "/var/lib/chrony/drift", 1000, 3 },
};
/* clang-format on */

static void read_distribution(const char *name, char *to, size_t size)
{
	const char *root = getenv("VMTIME_ROOT");
	char path[512];
	FILE *file;
	size_t n;

	if (!root)
		fail_msg("VMTIME_ROOT does not say where the sources are");
	snprintf(path, sizeof path, "%s/tests/distributions/%s.conf", root, name);
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s cannot be opened", path);
	n = fread(to, 1, size - 1, file);
	to[n] = '\0';
	assert_true(n + 1 < size);
	fclose(file);
}

static void check_distribution(const struct distribution *d, const struct loaded *loaded)
{
	const struct settings *s = &loaded->settings;

	if (loaded->err)
		fail_msg("%s: %s", d->name, loaded->error);
	if (loaded->notes.n != d->n_notes || s->n_ntp != d->n_ntp ||
	    s->n_refclocks != d->n_refclocks)
		fail_msg("%s: %u notes, %u NTP sources, %u refclocks", d->name, loaded->notes.n,
		         s->n_ntp, s->n_refclocks);
	assert_true(s->hostclock && s->is_rtcsync && s->is_makestep_given);
	assert_string_equal(s->drift_file, d->drift_file);
	assert_true(strcmp(s->log_dir, "/var/log/chrony") == 0 && s->logs == 0);
	assert_int_equal(s->makestep_threshold.ns, VT_MS(d->step_ms).ns);
	assert_int_equal(s->makestep_limit, d->step_limit);
}

static void test_files_of_distributions_load(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(DISTRIBUTIONS); i++) {
		char text[4096];
		struct memory_file files[] = {
			{ .path = "/c", .text = text },
			/* What Amazon's packages put beside it, and a DHCP client on others. */
			{ .path = "/etc/chrony.d/pool.sources", .text = "pool b.example iburst\n" },
			{ .path = "/run/chrony.d/link-local.sources",
			  .text = "server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4\n" },
			{ .path = NULL },
		};
		struct loaded loaded;

		read_distribution(DISTRIBUTIONS[i].name, text, sizeof text);
		load(files, "/c", NULL, 0, &loaded);
		check_distribution(&DISTRIBUTIONS[i], &loaded);
	}
}

/* Debian's way to add a refclock: a file of its own in the directory. */
static void test_a_drop_in(void **state)
{
	(void)state;
	char text[4096];
	struct memory_file files[] = {
		{ .path = "/etc/chrony/chrony.conf", .text = text },
		{ .path = "/etc/chrony/conf.d/ptp.conf", .text = "refclock PHC /dev/ptp0 poll 2" },
		{ .path = "/run/chrony-dhcp/eth0.sources", .text = "server 10.0.0.1 iburst\n" },
		{ .path = NULL },
	};
	struct loaded loaded;

	read_distribution("debian-12", text, sizeof text);
	load(files, "/etc/chrony/chrony.conf", NULL, 0, &loaded);
	assert_int_equal(loaded.err, 0);
	assert_int_equal(loaded.settings.n_refclocks, 1);
	assert_int_equal(loaded.settings.n_ntp, 2);
	assert_string_equal(loaded.settings.ntp[0].name, "10.0.0.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_directive_is_known),
		cmocka_unit_test(test_what_has_no_effect_is_told_once),
		cmocka_unit_test(test_forms_are_checked_all_the_same),
		cmocka_unit_test(test_a_file_of_everything),
		cmocka_unit_test(test_files_of_distributions_load),
		cmocka_unit_test(test_a_drop_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
