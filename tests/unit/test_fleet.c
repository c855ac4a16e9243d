/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>

#include "base/log.h"
#include "fleet_world.h"
#include "hostd/fleet_inner.h"

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

static unsigned in_flight(const struct world *w, enum work_kind kind)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < w->n; i++)
		n += w->guests[i].has_work && w->guests[i].work.kind == kind;
	return n;
}

static void pause_all(struct world *w, struct fleet *f, vt_span stopped)
{
	for (uint32_t i = 0; i < w->n; i++)
		world_stop(w, i);
	world_run(w, f, stopped);
}

static void test_no_more_than_parallel_and_in_order_of_disruption(void **state)
{
	(void)state;
	struct fleet_conf conf = FLEET_CONF_DEFAULT;
	struct fleet *f;
	struct world *w;

	conf.parallel = 3;
	w = new_world(20, conf, &f);
	pause_all(w, f, VT_SEC(3));
	w->most_busy = 0;
	/* They run again in the opposite order, a hundred microseconds apart. */
	for (uint32_t i = 20; i-- > 0;) {
		w->guests[i].least = w->guests[i].most = VT_MS(5);
		world_go_on(w, i);
		world_run(w, f, VT_US(100));
	}
	world_run(w, f, VT_SEC(2));
	assert_int_equal(w->most_busy, 3);
	for (uint32_t i = 0; i < 19; i++) {
		assert_int_equal(w->guests[i].sets, 1);
		assert_true(w->guests[i].set_at.ns >= w->guests[i + 1].set_at.ns);
	}
	end_world(w, f);
}

static void test_who_is_set_or_deaf_holds_no_slot(void **state)
{
	(void)state;
	struct fleet_conf conf = FLEET_CONF_DEFAULT;
	struct fleet *f;
	struct world *w;
	vt_mono began;

	conf.parallel = 2;
	w = new_world(12, conf, &f);
	for (uint32_t i = 0; i < 4; i++)
		w->guests[i].lie = WORLD_IS_DEAF;
	for (uint32_t i = 4; i < 12; i++)
		w->guests[i].has_hwclock = true;
	pause_all(w, f, VT_SEC(3));
	began = w->now.mono;
	for (uint32_t i = 0; i < 12; i++)
		world_go_on(w, i);
	world_run(w, f, VT_MS(500));
	/* Four deaf ones hold two slots for 0.15 s each, eight in hwclock hold none. */
	for (uint32_t i = 4; i < 12; i++) {
		assert_int_equal(w->guests[i].sets, 1);
		assert_true(vt_mono_since(w->guests[i].set_at, began).ns < VT_MS(400).ns);
	}
	assert_int_equal(in_flight(w, WORK_SET_TIME), 8);
	end_world(w, f);
}

static void test_what_a_stopped_guest_was_asked_is_dropped(void **state)
{
	(void)state;
	struct fleet *f;
	struct world *w = new_world(1, FLEET_CONF_DEFAULT, &f);

	w->guests[0].has_hwclock = true;
	pause_all(w, f, VT_SEC(3));
	world_go_on(w, 0);
	world_run(w, f, VT_MS(100));
	assert_int_equal(in_flight(w, WORK_SET_TIME), 1);
	world_stop(w, 0);
	world_run(w, f, VT_MS(1));
	assert_false(w->guests[0].has_work);
	assert_int_equal(w->faults, 0);
	end_world(w, f);
}

