/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scenario.h"

#include <assert.h>
#include <errno.h>
#include <math.h>

#include "sim/scenario_table.h"

void scenario_init(struct scenario *s)
{
	*s = (struct scenario){
		.duration = VT_SEC(3600),
		.look = VT_MS(50),
		.seeds = 1,
		.spread = 2,
		.latency = VT_US(60),
		.known_sigma = VT_PPM(100), /* as vmtimed without a drift file */
		.max_slew = { 83333333 },
		.source = SOURCE_CONF_DEFAULT,
		.second = SOURCE_CONF_DEFAULT,
	};
}

int scenario_read(const char *name, struct slice text, struct scenario *ret,
                  struct conf_error *reterr)
{
	struct scenario_builder b = { 0 };
	struct conf_notes notes;
	int err;

	scenario_init(&b.scenario);
	conf_notes_init(&notes);
	err = conf_read_text(&SCENARIO_TABLE, &b, NULL, name, 1, text, &notes, reterr);
	if (!err)
		*ret = b.scenario;
	return err;
}

size_t scenario_reference(char *to, size_t size)
{
	return conf_reference(&SCENARIO_TABLE, to, size);
}

static vt_span between(struct world *w, vt_span least, vt_span most)
{
	return vt_span_add(least, vt_span_from_ns((double)(most.ns - least.ns) * world_uniform(w)));
}

static vt_span next_of(struct world *w, const struct scenario_series *series)
{
	return vt_span_add(series->every,
	                   vt_span_from_ns((double)series->jitter.ns * world_uniform(w)));
}

static void plan_steps(const struct scenario *s, struct world *w, vt_mono end)
{
	vt_mono at = vt_mono_add(w->now, between(w, VT_NS(0), s->steps.jitter));

	for (; at.ns < end.ns; at = vt_mono_add(at, next_of(w, &s->steps)))
		world_plan(w, (struct world_change){ .at = at,
		                                     .kind = WORLD_RATE,
		                                     .mean_ppb = s->crystal.ppb,
		                                     .sigma_ppb = s->steps.rate.ppb,
		                                     .ppb = s->crystal.ppb + s->steps.rate.ppb *
		                                                    world_gaussian(w) });
}

/* A correction of the host's NTP, slewed at an even rate and then over. */
static void plan_slews(const struct scenario *s, struct world *w, vt_mono end)
{
	vt_mono at = vt_mono_add(w->now, next_of(w, &s->slews));

	while (at.ns < end.ns) {
		vt_span size = between(w, s->slews.least, s->slews.most);
		vt_span lasts = between(w, s->slews.shortest, s->slews.longest);
		double ppb = (double)size.ns / vt_span_seconds(lasts);

		world_plan(w, (struct world_change){ .at = at,
		                                     .kind = WORLD_SLEW,
		                                     .ppb = world_uniform(w) < 0.5 ? ppb : -ppb });
		at = vt_mono_add(at, lasts);
		world_plan(w, (struct world_change){ .at = at, .kind = WORLD_SLEW });
		at = vt_mono_add(at, next_of(w, &s->slews));
	}
}

static void plan_steals(const struct scenario *s, struct world *w, vt_mono end)
{
	vt_span first = between(w, VT_NS(0), vt_span_add(s->steals.every, s->steals.jitter));
	vt_mono at = vt_mono_add(w->now, first);

	for (; at.ns < end.ns; at = vt_mono_add(at, next_of(w, &s->steals)))
		world_plan(w, (struct world_change){
				      .at = at,
				      .kind = WORLD_STEAL,
				      .span = between(w, s->steals.least, s->steals.most) });
}

