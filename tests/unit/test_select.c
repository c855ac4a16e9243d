/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/select.h"

#define OK .is_usable = true
static const struct {
	const char *what;
	struct candidate candidates[3];
	int current, want;
} CASES[] = {
	{ "nobody answers", { { 0 }, { 0 }, { 0 } }, SELECT_NONE, SELECT_NONE },
	{ "the only one", { { 0 }, { OK }, { 0 } }, SELECT_NONE, 1 },
	{ "the current one is lost", { { 0 }, { OK }, { 0 } }, 0, 1 },
	{ "the smaller error",
	  { { OK, .error = { 9 } }, { OK, .error = { 3 } }, { OK, .error = { 5 } } },
	  SELECT_NONE,
	  1 },
	{ "the current one stays",
	  { { OK, .error = { 9 } }, { OK, .error = { 3 } }, { 0 } },
	  0,
	  0 },
	{ "prefer, even if worse",
	  { { OK }, { OK, .prefer = true, .stratum = 9, .error = { 9 } }, { 0 } },
	  0,
	  1 },
	{ "prefer that is not usable", { { OK }, { .prefer = true }, { 0 } }, SELECT_NONE, 0 },
	{ "the lower stratum",
	  { { OK, .stratum = 2, .is_host = true }, { OK, .stratum = 1 }, { 0 } },
	  0,
	  1 },
	{ "the host's own", { { OK }, { OK, .is_host = true, .error = { 9 } }, { 0 } }, 0, 1 },
	{ "noselect is never followed",
	  { { OK, .noselect = true, .prefer = true }, { 0 }, { 0 } },
	  SELECT_NONE,
	  SELECT_NONE },
	{ "noselect, being current", { { OK, .noselect = true }, { OK }, { 0 } }, 0, 1 },
	{ "require that is missing", { { OK }, { .require = true }, { 0 } }, 0, SELECT_NONE },
	{ "require that is there",
	  { { OK, .is_host = true }, { OK, .require = true }, { 0 } },
	  SELECT_NONE,
	  0 },
	{ "one of two required",
	  { { OK }, { .require = true }, { OK, .require = true, .stratum = 1 } },
	  SELECT_NONE,
	  0 },
	{ "required but noselect",
	  { { OK }, { OK, .require = true, .noselect = true }, { 0 } },
	  SELECT_NONE,
	  SELECT_NONE },
};
#undef OK

static void test_who_is_followed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		int got = select_source(CASES[i].candidates, 3, CASES[i].current);

		if (got != CASES[i].want)
			fail_msg("%s: %d", CASES[i].what, got);
	}
}

static void test_no_candidates(void **state)
{
	(void)state;
	assert_int_equal(select_source(NULL, 0, SELECT_NONE), SELECT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_followed),
		cmocka_unit_test(test_no_candidates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
