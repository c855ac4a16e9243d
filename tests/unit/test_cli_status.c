/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_cli_status.c - the screen for people, and values in words
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "cli/event_text.h"
#include "cli/status.h"
#include "cli/words.h"

#include "cli_printed.h"

static void test_spans_in_words(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		int64_t ns;
		const char *span, *bound;
	} cases[] = {
		{ 0,                   "0 ns",         "0 ns"         },
		{ -912,                "912 ns",       "912 ns"       },
		{ 999,                 "999 ns",       "999 ns"       },
		{ 1000,                "1 us",         "1 us"         },
		{ 1001,                "1 us",         "1.01 us"      },
		{ 4570,                "4.57 us",      "4.57 us"      },
		{ 12340,               "12.3 us",      "12.4 us"      },
		{ 999499,              "999 us",       "1000 us"      },
		{ 999500,              "1 ms",         "1 ms"         },
		{ 187500000,           "188 ms",       "188 ms"       },
		{ 10002000000,         "10 s",         "10.1 s"       },
		{ 59999999999,         "60 s",         "60 s"         },
		{ MINUTE,              "1 min 0 s",    "1 min 0 s"    },
		{ MINUTE + 1,          "1 min 0 s",    "1 min 1 s"    },
		{ HOUR - 1,            "59 min 59 s",  "1 h 0 min"    },
		{ HOUR + 1,            "1 h 0 min",    "1 h 1 min"    },
		{ DAY - 1,             "23 h 59 min",  "1 d 0 h"      },
		{ DAY + HOUR,          "1 d 1 h",      "1 d 1 h"      },
		{ DAY + HOUR + 1,      "1 d 1 h",      "1 d 2 h"      },
		{ INT64_MAX,           "for ever",     "for ever"     },
	};
	/* clang-format on */
	char to[WORDS_SPAN_MAX];

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_string_equal(words_span(to, VT_NS(cases[i].ns)), cases[i].span);
		assert_string_equal(words_bound(to, VT_NS(cases[i].ns)), cases[i].bound);
	}
}

static void test_safe_text_never_overflows(void **state)
{
	(void)state;
	char to[16];

	for (size_t size = 5; size <= sizeof to; size++) {
		memset(to, 'Z', sizeof to);
		words_safe("\xff\xff\xff\xff\xff", to, size);
		assert_true(strlen(to) < size);
		for (size_t i = size; i < sizeof to; i++)
			assert_int_equal(to[i], 'Z');
	}
	assert_string_equal(words_safe("a b~", to, sizeof to), "a b~");
	assert_string_equal(words_safe("\\\x7f", to, sizeof to), "\\x5c\\x7f");
}

static void print_status(FILE *out, const void *what)
{
	status_print(out, what, false);
}

static struct report_status a_good_status(void)
{
	struct report_status status = {
		.state = REPORT_OK,
		.version = "0.1.0",
		.pid = 312,
		.uptime = { 2 * HOUR },
		.user = "vmtime",
		.clocksource = "kvm-clock",
		.has_bound = true,
		.bound = { 912 },
		.is_kernel_synchronized = true,
		.steps = 2,
		.jumps = 1,
		.tracking = { .refid = 1, .stratum = 1, .system_offset = { 3 } },
		.sources = { .n = 1, .sources = { PHC0 } },
	};

	return status;
}

static void test_headlines_of_status(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		enum report_state state;
		bool has_bound, is_observing, is_host;
		const char *owner, *headline;
	} cases[] = {
		{ REPORT_STARTING,  false, false, true,  "", "The clock has not been compared with anything yet.\n" },
		{ REPORT_OK,        true,  false, true,  "", "The clock is right: within 912 ns of its host's clock.\n" },
		{ REPORT_OK,        true,  false, false, "", "The clock is right: within 912 ns of its source.\n" },
		{ REPORT_OK,        false, false, true,  "", "The clock follows its host's clock; how far it can be off is not known.\n" },
		{ REPORT_OK,        true,  true,  true,  "", "vmtimed only watches (-x): the clock is 3 ns behind its host's clock.\n" },
		{ REPORT_HOLDOVER,  true,  false, true,  "", "No source answers: the clock runs on alone.\n" },
		{ REPORT_DISRUPTED, true,  false, true,  "", "The time has jumped; the clock is being measured again.\n" },
		{ REPORT_CONTESTED, true,  false, true,  "chronyd (pid 12)", "The clock is right: within 912 ns of its host's clock, but chronyd (pid 12) steers it as well.\n" },
		{ REPORT_CONTESTED, true,  false, true,  "", "The clock is right: within 912 ns of its host's clock, but another process steers it as well.\n" },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct report_status status = a_good_status();
		char *text;

		status.state = cases[i].state;
		status.has_bound = cases[i].has_bound;
		status.is_observing = cases[i].is_observing;
		status.sources.sources[0].is_host = cases[i].is_host;
		strcpy(status.owner, cases[i].owner);
		text = printed(print_status, &status);
		if (strncmp(text, cases[i].headline, strlen(cases[i].headline)) != 0)
			fail_msg("not \"%s\":\n%s", cases[i].headline, text);
		free(text);
	}
}

