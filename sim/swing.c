/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/swing.h"

#include <math.h>

#define TURN 6.28318530717958647693

bool swing_is_still(const struct swing *s)
{
	return s->sine_ppb <= 0 && s->flicker_ppb <= 0;
}

void swing_move(struct swing *s, vt_mono now, const double gaussians[SWING_OCTAVES])
{
	double ppb = 0;

	if (s->sine_ppb > 0)
		ppb = s->sine_ppb * sin(TURN * fmod((double)now.ns, (double)s->period.ns) /
		                        (double)s->period.ns);
	for (int i = 0; s->flicker_ppb > 0 && i < SWING_OCTAVES; i++) {
		double keeps = exp(-vt_span_seconds(SWING_STEP) / pow(4, i));
		double fresh = s->flicker_ppb * sqrt((1 - keeps * keeps) / SWING_OCTAVES);

		s->parts[i] = keeps * s->parts[i] + fresh * gaussians[i];
		ppb += s->parts[i];
	}
	s->ppb = ppb;
	s->next = vt_mono_add(now, SWING_STEP);
}
