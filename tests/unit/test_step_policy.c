/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/step_policy.h"

static const struct step_conf PLAIN = { 0 };
static const struct step_conf MAKESTEP = {
	.is_makestep_given = true,
	.makestep_threshold = { 1000000000 },
	.makestep_limit = 3,
};

static void test_first_decision(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		const struct step_conf *conf;
		enum step_cause cause;
		int64_t correction;
		enum step_decision want;
	} cases[] = {
		{ "boot", &PLAIN, STEP_BOOT, 10001, STEP_STEP },
		{ "boot, ahead", &PLAIN, STEP_BOOT, -10001, STEP_STEP },
		{ "boot, nearly right", &PLAIN, STEP_BOOT, 10000, STEP_SLEW },
		{ "boot with makestep", &MAKESTEP, STEP_BOOT, 566000000, STEP_STEP },
		{ "first", &PLAIN, STEP_FIRST, 1000001, STEP_STEP },
		{ "first, small", &PLAIN, STEP_FIRST, -1000000, STEP_SLEW },
		{ "first below makestep", &MAKESTEP, STEP_FIRST, 1000000000, STEP_SLEW },
		{ "first above makestep", &MAKESTEP, STEP_FIRST, -1000000001, STEP_STEP },
		{ "drift", &PLAIN, STEP_DRIFT, INT64_MAX, STEP_SLEW },
		{ "drift above makestep", &MAKESTEP, STEP_DRIFT, 1000000001, STEP_STEP },
		{ "jump", &PLAIN, STEP_JUMP, INT64_MIN, STEP_STEP },
		{ "jump below makestep", &MAKESTEP, STEP_JUMP, 20000, STEP_STEP },
		{ "jump already mended", &PLAIN, STEP_JUMP, 9000, STEP_SLEW },
		{ "set by another", &MAKESTEP, STEP_SET_BY_ANOTHER, 5000000, STEP_STEP },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct step_state s = { 0 };
		enum step_decision got = step_decide(&s, cases[i].conf, cases[i].cause,
		                                     VT_NS(cases[i].correction), (vt_mono){ 5 });

		if (got != cases[i].want)
			fail_msg("%s: %d", cases[i].what, (int)got);
		assert_int_equal(s.updates, 1);
	}
}

static void test_makestep_counts_updates(void **state)
{
	(void)state;
	static const int limits[] = { 0, 1, 3, -1 };

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		struct step_conf conf = MAKESTEP;
		struct step_state s = { 0 };

		conf.makestep_limit = limits[i];
		for (int update = 0; update < 10; update++)
			assert_int_equal(step_decide(&s, &conf, update ? STEP_DRIFT : STEP_FIRST,
			                             VT_SEC(2), (vt_mono){ update }),
			                 limits[i] < 0 || update < limits[i] ? STEP_STEP
			                                                     : STEP_SLEW);
	}
}

/* `maxchange offset start ignore`, as chrony has it. */
static void test_maxchange(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		int start, ignore;
		enum step_decision want[5];
	} cases[] = {
		{ "at once",
		  0,
		  0,
		  { STEP_GIVE_UP, STEP_GIVE_UP, STEP_GIVE_UP, STEP_GIVE_UP, STEP_GIVE_UP } },
		{ "after two",
		  2,
		  0,
		  { STEP_SLEW, STEP_SLEW, STEP_GIVE_UP, STEP_GIVE_UP, STEP_GIVE_UP } },
		{ "one ignored",
		  1,
		  1,
		  { STEP_SLEW, STEP_IGNORE, STEP_GIVE_UP, STEP_GIVE_UP, STEP_GIVE_UP } },
		{ "all ignored",
		  1,
		  -1,
		  { STEP_SLEW, STEP_IGNORE, STEP_IGNORE, STEP_IGNORE, STEP_IGNORE } },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct step_conf conf = {
			.is_max_change_given = true,
			.max_change = VT_SEC(1000),
			.max_change_start = cases[i].start,
			.max_change_ignore = cases[i].ignore,
		};
		struct step_state s = { 0 };

		for (int n = 0; n < 5; n++)
			if (step_decide(&s, &conf, STEP_DRIFT, VT_SEC(1001), (vt_mono){ n }) !=
			    cases[i].want[n])
				fail_msg("%s: update %d", cases[i].what, n);
		assert_int_equal(step_decide(&s, &conf, STEP_DRIFT, VT_SEC(-1000), (vt_mono){ 9 }),
		                 STEP_SLEW);
		assert_int_equal(step_decide(&s, &conf, STEP_JUMP, VT_SEC(2000), (vt_mono){ 9 }),
		                 STEP_STEP);
		assert_int_equal(step_decide(&s, &conf, STEP_BOOT, VT_SEC(2000), (vt_mono){ 9 }),
		                 STEP_STEP);
	}
}

