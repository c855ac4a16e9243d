/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_manual.h"
#include "rng.h"
#include "settings_text.h"

static vt_span random_span(struct rng *rng, int64_t min, int64_t max)
{
	int64_t ns = rng_in(rng, min, max);

	if (rng_in(rng, 0, 1))
		ns = ns / 1000000000 * 1000000000;
	return VT_NS(ns < min ? min : ns);
}

static void random_word(struct rng *rng, const char *start, char *to, size_t size)
{
	size_t length = (size_t)rng_in(rng, (int64_t)strlen(start) + 1, (int64_t)size - 1);

	for (size_t i = 0; i < length; i++)
		do {
			to[i] = (char)rng_in(rng, '!', '~');
		} while (to[i] == ':');
	memcpy(to, start, strlen(start));
	to[length] = '\0';
}

#define DECADES INT64_C(1000000000000000000)

static struct refclock_settings random_refclock(struct rng *rng)
{
	struct refclock_settings clock = { .is_precise_off = rng_in(rng, 0, 1) };
	struct source_conf *source = &clock.source;

	random_word(rng, "/dev/", clock.device, sizeof clock.device);
	source->poll = (int)rng_in(rng, -7, 24);
	source->is_dpoll_given = rng_in(rng, 0, 1);
	source->dpoll = source->is_dpoll_given ? (int)rng_in(rng, -7, source->poll)
	                                       : (source->poll < 0 ? source->poll : 0);
	source->filter = (unsigned)rng_in(rng, 1, INT32_MAX);
	source->offset = random_span(rng, -DECADES, DECADES);
	source->delay = random_span(rng, 0, DECADES);
	source->precision = random_span(rng, 0, DECADES);
	for (int i = (int)rng_in(rng, 1, 4); i > 0; i--)
		source->refid = source->refid >> 8 | (uint32_t)rng_in(rng, '!', '~') << 24;
	source->stratum = (int)rng_in(rng, 0, 15);
	source->is_tai = rng_in(rng, 0, 1);
	source->prefer = rng_in(rng, 0, 1);
	source->noselect = rng_in(rng, 0, 1);
	source->require = rng_in(rng, 0, 1);
	source->trust = rng_in(rng, 0, 1);
	return clock;
}

static double random_decimal(struct rng *rng)
{
	return (double)rng_in(rng, -CONF_DECIMAL_MAX, CONF_DECIMAL_MAX) / 1e9;
}

static int random_int(struct rng *rng)
{
	return (int)rng_in(rng, INT32_MIN, INT32_MAX);
}

static struct ntp_settings random_ntp(struct rng *rng)
{
	struct ntp_settings n = {
		.port = random_int(rng),
		.nts_port = random_int(rng),
		.min_poll = random_int(rng),
		.max_poll = random_int(rng),
		.has_presend = rng_in(rng, 0, 1),
		.poll_target = random_int(rng),
		.filter = random_int(rng),
		.version = random_int(rng),
		.min_stratum = random_int(rng),
		.max_sources = random_int(rng),
		.min_samples = random_int(rng),
		.max_samples = random_int(rng),
		.max_unreach = random_int(rng),
		.has_key = rng_in(rng, 0, 1),
		.cert_set = (unsigned)rng_next(rng),
		.extensions = (unsigned)rng_in(rng, 0, 7),
		.max_delay = random_span(rng, -DECADES, DECADES),
		.min_delay = random_span(rng, -DECADES, DECADES),
		.offset = random_span(rng, -DECADES, DECADES),
		.max_delay_ratio = random_decimal(rng),
		.max_delay_dev_ratio = random_decimal(rng),
		.max_delay_quantile = random_decimal(rng),
		.has_asymmetry = rng_in(rng, 0, 1),
	};
	bool *const flags[] = { &n.iburst, &n.burst, &n.nts, &n.offline, &n.auto_offline,
		                &n.xleave, &n.copy, &n.ipv4, &n.ipv6, &n.prefer,
		                &n.noselect, &n.trust, &n.require };

