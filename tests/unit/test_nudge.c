/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/evidence.h"
#include "core/nudge.h"
#include "rng.h"

static const vt_mono START = { INT64_C(5000000000) };

static void test_a_nudge_is_taken_at_once_and_once(void **state)
{
	(void)state;
	struct nudge n;
	unsigned evidence = 77;

	nudge_init(&n, START);
	assert_int_equal(nudge_deadline(&n).ns, VT_MONO_NEVER.ns);
	assert_false(nudge_take(&n, START, &evidence));
	assert_int_equal(evidence, 77);

	nudge_ask(&n, EVIDENCE_NUDGE | EVIDENCE_HOST_PAUSED);
	assert_true(nudge_deadline(&n).ns <= START.ns);
	assert_true(nudge_take(&n, START, &evidence));
	assert_int_equal(evidence, EVIDENCE_NUDGE | EVIDENCE_HOST_PAUSED);
	assert_false(nudge_take(&n, START, &evidence));
	assert_int_equal(nudge_deadline(&n).ns, VT_MONO_NEVER.ns);
}

/* A look without a reason is a look too. */
static void test_no_evidence_is_still_a_nudge(void **state)
{
	(void)state;
	struct nudge n;
	unsigned evidence = 77;

	nudge_init(&n, START);
	nudge_ask(&n, 0);
	assert_true(nudge_take(&n, START, &evidence));
	assert_int_equal(evidence, 0);
}

static void test_what_finds_the_bucket_empty_waits_together(void **state)
{
	(void)state;
	struct nudge n;
	unsigned evidence;
	vt_span wait;

	nudge_init(&n, START);
	for (int i = 0; i < NUDGE_BURST; i++) {
		nudge_ask(&n, EVIDENCE_NUDGE);
		assert_true(nudge_take(&n, START, &evidence));
	}
	nudge_ask(&n, EVIDENCE_NUDGE);
	nudge_ask(&n, EVIDENCE_HOST_RESTORED);
	assert_false(nudge_take(&n, START, &evidence));
	wait = vt_mono_since(nudge_deadline(&n), START);
	assert_in_range(wait.ns, 1000000000 / NUDGE_RATE, 1000000000 / NUDGE_RATE + 2);
	assert_false(nudge_take(&n, vt_mono_add(START, VT_MS(100)), &evidence));
	assert_true(nudge_take(&n, vt_mono_add(START, wait), &evidence));
	assert_int_equal(evidence, EVIDENCE_NUDGE | EVIDENCE_HOST_RESTORED);
}

/* Ten thousand nudges at random moments of ten seconds: few looks, and none of them forgotten. */
static void test_a_flood_costs_few_looks(void **state)
{
	(void)state;
	struct rng rng;
	struct nudge n;
	vt_mono now = START, asked = START;
	unsigned looks = 0, evidence;

	rng_start(&rng);
	nudge_init(&n, now);
	for (int i = 0; i < 10000; i++) {
		now = vt_mono_add(now, VT_NS(rng_in(&rng, 0, 2000000)));
		if (!n.is_waiting)
			asked = now;
		nudge_ask(&n, EVIDENCE_NUDGE);
		if (nudge_deadline(&n).ns > now.ns)
			continue;
		assert_true(nudge_take(&n, now, &evidence));
		/* Nobody waits for longer than a token takes to come, and the next of us. */
		assert_true(vt_mono_since(now, asked).ns <= 1000000000 / NUDGE_RATE + 2000002);
		looks++;
	}
	assert_in_range(looks, NUDGE_BURST,
	                NUDGE_BURST + 1 + NUDGE_RATE * vt_span_seconds(vt_mono_since(now, START)));
}

/* A restored guest's counter may have fallen: it can still be nudged. */
static void test_a_counter_that_fell(void **state)
{
	(void)state;
	struct nudge n;
	unsigned evidence;
	vt_mono earlier = vt_mono_add(START, VT_SEC(-4));

	nudge_init(&n, START);
	for (int i = 0; i < NUDGE_BURST; i++) {
		nudge_ask(&n, 1);
		assert_true(nudge_take(&n, START, &evidence));
	}
	nudge_ask(&n, 1);
	assert_false(nudge_take(&n, earlier, &evidence));
	assert_true(nudge_take(&n, vt_mono_add(earlier, VT_MS(251)), &evidence));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_nudge_is_taken_at_once_and_once),
		cmocka_unit_test(test_no_evidence_is_still_a_nudge),
		cmocka_unit_test(test_what_finds_the_bucket_empty_waits_together),
		cmocka_unit_test(test_a_flood_costs_few_looks),
		cmocka_unit_test(test_a_counter_that_fell),
	};

	return cmocka_run_group_tests_name("nudge", tests, NULL, NULL);
}
