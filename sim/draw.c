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

static void tell(struct scenario *s, struct world_input input)
{
	if (s->n_inputs < SCENARIO_INPUTS)
		s->inputs[s->n_inputs++] = input;
}

/* What would speak of a jump at @at: right away, a little later, long afterwards, or not at all. */
static void draw_evidence(struct random *r, struct scenario *s, vt_mono at)
{
	static const unsigned kinds[] = {
		EVIDENCE_MARKER,
		EVIDENCE_MARKER | EVIDENCE_GENERATION,
		EVIDENCE_NUDGE,
		EVIDENCE_NUDGE | EVIDENCE_HOST_PAUSED,
		EVIDENCE_HOST_RESTORED,
		EVIDENCE_HOST_MIGRATED,
		EVIDENCE_LATE,
	};
	double dice = random_uniform(r);

	if (dice < 0.4)
		return;
	if (dice < 0.8)
		at = vt_mono_add(at, span(r, 1e3, 3e9));
	tell(s, (struct world_input){ .at = at,
	                              .until = at,
	                              .evidence = kinds[(size_t)(7 * random_uniform(r))],
	                              .is_polled = chance(r, 0.3) });
}

/* Evidence of nothing, and a flood of it. */
static void draw_false_alarm(struct random *r, struct scenario *s)
{
	static const unsigned kinds[] = { EVIDENCE_MARKER, EVIDENCE_GENERATION, EVIDENCE_NUDGE,
		                          EVIDENCE_CLOCK_SET, EVIDENCE_HOST_STEPPED };
	vt_mono at = some_time(r, s);
	bool is_flood = chance(r, 0.2);

	tell(s, (struct world_input){ .at = at,
	                              .until = is_flood ? vt_mono_add(at, span(r, 1e8, 3e10)) : at,
	                              .every = is_flood ? span(r, 1e6, 1e9) : VT_NS(0),
	                              .evidence = kinds[(size_t)(5 * random_uniform(r))],
	                              .is_polled = chance(r, 0.3) });
}

static void draw_suspend(struct random *r, struct scenario *s)
{
	vt_mono at = some_time(r, s);
	vt_span slept = span(r, 1e9, 1e14);

	add(s, (struct world_change){ .at = at, .kind = WORLD_JUMP, .span = slept });
	slept.ns += (int64_t)(1e9 * (random_uniform(r) - 0.5));
	add(s, (struct world_change){ .at = at, .kind = WORLD_SET, .span = slept });
	tell(s, (struct world_input){ .at = at,
	                              .until = at,
	                              .evidence = EVIDENCE_SUSPEND | EVIDENCE_CLOCK_SET,
	                              .size = slept });
}

static void draw_leap(struct random *r, struct scenario *s)
{
	vt_mono at = some_time(r, s);
	vt_span change = VT_SEC(chance(r, 0.7) ? -1 : 1);

	if (s->n_changes + 2 > SCENARIO_CHANGES)
		return;
	s->has_leap = true;
	s->leap_at = (vt_span){ at.ns };
	if (chance(r, 0.9))
		add(s, (struct world_change){ .at = at, .kind = WORLD_JUMP, .span = change });
	if (chance(r, 0.8)) {
		add(s, (struct world_change){ .at = vt_mono_add(at, span(r, 1e3, 1e7)),
		                              .kind = WORLD_SET,
		                              .span = change });
		if (chance(r, 0.8))
			tell(s, (struct world_input){ .at = { 2000000000 },
			                              .leap = change.ns < 0 ? 1 : -1 });
	}
}

/* All that is newer than the rest, so that older seeds draw the same as ever before it. */
static void draw_surroundings(struct random *r, struct scenario *s)
{
	s->is_telling = chance(r, 0.5);
	s->has_rtc = chance(r, 0.5);
	if (chance(r, 0.2))
		s->resume = chance(r, 0.5) ? STEP_RESUME_SLEW : STEP_RESUME_IGNORE;
	if (chance(r, 0.3)) {
		s->has_second = true;
		s->second_width = span(r, 1e3, 1e6);
		s->second.is_dpoll_given = true;
		s->second.dpoll = (int)(7 * random_uniform(r)) - 1;
		s->second.noselect = chance(r, 0.2);
	}
	for (unsigned i = 0, n = s->n_changes; i < n; i++)
		if (s->changes[i].kind == WORLD_JUMP)
			draw_evidence(r, s, s->changes[i].at);
	for (int n = chance(r, 0.3) ? 2 : 0; n > 0; n--)
		draw_false_alarm(r, s);
	if (chance(r, 0.15))
		draw_suspend(r, s);
	if (chance(r, 0.15))
		draw_leap(r, s);
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
	draw_surroundings(&r, s);
}