	random_word(rng, "", n.name, sizeof n.name);
	n.presend_min_poll = n.has_presend ? random_int(rng) : 0;
	n.key = n.has_key ? (unsigned)rng_in(rng, 1, UINT32_MAX) : 0;
	n.asymmetry = n.has_asymmetry ? random_decimal(rng) : 0;
	for (size_t i = 0; i < COUNT(flags); i++)
		*flags[i] = rng_in(rng, 0, 1);
	return n;
}

/* Of the kinds in their order. */
static void random_sources(struct rng *rng, struct settings *s)
{
	enum ntp_kind kind = NTP_SERVER;

	s->n_ntp = (unsigned)rng_in(rng, 0, SETTINGS_NTP_MAX);
	for (unsigned i = 0; i < s->n_ntp; i++) {
		kind = (enum ntp_kind)rng_in(rng, kind, NTP_PEER);
		s->ntp[i] = random_ntp(rng);
		s->ntp[i].kind = kind;
	}
}

static struct settings random_settings(struct rng *rng)
{
	struct settings s = { .hostclock = rng_in(rng, 0, 1),
		              .is_rtcsync = rng_in(rng, 0, 1),
		              .command = CANDM_CONF_DEFAULT };

	s.n_refclocks = (unsigned)rng_in(rng, 0, SETTINGS_REFCLOCKS_MAX);
	for (unsigned i = 0; i < s.n_refclocks; i++)
		s.refclocks[i] = random_refclock(rng);
	random_sources(rng, &s);
	s.resume = (enum step_resume)rng_in(rng, 0, STEP_RESUME_IGNORE);
	if (rng_in(rng, 0, 1))
		s.vsock_port = rng_in(rng, 0, 1) ? 9532 : (unsigned)rng_in(rng, 1024, UINT32_MAX - 1);
	if (rng_in(rng, 0, 1)) {
		s.is_host_error_given = true;
		s.host_error = random_span(rng, 1, INT64_C(3600000000000));
	}
	if (rng_in(rng, 0, 1)) {
		s.is_makestep_given = true;
		s.makestep_threshold = random_span(rng, 0, DECADES);
		s.makestep_limit = (int)rng_in(rng, INT32_MIN, INT32_MAX);
	}
	s.max_slew_rate = (vt_rate){ (double)rng_in(rng, 1000000, 100000000000000) / 1e6 };
	if (rng_in(rng, 0, 1)) {
		s.is_max_change_given = true;
		s.max_change = random_span(rng, 0, DECADES);
		s.max_change_start = (int)rng_in(rng, 0, INT32_MAX);
		s.max_change_ignore = (int)rng_in(rng, INT32_MIN, INT32_MAX);
	}
	s.is_memory_locked = rng_in(rng, 0, 1);
	s.priority = (int)rng_in(rng, 0, 99);
	s.logs = (unsigned)rng_in(rng, 0, 255);
	s.log_banner = random_int(rng);
	s.log_change = random_span(rng, -DECADES, DECADES);
	if (rng_in(rng, 0, 1))
		random_word(rng, "/", s.log_dir, sizeof s.log_dir);
	s.drift_interval = VT_SEC(3600);
	if (rng_in(rng, 0, 1)) {
		random_word(rng, "/", s.drift_file, sizeof s.drift_file);
		s.drift_interval = random_span(rng, 1000000000, DECADES);
	}
	if (rng_in(rng, 0, 1))
		random_word(rng, "/", s.pid_file, sizeof s.pid_file);
	random_word(rng, "", s.user, sizeof s.user);
	if (rng_in(rng, 0, 1)) {
		s.agent_port = (unsigned)rng_in(rng, 1024, 65535);
		snprintf(s.agent, sizeof s.agent, "vsock:%u", s.agent_port);
	} else {
		strcpy(s.agent, rng_in(rng, 0, 1) ? "auto" : "/dev/ttyS0");
	}
	s.clock_owner = (enum clock_owner_rule)rng_in(rng, 0, CLOCK_OWNER_IGNORE);
	return s;
}

