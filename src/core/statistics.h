/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_STATISTICS_H
#define CORE_STATISTICS_H

/*
 * statistics.h - the latest readings of a source, for people
 *
 * A window of how far each reading was from what was expected of it, and what
 * `sourcestats` shows of that: how many, how many runs of one sign, over what
 * time, how scattered.  Nothing here steers.
 */

#include "base/units.h"

#define STATISTICS_WINDOW 64

struct statistics {
	unsigned n, next;
	vt_mono at[STATISTICS_WINDOW];
	vt_span residuals[STATISTICS_WINDOW];
};

struct statistics_summary {
	unsigned samples, runs;
	vt_span span;               /* from the oldest to the newest        */
	vt_span mean;               /* of the residuals                     */
	vt_span standard_deviation; /* of the residuals; 0 below two        */
};

void statistics_init(struct statistics *s);
void statistics_add(struct statistics *s, vt_mono at, vt_span residual);
struct statistics_summary statistics_summarize(const struct statistics *s);

#endif
