/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/evidence.h"
#include "core/incident.h"

#define S INT64_C(1000000000)

static const vt_real SHOWS = { 1800000000 * S };

static vt_mono at(int64_t s)
{
	return (vt_mono){ s * S };
}

static void close_at(struct incident *i, int64_t s, unsigned facts)
{
	incident_close(i, DISRUPTION_STEPPED, cause_of(facts), VT_SEC(10), SHOWS, at(s));
}

static void test_from_first_sign_to_end(void **state)
{
	(void)state;
	struct incident i = { 0 };

	assert_true(incident_open(&i, EVIDENCE_MARKER, SHOWS, VT_MS(300), at(100)));
	assert_true(i.is_open);
	assert_int_equal(i.it.number, 1);
	assert_int_equal(i.it.end, DISRUPTION_OPEN);
	assert_false(incident_open(&i, EVIDENCE_READINGS, (vt_real){ 5 }, VT_SEC(9), at(101)));
	close_at(&i, 102, i.it.evidence);
	assert_false(i.is_open);
	assert_int_equal(i.it.evidence, EVIDENCE_MARKER | EVIDENCE_READINGS);
	assert_int_equal(i.it.cause, STEP_RESTORED_OR_MIGRATED);
	assert_int_equal(i.it.noticed_at.ns, SHOWS.ns);
	assert_int_equal(i.it.blind_for.ns, VT_MS(300).ns);
	assert_int_equal(i.it.disrupted_for.ns, 2 * S);
	assert_true(incident_open(&i, EVIDENCE_READINGS, SHOWS, VT_MS(1), at(200)));
	assert_int_equal(i.it.number, 2);
	assert_int_equal(i.it.evidence, EVIDENCE_READINGS);
}

static void test_hint_counts_for_a_while_and_once(void **state)
{
	(void)state;
	static const struct {
		int64_t wait;
		unsigned want;
	} cases[] = { { 0, EVIDENCE_NUDGE }, { 5, EVIDENCE_NUDGE }, { 6, 0 }, { -1, 0 } };

	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
		struct incident i = { 0 };

		incident_hint(&i, EVIDENCE_NUDGE, at(100));
		assert_true(incident_open(&i, EVIDENCE_READINGS, SHOWS, VT_NS(0),
		                          at(100 + cases[c].wait)));
		assert_int_equal(i.it.evidence, EVIDENCE_READINGS | cases[c].want);
		close_at(&i, 107, i.it.evidence);
		assert_true(incident_open(&i, EVIDENCE_READINGS, SHOWS, VT_NS(0), at(107)));
		assert_int_equal(i.it.evidence, EVIDENCE_READINGS);
	}
}

static void test_late_word_gives_it_another_name(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		unsigned known, word;
		int64_t wait;
		bool want;
		enum step_cause cause;
	} cases[] = {
		{ EVIDENCE_READINGS,                   EVIDENCE_HOST_PAUSED,   1, true,  STEP_PAUSE },
		{ EVIDENCE_READINGS,                   EVIDENCE_HOST_STEPPED,  5, true,  STEP_HOST_STEP },
		{ EVIDENCE_READINGS,                   EVIDENCE_HOST_PAUSED,   6, false, STEP_JUMP },
		{ EVIDENCE_READINGS,                   EVIDENCE_NUDGE,         1, false, STEP_JUMP },
		{ EVIDENCE_READINGS | EVIDENCE_MARKER, EVIDENCE_HOST_MIGRATED, 1, true,  STEP_MIGRATED },
		{ EVIDENCE_READINGS | EVIDENCE_MARKER, EVIDENCE_HOST_PAUSED,   1, false, STEP_RESTORED_OR_MIGRATED },
		/* Seen before any reading, always: the next disruption, however soon it comes. */
		{ EVIDENCE_READINGS,                   EVIDENCE_MARKER,        1, false, STEP_JUMP },
		{ EVIDENCE_READINGS, EVIDENCE_MARKER | EVIDENCE_GENERATION,    1, false, STEP_JUMP },
		{ EVIDENCE_READINGS,                   EVIDENCE_SUSPEND,       1, false, STEP_JUMP },
		/* The kernel's word comes in its own time. */
		{ EVIDENCE_READINGS,                   EVIDENCE_GENERATION,    1, true,  STEP_RESTORED },
		/* A clock that was right, or that somebody set, did not lose time by a pause. */
		{ EVIDENCE_MARKER,                     EVIDENCE_HOST_PAUSED,   1, false, STEP_DRIFT },
		{ FACT_ASTRAY | FACT_LARGE,            EVIDENCE_HOST_PAUSED,   1, false, STEP_SET_BY_ANOTHER },
	};
	/* clang-format on */

	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
		struct incident i = { 0 };

		(void)incident_open(&i, cases[c].known, SHOWS, VT_NS(0), at(100));
		assert_false(incident_rename(&i, cases[c].word, at(100))); /* not over yet */
		i.it.evidence = cases[c].known;
		close_at(&i, 101, cases[c].known);
		assert_int_equal(incident_rename(&i, cases[c].word, at(101 + cases[c].wait)),
		                 cases[c].want);
		if (i.it.cause != cases[c].cause)
			fail_msg("%zu: %s", c, step_cause_name(i.it.cause));
		/* Said twice, told once. */
		assert_false(incident_rename(&i, cases[c].word, at(101 + cases[c].wait)));
	}
	struct incident none = { 0 };

	assert_false(incident_rename(&none, EVIDENCE_HOST_PAUSED, at(1)));
}

static void test_claims_are_believed_a_few_times(void **state)
{
	(void)state;
	struct incident i = { 0 };
	int believed = 0;

	for (int ms = 0; ms < 60000; ms++)
		believed += incident_believes(&i, (vt_mono){ ms * INT64_C(1000000) });
	/* Four, and one each half minute. */
	assert_int_equal(believed, 5);
	assert_true(incident_believes(&i, at(3600)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_first_sign_to_end),
		cmocka_unit_test(test_hint_counts_for_a_while_and_once),
		cmocka_unit_test(test_late_word_gives_it_another_name),
		cmocka_unit_test(test_claims_are_believed_a_few_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