static bool is_same_source(const struct source_conf *a, const struct source_conf *b)
{
	return a->poll == b->poll && a->dpoll == b->dpoll &&
	       a->is_dpoll_given == b->is_dpoll_given && a->filter == b->filter &&
	       a->offset.ns == b->offset.ns && a->delay.ns == b->delay.ns &&
	       a->precision.ns == b->precision.ns && a->refid == b->refid &&
	       a->stratum == b->stratum && a->is_tai == b->is_tai && a->prefer == b->prefer &&
	       a->noselect == b->noselect && a->require == b->require && a->trust == b->trust;
}

static bool is_same_ntp(const struct ntp_settings *a, const struct ntp_settings *b)
{
	return a->kind == b->kind && strcmp(a->name, b->name) == 0 && a->port == b->port &&
	       a->nts_port == b->nts_port && a->min_poll == b->min_poll &&
	       a->max_poll == b->max_poll && a->has_presend == b->has_presend &&
	       a->presend_min_poll == b->presend_min_poll && a->poll_target == b->poll_target &&
	       a->filter == b->filter && a->version == b->version &&
	       a->min_stratum == b->min_stratum && a->max_sources == b->max_sources &&
	       a->min_samples == b->min_samples && a->max_samples == b->max_samples &&
	       a->max_unreach == b->max_unreach && a->has_key == b->has_key && a->key == b->key &&
	       a->cert_set == b->cert_set && a->extensions == b->extensions &&
	       a->max_delay.ns == b->max_delay.ns && a->min_delay.ns == b->min_delay.ns &&
	       a->offset.ns == b->offset.ns && a->max_delay_ratio == b->max_delay_ratio &&
	       a->max_delay_dev_ratio == b->max_delay_dev_ratio &&
	       a->max_delay_quantile == b->max_delay_quantile &&
	       a->has_asymmetry == b->has_asymmetry && a->asymmetry == b->asymmetry &&
	       a->iburst == b->iburst && a->burst == b->burst && a->nts == b->nts &&
	       a->offline == b->offline && a->auto_offline == b->auto_offline &&
	       a->xleave == b->xleave && a->copy == b->copy && a->ipv4 == b->ipv4 &&
	       a->ipv6 == b->ipv6 && a->prefer == b->prefer && a->noselect == b->noselect &&
	       a->trust == b->trust && a->require == b->require;
}

static bool is_same(const struct settings *a, const struct settings *b)
{
	bool same = a->n_refclocks == b->n_refclocks;

	for (unsigned i = 0; i < a->n_refclocks && same; i++)
		same = strcmp(a->refclocks[i].device, b->refclocks[i].device) == 0 &&
		       a->refclocks[i].is_precise_off == b->refclocks[i].is_precise_off &&
		       is_same_source(&a->refclocks[i].source, &b->refclocks[i].source);
	same = same && a->n_ntp == b->n_ntp;
	for (unsigned i = 0; i < a->n_ntp && same; i++)
		same = is_same_ntp(&a->ntp[i], &b->ntp[i]);
	same = same && a->vsock_port == b->vsock_port && a->host_error.ns == b->host_error.ns &&
	       a->is_host_error_given == b->is_host_error_given;
	return same && a->is_memory_locked == b->is_memory_locked && a->priority == b->priority &&
	       a->logs == b->logs && a->log_banner == b->log_banner &&
	       a->log_change.ns == b->log_change.ns && strcmp(a->log_dir, b->log_dir) == 0 &&
	       a->hostclock == b->hostclock && a->resume == b->resume &&
	       a->is_makestep_given == b->is_makestep_given &&
	       a->makestep_threshold.ns == b->makestep_threshold.ns &&
	       a->makestep_limit == b->makestep_limit &&
	       a->max_slew_rate.ppb == b->max_slew_rate.ppb &&
	       a->is_max_change_given == b->is_max_change_given &&
	       a->max_change.ns == b->max_change.ns && a->max_change_start == b->max_change_start &&
	       a->max_change_ignore == b->max_change_ignore && a->is_rtcsync == b->is_rtcsync &&
	       strcmp(a->drift_file, b->drift_file) == 0 &&
	       a->drift_interval.ns == b->drift_interval.ns &&
	       strcmp(a->pid_file, b->pid_file) == 0 && strcmp(a->user, b->user) == 0 &&
	       a->clock_owner == b->clock_owner;
}

