/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/libvirt_guests.h"

/* What libvirt tells, item by item; of what is due looks are kept, to be answered. */
struct play {
	struct libvirt_guests guests;
	vt_mono now;
	char signs[512]; /* of the latest item: "appeared 1 restore running" ... */
	struct libvirt_item look;
	unsigned n_looks;
	uint64_t late;
};

static const char *const KINDS[] = {
	[SIGN_APPEARED] = "appeared", [SIGN_GONE] = "gone",         [SIGN_STOPPED] = "stopped",
	[SIGN_RUNNING] = "running",   [SIGN_AGENT_UP] = "agent-up", [SIGN_AGENT_DOWN] = "agent-down",
	[SIGN_CHANGED] = "changed",
};

static int setup(void **state)
{
	struct play *p = calloc(1, sizeof *p);

	p->guests = (struct libvirt_guests)LIBVIRT_GUESTS_INIT;
	p->now = (vt_mono){ 1000 };
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct play *p = *state;

	libvirt_guests_fini(&p->guests);
	free(p);
	return 0;
}

static void serve(struct play *p)
{
	struct libvirt_item job = { 0 };
	uint64_t late = 0;

	while (libvirt_guests_due(&p->guests, p->now, &job, &late)) {
		if (late) {
			p->late = late;
		} else {
			assert_int_equal(job.kind, ITEM_LOOK);
			p->look = job;
			p->n_looks++;
		}
		job = (struct libvirt_item){ 0 };
		late = 0;
	}
}

static const char *take(struct play *p, const struct libvirt_item *item)
{
	struct sign signs[LIBVIRT_SIGNS_MAX];
	size_t n = libvirt_guests_take(&p->guests, item, p->now, signs);
	size_t at = 0;

	p->signs[0] = 0;
	for (size_t i = 0; i < n; i++) {
		at += (size_t)snprintf(p->signs + at, sizeof p->signs - at, "%s%s %u", i ? ", " : "",
		                       KINDS[signs[i].kind], signs[i].guest);
		if (signs[i].reason != HOST_REASON_NONE)
			at += (size_t)snprintf(p->signs + at, sizeof p->signs - at, " %s",
			                       host_reason_name(signs[i].reason));
		if (signs[i].kind == SIGN_APPEARED)
			at += (size_t)snprintf(p->signs + at, sizeof p->signs - at, " %s",
			                       signs[i].is_running ? "runs" : "stands");
	}
	serve(p);
	return p->signs;
}

static const char *news(struct play *p, unsigned char id, enum libvirt_news what, enum host_reason reason)
{
	struct libvirt_item item = { .kind = ITEM_NEWS, .news = what, .reason = reason, .at = p->now };

	item.uuid[0] = id;
	return take(p, &item);
}

/* Answers the latest look. */
static const char *looked(struct play *p, enum libvirt_look look, bool is_running, bool is_persistent)
{
	struct libvirt_item item = p->look;

	item.look = look;
	item.domain = (struct libvirt_domain){ .is_running = is_running, .is_persistent = is_persistent,
	                                       .name = "one" };
	return take(p, &item);
}

static const char *linked(struct play *p)
{
	return take(p, &(struct libvirt_item){ .kind = ITEM_LINK, .link = LINK_UP });
}

/* A guest that has appeared and runs. */
static void appear(struct play *p, bool is_persistent)
{
	news(p, 7, NEWS_FOUND, HOST_REASON_NONE);
	assert_string_equal(looked(p, LOOK_DONE, true, is_persistent), "appeared 1 runs");
}

static void test_a_guest_appears_when_it_was_looked_at(void **state)
{
	struct play *p = *state;

	assert_string_equal(linked(p), "");
	assert_string_equal(news(p, 7, NEWS_FOUND, HOST_REASON_NONE), "");
	assert_int_equal(p->n_looks, 1);
	assert_int_equal(p->look.uuid[0], 7);
	assert_string_equal(looked(p, LOOK_DONE, true, true), "appeared 1 runs");
	assert_string_equal(news(p, 8, NEWS_FOUND, HOST_REASON_NONE), "");
	assert_string_equal(looked(p, LOOK_DONE, false, true), "appeared 2 stands");
}

static void test_a_started_guest_appears_with_its_reason(void **state)
{
	struct play *p = *state;

	news(p, 7, NEWS_STARTED, HOST_REASON_RESTORE);
	assert_string_equal(looked(p, LOOK_DONE, true, true), "appeared 1 restore runs");
}

