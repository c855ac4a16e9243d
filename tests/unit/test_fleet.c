/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/log.h"
#include "fleet_world.h"

static struct world *new_world(uint32_t n, struct fleet_conf conf, struct fleet **ret)
{
	struct world *w = malloc(sizeof *w);

	assert_non_null(w);
	world_init(w);
	world_people(w, n);
	world_open(w, &conf, ret);
	world_run(w, *ret, VT_SEC(5));
	return w;
}

static void end_world(struct world *w, struct fleet *f)
{
	assert_null(fleet_close(f));
	free(w);
}

static void test_a_thousand_resumed_in_one_second_are_set_within_one(void **state)
{
	(void)state;
	struct fleet_report report;
	struct fleet *f;
	struct world *w = new_world(1000, FLEET_CONF_DEFAULT, &f);
	vt_mono began;
	unsigned late = 0;

	for (uint32_t i = 0; i < 1000; i++)
		world_stop(w, i);
	for (uint32_t i = 0; i < 1000; i++)
		w->guests[i].has_hwclock = i % 2;
	world_run(w, f, VT_SEC(10));
	began = w->now.mono;
	w->most_busy = 0;
	for (uint32_t i = 0; i < 1000; i++)
		world_go_on(w, i);
	world_run(w, f, VT_SEC(20));

	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(w->guests[i].sets, 1);
		assert_true(vt_span_abs(w->guests[i].off).ns < VT_MS(1).ns);
		late += vt_mono_since(w->guests[i].set_at, began).ns > VT_MS(100).ns;
	}
	assert_int_equal(late, 0);
	assert_true(w->most_busy <= 64 + 500); /* those in hwclock hold no slot */
	assert_int_equal(w->faults, 0);
	assert_int_equal(fleet_counters(f)->ends[FLEET_END_SET], 1000);
	assert_int_equal(fleet_counters(f)->to_set.n, 1000);

	assert_int_equal(fleet_report(f, w->now, &report), 0);
	assert_int_equal(report.n, 1000);
	assert_string_equal(report.guests[999].name, "guest-0999");
	assert_int_equal(report.guests[999].state, FLEET_VERIFIED);
	assert_int_equal(report.guests[999].last.end, FLEET_END_SET);
	fleet_report_fini(&report);
	end_world(w, f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_thousand_resumed_in_one_second_are_set_within_one),
	};

	log_open("test_fleet", LOG_SINK_STDERR, LOG_LEVEL_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