static void test_in_peace_each_is_measured_once_an_interval_evenly(void **state)
{
	(void)state;
	struct fleet *f;
	struct fleet_conf conf = FLEET_CONF_DEFAULT;
	struct world *w = new_world(600, conf, &f);
	unsigned before[600], most = 0;

	world_run(w, f, VT_SEC(120));
	for (uint32_t i = 0; i < 600; i++)
		before[i] = w->guests[i].gets;
	for (unsigned s = 0; s < 120; s++) {
		uint64_t measured = fleet_counters(f)->measurements;

		world_run(w, f, VT_SEC(1));
		measured = fleet_counters(f)->measurements - measured;
		most = measured > most ? (unsigned)measured : most;
	}
	for (uint32_t i = 0; i < 600; i++) {
		assert_int_equal(w->guests[i].gets - before[i], 2);
		assert_int_equal(w->guests[i].infos, 1);
	}
	assert_in_range(most, 10, 14); /* 600 in 60 s */

	/* Another interval counts at once. */
	conf.interval = VT_SEC(6);
	fleet_configure(f, &conf, w->now);
	world_run(w, f, VT_SEC(6));
	for (uint32_t i = 0; i < 600; i++)
		before[i] = w->guests[i].gets;
	world_run(w, f, VT_SEC(12));
	for (uint32_t i = 0; i < 600; i++)
		assert_int_equal(w->guests[i].gets - before[i], 2);
	end_world(w, f);
}

/* What an agent told that has fallen silent is not told for ever. */
static void test_a_measurement_grows_old(void **state)
{
	(void)state;
	enum { DEAF, STOPPED, WELL, GUESTS };
	struct fleet *f;
	struct world *w = new_world(GUESTS, FLEET_CONF_DEFAULT, &f);
	struct fleet_report report;

	w->guests[DEAF].lie = WORLD_IS_DEAF;
	world_stop(w, STOPPED);
	world_run(w, f, VT_SEC(120));
	assert_int_equal(fleet_report(f, w->now, &report), 0);
	for (unsigned i = 0; i < GUESTS; i++)
		assert_true(report.guests[i].has_offset && !report.guests[i].is_silent);
	fleet_report_fini(&report);

	world_run(w, f, VT_SEC(140)); /* the interval is a minute */
	assert_int_equal(fleet_report(f, w->now, &report), 0);
	for (unsigned i = 0; i < GUESTS; i++) {
		assert_true(report.guests[i].was_measured);
		assert_int_equal(report.guests[i].has_offset, i == WELL);
		assert_int_equal(report.guests[i].is_silent, i == DEAF);
	}
	assert_true(report.guests[DEAF].offset_age.ns > VT_SEC(190).ns);
	fleet_report_fini(&report);

	w->guests[DEAF].lie = WORLD_HONEST;
	world_run(w, f, VT_SEC(130));
	assert_int_equal(fleet_report(f, w->now, &report), 0);
	assert_true(report.guests[DEAF].has_offset && !report.guests[DEAF].is_silent);
	fleet_report_fini(&report);
	end_world(w, f);
}

static void test_the_hosts_sleep_concerns_all_that_run(void **state)
{
	(void)state;
	struct fleet *f;
	struct world *w = new_world(10, FLEET_CONF_DEFAULT, &f);

	world_stop(w, 9);
	world_run(w, f, VT_SEC(1));
	for (uint32_t i = 0; i < 9; i++)
		w->guests[i].off = VT_SEC(3600);
	fleet_host_jumped(f, HOST_REASON_RESUME, VT_SEC(3600), w->now);
	world_run(w, f, VT_SEC(1));
	for (uint32_t i = 0; i < 9; i++)
		assert_int_equal(w->guests[i].sets, 1);
	assert_int_equal(w->guests[9].sets, 0);
	assert_int_equal(w->faults, 0);
	assert_int_equal(fleet_counters(f)->disruptions[HOST_REASON_RESUME], 9);
	end_world(w, f);
}

/* Those of a ticket, and how many of them are verified. */
static unsigned pop_syncs(struct fleet *f, uint64_t ticket, unsigned *ret_verified,
                          struct fleet_sync *ret_last)
{
	uint64_t whose;
	unsigned n = 0;

	*ret_verified = 0;
	while (fleet_pop_sync(f, &whose, ret_last)) {
		assert_int_equal(whose, ticket);
		*ret_verified += ret_last->is_verified;
		n++;
	}
	return n;
}

