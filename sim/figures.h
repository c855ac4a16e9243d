/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_FIGURES_H
#define SIM_FIGURES_H

/*
 * figures.h - what came of a world, in numbers
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "sim/world.h"

enum figure {
	FIGURE_RMS,        /* ns, of the clock's error, in the measured part         */
	FIGURE_MAX,        /* ns                                                     */
	FIGURE_READINGS,   /* a second                                               */
	FIGURE_WAKEUPS,    /* a second                                               */
	FIGURE_BOUND,      /* ns, the median                                         */
	FIGURE_VIOLATIONS, /* in all of the world, start and all                     */
	FIGURE_BLIND,      /* blind windows                                          */
	FIGURE_BLINDNESS,  /* ns, the longest of them                                */
	FIGURE_UNNOTICED,  /* first readings after a jump that left the status at ok */
	FIGURE_UNCAUSED,   /* steps without a cause, or with a wrong one             */
	FIGURE_DISRUPTIONS, /* that were told                                        */
	FIGURE_STEPS,      /* of the clock                                           */
	FIGURE_REPAIR,     /* ns, the longest time that the clock was 1 ms off       */
	FIGURE_TYPICAL,    /* ns, the same, but the median of several worlds         */
	FIGURE_OVERSHOOT,  /* percent of the offset that it began with               */
	FIGURE_BACK,       /* readings until an overshoot was below 5 % again        */
	FIGURE_OPTIMUM,    /* ns RMS that the oracle reached; 0: not asked           */
	FIGURE_RATIO,      /* ours to that                                           */
	FIGURES,
};

struct figures {
	double value[FIGURES];
};

/* The names that a limit has in a scenario; ends with NULL. */
extern const char *const FIGURE_NAMES[FIGURES + 1];

struct figures figures_of(const struct world *w);

/* Of several worlds: the median, the sum of violations, the worst of what must never be. */
struct figures figures_combine(const struct figures *each, size_t n);

/* Reads "20ns", "1.3s", "2", "5%".  False, and *@ret untouched, for anything else. */
bool figure_read(struct slice s, double *ret);

/* Writes @value with a fitting unit.  Returns @to. */
const char *figure_format(enum figure figure, double value, char *to, size_t size);

#endif
