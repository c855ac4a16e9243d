/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "hostd/guest.h"
#include "hostd/roster.h"
#include "rng.h"

static struct guest *add(struct roster *r, unsigned backend, uint32_t number, const char *name)
{
	struct guest *g = calloc(1, sizeof *g);

	assert_non_null(g);
	g->backend = backend;
	g->number = number;
	snprintf(g->name, sizeof g->name, "%s", name);
	assert_int_equal(roster_take(r, g), 0);
	return g;
}

static void test_found_by_number_and_read_by_name(void **state)
{
	(void)state;
	struct roster r;
	struct guest *web, *other;

	roster_init(&r);
	assert_null(roster_find(&r, 0, 1));
	assert_int_equal(roster_named(&r, "web"), 0);
	web = add(&r, 1, 7, "web");
	add(&r, 0, 7, "db");
	other = add(&r, 0, 9, "web");
	assert_ptr_equal(roster_find(&r, 1, 7), web);
	assert_null(roster_find(&r, 2, 7));
	assert_null(roster_find(&r, 1, 8));
	assert_int_equal(roster_named(&r, "web"), 1); /* two of that name, by back end */
	assert_ptr_equal(r.by_name[1], other);
	assert_ptr_equal(r.by_name[2], web);
	roster_remove(&r, other);
	assert_ptr_equal(r.by_name[1], web);
	assert_null(roster_find(&r, 0, 9));
	assert_int_equal(roster_named(&r, "zz"), 2);
	roster_fini(&r);
}

static void test_many_that_come_and_go(void **state)
{
	(void)state;
	struct roster r;
	struct rng rng;
	bool is_there[500] = { false };

	rng_start(&rng);
	roster_init(&r);
	for (unsigned i = 0; i < 5000; i++) {
		uint32_t number = (uint32_t)rng_in(&rng, 0, COUNT(is_there) - 1);
		struct guest *g = roster_find(&r, 0, number);
		char name[32];

		assert_int_equal(g != NULL, is_there[number]);
		snprintf(name, sizeof name, "%u", number * 7919 % 500);
		if (g)
			roster_remove(&r, g);
		else
			add(&r, 0, number, name);
		is_there[number] = !g;
		for (size_t k = 1; k < r.n; k++) {
			assert_true(r.by_number[k - 1]->number < r.by_number[k]->number);
			assert_true(strcmp(r.by_name[k - 1]->name, r.by_name[k]->name) < 0);
		}
	}
	roster_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_by_number_and_read_by_name),
		cmocka_unit_test(test_many_that_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