static void test_what_is_printed_loads_as_the_same(void **state)
{
	struct rng *rng = *state;

	for (int i = 0; i < 2000; i++) {
		struct settings s = random_settings(rng), again;
		char text[SETTINGS_PRINT_MAX], text_again[SETTINGS_PRINT_MAX];

		assert_true(settings_print(&s, text, sizeof text) < sizeof text);
		again = accept_text(text);
		if (!is_same(&s, &again))
			fail_msg("loaded as something else:\n%s", text);
		settings_print(&again, text_again, sizeof text_again);
		assert_string_equal(text_again, text);
		assert_true(settings_equal(&s, &again));
	}
}

static void test_defaults_print_and_load(void **state)
{
	(void)state;
	struct settings s, again;
	char text[SETTINGS_PRINT_MAX];

	settings_default(&s);
	settings_print(&s, text, sizeof text);
	assert_string_equal(text, "hostclock on\nvsock on\nagent off\nclockowner refuse\nresume step\nmaxslewrate 83333.333\n"
	                          "driftfile /var/lib/vmtime/drift\nrtcsync\nlogbanner 32\nlogchange 1\n"
	                          "pidfile /run/vmtime/vmtimed.pid\nuser vmtime\nsched_priority 0\n"
	                          "bindcmdaddress 127.0.0.1\nbindcmdaddress ::1\ncmdport 323\n");
	again = accept_text(text);
	assert_true(is_same(&s, &again));
}

/* Whoever knows chrony is told what makestep does not do here; only where it is written. */
static void test_makestep_comes_with_a_remark(void **state)
{
	(void)state;
	struct settings s = accept_text("makestep 1 3");
	char text[SETTINGS_PRINT_MAX], small[SETTINGS_PRINT_MAX];
	size_t n = settings_print(&s, text, sizeof text);

	assert_int_equal(n, strlen(text));
	assert_non_null(strstr(text, "makestep 1 3\n"));
	assert_non_null(strstr(text, "\n# makestep does not limit the step after a pause"));
	for (size_t size = 1; size <= n + 1; size++) {
		memset(small, '~', sizeof small);
		assert_int_equal(settings_print(&s, small, size), n);
		assert_memory_equal(small, text, size - 1);
		assert_int_equal(small[size - 1], '\0');
		assert_int_equal(small[size], '~');
	}
	s = accept_text("");
	settings_print(&s, text, sizeof text);
	assert_null(strchr(text, '#'));
}

