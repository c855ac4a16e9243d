/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	source->filter = (unsigned)rng_in(rng, 1, 64);
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

static struct settings random_settings(struct rng *rng)
{
	struct settings s = { .hostclock = rng_in(rng, 0, 1), .is_rtcsync = rng_in(rng, 0, 1) };

	s.n_refclocks = (unsigned)rng_in(rng, 0, SETTINGS_REFCLOCKS_MAX);
	for (unsigned i = 0; i < s.n_refclocks; i++)
		s.refclocks[i] = random_refclock(rng);
	s.resume = (enum step_resume)rng_in(rng, 0, STEP_RESUME_IGNORE);
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
	s.drift_interval = VT_SEC(3600);
	if (rng_in(rng, 0, 1)) {
		random_word(rng, "/", s.drift_file, sizeof s.drift_file);
		s.drift_interval = random_span(rng, 1000000000, DECADES);
	}
	if (rng_in(rng, 0, 1))
		random_word(rng, "/", s.pid_file, sizeof s.pid_file);
	random_word(rng, "", s.user, sizeof s.user);
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

static bool is_same(const struct settings *a, const struct settings *b)
{
	bool same = a->n_refclocks == b->n_refclocks;

	for (unsigned i = 0; i < a->n_refclocks && same; i++)
		same = strcmp(a->refclocks[i].device, b->refclocks[i].device) == 0 &&
		       a->refclocks[i].is_precise_off == b->refclocks[i].is_precise_off &&
		       is_same_source(&a->refclocks[i].source, &b->refclocks[i].source);
	return same && a->hostclock == b->hostclock && a->resume == b->resume &&
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
	assert_string_equal(text, "hostclock on\nclockowner refuse\nresume step\nmaxslewrate 83333.333\n"
	                          "driftfile /var/lib/vmtime/drift\nrtcsync\n"
	                          "pidfile /run/vmtime/vmtimed.pid\nuser vmtime\n");
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
		"refclock PHC /dev/ptp0",
		"refclock PHC /dev/ptp0:nocrossts",
		"refclock PHC /dev/ptp0 dpoll 0",
		"refclock PHC /dev/ptp0 poll 5",
		"refclock PHC /dev/ptp1",
		"refclock PHC /dev/ptp0 tai",
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

	assert_true(n < sizeof text);
	for (size_t i = 0; i < SETTINGS_TABLE.n; i++) {
		assert_non_null(strstr(text, SETTINGS_TABLE.rows[i].name));
		assert_non_null(strstr(text, SETTINGS_TABLE.rows[i].help));
	}
}

/* The manual's text as one line of words: without roff's requests, fonts and escapes. */
static void read_manual(char *to, size_t size)
{
	const char *root = getenv("VMTIME_ROOT");
	char path[512], line[512];
	size_t n = 0;
	FILE *file;

	if (!root)
		fail_msg("VMTIME_ROOT does not say where the sources are");
	snprintf(path, sizeof path, "%s/man/vmtime.conf.5", root);
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s cannot be opened", path);
	while (fgets(line, sizeof line, file)) {
		const char *p = line;

		if (line[0] == '.')
			continue;
		for (; *p && *p != '\n' && n + 2 < size; p++) {
			if (p[0] == '\\' && p[1] == 'f')
				p += 2;
			else if (p[0] != '\\')
				to[n++] = *p;
		}
		to[n++] = ' ';
	}
	to[n] = '\0';
	fclose(file);
	assert_true(n + 2 < size);
}

/* Every name, value, range, default and sentence of the table, in this order, is in the manual. */
static void check_manual(const char *manual, const struct conf_table *table)
{
	char head[128], expected[256], initial[64] = "";
	const char *at = manual;

	for (size_t i = 0; i < table->n; i++) {
		const struct conf_row *row = &table->rows[i];

		if (row->act == CONF_IGNORE) {
			if (!strstr(manual, row->name))
				fail_msg("the manual lacks %s", row->name);
			continue;
		}
		snprintf(head, sizeof head, " %s%s%s ", row->name, row->values[0].kind ? " " : "",
		         row->values[0].kind ? row->values[0].name : "");
		at = strstr(at, head);
		if (!at || !strstr(at, row->help))
			fail_msg("the manual lacks \"%s\": %s", head, row->help);
		at = strstr(at, row->help);
		for (const struct conf_value *v = row->values; v->kind; v++) {
			snprintf(head, sizeof head, "%s is %s.", v->name,
			         conf_value_expected(v, expected, sizeof expected));
			if (v->kind != CONF_TEXT && !strstr(at, head))
				fail_msg("%s: the manual lacks \"%s\"", row->name, head);
		}
		if (row->initial)
			snprintf(initial, sizeof initial, "Default: %s.", row->initial);
		if (row->initial && !strstr(at, initial))
			fail_msg("%s: the manual lacks \"%s\"", row->name, initial);
		if (row->options)
			check_manual(at, row->options);
	}
}

static void test_manual_tells_what_the_table_tells(void **state)
{
	(void)state;
	char manual[32768];

	read_manual(manual, sizeof manual);
	check_manual(manual, &SETTINGS_TABLE);
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
	};

	rng_start(&rng);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
