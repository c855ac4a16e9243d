/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_control_reports.c - whatever a report holds comes back as it went
 *
 * VMTIME_SEED=N repeats a random run.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "proto/control.h"

/* Bytes no decoder would write by itself. */
static void poison(void *p, size_t n)
{
	memset(p, 0x5a, n);
}

static bool is_poisoned(const void *p, size_t n)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < n; i++)
		if (bytes[i] != 0x5a)
			return false;
	return true;
}

static uint64_t the_random;

static uint64_t next_random(void)
{
	/* xorshift64*: any seed but 0 will do. */
	the_random ^= the_random >> 12;
	the_random ^= the_random << 25;
	the_random ^= the_random >> 27;
	return the_random * UINT64_C(2685821657736338717);
}

/* Small, large and extreme ones. */
static int64_t random_ns(void)
{
	switch (next_random() % 8) {
	case 0: return 0;
	case 1: return INT64_MIN;
	case 2: return INT64_MAX;
	case 3: return (int64_t)(next_random() % 2000) - 1000;
	case 4: return INT64_C(9007199254740993) + (int64_t)(next_random() % 2); /* no double */
	default: return (int64_t)next_random() >> next_random() % 63;
	}
}

static double random_ppm(void)
{
	switch (next_random() % 6) {
	case 0: return 0;
	case 1: return (double)NAN;
	case 2: return 1e300;
	default:
		return (double)(int64_t)next_random() / 0x1p63 *
		       pow(10, (double)(next_random() % 8));
	}
}

/* Characters of one to four bytes, quotes, control characters; valid UTF-8. */
static void random_text(char *to, size_t size)
{
	static const char *const pieces[] = { "a",
		                              "Z",
		                              " ",
		                              "\"",
		                              "\\",
		                              "/",
		                              "\x01",
		                              "\x7f",
		                              "\n",
		                              "\x1b",
		                              "\xc3\xa4",
		                              "\xe2\x82\xac",
		                              "\xf0\x9f\x95\x92" };
	size_t used = 0, want = next_random() % (size + 1);

	memset(to, 0, size);
	while (used < want) {
		const char *piece = pieces[next_random() % COUNT(pieces)];

		if (used + strlen(piece) >= size)
			break;
		memcpy(to + used, piece, strlen(piece));
		used += strlen(piece);
	}
}

#define RANDOM_TEXT(member) random_text(member, sizeof(member))
#define RANDOM_NS(member)   ((member).ns = random_ns())

static void random_tracking(struct report_tracking *t)
{
	t->refid = (uint32_t)next_random();
	RANDOM_TEXT(t->name);
	t->stratum = (int)next_random();
	RANDOM_NS(t->ref_time);
	RANDOM_NS(t->system_offset);
	RANDOM_NS(t->last_offset);
	RANDOM_NS(t->rms_offset);
	t->frequency_ppm = random_ppm();
	t->residual_ppm = random_ppm();
	t->skew_ppm = random_ppm();
	RANDOM_NS(t->root_delay);
	RANDOM_NS(t->root_dispersion);
	RANDOM_NS(t->update_interval);
	t->leap = (enum report_leap)(next_random() % 4);
}

static void random_source(struct report_source *s)
{
	RANDOM_TEXT(s->name);
	RANDOM_TEXT(s->device);
	RANDOM_TEXT(s->clock_name);
	RANDOM_TEXT(s->method);
	RANDOM_TEXT(s->trouble);
	s->refid = (uint32_t)next_random();
	s->stratum = (int)next_random();
	s->poll = (int)next_random();
	RANDOM_NS(s->reading_interval);
	s->selection = (enum report_selection)(next_random() % 6);
	s->is_host = next_random() & 1;
	s->reach = (unsigned)next_random();
	s->has_sample = next_random() & 1;
	if (s->has_sample) {
		RANDOM_NS(s->since_sample);
		RANDOM_NS(s->adjusted_offset);
		RANDOM_NS(s->measured_offset);
		RANDOM_NS(s->error);
		RANDOM_NS(s->bracket);
	}
	s->readings = next_random() >> 1;
	s->failures = next_random() >> 1;
	s->outliers = next_random() >> 1;
}

static void random_statistics(struct report_source *s)
{
	s->samples = (unsigned)next_random();
	s->runs = (unsigned)next_random();
	RANDOM_NS(s->span);
	s->frequency_ppm = random_ppm();
	s->frequency_skew_ppm = random_ppm();
	RANDOM_NS(s->estimated_offset);
	RANDOM_NS(s->standard_deviation);
}

