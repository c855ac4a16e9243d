/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

/*
 * scenario.h - a world as a text: what it is like, what happens in it, how good is good
 *
 * The grammar is that of vmtime.conf: a directive a line, comments, units behind
 * each quantity.  docs/simulator.md lists the directives; `vmtime-sim --reference`
 * prints the table that reads them.
 */

#include "base/attr.h"
#include "base/slice.h"
#include "conf/conf.h"
#include "core/discipline.h"
#include "sim/figures.h"
#include "sim/world.h"

#define SCENARIO_CHANGES 64
#define SCENARIO_INPUTS  16
#define SCENARIO_LIMITS  16

struct scenario_limit {
	enum figure figure;
	double most;
};

/* Something that happens again and again: each @every and up to @jitter more. */
struct scenario_series {
	vt_span every, jitter;
	vt_rate rate;      /* one standard deviation */
	vt_span least, most;
	vt_span shortest, longest;
};

struct scenario {
	vt_span duration, measure, look;
	unsigned seeds;

	vt_span offset;
	vt_rate crystal, walk, flicker, sine;
	vt_span sine_period;
	struct scenario_series steps, slews, steals;

	vt_span noise, width;
	unsigned spread, asymmetry, losses, outliers; /* percent but for the first */
	bool is_asymmetry_given;
	vt_span outlier;
	unsigned lateness; /* percent */
	vt_span latency;

	bool is_booting, is_makestep_given;
	vt_rate known, known_sigma, max_slew;
	vt_span makestep_threshold;
	int makestep_limit;
	struct source_conf source;
	bool has_second;      /* a source beside the first, which shows the same reference */
	vt_span second_width;
	struct source_conf second;

	enum step_resume resume;
	bool has_leap;       /* it is then midnight */
	vt_span leap_at;
	bool has_rtc;
	bool is_telling;     /* the kernel tells when somebody sets our clock */
	unsigned n_inputs;
	struct world_input inputs[SCENARIO_INPUTS];    /* `at` is counted from the beginning */
	unsigned n_changes, n_limits;
	struct world_change changes[SCENARIO_CHANGES]; /* so is theirs */
	struct scenario_limit limits[SCENARIO_LIMITS];
};

/* A quiet hour: nothing moves and nothing happens. */
void scenario_init(struct scenario *s);

/* Reads @text.  Returns 0, or -EINVAL with *@reterr; *@ret is written only on success. */
int scenario_read(const char *name, struct slice text, struct scenario *ret,
                  struct conf_error *reterr) must_check;

/* Makes *@w the world that the scenario tells of, with all that will happen, up to its first wake-up. */
void scenario_begin(const struct scenario *s, uint64_t seed, struct world *w);

/* Prints the directives as snprintf does. */
size_t scenario_reference(char *to, size_t size);

#endif