static void test_synchronised_by_hand(void **state)
{
	(void)state;
	struct fleet *f;
	struct world *w = new_world(10, FLEET_CONF_DEFAULT, &f);
	struct fleet_sync last;
	unsigned verified;

	for (uint32_t i = 0; i < 10; i++)
		w->guests[i].off = VT_SEC(5);
	assert_int_equal(fleet_sync(f, "nobody", 1, w->now), 0);
	assert_int_equal(fleet_sync(f, "guest-0003", 2, w->now), 1);
	world_run(w, f, VT_MS(100));
	assert_int_equal(pop_syncs(f, 2, &verified, &last), 1);
	assert_int_equal(verified, 1);
	assert_string_equal(last.name, "guest-0003");
	assert_int_equal(last.end, FLEET_END_SET);
	assert_true(vt_span_abs(last.offset).ns <= last.uncertainty.ns + VT_MS(1).ns);

	world_stop(w, 1);
	w->guests[2].lie = WORLD_IS_DEAF;
	world_run(w, f, VT_MS(1));
	assert_int_equal(fleet_sync(f, NULL, 3, w->now), 10);
	world_run(w, f, VT_SEC(1));
	assert_int_equal(pop_syncs(f, 3, &verified, &last), 9); /* the stopped one at once */
	assert_int_equal(verified, 8);
	world_run(w, f, VT_SEC(60));
	assert_int_equal(pop_syncs(f, 3, &verified, &last), 1); /* the deaf one in a minute */
	assert_int_equal(verified, 0);
	assert_string_equal(last.name, "guest-0002");

	/* Nobody waits any more. */
	w->guests[2].lie = WORLD_HONEST;
	fleet_sync(f, NULL, 4, w->now);
	world_run(w, f, VT_US(1200));
	fleet_forget(f, 4);
	world_run(w, f, VT_SEC(60));
	assert_int_equal(pop_syncs(f, 4, &verified, &last), 0);
	end_world(w, f);
}

static void test_one_that_is_gone_is_forgotten(void **state)
{
	(void)state;
	struct fleet_report report;
	struct fleet_sync last;
	struct fleet *f;
	struct world *w = new_world(3, FLEET_CONF_DEFAULT, &f);
	unsigned verified;

	w->guests[1].lie = WORLD_IS_DEAF;
	fleet_sync(f, "guest-0001", 1, w->now);
	world_run(w, f, VT_MS(10));
	w->guests[1].has_work = w->guests[1].is_there = false;
	world_sign(w, 1, SIGN_GONE, HOST_REASON_NONE);
	world_run(w, f, VT_SEC(100));
	assert_int_equal(pop_syncs(f, 1, &verified, &last), 1);
	assert_string_equal(last.note, "it is gone");
	assert_int_equal(fleet_report(f, w->now, &report), 0);
	assert_int_equal(report.n, 2);
	assert_string_equal(report.guests[1].name, "guest-0002");
	fleet_report_fini(&report);
	assert_int_equal(w->faults, 0);
	end_world(w, f);
}

/* libvirtd was restarted: each is told of once more, under its number, and checked once. */
static void test_a_back_end_that_was_away(void **state)
{
	(void)state;
	struct fleet_report report;
	struct fleet *f;
	struct world *w = new_world(5, FLEET_CONF_DEFAULT, &f);
	unsigned gets;

	world_stop(w, 0);
	world_run(w, f, VT_SEC(1));
	gets = w->guests[1].gets;
	w->guests[0].is_running = true; /* let go on while nobody saw it */
	w->guests[0].off = VT_SEC(9);
	w->guests[4].is_running = false; /* stopped meanwhile */
	for (uint32_t i = 0; i < 5; i++)
		world_sign(w, i, SIGN_APPEARED, HOST_REASON_NONE);
	world_run(w, f, VT_SEC(1));
	assert_int_equal(w->guests[0].sets, 1);
	assert_int_equal(w->guests[1].gets, gets + 1);
	assert_int_equal(w->faults, 0);
	assert_int_equal(fleet_report(f, w->now, &report), 0);
	assert_int_equal(report.n, 5);
	assert_int_equal(report.guests[4].state, FLEET_STOPPED);
	fleet_report_fini(&report);
	end_world(w, f);
}

