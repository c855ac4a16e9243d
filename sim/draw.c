/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/draw.h"

#include <math.h>

#include "sim/random.h"

static bool chance(struct random *r, double probability)
{
	return random_uniform(r) < probability;
}

/* Evenly spread over the magnitudes. */
static double magnitude(struct random *r, double least, double most)
{
	return least * pow(most / least, random_uniform(r));
}

static vt_span span(struct random *r, double least_ns, double most_ns)
{
	return vt_span_from_ns(magnitude(r, least_ns, most_ns));
}

static vt_mono some_time(struct random *r, const struct scenario *s)
{
	return (vt_mono){ (int64_t)((double)s->duration.ns * random_uniform(r)) };
}

static void draw_oscillator(struct random *r, struct scenario *s)
{
	s->crystal.ppb = 30e3 * (2 * random_uniform(r) - 1);
	if (chance(r, 0.5))
		s->walk.ppb = magnitude(r, 0.1, 5);
	if (chance(r, 0.3))
		s->flicker.ppb = magnitude(r, 1, 100);
	if (chance(r, 0.3)) {
		s->sine.ppb = magnitude(r, 10, 1000);
		s->sine_period = span(r, 60e9, 3600e9);
	}
	if (chance(r, 0.4))
		s->steps = (struct scenario_series){ .every = span(r, 8e9, 600e9),
			                             .jitter = VT_SEC(1),
			                             .rate = { magnitude(r, 10, 10e3) } };
	if (chance(r, 0.3))
		s->slews = (struct scenario_series){ .every = span(r, 10e9, 600e9),
			                             .jitter = VT_SEC(100),
			                             .least = VT_US(5),
			                             .most = VT_US(50),
			                             .shortest = VT_SEC(10),
			                             .longest = VT_SEC(300) };
}

static void draw_machine(struct random *r, struct scenario *s)
{
	if (chance(r, 0.5))
		s->lateness = (unsigned)(20 * random_uniform(r));
	s->latency = span(r, 5e3, 2e6);
	if (chance(r, 0.4))
		s->steals = (struct scenario_series){ .every = span(r, 5e9, 300e9),
			                              .jitter = VT_SEC(10),
			                              .least = VT_MS(1),
			                              .most = span(r, 2e6, 2e9) };
	if (chance(r, 0.3))
		s->losses = (unsigned)(60 * random_uniform(r));
	if (chance(r, 0.35)) {
		s->width = span(r, 50, 100e3);
		s->spread = (unsigned)(10 * random_uniform(r));
		s->is_asymmetry_given = chance(r, 0.5);
		s->asymmetry = (unsigned)(101 * random_uniform(r));
	}
	if (chance(r, 0.3)) {
		s->source.is_dpoll_given = true;
		s->source.dpoll = (int)(8 * random_uniform(r)) - 4;
	}
}

static void draw_start(struct random *r, struct scenario *s)
{
	s->offset = vt_span_from_ns(2e9 * (random_uniform(r) - 0.5) * magnitude(r, 1e-6, 1));
	s->is_booting = chance(r, 0.5);
	if (chance(r, 0.4)) {
		/* A drift file, and now and then that of another machine. */
		s->known.ppb = s->crystal.ppb + (chance(r, 0.2) ? 200e3 : 1e3) *
		                                        (2 * random_uniform(r) - 1);
		s->known_sigma = VT_PPM(1);
	}
	s->is_makestep_given = chance(r, 0.3);
	s->makestep_threshold = chance(r, 0.5) ? VT_SEC(1) : VT_MS(100);
	s->makestep_limit = 3;
	if (chance(r, 0.2))
		s->max_slew = VT_PPM(500);
}

static void add(struct scenario *s, struct world_change change)
{
	if (s->n_changes < SCENARIO_CHANGES)
		s->changes[s->n_changes++] = change;
}

static void draw_mishap(struct random *r, struct scenario *s)
{
	vt_mono at = some_time(r, s);
	double dice = random_uniform(r);
	double sign = chance(r, 0.3) ? -1 : 1;

	if (dice < 0.5) {
		add(s, (struct world_change){ .at = at,
		                              .kind = WORLD_JUMP,
		                              .span = vt_span_from_ns(sign *
		                                                      magnitude(r, 1e3, 4e12)) });
		/* Every other time it woke up on another host. */
		if (chance(r, 0.5))
			add(s, (struct world_change){ .at = at,
			                              .kind = WORLD_RATE,
			                              .ppb = 60e3 * (random_uniform(r) - 0.5) });
	} else if (dice < 0.65) {
		add(s, (struct world_change){ .at = at,
		                              .kind = WORLD_SET,
		                              .span = vt_span_from_ns(sign *
		                                                      magnitude(r, 1e3, 1e11)) });
	} else if (dice < 0.85) {
		enum source_outcome outcome = (enum source_outcome)(1 + (int)(5 * random_uniform(r)));
		vt_mono end = vt_mono_add(at, span(r, 1e7, 6e11));

		add(s, (struct world_change){
			       .at = at, .kind = WORLD_OUTCOME, .outcome = outcome });
		add(s, (struct world_change){
			       .at = end, .kind = WORLD_OUTCOME, .outcome = SOURCE_READ });
	} else if (dice < 0.95) {
		add(s, (struct world_change){ .at = at,
		                              .kind = WORLD_SLEW,
		                              .ppb = sign * magnitude(r, 1e3, 5e6) });
		add(s, (struct world_change){ .at = vt_mono_add(at, span(r, 1e9, 1e11)),
		                              .kind = WORLD_SLEW });
	} else {
		add(s, (struct world_change){ .at = at,
		                              .kind = WORLD_EPOCH,
		                              .ppb = 60e3 * (random_uniform(r) - 0.5) });
	}
}

void scenario_draw(struct scenario *s, uint64_t seed)
{
	struct random r = { seed };

	scenario_init(s);
	s->duration = vt_span_from_ns(3600e9 * (0.5 + random_uniform(&r)));
	draw_oscillator(&r, s);
	draw_machine(&r, s);
	draw_start(&r, s);
	if (chance(&r, 0.7))
		for (int n = (int)(8 * random_uniform(&r)); n > 0; n--)
			draw_mishap(&r, s);
}
