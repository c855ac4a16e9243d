/* SPDX-License-Identifier: Apache-2.0 */
#include "core/statistics.h"

#include <math.h>
#include <stdbool.h>

void statistics_init(struct statistics *s)
{
	s->n = 0;
	s->next = 0;
}

void statistics_add(struct statistics *s, vt_mono at, vt_span residual)
{
	s->at[s->next] = at;
	s->residuals[s->next] = residual;
	s->next = (s->next + 1) % STATISTICS_WINDOW;
	if (s->n < STATISTICS_WINDOW)
		s->n++;
}

/* The @i-th oldest of the window. */
static unsigned place(const struct statistics *s, unsigned i)
{
	return (s->next + STATISTICS_WINDOW - s->n + i) % STATISTICS_WINDOW;
}

static double mean_of(const struct statistics *s)
{
	double sum = 0;

	for (unsigned i = 0; i < s->n; i++)
		sum += (double)s->residuals[place(s, i)].ns;
	return s->n ? sum / s->n : 0;
}

static double deviation_of(const struct statistics *s, double mean)
{
	double sum = 0;

	for (unsigned i = 0; i < s->n; i++)
		sum += pow((double)s->residuals[place(s, i)].ns - mean, 2);
	return s->n > 1 ? sqrt(sum / (s->n - 1)) : 0;
}

static unsigned runs_of(const struct statistics *s, double mean)
{
	unsigned runs = 0;
	bool was_above = false;

	for (unsigned i = 0; i < s->n; i++) {
		bool is_above = (double)s->residuals[place(s, i)].ns > mean;

		if (i == 0 || is_above != was_above)
			runs++;
		was_above = is_above;
	}
	return runs;
}

struct statistics_summary statistics_summarize(const struct statistics *s)
{
	double mean = mean_of(s);

	if (s->n == 0)
		return (struct statistics_summary){ 0 };
	return (struct statistics_summary){
		.samples = s->n,
		.runs = runs_of(s, mean),
		.span = vt_mono_since(s->at[place(s, s->n - 1)], s->at[place(s, 0)]),
		.mean = vt_span_from_ns(mean),
		.standard_deviation = vt_span_from_ns(deviation_of(s, mean)),
	};
}
