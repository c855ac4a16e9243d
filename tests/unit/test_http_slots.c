/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/attr.h"
#include "hostd/http_slots.h"

static vt_mono at(int64_t s)
{
	return (vt_mono){ s * 1000000000 };
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct http_slots));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void test_each_phase_has_its_end(void **state)
{
	struct http_slots *s = *state;
	struct http_slot *slot = http_slots_take(s, 7, at(100));

	assert_int_equal(http_slots_deadline(s).ns, at(110).ns);
	assert_null(http_slots_pop_late(s, at(109)));
	http_slots_answer(s, slot, 1000, at(109));
	assert_int_equal(http_slots_deadline(s).ns, at(139).ns);
	assert_null(http_slots_pop_late(s, at(138)));
	http_slots_rest(s, slot, at(138));
	assert_int_equal(http_slots_deadline(s).ns, at(213).ns);
	assert_null(http_slots_pop_late(s, at(212)));
	assert_ptr_equal(http_slots_pop_late(s, at(213)), slot);
	assert_int_equal(slot->fd, 7);
	/* Named once, and no reason to wake up again. */
	assert_null(http_slots_pop_late(s, at(999)));
	assert_int_equal(http_slots_deadline(s).ns, VT_MONO_NEVER.ns);
	http_slots_free(s, slot);
	assert_int_equal(s->n, 0);
}

/* A byte now and then does not help: only a whole question does. */
static void test_who_never_asks_goes(void **state)
{
	struct http_slots *s = *state;

	for (int i = 0; i < 100; i++)
		assert_non_null(http_slots_take(s, i, at(0)));
	for (int i = 0; i < 100; i++)
		assert_non_null(http_slots_pop_late(s, at(10)));
	assert_null(http_slots_pop_late(s, at(10)));
}

static void test_the_slowest_makes_room(void **state)
{
	struct http_slots *s = *state;
	struct http_slot *last = NULL, *resting;

	for (int i = 0; i < HTTP_SLOTS_MAX - HTTP_SLOTS_SPARE; i++)
		last = http_slots_take(s, i, (vt_mono){ i });
	assert_null(http_slots_pop_late(s, at(1)));
	/* Who was served and rests goes before who has only just come to ask. */
	resting = &s->slots[17];
	http_slots_answer(s, resting, 5, at(1));
	http_slots_rest(s, resting, at(1));
	assert_non_null(http_slots_take(s, 1000, at(1)));
	assert_ptr_equal(http_slots_pop_late(s, at(1)), resting);
	assert_null(http_slots_pop_late(s, at(1)));
	/* Then the one that dawdles longest. */
	assert_non_null(http_slots_take(s, 1001, at(1)));
	assert_ptr_equal(http_slots_pop_late(s, at(1)), &s->slots[0]);
	assert_int_equal(last->phase, HTTP_SLOT_ASKING);
}

static void test_full(void **state)
{
	struct http_slots *s = *state;

	for (int i = 0; i < HTTP_SLOTS_MAX; i++)
		assert_non_null(http_slots_take(s, i, at(0)));
	assert_null(http_slots_take(s, 0, at(0)));
	http_slots_free(s, &s->slots[3]);
	assert_ptr_equal(http_slots_take(s, 0, at(0)), &s->slots[3]);
}

static void test_too_much_waits_to_be_taken(void **state)
{
	struct http_slots *s = *state;
	struct http_slot *a = http_slots_take(s, 1, at(0)), *b = http_slots_take(s, 2, at(1));
	struct http_slot *idle = http_slots_take(s, 3, at(0));

	http_slots_answer(s, a, HTTP_BYTES_MAX / 2, at(1));
	http_slots_answer(s, b, HTTP_BYTES_MAX / 2, at(2));
	assert_null(http_slots_pop_late(s, at(2)));
	http_slots_answer(s, b, HTTP_BYTES_MAX, at(2));
	assert_ptr_equal(http_slots_pop_late(s, at(2)), a);
	assert_null(http_slots_pop_late(s, at(2)));
	assert_int_equal(s->bytes, HTTP_BYTES_MAX);
	http_slots_rest(s, a, at(2)); /* it is told that the answer ended: it goes all the same */
	assert_int_equal(a->phase, HTTP_SLOT_CLOSING);
	http_slots_free(s, a);
	http_slots_rest(s, b, at(3));
	assert_int_equal(s->bytes, 0);
	assert_int_equal(idle->phase, HTTP_SLOT_ASKING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_phase_has_its_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_never_asks_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_slowest_makes_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_much_waits_to_be_taken, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
