/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random worlds: guests that are paused, frozen, lied for and lost, on a host whose own clock is stepped
 * and slewed.  What must always hold is judged at each happening.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/log.h"
#include "fleet_world.h"
#include "hostd/fleet_inner.h"

#define WORLDS 60
#define GUESTS 12

/* What was measured holds what the clock was off by when it was read. */
static void judge(struct world *w, struct fleet *f)
{
	for (uint32_t i = 0; i < w->n; i++) {
		struct world_guest *g = &w->guests[i];
		const struct guest *known = roster_find(&f->roster, 0, i);
		vt_span wrong;

		/* It is not heard of yet, or was thrown away and leaves an older one standing. */
		if (!g->told_at.ns || !known || known->sequence.measured.ns != g->told_at.ns)
			continue;
		g->told_at.ns = 0;
		w->judged++;
		wrong = vt_span_abs(vt_span_sub(known->sequence.offset, g->told));
		if (wrong.ns > known->sequence.uncertainty.ns)
			fail_msg("%s: off by %lld ns, measured %lld +/- %lld", known->name,
			         (long long)g->told.ns, (long long)known->sequence.offset.ns,
			         (long long)known->sequence.uncertainty.ns);
	}
	assert_int_equal(w->faults, 0);
}

static void make_people(struct world *w)
{
	world_people(w, GUESTS);
	for (uint32_t i = 0; i < w->n; i++) {
		struct world_guest *g = &w->guests[i];

		g->least = VT_NS(rng_in(&w->rng, 1000, 3000000));
		g->most = vt_span_add(g->least, VT_NS(rng_in(&w->rng, 0, 400000000)));
		g->lopsided = (int)rng_in(&w->rng, -1, 1);
		g->has_hwclock = rng_in(&w->rng, 0, 2) == 0;
		g->loses = (unsigned)rng_in(&w->rng, 0, 200);
		g->off = VT_NS(rng_in(&w->rng, -5000000000, 5000000000));
		g->is_frozen = rng_in(&w->rng, 0, 9) == 0;
		g->lie = rng_in(&w->rng, 0, 3) ? WORLD_HONEST
		                               : (enum world_lie)rng_in(&w->rng, 0, 3);
	}
}

static void host_steps(struct world *w, struct fleet *f)
{
	vt_span step = VT_NS(rng_in(&w->rng, -1, 1) *
	                     (INT64_C(1) << rng_in(&w->rng, 10, 33)));

	world_step(w, step);
	world_run(w, f, VT_NS(rng_in(&w->rng, 0, 2000000)));
	fleet_host_jumped(f, HOST_REASON_STEP, VT_NS(0), w->now);
}

static void happen(struct world *w, struct fleet *f)
{
	uint32_t i = (uint32_t)rng_in(&w->rng, 0, w->n - 1);
	struct world_guest *g = &w->guests[i];

	switch (rng_in(&w->rng, 0, 9)) {
	case 0:
	case 1:
	case 2: world_stop(w, i); break;
	case 3:
	case 4:
	case 5: world_go_on(w, i); break;
	case 6: g->is_frozen = !g->is_frozen; break;
	case 7: fleet_sync(f, NULL, 1, w->now); break;
	case 8:
		if (!w->shakes && !w->slews)
			host_steps(w, f);
		break;
	case 9:
		if (g->is_running) /* a snapshot is loaded: RESUME alone tells of it */
			g->off = vt_span_add(g->off, VT_NS(rng_in(&w->rng, 0, INT64_C(1) << 50)));
		if (g->is_running)
			world_sign(w, i, SIGN_RUNNING, HOST_REASON_RESTORE);
		break;
	}
}

/* Peace: nobody is stopped, frozen, deaf or a liar any more, and nothing gets lost. */
static void make_peace(struct world *w)
{
	for (uint32_t i = 0; i < w->n; i++) {
		w->guests[i].lie = WORLD_HONEST;
		w->guests[i].is_frozen = false;
		w->guests[i].loses = 0;
		/* One whose ways are longer, and unequal, can only be set to half their difference. */
		w->guests[i].least = vt_span_min(w->guests[i].least, VT_MS(80));
		w->guests[i].most = vt_span_min(w->guests[i].most, VT_MS(80));
		world_go_on(w, i);
	}
	w->slew_ppb = 0;
	w->shakes = false;
}

static void live(struct world *w, struct fleet *f)
{
	for (unsigned n = 0; n < 300; n++) {
		/* Mostly in the middle of something, now and then after a long time. */
		world_run(w, f, VT_NS(INT64_C(1) << rng_in(&w->rng, 10, 33)));
		/* A slew and a step together could cancel each other, too. */
		if (w->slews)
			w->slew_ppb = (double)rng_in(&w->rng, -500000, 500000);
		happen(w, f);
	}
}

static void test_random_worlds(void **state)
{
	(void)state;
	struct rng rng;

	rng_start(&rng);
	for (unsigned n = 0; n < WORLDS; n++) {
		struct world *w = malloc(sizeof *w);
		struct fleet_conf conf = FLEET_CONF_DEFAULT;
		struct fleet_sync sync;
		struct fleet *f;
		uint64_t ticket;

		assert_non_null(w);
		world_init(w);
		w->rng.state = rng_next(&rng);
		w->judge = judge;
		conf.parallel = (unsigned)rng_in(&rng, 1, 8);
		conf.clock_error = VT_NS(1); /* the played clock is exact */
		make_people(w);
		w->shakes = n % 3 == 0;
		w->slews = n % 3 == 1;
		world_open(w, &conf, &f);
		live(w, f);
		make_peace(w);
		world_run(w, f, VT_SEC(40 * 60));

		for (uint32_t i = 0; i < w->n; i++) {
			const struct guest *g = roster_find(&f->roster, 0, i);

			if (vt_span_abs(w->guests[i].off).ns > VT_MS(190).ns)
				fail_msg("world %u: %s is off by %lld ns, step %d: %s", n, g->name,
				         (long long)w->guests[i].off.ns, g->sequence.step,
				         g->sequence.note);
			if (g->sequence.is_open)
				fail_msg("world %u: %s is not done, step %d, attempt %u after %u runs: %s",
				         n, g->name, g->sequence.step, g->sequence.attempts,
				         g->sequence.failed_runs, g->sequence.note);
		}
		assert_true(w->judged > 12 * 39); /* once a minute at least */
		while (fleet_pop_sync(f, &ticket, &sync))
			;
		assert_int_equal(f->n_tickets, 0);
		fleet_close(f);
		free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_worlds),
	};

	log_open("test_fleet_properties", LOG_SINK_STDERR, LOG_LEVEL_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