static void test_status_tells_the_last_event(void **state)
{
	(void)state;
	struct report_status status = a_good_status();

	assert_prints(print_status, &status, "\n  Last event  none\n");
	status.last_event = (struct report_event){
		.is_there = true,
		.cause = "jump, cause unknown",
		.at = { INT64_C(1790000000123456789) },
		.size = { 10002000000 },
		.noticed_after = { 1000000000 },
		.repaired_after = { 187500000 },
		.is_repaired = true,
	};
	assert_prints(print_status, &status,
	              "\n  Last event  jump, cause unknown: the clock was 10 s behind\n"
	              "              noticed within 1 s, repaired 188 ms later, at "
	              "2026-09-21 14:13:20 UTC\n");
	status.last_event.size.ns = -1;
	status.last_event.is_repaired = false;
	assert_prints(print_status, &status, ": the clock was 1 ns ahead\n");
	assert_prints(print_status, &status, ", not repaired yet\n");
	status.last_event.size.ns = 0;
	assert_prints(print_status, &status, ": how far the clock is off is not known yet\n");
	status.last_event.end = REPORT_END_NOTHING;
	status.last_event.is_repaired = true;
	assert_prints(print_status, &status, "noticed within 1 s, found right 188 ms later, at 2026");
	assert_prints(print_status, &status, ": the clock was right\n");
	status.last_event.end = REPORT_END_LEFT;
	assert_prints(print_status, &status, ": it is not known how far the clock was off\n");
}

static void print_notice(FILE *out, const void *what)
{
	event_text_notice(out, what);
}

static void print_paragraph(FILE *out, const void *what)
{
	event_text_paragraphs(out, what);
}

static void test_a_clock_that_was_right_was_not_wrong(void **state)
{
	(void)state;
	struct report_event event = { .is_there = true, .number = 3, .cause = "drift",
		                      .end = REPORT_END_NOTHING, .is_repaired = true,
		                      .wrong_for = { 1020000000 } };
	struct report_notice notice = { .what = REPORT_HAPPENING_CLOSED, .event = event };
	struct report_events *events = calloc(1, sizeof *events);
	char *text;

	assert_non_null(events);
	events->n = 1;
	events->events[0] = event;
	assert_prints(print_notice, &notice, "drift: the clock was right; nothing had to be done\n");
	text = printed(print_paragraph, events);
	assert_null(strstr(text, "Wrong for"));
	free(text);
	events->events[0].size.ns = 1000000;
	assert_prints(print_paragraph, events, "\n  Wrong for at most 1.0");
	free(events);
}

static void test_status_says_what_is_wrong(void **state)
{
	(void)state;
	struct report_status status = a_good_status();

	strcpy(status.sources.sources[0].trouble, "the host refuses\x1b[2J to answer");
	assert_prints(print_status, &status, "\n  PHC0: the host refuses\\x1b[2J to answer\n");
	strcpy(status.reason, "Do this.");
	assert_prints(print_status, &status, ".\n  Do this.\n  PHC0: ");

	/* The same sentence is not said twice. */
	strcpy(status.reason, "PHC0: the host refuses\x1b[2J to answer");
	char *text = printed(print_status, &status);

	assert_null(strstr(strstr(text, "the host refuses") + 1, "the host refuses"));
	free(text);
	status = a_good_status();
	status.sources.n = 0;
	assert_prints(print_status, &status, "\n  There is no source.");
	assert_prints(print_status, &status, "\n  Follows     nothing\n");
}

