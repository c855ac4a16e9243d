/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_hook_queue.c - which hooks are due, and what they are told
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "cli/hook_facts.h"
#include "cli/hook_queue.h"

static struct hook_queue queue;

static int fresh(void **state)
{
	(void)state;
	hook_queue_init(&queue);
	return 0;
}

static struct report_event event(uint64_t number, enum report_end end)
{
	return (struct report_event){
		.is_there = true,
		.number = number,
		.cause = "jump, cause unknown",
		.end = end,
		.noticed = { INT64_C(1795445692930431556) + (int64_t)number },
		.is_repaired = end != REPORT_END_OPEN,
	};
}

static void happens(enum report_happening what, uint64_t number, enum report_end end)
{
	const struct report_notice notice = { .what = what, .event = event(number, end) };

	hook_queue_add(&queue, &notice);
}

static void opens(uint64_t number)
{
	happens(REPORT_HAPPENING_OPENED, number, REPORT_END_OPEN);
}

static void closes(uint64_t number)
{
	happens(REPORT_HAPPENING_CLOSED, number, REPORT_END_STEPPED);
}

static void check_job(enum hook_phase phase, uint64_t number, enum report_end end)
{
	struct hook_job job;

	assert_true(hook_queue_pop(&queue, &job));
	assert_int_equal(job.phase, phase);
	assert_int_equal(job.event.number, number);
	assert_int_equal(job.event.end, end);
}

static void check_empty(void)
{
	struct hook_job job = { .phase = HOOK_ON_REPAIR, .event = { .number = 77 } };

	assert_false(hook_queue_pop(&queue, &job));
	assert_int_equal(job.event.number, 77);
}

static void test_each_once(void **state)
{
	(void)state;
	const struct report_event list[] = { event(1, REPORT_END_STEPPED),
		                             event(2, REPORT_END_STEPPED) };

	hook_queue_catch_up(&queue, list, 1);
	happens(REPORT_HAPPENING_STATE, 0, REPORT_END_OPEN);
	check_empty();
	opens(2);
	opens(2);
	check_job(HOOK_ON_DISRUPTION, 2, REPORT_END_OPEN);
	closes(2);
	closes(2);
	happens(REPORT_HAPPENING_RENAMED, 2, REPORT_END_STEPPED);
	/* The daemon began anew, and its list has all of it again. */
	hook_queue_catch_up(&queue, list, 2);
	check_job(HOOK_ON_REPAIR, 2, REPORT_END_STEPPED);
	check_empty();
}

static void test_a_step_by_itself(void **state)
{
	(void)state;
	hook_queue_catch_up(&queue, NULL, 0);
	closes(1);
	check_job(HOOK_ON_REPAIR, 1, REPORT_END_STEPPED);
	/* Late news of its beginning is no news. */
	opens(1);
	check_empty();
}

static void test_what_is_found_at_the_beginning(void **state)
{
	(void)state;
	const struct report_event list[] = { event(7, REPORT_END_NOTHING),
		                             event(8, REPORT_END_OPEN) };

	hook_queue_catch_up(&queue, list, 2);
	check_job(HOOK_ON_DISRUPTION, 8, REPORT_END_OPEN);
	check_empty();
}

static void test_what_happened_while_nobody_listened(void **state)
{
	(void)state;
	const struct report_event list[] = { event(1, REPORT_END_STEPPED),
		                             event(2, REPORT_END_UNFINISHED),
		                             event(3, REPORT_END_STEPPED),
		                             event(4, REPORT_END_OPEN) };

	hook_queue_catch_up(&queue, list, 1);
	opens(2);
	hook_queue_catch_up(&queue, list, COUNT(list));
	check_job(HOOK_ON_DISRUPTION, 2, REPORT_END_OPEN);
	check_job(HOOK_ON_REPAIR, 2, REPORT_END_UNFINISHED);
	check_job(HOOK_ON_REPAIR, 3, REPORT_END_STEPPED);
	check_job(HOOK_ON_DISRUPTION, 4, REPORT_END_OPEN);
	check_empty();
	/* Still open, and nothing new. */
	hook_queue_catch_up(&queue, list, COUNT(list));
	check_empty();
}

/* The daemon could not keep its events: its numbers begin anew, and one is missing. */
static void test_an_event_that_is_forgotten(void **state)
{
	(void)state;
	struct report_event anew = event(1, REPORT_END_STEPPED);
	const struct report_event list[] = { event(1, REPORT_END_STEPPED) };

	hook_queue_catch_up(&queue, list, 1);
	opens(2);
	check_job(HOOK_ON_DISRUPTION, 2, REPORT_END_OPEN);
	anew.noticed.ns += 1000000000;
	hook_queue_catch_up(&queue, &anew, 1);
	check_job(HOOK_ON_REPAIR, 1, REPORT_END_STEPPED);
	check_job(HOOK_ON_REPAIR, 2, REPORT_END_UNFINISHED);
	hook_queue_catch_up(&queue, &anew, 1);
	check_empty();
}