static void test_news_during_a_look_count_more_than_what_it_saw(void **state)
{
	struct play *p = *state;

	news(p, 7, NEWS_STARTED, HOST_REASON_NONE);
	news(p, 7, NEWS_STOPPED, HOST_REASON_NONE);
	assert_string_equal(looked(p, LOOK_DONE, true, true), "appeared 1 stands");

	/* But news from before the look do not. */
	news(p, 8, NEWS_STARTED, HOST_REASON_NONE);
	assert_string_equal(looked(p, LOOK_DONE, false, true), "appeared 2 stands");
}

static void test_running_is_told_as_often_as_it_is_heard(void **state)
{
	struct play *p = *state;

	appear(p, true);
	assert_string_equal(news(p, 7, NEWS_RUNNING, HOST_REASON_PAUSE), "running 1 pause");
	assert_string_equal(news(p, 7, NEWS_RUNNING, HOST_REASON_MIGRATION), "running 1 migration");
	assert_string_equal(news(p, 7, NEWS_STOPPED, HOST_REASON_NONE), "stopped 1");
}

static void test_a_persistent_guest_lives_over_its_end(void **state)
{
	struct play *p = *state;

	appear(p, true);
	assert_string_equal(news(p, 7, NEWS_AGENT_UP, HOST_REASON_NONE), "agent-up 1");
	assert_string_equal(news(p, 7, NEWS_ENDED, HOST_REASON_NONE), "stopped 1, agent-down 1");
	assert_string_equal(news(p, 7, NEWS_STARTED, HOST_REASON_RESTORE), "running 1 restore");
	/* It is looked at again, for its devices may be others. */
	assert_string_equal(looked(p, LOOK_DONE, true, true), "");
	assert_string_equal(news(p, 7, NEWS_ENDED, HOST_REASON_NONE), "stopped 1");
	assert_string_equal(news(p, 7, NEWS_UNDEFINED, HOST_REASON_NONE), "gone 1");
	assert_null(libvirt_guests_find(&p->guests, 1));
	/* Its number never comes again. */
	news(p, 7, NEWS_STARTED, HOST_REASON_NONE);
	assert_string_equal(looked(p, LOOK_DONE, true, true), "appeared 2 runs");
}

static void test_a_transient_guest_does_not(void **state)
{
	struct play *p = *state;

	appear(p, false);
	assert_string_equal(news(p, 7, NEWS_ENDED, HOST_REASON_NONE), "gone 1");
	assert_string_equal(news(p, 7, NEWS_ENDED, HOST_REASON_NONE), "");
}

static void test_undefined_while_it_runs_makes_it_transient(void **state)
{
	struct play *p = *state;

	appear(p, true);
	assert_string_equal(news(p, 7, NEWS_UNDEFINED, HOST_REASON_NONE), "");
	assert_string_equal(news(p, 7, NEWS_ENDED, HOST_REASON_NONE), "gone 1");
}

static void test_a_guest_that_migrated_away_is_gone(void **state)
{
	struct play *p = *state;

	appear(p, true);
	assert_string_equal(news(p, 7, NEWS_LEFT, HOST_REASON_NONE), "gone 1");
}

static void test_after_a_lost_connection_each_appears_again(void **state)
{
	struct play *p = *state;

	appear(p, true);
	assert_string_equal(linked(p), "");
	assert_int_equal(p->n_looks, 2);
	assert_string_equal(news(p, 7, NEWS_FOUND, HOST_REASON_NONE), "");
	assert_int_equal(p->n_looks, 2);
	assert_string_equal(looked(p, LOOK_DONE, true, true), "appeared 1 runs");

	linked(p);
	assert_string_equal(looked(p, LOOK_INACTIVE, false, true), "stopped 1");
	linked(p);
	assert_string_equal(looked(p, LOOK_MISSING, false, false), "gone 1");
}

static void test_a_look_that_fails_is_made_again(void **state)
{
	struct play *p = *state;
	vt_mono began = p->now;

	news(p, 7, NEWS_FOUND, HOST_REASON_NONE);
	assert_string_equal(looked(p, LOOK_FAILED, false, false), "");
	assert_int_equal(p->n_looks, 1);
	assert_true(p->guests.deadline.ns > began.ns);
	p->now = p->guests.deadline;
	serve(p);
	assert_int_equal(p->n_looks, 2);
	/* An answer to the first one that comes late is none. */
	p->look.ticket--;
	assert_string_equal(looked(p, LOOK_DONE, true, true), "");
	p->look.ticket++;
	assert_string_equal(looked(p, LOOK_DONE, true, true), "appeared 1 runs");
}