static void random_event(struct report_event *e)
{
	e->is_there = true;
	e->number = next_random() >> 1;
	RANDOM_TEXT(e->cause);
	e->end = (enum report_end)(next_random() % REPORT_ENDS);
	e->evidence = (unsigned)(next_random() % (1u << REPORT_EVIDENCE_BITS));
	RANDOM_TEXT(e->source);
	RANDOM_NS(e->noticed);
	RANDOM_NS(e->at);
	RANDOM_NS(e->size);
	e->is_repaired = next_random() & 1;
	RANDOM_NS(e->noticed_after);
	RANDOM_NS(e->repaired_after);
	RANDOM_NS(e->wrong_for);
	RANDOM_TEXT(e->boot);
}

static void random_events(struct report_events *e)
{
	RANDOM_TEXT(e->path);
	RANDOM_TEXT(e->trouble);
	e->unreadable = next_random() >> 1;
	e->n = (unsigned)(next_random() % 64);
	for (unsigned i = 0; i < e->n; i++)
		random_event(&e->events[i]);
}

static void random_notice(struct report_notice *n)
{
	n->what = (enum report_happening)(next_random() % REPORT_HAPPENINGS);
	n->state = (enum report_state)(next_random() % 5);
	RANDOM_TEXT(n->reason);
	RANDOM_NS(n->at);
	n->has_bound = next_random() & 1;
	if (n->has_bound)
		RANDOM_NS(n->bound);
	if (next_random() & 1)
		random_event(&n->event);
}

static void random_wait(struct report_wait *w)
{
	w->is_met = next_random() & 1;
	w->state = (enum report_state)(next_random() % 5);
	RANDOM_TEXT(w->reason);
	random_tracking(&w->tracking);
}

static void random_daemon(struct report_status *r)
{
	r->state = (enum report_state)(next_random() % 5);
	RANDOM_TEXT(r->reason);
	RANDOM_TEXT(r->version);
	r->pid = (int)next_random();
	RANDOM_NS(r->uptime);
	RANDOM_TEXT(r->user);
	r->is_observing = next_random() & 1;
	RANDOM_TEXT(r->configuration);
	RANDOM_TEXT(r->clocksource);
	r->has_bound = next_random() & 1;
	if (r->has_bound)
		RANDOM_NS(r->bound);
	r->has_host_error = next_random() & 1;
	if (r->has_host_error)
		RANDOM_NS(r->host_error);
	r->senses.is_there = next_random() & 1;
	if (r->senses.is_there) {
		RANDOM_TEXT(r->senses.vmclock);
		r->senses.hears_generation = next_random() & 1;
		r->senses.sees_clock_set = next_random() & 1;
		r->senses.sees_sleep = next_random() & 1;
	}
	r->has_state_age = next_random() & 1;
	if (r->has_state_age)
		RANDOM_NS(r->state_age);
	r->is_kernel_synchronized = next_random() & 1;
	RANDOM_TEXT(r->owner);
	r->steps = next_random() >> 1;
	r->jumps = next_random() >> 1;
}

/* Only what @command carries, one of those of the status. */
static void random_status(enum control_command command, struct report_status *r)
{
	if (command == CONTROL_STATUS) {
		random_daemon(r);
		if (next_random() & 1)
			random_event(&r->last_event);
	}
	if (command == CONTROL_STATUS || command == CONTROL_TRACKING)
		random_tracking(&r->tracking);
	if (command == CONTROL_TRACKING)
		return;
	r->sources.n = (unsigned)(next_random() % (REPORT_SOURCES_MAX + 1));
	for (unsigned i = 0; i < r->sources.n; i++)
		if (command != CONTROL_SOURCESTATS) {
			random_source(&r->sources.sources[i]);
		} else {
			RANDOM_TEXT(r->sources.sources[i].name);
			r->sources.sources[i].refid = (uint32_t)next_random();
			random_statistics(&r->sources.sources[i]);
		}
}

/* Only what @command carries. */
static void random_report(enum control_command command, union report *r)
{
	memset(r, 0, sizeof *r);
	if (command == CONTROL_EVENTS)
		random_events(&r->events);
	else if (command == CONTROL_FOLLOW)
		random_notice(&r->notice);
	else if (command == CONTROL_WAITSYNC)
		random_wait(&r->wait);
	else if (command == CONTROL_NUDGE)
		r->nudge.is_delayed = next_random() & 1;
	else
		random_status(command, &r->status);
}

/* Doubles pass as 15 digits; everything else must be equal to the last bit. */
static void assert_and_level_double(double want, double *got)
{
	if (isnan(want))
		assert_true(isnan(*got));
	else
		assert_true(fabs(want - *got) <= fabs(want) * 1e-14);
	*got = want;
}