static void furnish(const struct scenario *s, struct world *w)
{
	struct world_source *source = &w->sources[0];

	w->look = s->look;
	w->has_rtc = s->has_rtc;
	rtc_watch_init(&w->rtc, w->now);
	w->reference_ppb = s->crystal.ppb;
	w->walk_ppb = s->walk.ppb;
	w->swing.flicker_ppb = s->flicker.ppb;
	w->swing.sine_ppb = s->sine.ppb;
	w->swing.period = s->sine_period;
	w->lateness = s->lateness / 100.0;
	w->least_lateness = s->latency;
	source->noise_ns = (double)s->noise.ns;
	w->slack_ns = 8 * source->noise_ns;
	source->width = s->width;
	source->spread = s->spread;
	source->is_asymmetry_random = !s->is_asymmetry_given;
	source->asymmetry = s->asymmetry / 100.0;
	source->losses = s->losses / 100.0;
	source->outliers = s->outliers / 100.0;
	source->outlier = s->outlier;
	w->sources[1].width = s->second_width;
	w->sources[1].is_asymmetry_random = true;
}

/* Its model is a walk and steps, read exactly; of anything else it knows nothing. */
static bool is_for_oracle(const struct scenario *s)
{
	return (s->walk.ppb > 0 || s->steps.every.ns > 0) && s->flicker.ppb <= 0 &&
	       s->sine.ppb <= 0 && s->slews.every.ns == 0 && s->width.ns == 0 &&
	       s->losses == 0 && s->outliers == 0 && s->n_changes == 0;
}

/* It is midnight by the reference in @wait. */
static void set_midnight(struct world *w, vt_span wait)
{
	const int64_t day = INT64_C(86400000000000);
	vt_span passes = vt_span_add(wait, vt_rate_over((vt_rate){ w->reference_ppb }, wait));
	int64_t shift = day - (w->reference.ns + passes.ns) % day;

	w->reference.ns += shift;
	w->local.ns += shift;
}

void scenario_begin(const struct scenario *s, uint64_t seed, struct world *w)
{
	struct discipline_conf conf = {
		.step = { .is_fresh_boot = s->is_booting,
		          .resume = s->resume,
		          .is_makestep_given = s->is_makestep_given,
		          .makestep_threshold = s->makestep_threshold,
		          .makestep_limit = s->makestep_limit },
		.max_slew = s->max_slew,
		.keeps_kernel_synchronized = true,
		.rate = s->known,
		.rate_sigma = s->known_sigma,
	};
	vt_span jitter;
	vt_mono end;

	world_init(w, seed, s->offset);
	end = vt_mono_add(w->now, s->duration);
	/* What happens shares no phase with the readings. */
	jitter = between(w, VT_NS(0), VT_SEC(1));
	furnish(s, w);
	if (s->has_leap)
		set_midnight(w, vt_span_add(s->leap_at, jitter));
	for (unsigned i = 0; i < s->n_changes; i++) {
		struct world_change change = s->changes[i];

		change.at = vt_mono_add(w->now, vt_span_add((vt_span){ change.at.ns }, jitter));
		world_plan(w, change);
		if (s->is_telling && change.kind == WORLD_SET)
			world_tell(w, (struct world_input){ .at = change.at,
			                                    .evidence = EVIDENCE_CLOCK_SET });
	}
	for (unsigned i = 0; i < s->n_inputs; i++) {
		struct world_input input = s->inputs[i];

		input.at = vt_mono_add(w->now, vt_span_add((vt_span){ input.at.ns }, jitter));
		input.until = vt_mono_add(w->now, vt_span_add((vt_span){ input.until.ns }, jitter));
		world_tell(w, input);
	}
	if (s->steps.every.ns > 0)
		plan_steps(s, w, end);
	if (s->slews.every.ns > 0)
		plan_slews(s, w, end);
	if (s->steals.every.ns > 0)
		plan_steals(s, w, end);
	w->has_oracle = is_for_oracle(s);
	oracle_init(&w->oracle, s->walk.ppb, (double)s->noise.ns);
	world_start(w, &conf, (struct source_conf[]){ s->source, s->second }, s->has_second ? 2 : 1);
}