static void begin(struct play *p, const struct work *work, struct libvirt_item *job)
{
	libvirt_guests_begin(&p->guests, libvirt_guests_find(&p->guests, 1), work, p->now, job);
}

static void test_an_outcome_finds_its_guest(void **state)
{
	struct play *p = *state;
	struct work work = { .kind = WORK_GET_TIME, .number = 99, .timeout = VT_SEC(1) };
	struct work_outcome outcome = { .number = 5 };
	struct libvirt_item job;

	appear(p, true);
	begin(p, &work, &job);
	assert_false(libvirt_guests_pop(&p->guests, &outcome));
	assert_int_equal(outcome.number, 5);
	job.outcome = (struct work_outcome){ .result = WORK_REFUSED };
	take(p, &job);
	assert_true(libvirt_guests_pop(&p->guests, &outcome));
	assert_int_equal(outcome.guest, 1);
	assert_int_equal(outcome.number, 99);
	assert_int_equal(outcome.kind, WORK_GET_TIME);
	assert_int_equal(outcome.result, WORK_REFUSED);
	assert_false(libvirt_guests_pop(&p->guests, &outcome));
}

/* The agent's kind, by what comes of work. */
static void hears(struct play *p, enum work_kind kind, enum work_result result, enum agent_kind agent)
{
	struct work work = { .kind = kind, .number = 1, .timeout = VT_SEC(1) };
	struct work_outcome outcome;
	struct libvirt_item job;

	begin(p, &work, &job);
	job.outcome = (struct work_outcome){ .result = result, .agent = agent };
	take(p, &job);
	assert_true(libvirt_guests_pop(&p->guests, &outcome));
}

/* Would a message be sent to it without asking who it is? */
static bool is_known(struct play *p)
{
	struct work work = { .kind = WORK_NUDGE, .number = 2, .timeout = VT_SEC(1) };
	struct libvirt_item job;

	begin(p, &work, &job);
	libvirt_guests_drop(&p->guests, libvirt_guests_find(&p->guests, 1));
	return job.is_vmtimed;
}

static void test_who_the_agent_is_is_known_until_it_may_be_another(void **state)
{
	struct play *p = *state;
	struct work work = { .kind = WORK_INFO, .number = 3, .timeout = VT_SEC(1) };
	struct libvirt_item job;
	static const struct {
		enum libvirt_news news;
		enum host_reason reason;
		bool is_kept;
	} cases[] = {
		{ NEWS_STOPPED, HOST_REASON_NONE, true },
		{ NEWS_RUNNING, HOST_REASON_PAUSE, true },
		{ NEWS_RUNNING, HOST_REASON_RESTORE, false },
		{ NEWS_RUNNING, HOST_REASON_MIGRATION, false },
		{ NEWS_STARTED, HOST_REASON_NONE, false },
		{ NEWS_AGENT_DOWN, HOST_REASON_NONE, false },
		{ NEWS_AGENT_UP, HOST_REASON_NONE, false },
	};

	appear(p, true);
	assert_false(is_known(p));
	hears(p, WORK_INFO, WORK_DONE, AGENT_QEMU_GA);
	assert_int_equal(libvirt_guests_find(&p->guests, 1)->agent, AGENT_QEMU_GA);
	assert_false(is_known(p));
	for (size_t i = 0; i < COUNT(cases); i++) {
		hears(p, WORK_INFO, WORK_DONE, AGENT_VMTIMED);
		hears(p, WORK_GET_TIME, WORK_DONE, AGENT_NONE); /* says nothing of it */
		assert_true(is_known(p));
		news(p, 7, cases[i].news, cases[i].reason);
		if (is_known(p) != cases[i].is_kept)
			fail_msg("case %zu", i);
		if (!cases[i].is_kept)
			assert_int_equal(libvirt_guests_find(&p->guests, 1)->agent, AGENT_UNKNOWN);
	}
	hears(p, WORK_NUDGE, WORK_DONE, AGENT_VMTIMED);
	linked(p);
	assert_false(is_known(p));

	/* What was asked before it changed is not believed after. */
	begin(p, &work, &job);
	news(p, 7, NEWS_AGENT_DOWN, HOST_REASON_NONE);
	job.outcome = (struct work_outcome){ .result = WORK_DONE, .agent = AGENT_VMTIMED };
	take(p, &job);
	assert_false(is_known(p));
}