static void level_tracking(const struct report_tracking *want, struct report_tracking *got)
{
	assert_and_level_double(want->frequency_ppm, &got->frequency_ppm);
	assert_and_level_double(want->residual_ppm, &got->residual_ppm);
	assert_and_level_double(want->skew_ppm, &got->skew_ppm);
}

static void level_doubles(const struct report_status *want, struct report_status *got)
{
	level_tracking(&want->tracking, &got->tracking);
	for (unsigned i = 0; i < REPORT_SOURCES_MAX; i++) {
		assert_and_level_double(want->sources.sources[i].frequency_ppm,
		                        &got->sources.sources[i].frequency_ppm);
		assert_and_level_double(want->sources.sources[i].frequency_skew_ppm,
		                        &got->sources.sources[i].frequency_skew_ppm);
	}
}

static void assert_round_trip(enum control_command command)
{
	const struct control_request request = { .command = command };
	/* Static: zero padding that stays zero, so that memcmp compares members alone. */
	static union report want, got;
	struct control_error error;
	char *line;
	size_t length;

	random_report(command, &want);
	memset(&got, 0, sizeof got);
	assert_int_equal(control_encode_reply(&request, &want, &line, &length), 0);
	assert_true(length <= CONTROL_REPLY_MAX);
	assert_ptr_equal(memchr(line, '\n', length), line + length - 1);
	if (control_decode_reply(line, length, command, &got, &error) != CONTROL_ANSWERED)
		fail_msg("%s: %s", line, error.text);
	if (command == CONTROL_WAITSYNC)
		level_tracking(&want.wait.tracking, &got.wait.tracking);
	else if (command <= CONTROL_TRACKING)
		level_doubles(&want.status, &got.status);
	if (memcmp(&want, &got, sizeof want) != 0)
		fail_msg("not the same again: %s", line);
	free(line);
}

static void test_reports_come_back_as_they_went(void **state)
{
	(void)state;
	const char *given = getenv("VMTIME_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	print_message("VMTIME_SEED=%" PRIu64 "\n", seed);
	the_random = seed * 2 + 1;
	for (int i = 0; i < 20; i++)
		next_random();
	for (unsigned i = 0; i < 2000; i++)
		assert_round_trip((enum control_command)(i % CONTROL_COMMANDS));
}

static void test_a_truncated_or_bent_reply_is_garbage_and_touches_nothing(void **state)
{
	(void)state;
	static union report report, got;
	const struct control_request request = { .command = CONTROL_STATUS };
	struct control_error error;
	char *line;
	size_t length;

	the_random = 42;
	random_report(CONTROL_STATUS, &report);
	assert_int_equal(control_encode_reply(&request, &report, &line, &length), 0);
	for (size_t n = 0; n < length - 1; n += 1 + n / 50) {
		poison(&got, sizeof got);
		assert_int_equal(control_decode_reply(line, n, CONTROL_STATUS, &got, &error),
		                 CONTROL_GARBAGE);
		assert_true(is_poisoned(&got, sizeof got));
	}
	assert_int_equal(control_decode_reply(line, length, CONTROL_TRACKING, &got, &error),
	                 CONTROL_GARBAGE);
	assert_true(is_poisoned(&got, sizeof got));
	free(line);
}

/* Whatever a report holds can be sent. */
static void test_bytes_that_are_not_text_become_question_marks(void **state)
{
	(void)state;
	static struct report_status report, got;
	const struct control_request request = { .command = CONTROL_STATUS };
	struct control_error error;
	char *line;
	size_t length;

	strcpy(report.clocksource, "a\xff\xc3.\xed\xa0\x80\xf0\x9f\x95");
	memset(report.reason, 'x', sizeof report.reason); /* no terminator */
	report.steps = UINT64_MAX;
	report.tracking.frequency_ppm = (double)INFINITY;
	assert_int_equal(control_encode_reply(&request, &report, &line, &length), 0);
	assert_int_equal(control_decode_reply(line, length, CONTROL_STATUS, &got, &error),
	                 CONTROL_ANSWERED);
	assert_string_equal(got.clocksource, "a\?\?.\?\?\?\?\?\?");
	assert_int_equal(strlen(got.reason), sizeof got.reason - 1);
	assert_true(got.steps == INT64_MAX);
	assert_true(isnan(got.tracking.frequency_ppm));
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reports_come_back_as_they_went),
		cmocka_unit_test(test_a_truncated_or_bent_reply_is_garbage_and_touches_nothing),
		cmocka_unit_test(test_bytes_that_are_not_text_become_question_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