static void test_the_newest_win(void **state)
{
	(void)state;
	hook_queue_catch_up(&queue, NULL, 0);
	for (uint64_t number = 1; number <= 20; number++) {
		opens(number);
		closes(number);
	}
	assert_int_equal(hook_queue_dropped(&queue), 40 - HOOK_QUEUE_MAX);
	assert_int_equal(hook_queue_dropped(&queue), 0);
	for (uint64_t number = 20 - HOOK_QUEUE_MAX / 2 + 1; number <= 20; number++) {
		check_job(HOOK_ON_DISRUPTION, number, REPORT_END_OPEN);
		check_job(HOOK_ON_REPAIR, number, REPORT_END_STEPPED);
	}
	check_empty();
}

/* More events than are remembered do not make the latest run twice. */
static void test_a_long_life(void **state)
{
	(void)state;
	struct report_event list[REPORT_EVENTS_MAX];
	struct hook_job job;

	hook_queue_catch_up(&queue, NULL, 0);
	for (uint64_t number = 1; number <= 3000; number++) {
		opens(number);
		closes(number);
		while (hook_queue_pop(&queue, &job))
			;
	}
	for (size_t i = 0; i < COUNT(list); i++)
		list[i] = event(3000 - COUNT(list) + 1 + i, REPORT_END_STEPPED);
	hook_queue_catch_up(&queue, list, COUNT(list));
	check_empty();
}

static void test_the_end(void **state)
{
	(void)state;
	struct hook_job job = { .event = { .number = 77 } };

	hook_queue_catch_up(&queue, NULL, 0);
	opens(1);
	/* Nobody has run its beginning yet. */
	assert_false(hook_queue_close(&queue, &job));
	assert_int_equal(job.event.number, 77);
	check_empty();
	opens(2);
	check_job(HOOK_ON_DISRUPTION, 2, REPORT_END_OPEN);
	assert_true(hook_queue_close(&queue, &job));
	assert_int_equal(job.phase, HOOK_ON_REPAIR);
	assert_int_equal(job.event.number, 2);
	assert_int_equal(job.event.end, REPORT_END_UNFINISHED);
	assert_false(hook_queue_close(&queue, &job));
	opens(3);
	check_job(HOOK_ON_DISRUPTION, 3, REPORT_END_OPEN);
	closes(3);
	assert_true(hook_queue_close(&queue, &job));
	assert_int_equal(job.event.end, REPORT_END_STEPPED);
	opens(4);
	closes(4);
	check_job(HOOK_ON_DISRUPTION, 4, REPORT_END_OPEN);
	check_job(HOOK_ON_REPAIR, 4, REPORT_END_STEPPED);
	assert_false(hook_queue_close(&queue, &job));
}

static const char *fact(char **facts, const char *name)
{
	const size_t length = strlen(name);

	for (size_t i = 0; facts[i]; i++)
		if (strncmp(facts[i], name, length) == 0 && facts[i][length] == '=')
			return facts[i] + length + 1;
	return NULL;
}

static void test_facts(void **state)
{
	(void)state;
	char *inherited[] = { (char[]){ "PATH=/bin" }, (char[]){ "VMTIME_END=a lie" }, NULL };
	struct hook_job job = { HOOK_ON_DISRUPTION, event(5, REPORT_END_OPEN) };
	char **facts;

	job.event.evidence = 1u << 0 | 1u << (REPORT_EVIDENCE_BITS - 1);
	job.event.size.ns = INT64_MIN;
	memset(job.event.cause, '\x1b', sizeof job.event.cause - 1);
	facts = hook_facts_make(&job, inherited);
	assert_non_null(facts);
	assert_string_equal(fact(facts, "PATH"), "/bin");
	assert_string_equal(fact(facts, "VMTIME_EVENT"), "disruption");
	assert_string_equal(fact(facts, "VMTIME_END"), "open");
	assert_string_equal(fact(facts, "VMTIME_EVIDENCE"), "readings,told");
	assert_string_equal(fact(facts, "VMTIME_SIZE_NS"), "-9223372036854775808");
	assert_string_equal(fact(facts, "VMTIME_SOURCE"), "");
	assert_null(strchr(fact(facts, "VMTIME_CAUSE"), '\x1b'));
	free(facts);
	job.event.evidence = (1u << REPORT_EVIDENCE_BITS) - 1;
	facts = hook_facts_make(&job, NULL);
	assert_non_null(strstr(fact(facts, "VMTIME_EVIDENCE"), "marker,"));
	assert_non_null(strstr(fact(facts, "VMTIME_EVIDENCE"), ",told"));
	free(facts);
}

#define FRESH(test) cmocka_unit_test_setup(test, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_each_once),
		FRESH(test_a_step_by_itself),
		FRESH(test_what_is_found_at_the_beginning),
		FRESH(test_what_happened_while_nobody_listened),
		FRESH(test_an_event_that_is_forgotten),
		FRESH(test_the_newest_win),
		FRESH(test_a_long_life),
		FRESH(test_the_end),
		FRESH(test_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
