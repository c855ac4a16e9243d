/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold in every world: 200 of them, drawn at random. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "living.h"

#define WORLDS 200
#define SPAN_S 120.0

static vt_span between(struct world *w, double low_ns, double high_ns)
{
	return vt_span_from_ns(low_ns * pow(high_ns / low_ns, world_uniform(w)));
}

static bool chance(struct world *w, double probability)
{
	return world_uniform(w) < probability;
}

static vt_mono some_time(struct world *w)
{
	return vt_mono_add(w->now, vt_span_from_ns(SPAN_S * 1e9 * world_uniform(w)));
}

static struct discipline_conf draw_conf(struct world *w)
{
	struct discipline_conf conf = world_conf(chance(w, 0.5));

	conf.step.is_makestep_given = chance(w, 0.5);
	conf.step.makestep_threshold = chance(w, 0.5) ? VT_SEC(1) : VT_MS(100);
	conf.step.makestep_limit = 3;
	if (chance(w, 0.3))
		conf.max_slew = VT_PPM(500);
	return conf;
}

static struct source_conf draw_source(struct world *w)
{
	struct source_conf source = SOURCE_CONF_DEFAULT;

	source.is_dpoll_given = chance(w, 0.3);
	source.dpoll = source.is_dpoll_given ? (int)(world_uniform(w) * 6) - 3 : 0;
	return source;
}

static void draw_device(struct world *w)
{
	struct world_source *s = &w->sources[0];

	w->lateness = chance(w, 0.5) ? 0.1 * world_uniform(w) : 0;
	if (chance(w, 0.3)) {
		s->width = between(w, 100, 20000);
		s->is_asymmetry_random = chance(w, 0.5);
		s->asymmetry = world_uniform(w);
	}
}

static void draw_quiet(struct world *w)
{
	double crystal = 30e3 * (2 * world_uniform(w) - 1);

	w->reference_ppb = crystal;
	if (chance(w, 0.5))
		w->walk_ppb = 3 * world_uniform(w);
	else
		for (int n = (int)(20 * world_uniform(w)); n > 0; n--)
			world_plan(w, (struct world_change){ .at = some_time(w),
			                                     .kind = WORLD_RATE,
			                                     .ppb = crystal +
			                                            5e3 * world_gaussian(w) });
	for (int n = chance(w, 0.3) ? 20 : 0; n > 0; n--)
		world_plan(w, (struct world_change){ .at = some_time(w),
		                                     .kind = WORLD_STEAL,
		                                     .span = VT_MS(300) });
}

static void draw_failure(struct world *w)
{
	enum source_outcome outcome = (enum source_outcome)(1 + (int)(5 * world_uniform(w)));
	vt_mono at = some_time(w);

	world_plan(w, (struct world_change){ .at = at, .kind = WORLD_OUTCOME, .outcome = outcome });
	world_plan(w, (struct world_change){ .at = vt_mono_add(at, between(w, 1e7, 1e10)),
	                                     .kind = WORLD_OUTCOME,
	                                     .outcome = SOURCE_READ });
}

/* Pauses, host steps, and people with date(1). */
static unsigned draw_jumps(struct world *w)
{
	unsigned n = (unsigned)(5 * world_uniform(w));

	for (unsigned i = 0; i < n; i++) {
		vt_span size = between(w, 1e3, 4e12);

		if (chance(w, 0.3))
			size.ns = -size.ns;
		world_plan(w, (struct world_change){ .at = some_time(w),
		                                     .span = size,
		                                     .kind = chance(w, 0.8) ? WORLD_JUMP
		                                                            : WORLD_SET });
	}
	return n;
}

static void live(uint64_t seed, bool has_jumps)
{
	struct discipline_conf conf;
	struct source_conf source;
	struct world w;
	unsigned jumps = 0;

	world_init(&w, seed, VT_NS(0));
	w.local.ns += (int64_t)(2e9 * (world_uniform(&w) - 0.5));
	conf = draw_conf(&w);
	source = draw_source(&w);
	draw_device(&w);
	draw_quiet(&w);
	for (int n = chance(&w, 0.5) ? 3 : 0; n > 0; n--)
		draw_failure(&w);
	if (has_jumps)
		jumps = draw_jumps(&w);
	world_start(&w, &conf, &source, 1);
	w.look = VT_MS(20);
	world_run(&w, vt_span_from_ns(SPAN_S * 1e9));

	if (w.violations)
		fail_msg("seed %llu: at %.3f s %.0f ns off with a bound of %.0f",
		         (unsigned long long)seed, vt_span_seconds((vt_span){ w.violation_at.ns }),
		         w.violation_error_ns, w.violation_bound_ns);
	assert_true(w.looks_ok > 0);
	if (w.discipline.steps > 1 + jumps)
		fail_msg("seed %llu: %u steps for %u jumps", (unsigned long long)seed,
		         (unsigned)w.discipline.steps, jumps);
	if (jumps == 0 && (w.discipline.jumps || w.kinds[EVENT_SUSPECTED]))
		fail_msg("seed %llu: a jump was suspected where none was",
		         (unsigned long long)seed);
	for (unsigned i = 0; world_event(&w, EVENT_STEPPED, i); i++)
		if (world_event(&w, EVENT_STEPPED, i)->cause == STEP_DRIFT &&
		    !conf.step.is_makestep_given)
			fail_msg("seed %llu: stepped by drift", (unsigned long long)seed);
}

static void live_in_many(bool has_jumps)
{
	uint64_t seed = world_seed();

	for (uint64_t i = 0; i < WORLDS; i++)
		live(seed + i, has_jumps);
}

static void test_quiet_worlds(void **state)
{
	(void)state;
	live_in_many(false);
}

static void test_worlds_with_jumps(void **state)
{
	(void)state;
	live_in_many(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quiet_worlds),
		cmocka_unit_test(test_worlds_with_jumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
