/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_report_words.c - the protocol says what core says
 *
 * proto may not look into core, so some words stand in both.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/evidence.h"
#include "proto/report.h"

static void test_evidence_has_the_same_words(void **state)
{
	(void)state;
	assert_int_equal(EVIDENCE_BITS, REPORT_EVIDENCE_BITS);
	for (unsigned i = 0; i < EVIDENCE_BITS; i++)
		assert_string_equal(report_evidence_name(i), evidence_name((enum evidence)(1u << i)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evidence_has_the_same_words),
	};

	return cmocka_run_group_tests_name("report_words", tests, NULL, NULL);
}
