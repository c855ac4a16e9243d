/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_undo_plan.c - the journal's text against arbitrary bytes
 *
 * What is read can be written, and is then read as the same.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/plan_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan plan = { 0 }, again = { 0 };
	struct text first = { 0 }, second = { 0 };
	char made[32], made_again[32];

	if (plan_text_read((struct slice){ (const char *)data, size }, made, sizeof made, &plan) != 0) {
		require(plan.steps == NULL);
		return 0;
	}
	for (size_t i = 0; i < plan.n; i++)
		require(!plan.steps[i].path[0] || plan.steps[i].path[0] == '/');
	plan_text_write(&plan, made, &first);
	require(plan_text_read((struct slice){ first.p, first.n }, made_again, sizeof made_again,
	                       &again) == 0);
	plan_text_write(&again, made_again, &second);
	require(first.n == second.n && memcmp(first.p, second.p, first.n) == 0);
	text_fini(&first);
	text_fini(&second);
	plan_fini(&plan);
	plan_fini(&again);
	return 0;
}
