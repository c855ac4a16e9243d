/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

/*
 * oracle.h - what could be reached with the same readings
 *
 * A second clock beside core's, which takes part in nothing.  It gets the same
 * readings at the same instants, but its filter is told the world's true model:
 * the noise of the readings, how the rate walks, and for each step of the rate
 * when it happened and what it was drawn from, not what came of it.  So its
 * estimate is the best there is.  Its clock obeys the same rules as ours: it
 * changes its rate when a reading is there, keeps it until the next one, never
 * jumps and never overshoots, and removes the whole phase error until then.
 *
 * Without the rule about overshoot a third less could be had on a walk (aiming a third
 * too far pays, when the next error is independent), which no one wants of a clock.
 *
 * Phases are nanoseconds of the reference beyond CLOCK_MONOTONIC_RAW since the
 * first reading.
 */

#include <stdbool.h>

#include "base/units.h"

struct oracle {
	bool is_started;
	vt_mono at;                /* where the filter stands */
	double phase_ns, rate_ppb; /* its estimate there ...  */
	double var_phase, covariance, var_rate;
	double walk_ppb;           /* the truth, per root second */
	double noise_ns;           /* the truth                  */

	vt_mono clock_at; /* the clock, from the latest reading on */
	double clock_ns, clock_ppb;
};

void oracle_init(struct oracle *o, double walk_ppb, double noise_ns);

/* The rate is drawn anew at @at, from a normal distribution around @mean_ppb. */
void oracle_redraw(struct oracle *o, vt_mono at, double mean_ppb, double sigma_ppb);

/* A reading at @at: the reference is @advance_ns beyond CLOCK_MONOTONIC_RAW. */
void oracle_read(struct oracle *o, vt_mono at, double advance_ns);

/* The next reading follows in @interval. */
void oracle_steer(struct oracle *o, vt_span interval);

/* What its clock shows at @at, in the same terms. */
double oracle_shows(const struct oracle *o, vt_mono at);

#endif