static void test_an_hour_of_history_and_the_latest_disruptions(void **state)
{
	(void)state;
	struct fleet_point points[FLEET_HISTORY_MAX];
	struct fleet *f;
	struct world *w = new_world(1, FLEET_CONF_DEFAULT, &f);
	unsigned marks[FLEET_MARKS] = { 0 };
	size_t n;

	world_run(w, f, VT_SEC(2 * 3600));
	for (unsigned i = 0; i < 40; i++) { /* a backup each minute, and one long pause */
		world_stop(w, 0);
		world_run(w, f, i == 39 ? VT_SEC(5) : VT_MS(20));
		world_go_on(w, 0);
		world_run(w, f, VT_SEC(60));
	}
	n = fleet_history(f, "guest-0000", "played", points);
	assert_true(n > 100);
	assert_true(vt_real_since(w->now.real, points[0].at).ns > VT_SEC(3600).ns);
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || points[i].at.ns >= points[i - 1].at.ns);
		marks[points[i].mark]++;
		if (points[i].mark == FLEET_MARK_MEASURED)
			assert_true(points[i].has_offset && points[i].uncertainty.ns > 0);
	}
	assert_in_range(marks[FLEET_MARK_SET], 1, 10); /* five of 20 ms each make one */
	assert_true(marks[FLEET_MARK_STOPPED] >= 10);
	assert_int_equal(fleet_history(f, "guest-0000", "other", points), 0);
	assert_int_equal(fleet_history(f, "nobody", "played", points), 0);
	end_world(w, f);
}

/* The lines of a test: vmtimed in the guest with CID N is guest N of a world of its own. */
static int lend(struct backend *b, unsigned cid, uint32_t *ret)
{
	if (cid >= world_of(b)->n)
		return -EMFILE;
	*ret = cid;
	return 0;
}

static void move_line(struct backend *b, uint32_t line, unsigned cid)
{
	(void)b;
	(void)line;
	(void)cid;
}

static void release(struct backend *b, uint32_t line)
{
	world_of(b)->guests[line].is_there = false;
}

static void wake(struct backend *b, uint32_t line, vt_mono now)
{
	(void)now;
	world_of(b)->guests[line].infos++; /* nobody else counts there */
}

/* Two guests of @w whose vmtimed are guests 5 and 6 of @v. */
static struct fleet *open_with_lines(struct world *w, struct world *v)
{
	const struct fleet_conf conf = FLEET_CONF_DEFAULT;
	const struct fleet_host host = world_host();
	struct backend *backends[] = { &w->backend, &v->backend };
	const struct lines lines = { &v->backend, lend, move_line, release, wake };
	struct fleet *f;

	world_init(w);
	world_init(v);
	world_people(w, 2);
	world_people(v, 8);
	w->n_signs = v->n_signs = 0; /* lent ones are not told of */
	for (uint32_t i = 0; i < 2; i++) {
		world_sign(w, i, SIGN_APPEARED, HOST_REASON_NONE);
		w->signs[i].cid = i + 5;
		v->guests[i + 5].has_agent = false;
		v->guests[i + 5].has_vmtimed = true;
	}
	assert_int_equal(fleet_open(&conf, backends, 2, w->now, &f), 0);
	fleet_lines(f, &lines);
	fleet_tell_host(f, &host, w->now);
	return f;
}

static void run_both(struct world *w, struct world *v, struct fleet *f, unsigned times, vt_span span)
{
	for (unsigned i = 0; i < times; i++) {
		world_run(w, f, span);
		v->now = w->now;
	}
}

