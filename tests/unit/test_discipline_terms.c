/* SPDX-License-Identifier: Apache-2.0 */
/* How long things are taken for true: a bound without readings, a host that slews its clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "living.h"

#define USUAL_PPB 11e3
#define SLEW_PPB  83e3 /* what chronyd in the host adds while it slews */

static void settle_in(struct world *w)
{
	struct discipline_conf conf = world_conf(false);

	world_init(w, 1, VT_NS(0));
	w->reference_ppb = USUAL_PPB;
	world_start(w, &conf, NULL, 1);
	world_run(w, VT_SEC(120));
	assert_int_equal(discipline_state(&w->discipline), DISCIPLINE_OK);
	assert_true(fabs(w->clock.rate.ppb - USUAL_PPB) < 20);
}

static void lose_source(struct world *w)
{
	world_plan(w, (struct world_change){
			      .at = w->now, .kind = WORLD_OUTCOME, .outcome = SOURCE_MISSING });
	/* As long as it takes to be asked, and to be given up. */
	world_run(w, VT_SEC(5));
	assert_int_equal(discipline_state(&w->discipline), DISCIPLINE_HOLDOVER);
}

/* A clock that nobody compared for an hour may be anywhere; until then it may be off by so much. */
static void test_shelf_life(void **state)
{
	(void)state;
	const vt_span untouched = VT_NS(-5);
	vt_span radius = untouched;
	struct world w;
	vt_mono taken;

	settle_in(&w);
	lose_source(&w);
	taken = w.discipline.bound.taken;
	assert_true(vt_mono_since(w.now, taken).ns < VT_SEC(10).ns);

	world_run(&w, vt_span_sub(VT_SEC(3595), vt_mono_since(w.now, taken)));
	assert_int_equal(w.discipline.bound.taken.ns, taken.ns);
	assert_int_equal(bound_at(&w.discipline.bound, w.now, &radius), BOUND_HOLDS);
	/* 50 ppm for an hour. */
	assert_in_range(radius.ns, VT_MS(179).ns, VT_MS(200).ns);

	radius = untouched;
	world_run(&w, VT_SEC(10));
	assert_int_equal(bound_at(&w.discipline.bound, w.now, &radius), BOUND_EXPIRED);
	assert_int_equal(radius.ns, untouched.ns);
}

/* A host's slew of some minutes is none of its crystal: holdover goes on as before the slew. */
static void test_slew_that_ends(void **state)
{
	(void)state;
	static const int64_t lasts[] = { 20, 60, 300, 570 };

	for (size_t i = 0; i < sizeof lasts / sizeof *lasts; i++) {
		struct world w;

		settle_in(&w);
		world_plan(&w, (struct world_change){
				       .at = w.now, .kind = WORLD_RATE, .ppb = USUAL_PPB + SLEW_PPB });
		world_run(&w, VT_SEC(lasts[i]));
		/* It is followed, ... */
		assert_true(fabs(w.clock.rate.ppb - USUAL_PPB - SLEW_PPB) < 100);
		/* ... and forgotten when there is nothing to follow. */
		lose_source(&w);
		printf("a slew of %lld s: holdover at %+.3f ppm\n", (long long)lasts[i],
		       w.clock.rate.ppb / 1e3);
		assert_true(fabs(w.clock.rate.ppb - USUAL_PPB) < 100);
	}
}

/* One that does not end in ten minutes is what the host's clock is like now. */
static void test_slew_that_stays(void **state)
{
	(void)state;
	struct world w;

	settle_in(&w);
	world_plan(&w, (struct world_change){
			       .at = w.now, .kind = WORLD_RATE, .ppb = USUAL_PPB + SLEW_PPB });
	world_run(&w, VT_SEC(640));
	lose_source(&w);
	assert_true(fabs(w.clock.rate.ppb - USUAL_PPB - SLEW_PPB) < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shelf_life),
		cmocka_unit_test(test_slew_that_ends),
		cmocka_unit_test(test_slew_that_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
