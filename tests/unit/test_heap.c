/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hostd/heap.h"
#include "rng.h"

#define NODES 300

/* Against the slow way: a look at all of them. */
static void test_the_earliest_is_always_first(void **state)
{
	(void)state;
	static struct heap_node nodes[NODES];
	struct heap h;
	struct rng rng;

	rng_start(&rng);
	heap_init(&h);
	assert_null(heap_first(&h));
	assert_int_equal(heap_reserve(&h, NODES), 0);
	for (unsigned i = 0; i < 50000; i++) {
		struct heap_node *node = &nodes[rng_in(&rng, 0, NODES - 1)];
		struct heap_node *first = NULL;
		size_t n = 0;

		if (rng_in(&rng, 0, 2))
			heap_put(&h, node, (vt_mono){ rng_in(&rng, 0, 200) });
		else
			heap_remove(&h, node);
		for (size_t k = 0; k < NODES; k++) {
			struct heap_node *other = &nodes[k];

			if (!other->place)
				continue;
			n++;
			if (!first || other->at.ns < first->at.ns ||
			    (other->at.ns == first->at.ns && other->turn < first->turn))
				first = other;
		}
		assert_int_equal(h.n, n);
		assert_ptr_equal(heap_first(&h), first);
	}
	heap_fini(&h);
}

static void test_of_one_instant_who_came_first(void **state)
{
	(void)state;
	struct heap_node nodes[20] = { 0 };
	struct heap h;

	heap_init(&h);
	assert_int_equal(heap_reserve(&h, 20), 0);
	for (unsigned i = 0; i < 20; i++)
		heap_put(&h, &nodes[i], VT_MONO_NEVER);
	heap_put(&h, &nodes[0], VT_MONO_NEVER); /* it keeps its place */
	for (unsigned i = 0; i < 20; i++) {
		assert_ptr_equal(heap_first(&h), &nodes[i]);
		heap_remove(&h, &nodes[i]);
	}
	assert_null(heap_first(&h));
	heap_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_earliest_is_always_first),
		cmocka_unit_test(test_of_one_instant_who_came_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