static void test_vmtimed_is_reached_by_a_lent_line(void **state)
{
	(void)state;
	struct fleet_host worse = world_host();
	struct world *w = malloc(sizeof *w), *v = malloc(sizeof *v);
	struct fleet *f = open_with_lines(w, v);
	struct fleet_report report;
	unsigned qualities;

	run_both(w, v, f, 1000, VT_MS(100));
	assert_true(v->guests[5].qualities >= 1 && v->guests[6].qualities >= 1);
	assert_int_equal(v->guests[5].nudges, 0);

	world_stop(w, 0);
	world_run(w, f, VT_MS(100));
	world_go_on(w, 0);
	run_both(w, v, f, 1000, VT_MS(1));
	assert_int_equal(v->guests[5].nudges, 1);
	assert_int_equal(v->guests[5].infos, 1); /* woken */
	assert_int_equal(w->faults + v->faults, 0);
	assert_int_equal(fleet_report(f, w->now, &report), 0);
	assert_true(report.guests[0].has_vmtimed);
	assert_string_equal(report.guests[0].vmtimed_state, "ok");
	assert_int_equal(report.guests[0].last.end, FLEET_END_NUDGED);
	fleet_report_fini(&report);

	/* What they know is renewed at once when the host's clock is not kept any more. */
	qualities = v->guests[6].qualities;
	worse.quality.is_synchronized = false;
	fleet_tell_host(f, &worse, w->now);
	run_both(w, v, f, 10, VT_MS(1));
	assert_int_equal(v->guests[6].qualities, qualities + 1);
	fleet_close(f);
	assert_false(v->guests[5].is_there); /* the line was given back */
	free(w);
	free(v);
}

static void test_alerts_and_the_hosts_part(void **state)
{
	(void)state;
	struct fleet *f;
	struct world *w = new_world(1, FLEET_CONF_DEFAULT, &f);
	struct fleet_host host = world_host(), told;

	host.n_alerts = 1;
	snprintf(host.alerts[0], sizeof host.alerts[0], "the clocksource is hpet");
	snprintf(w->backend.trouble, sizeof w->backend.trouble, "libvirtd does not answer");
	fleet_tell_host(f, &host, w->now);
	world_run(w, f, VT_SEC(5));
	fleet_report_host(f, w->now, &told);
	assert_int_equal(told.n_alerts, 2);
	assert_string_equal(told.alerts[0], "the clocksource is hpet");
	assert_string_equal(told.alerts[1], "played: libvirtd does not answer");
	assert_string_equal(told.quality.daemon, "chronyd");
	assert_int_equal(told.uptime.ns, VT_SEC(10).ns);
	assert_int_equal(told.threshold.ns, VT_MS(100).ns);

	w->guests[0].lie = WORLD_IS_DEAF;
	world_stop(w, 0);
	world_run(w, f, VT_SEC(1));
	world_go_on(w, 0);
	world_run(w, f, VT_SEC(90));
	fleet_report_host(f, w->now, &told);
	assert_int_equal(told.n_alerts, 3);
	assert_non_null(strstr(told.alerts[2], "guest-0000"));
	w->guests[0].lie = WORLD_HONEST;
	world_run(w, f, VT_SEC(120));
	fleet_report_host(f, w->now, &told);
	assert_int_equal(told.n_alerts, 2);
	end_world(w, f);
}

static void test_what_a_guest_costs(void **state)
{
	(void)state;

	assert_true(sizeof(struct history) <= 4096);
	assert_true(sizeof(struct guest) <= 6144); /* a thousand: 6 MB of 40 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_thousand_resumed_in_one_second_are_set_within_one),
		cmocka_unit_test(test_no_more_than_parallel_and_in_order_of_disruption),
		cmocka_unit_test(test_who_is_set_or_deaf_holds_no_slot),
		cmocka_unit_test(test_what_a_stopped_guest_was_asked_is_dropped),
		cmocka_unit_test(test_in_peace_each_is_measured_once_an_interval_evenly),
		cmocka_unit_test(test_a_measurement_grows_old),
		cmocka_unit_test(test_the_hosts_sleep_concerns_all_that_run),
		cmocka_unit_test(test_synchronised_by_hand),
		cmocka_unit_test(test_one_that_is_gone_is_forgotten),
		cmocka_unit_test(test_a_back_end_that_was_away),
		cmocka_unit_test(test_an_hour_of_history_and_the_latest_disruptions),
		cmocka_unit_test(test_vmtimed_is_reached_by_a_lent_line),
		cmocka_unit_test(test_alerts_and_the_hosts_part),
		cmocka_unit_test(test_what_a_guest_costs),
	};

	log_open("test_fleet", LOG_SINK_STDERR, LOG_LEVEL_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
