/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/oracle.h"

#include <math.h>

/* A clock that shows whole nanoseconds is wrong by this variance, twice: the reference and RAW. */
#define WHOLE (1.0 / 12)

#define UNKNOWN_PPB 1e5

void oracle_init(struct oracle *o, double walk_ppb, double noise_ns)
{
	*o = (struct oracle){ .walk_ppb = walk_ppb, .noise_ns = noise_ns };
}

static double seconds(vt_mono later, vt_mono earlier)
{
	return vt_span_seconds(vt_mono_since(later, earlier));
}

static void predict(struct oracle *o, vt_mono at)
{
	double s = fmax(seconds(at, o->at), 0);
	double walk = o->walk_ppb * o->walk_ppb;

	o->phase_ns += s * o->rate_ppb;
	o->var_phase += 2 * s * o->covariance + s * s * o->var_rate + walk * s * s * s / 3;
	o->covariance += s * o->var_rate + walk * s * s / 2;
	o->var_rate += walk * s;
	o->at = at;
}

void oracle_redraw(struct oracle *o, vt_mono at, double mean_ppb, double sigma_ppb)
{
	if (!o->is_started)
		return;
	predict(o, at);
	o->rate_ppb = mean_ppb;
	o->covariance = 0;
	o->var_rate = sigma_ppb * sigma_ppb;
}

void oracle_read(struct oracle *o, vt_mono at, double advance_ns)
{
	double variance = o->noise_ns * o->noise_ns + WHOLE;

	if (!o->is_started) {
		*o = (struct oracle){ .is_started = true,
			              .at = at,
			              .phase_ns = advance_ns,
			              .var_phase = variance,
			              .var_rate = UNKNOWN_PPB * UNKNOWN_PPB,
			              .walk_ppb = o->walk_ppb,
			              .noise_ns = o->noise_ns,
			              .clock_at = at,
			              .clock_ns = advance_ns };
		return;
	}
	predict(o, at);

	double innovation = advance_ns - o->phase_ns;
	double total = o->var_phase + variance;
	double gain_phase = o->var_phase / total, gain_rate = o->covariance / total;

	o->phase_ns += gain_phase * innovation;
	o->rate_ppb += gain_rate * innovation;
	o->var_rate -= gain_rate * o->covariance;
	o->covariance *= 1 - gain_phase;
	o->var_phase *= 1 - gain_phase;
}

double oracle_shows(const struct oracle *o, vt_mono at)
{
	return o->clock_ns + o->clock_ppb * seconds(at, o->clock_at);
}

void oracle_steer(struct oracle *o, vt_span interval)
{
	o->clock_ns = oracle_shows(o, o->at);
	o->clock_at = o->at;
	o->clock_ppb = o->rate_ppb + (o->phase_ns - o->clock_ns) / vt_span_seconds(interval);
}
