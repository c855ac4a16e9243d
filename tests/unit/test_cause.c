/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/cause.h"
#include "core/evidence.h"

static void test_each_kind_of_evidence(void **state)
{
	(void)state;
	const unsigned jump = EVIDENCE_READINGS;
	const unsigned away = FACT_ASTRAY | FACT_LARGE;
	/* clang-format off */
	const struct {
		unsigned facts;
		enum step_cause want;
	} cases[] = {
		{ 0,                                                         STEP_DRIFT },
		{ FACT_FIRST | FACT_LARGE | FACT_UNCOMPARED,                 STEP_FIRST },
		{ FACT_FIRST | FACT_FRESH_BOOT | EVIDENCE_GENERATION,        STEP_BOOT },
		{ FACT_FRESH_BOOT,                                           STEP_DRIFT },
		{ jump,                                                      STEP_JUMP },
		{ jump | EVIDENCE_NUDGE | EVIDENCE_LATE,                     STEP_JUMP },
		{ jump | EVIDENCE_HOST_PAUSED | EVIDENCE_NUDGE,              STEP_PAUSE },
		{ jump | EVIDENCE_SECOND_AGREES,                             STEP_PAUSE },
		{ jump | EVIDENCE_MARKER,                                    STEP_RESTORED_OR_MIGRATED },
		{ jump | EVIDENCE_MARKER | EVIDENCE_SECOND_AGREES,           STEP_RESTORED_OR_MIGRATED },
		{ jump | EVIDENCE_MARKER | EVIDENCE_GENERATION,              STEP_RESTORED },
		{ jump | EVIDENCE_MARKER | EVIDENCE_HOST_MIGRATED,           STEP_MIGRATED },
		{ jump | EVIDENCE_MARKER | EVIDENCE_HOST_RESTORED,           STEP_RESTORED },
		{ jump | EVIDENCE_MARKER | EVIDENCE_HOST_PAUSED,             STEP_RESTORED_OR_MIGRATED },
		{ jump | EVIDENCE_HOST_STEPPED,                              STEP_HOST_STEP },
		{ jump | EVIDENCE_HOST_STEPPED | EVIDENCE_CONTRADICTED,      STEP_HOST_STEP },
		{ jump | EVIDENCE_CONTRADICTED,                              STEP_JUMP },
		/* The kernel sets our clock when it wakes up: nobody else did. */
		{ jump | EVIDENCE_SUSPEND | EVIDENCE_CLOCK_SET | away,       STEP_SUSPEND },
		{ EVIDENCE_SUSPEND | away,                                   STEP_SUSPEND },
		{ EVIDENCE_SUSPEND,                                          STEP_DRIFT },
		{ jump | EVIDENCE_LEAP,                                      STEP_LEAP },
		{ EVIDENCE_LEAP | away,                                      STEP_LEAP },
		{ EVIDENCE_LEAP,                                             STEP_DRIFT },
		{ EVIDENCE_RTC,                                              STEP_JUMP },
		{ EVIDENCE_RTC | EVIDENCE_GENERATION,                        STEP_RESTORED },
		/* The hardware says that something happened, and nothing is wrong. */
		{ EVIDENCE_MARKER | EVIDENCE_GENERATION,                     STEP_DRIFT },
		{ EVIDENCE_HOST_PAUSED,                                      STEP_DRIFT },
		{ away,                                                      STEP_SET_BY_ANOTHER },
		{ away | EVIDENCE_CLOCK_SET | FACT_UNCOMPARED,               STEP_SET_BY_ANOTHER },
		{ FACT_ASTRAY,                                               STEP_DRIFT },
		{ FACT_LARGE,                                                STEP_DRIFT },
		{ FACT_LARGE | FACT_UNCOMPARED,                              STEP_JUMP },
		{ FACT_LARGE | FACT_LET_BE,                                  STEP_JUMP },
		{ FACT_LET_BE,                                               STEP_DRIFT },
		/* An agent was faster than we: the jump explains the rest. */
		{ jump | EVIDENCE_HOST_PAUSED | away,                        STEP_PAUSE },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (cause_of(cases[i].facts) != cases[i].want)
			fail_msg("row %zu: %s", i, step_cause_name(cause_of(cases[i].facts)));
}

/* Whatever comes together, there is one answer, and a jump is never drift. */
static void test_every_set_has_a_cause(void **state)
{
	(void)state;
	for (unsigned evidence = 0; evidence < 1u << EVIDENCE_BITS; evidence++) {
		enum step_cause cause = cause_of(evidence);
		bool is_measured = (evidence & (EVIDENCE_READINGS | EVIDENCE_RTC | EVIDENCE_TOLD)) != 0;

		assert_true(cause < STEP_CAUSES);
		assert_int_equal(cause_is_jump(cause) || cause == STEP_LEAP, is_measured);
	}
}

static void test_every_cause_has_a_name_of_its_own(void **state)
{
	(void)state;
	assert_string_equal(step_cause_name(STEP_BOOT), "boot");
	assert_string_equal(step_cause_name(STEP_JUMP), "jump, cause unknown");
	assert_string_equal(step_cause_name(STEP_DRIFT), "drift");
	for (int a = 0; a < STEP_CAUSES; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(step_cause_name((enum step_cause)a),
			                        step_cause_name((enum step_cause)b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_of_evidence),
		cmocka_unit_test(test_every_set_has_a_cause),
		cmocka_unit_test(test_every_cause_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