static void test_repairs_once_a_minute(void **state)
{
	(void)state;
	static const struct {
		int64_t at_s;
		enum step_decision want;
	} times[] = {
		{ 5, STEP_STEP },   { 6, STEP_LEAVE },   { 64, STEP_LEAVE },  { 65, STEP_STEP },
		{ 66, STEP_LEAVE }, { 124, STEP_LEAVE }, { 3600, STEP_STEP },
	};
	struct step_state s = { 0 };

	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		assert_int_equal(step_decide(&s, &PLAIN, STEP_SET_BY_ANOTHER, VT_SEC(9),
		                             vt_mono_add((vt_mono){ 0 }, VT_SEC(times[i].at_s))),
		                 times[i].want);
}

/* `resume` governs every jump of the world, and nothing but these. */
static void test_resume(void **state)
{
	(void)state;
	static const enum step_decision want[] = {
		[STEP_RESUME_STEP] = STEP_STEP,
		[STEP_RESUME_SLEW] = STEP_SLEW,
		[STEP_RESUME_IGNORE] = STEP_LET_BE,
	};

	for (int resume = STEP_RESUME_STEP; resume <= STEP_RESUME_IGNORE; resume++) {
		struct step_conf conf = MAKESTEP;

		conf.resume = (enum step_resume)resume;
		conf.is_max_change_given = true;
		conf.max_change = VT_SEC(1);
		for (int cause = 0; cause < STEP_CAUSES; cause++) {
			struct step_state s = { .updates = 10 };
			enum step_decision got = step_decide(&s, &conf, (enum step_cause)cause,
			                                     VT_SEC(10), (vt_mono){ 5 });

			if (cause_is_jump((enum step_cause)cause))
				assert_int_equal(got, want[resume]);
			else if (cause == STEP_FIRST || cause == STEP_DRIFT)
				assert_int_equal(got, STEP_GIVE_UP);
			else
				assert_int_equal(got, STEP_STEP);
		}
	}
}

/* What a slew mends within the second is not worth any of it. */
static void test_small_jump_is_slewed_in_any_case(void **state)
{
	(void)state;
	for (int resume = STEP_RESUME_STEP; resume <= STEP_RESUME_IGNORE; resume++) {
		struct step_conf conf = { .resume = (enum step_resume)resume };
		struct step_state s = { 0 };

		assert_int_equal(step_decide(&s, &conf, STEP_PAUSE, VT_US(9), (vt_mono){ 5 }), STEP_SLEW);
	}
}

/* Whatever the configuration and the cause would have said; once, and not for what slews away. */
static void test_asked_by_hand(void **state)
{
	(void)state;
	static const struct step_conf ignoring = { .resume = STEP_RESUME_IGNORE };
	static const struct step_conf changing = { .is_max_change_given = true,
		                                   .max_change = { 1000 },
		                                   .max_change_ignore = 5 };
	static const struct {
		const char *what;
		const struct step_conf *conf;
		enum step_cause cause;
		int64_t correction;
		enum step_decision want;
	} cases[] = {
		{ "drift", &PLAIN, STEP_DRIFT, 10001, STEP_STEP },
		{ "drift, ahead", &MAKESTEP, STEP_DRIFT, -10001, STEP_STEP },
		{ "nearly right", &PLAIN, STEP_DRIFT, 10000, STEP_SLEW },
		{ "beyond maxchange", &changing, STEP_DRIFT, 20000, STEP_STEP },
		{ "a jump that resume ignores", &ignoring, STEP_JUMP, 20000, STEP_STEP },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct step_state s = { .is_asked = true };
		enum step_decision got = step_decide(&s, cases[i].conf, cases[i].cause,
		                                     VT_NS(cases[i].correction), (vt_mono){ 5 });

		if (got != cases[i].want)
			fail_msg("%s: %d", cases[i].what, (int)got);
		assert_false(s.is_asked);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_decision),
		cmocka_unit_test(test_makestep_counts_updates),
		cmocka_unit_test(test_maxchange),
		cmocka_unit_test(test_repairs_once_a_minute),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_small_jump_is_slewed_in_any_case),
		cmocka_unit_test(test_asked_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