static void test_work_times_out_and_what_comes_later_is_thrown_away(void **state)
{
	struct play *p = *state;
	struct work work = { .kind = WORK_SET_TIME, .number = 3, .timeout = VT_SEC(1) };
	struct work_outcome outcome;
	struct libvirt_item job;

	appear(p, true);
	begin(p, &work, &job);
	assert_int_equal(p->guests.deadline.ns, p->now.ns + 1000000000);
	p->now.ns += 999999999;
	serve(p);
	assert_false(libvirt_guests_pop(&p->guests, &outcome));
	p->now.ns += 1;
	serve(p);
	assert_int_equal(p->late, job.ticket);
	assert_true(libvirt_guests_pop(&p->guests, &outcome));
	assert_int_equal(outcome.result, WORK_TIMED_OUT);
	assert_false(outcome.was_sent);
	take(p, &job);
	assert_false(libvirt_guests_pop(&p->guests, &outcome));
	assert_int_equal(p->guests.deadline.ns, INT64_MAX);
}

static void test_dropped_work_has_no_outcome(void **state)
{
	struct play *p = *state;
	struct work work = { .kind = WORK_GET_TIME, .number = 3, .timeout = VT_SEC(1) };
	struct work_outcome outcome;
	struct libvirt_item job;

	appear(p, true);
	begin(p, &work, &job);
	assert_int_equal(libvirt_guests_drop(&p->guests, libvirt_guests_find(&p->guests, 1)), job.ticket);
	take(p, &job);
	assert_false(libvirt_guests_pop(&p->guests, &outcome));
	p->now.ns += 2000000000;
	serve(p);
	assert_false(libvirt_guests_pop(&p->guests, &outcome));

	/* Nor has what has ended, but was not popped. */
	libvirt_guests_end(&p->guests, libvirt_guests_find(&p->guests, 1), &work, WORK_DONE, "");
	assert_int_equal(libvirt_guests_drop(&p->guests, libvirt_guests_find(&p->guests, 1)), 0);
	assert_false(libvirt_guests_pop(&p->guests, &outcome));
}

/* Numbers are found among many, and each outcome is popped once. */
static void test_a_thousand_guests(void **state)
{
	struct play *p = *state;
	struct work work = { .kind = WORK_GET_TIME };
	struct work_outcome outcome;
	unsigned seen = 0;

	for (unsigned i = 0; i < 1000; i++) {
		struct libvirt_item item = { .kind = ITEM_NEWS, .news = NEWS_FOUND };

		item.uuid[0] = (unsigned char)i;
		item.uuid[1] = (unsigned char)(i >> 8);
		take(p, &item);
		looked(p, LOOK_DONE, true, i % 2);
	}
	for (unsigned i = 0; i < 1000; i += 2) {
		struct libvirt_item item = { .kind = ITEM_NEWS, .news = NEWS_ENDED };

		item.uuid[0] = (unsigned char)i;
		item.uuid[1] = (unsigned char)(i >> 8);
		take(p, &item);
	}
	assert_int_equal(p->guests.n, 500);
	for (uint32_t number = 1; number <= 1000; number++) {
		struct libvirt_guest *guest = libvirt_guests_find(&p->guests, number);

		assert_int_equal(guest != NULL, number % 2 == 0);
		if (guest) {
			work.number = number;
			libvirt_guests_end(&p->guests, guest, &work, WORK_DONE, "");
		}
	}
	while (libvirt_guests_pop(&p->guests, &outcome)) {
		assert_int_equal(outcome.guest, outcome.number);
		seen++;
	}
	assert_int_equal(seen, 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_guest_appears_when_it_was_looked_at),
		TEST(test_a_started_guest_appears_with_its_reason),
		TEST(test_news_during_a_look_count_more_than_what_it_saw),
		TEST(test_running_is_told_as_often_as_it_is_heard),
		TEST(test_a_persistent_guest_lives_over_its_end),
		TEST(test_a_transient_guest_does_not),
		TEST(test_undefined_while_it_runs_makes_it_transient),
		TEST(test_a_guest_that_migrated_away_is_gone),
		TEST(test_after_a_lost_connection_each_appears_again),
		TEST(test_a_look_that_fails_is_made_again),
		TEST(test_an_outcome_finds_its_guest),
		TEST(test_who_the_agent_is_is_known_until_it_may_be_another),
		TEST(test_work_times_out_and_what_comes_later_is_thrown_away),
		TEST(test_dropped_work_has_no_outcome),
		TEST(test_a_thousand_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