/* Two lengths in one sentence must not be the same one twice. */
static void test_status_keeps_its_figures_apart(void **state)
{
	(void)state;
	struct report_status status = a_good_status();

	status.has_host_error = true;
	status.host_error = VT_US(45);
	status.tracking.rms_offset = VT_NS(11);
	assert_prints(print_status, &status,
	              "\n  Compared    4 s ago, to +/- 7 ns, every 1 s at present\n");
	assert_prints(print_status, &status,
	              "\n  Error       at most 912 ns against its host's clock, at most 46 us against "
	              "true time\n  Host        right to 45 us, by the configuration\n");
	assert_prints(print_status, &status,
	              "\n  Now         3 ns behind its host's clock, typically 11 ns\n");
	assert_prints(print_status, &status, "\n  In all      2 steps, 1 jump in 2 h 0 min\n");
	assert_prints(
		print_status, &status,
		"\n  Daemon      vmtimed 0.1.0, pid 312, user vmtime, configuration none: it uses "
		"the host's clock\n");
	status.is_observing = true;
	strcpy(status.configuration, "/a\x1b");
	assert_prints(print_status, &status, ", configuration /a\\x1b; it only watches (-x)\n");
}

static void test_status_says_what_it_notices(void **state)
{
	(void)state;
	struct report_status status = a_good_status();

	status.senses = (struct report_senses){ .is_there = true };
	assert_prints(print_status, &status, "\n  Notices     readings\n");
	status.senses.hears_generation = true;
	status.senses.sees_sleep = true;
	assert_prints(print_status, &status, "\n  Notices     readings, the VM generation, sleep\n");
	status.senses.sees_clock_set = true;
	strcpy(status.senses.vmclock, "marker\x1b");
	assert_prints(print_status, &status,
	              "\n  Notices     readings, vmclock (marker\\x1b), the VM generation, a clock that "
	              "is set, sleep\n");
}

/* What is not known of the host is never left out, and never taken for zero. */
static void test_status_says_how_right_the_host_is(void **state)
{
	(void)state;
	struct report_status status = a_good_status();

	assert_prints(print_status, &status,
	              "at most 912 ns against its host's clock; the host's own error is not known\n"
	              "  Now ");
	status.has_host_quality = true;
	status.host_quality_age = VT_SEC(12);
	strcpy(status.host_quality.daemon, "ntpd\x1b");
	assert_prints(print_status, &status,
	              "; the host's own error is not known\n  Host        how right it is is not known; "
	              "not synchronised, said its ntpd\\x1b 12 s ago\n");
	status.host_quality.is_synchronized = true;
	status.has_host_error = true;
	status.host_error = VT_US(1250);
	assert_prints(print_status, &status,
	              ", at most 1.26 ms against true time\n  Host        right to 1.25 ms; "
	              "synchronised, said its ntpd\\x1b 12 s ago\n");
	status.sources.sources[0].is_host = false;
	assert_prints(print_status, &status,
	              "at most 912 ns against its source; the host itself is right to 1.25 ms\n");
	status.sources.sources[0].is_host = true;
	status.has_bound = false;
	assert_prints(print_status, &status,
	              "not known; the host itself is right to 1.25 ms\n");
}

static void print_status_in_colour(FILE *out, const void *what)
{
	status_print(out, what, true);
}

static void test_colours_only_when_asked_for(void **state)
{
	(void)state;
	struct report_status status = a_good_status();
	char *plain = printed(print_status, &status);
	char *coloured = printed(print_status_in_colour, &status);

	assert_null(strchr(plain, '\x1b'));
	assert_int_equal(strncmp(coloured, "\033[1;32mThe clock is right", 25), 0);
	free(plain);
	free(coloured);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spans_in_words),
		cmocka_unit_test(test_safe_text_never_overflows),
		cmocka_unit_test(test_headlines_of_status),
		cmocka_unit_test(test_status_tells_the_last_event),
		cmocka_unit_test(test_status_says_what_is_wrong),
		cmocka_unit_test(test_status_keeps_its_figures_apart),
		cmocka_unit_test(test_status_says_what_it_notices),
		cmocka_unit_test(test_status_says_how_right_the_host_is),
		cmocka_unit_test(test_a_clock_that_was_right_was_not_wrong),
		cmocka_unit_test(test_colours_only_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