static void test_any_difference_is_one(void **state)
{
	(void)state;
	static const char *const TEXTS[] = {
		"",
		"hostclock off",
		"hosterror 1ms",
		"hosterror 2ms",
		"vsock off",
		"vsock 9533",
		"clockowner ignore",
		"makestep 1 3",
		"makestep 1 4",
		"makestep 2 3",
		"maxslewrate 500",
		"maxchange 1 1 1",
		"driftfile /d",
		"driftfile /d interval 5",
		"rtcsync",
		"pidfile /p",
		"pidfile /",
		"user root",
		"bindcmdaddress 0.0.0.0",
		"bindcmdaddress ::",
		"bindcmdaddress /s",
		"bindcmddevice lo",
		"cmdport 0",
		"cmdallow",
		"cmdallow 10/8",
		"cmddeny 10/8",
		"cmdratelimit",
		"cmdratelimit burst 9",
		"opencommands",
		"opencommands tracking",
		"refclock PHC /dev/ptp0",
		"refclock PHC /dev/ptp0:nocrossts",
		"refclock PHC /dev/ptp0 dpoll 0",
		"refclock PHC /dev/ptp0 poll 5",
		"refclock PHC /dev/ptp1",
		"refclock PHC /dev/ptp0 tai",
		"server a",
		"logdir /l",
		"lock_all",
		"sched_priority 1",
		"log tracking",
		"log tracking statistics",
		"logbanner 0",
		"logchange 0.1",
		"pool a",
		"server a iburst",
		"server a\nserver b",
	};

	for (size_t i = 0; i < COUNT(TEXTS); i++)
		for (size_t k = 0; k < COUNT(TEXTS); k++) {
			struct settings a = accept_text(TEXTS[i]), b = accept_text(TEXTS[k]);

			if (settings_equal(&a, &b) != (i == k))
				fail_msg("\"%s\" and \"%s\"", TEXTS[i], TEXTS[k]);
		}
}

static void test_reference_fits_and_tells_all(void **state)
{
	(void)state;
	char text[SETTINGS_REFERENCE_MAX];
	size_t n = settings_reference(text, sizeof text);
	const struct conf_row *row;

	assert_true(n < sizeof text);
	for (size_t i = 0; (row = conf_row_at(&SETTINGS_TABLE, i)); i++) {
		assert_non_null(strstr(text, row->name));
		assert_non_null(strstr(text, row->help));
	}
}

static void test_manual_tells_what_the_table_tells(void **state)
{
	(void)state;
	char manual[65536];

	read_manual("vmtime.conf.5", manual, sizeof manual);
	check_manual(manual, &SETTINGS_TABLE);
}

/* The cell behind the directive's name in docs/configuration.md, where it stands once. */
static void check_document(FILE *file, const struct conf_row *row)
{
	char line[512], want[512], cell[64];
	unsigned n = 0;

	snprintf(cell, sizeof cell, "| `%s` | ", row->name);
	snprintf(want, sizeof want, "%sno effect: %s |\n", cell, row->help);
	rewind(file);
	while (fgets(line, sizeof line, file)) {
		if (strncmp(line, cell, strlen(cell)) != 0)
			continue;
		n++;
		if (row->act == CONF_IGNORE ? strcmp(line, want) != 0
		                            : strstr(line, "no effect") != NULL)
			fail_msg("the document says of %s: %s", row->name, line);
	}
	if (n != 1)
		fail_msg("the document has %u rows for %s", n, row->name);
}

static void test_document_tells_what_the_table_tells(void **state)
{
	(void)state;
	const char *root = getenv("VMTIME_ROOT");
	const struct conf_row *row;
	char path[512];
	FILE *file;

	if (!root)
		fail_msg("VMTIME_ROOT does not say where the sources are");
	snprintf(path, sizeof path, "%s/docs/configuration.md", root);
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s cannot be opened", path);
	for (size_t i = 0; (row = conf_row_at(&SETTINGS_TABLE, i)); i++)
		check_document(file, row);
	fclose(file);
}

int main(void)
{
	struct rng rng;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_what_is_printed_loads_as_the_same, &rng),
		cmocka_unit_test(test_defaults_print_and_load),
		cmocka_unit_test(test_makestep_comes_with_a_remark),
		cmocka_unit_test(test_any_difference_is_one),
		cmocka_unit_test(test_reference_fits_and_tells_all),
		cmocka_unit_test(test_manual_tells_what_the_table_tells),
		cmocka_unit_test(test_document_tells_what_the_table_tells),
	};

	rng_start(&rng);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
