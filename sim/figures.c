/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/figures.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"

#define SEEDS_MAX 64

const char *const FIGURE_NAMES[FIGURES + 1] = {
	[FIGURE_RMS] = "rms",
	[FIGURE_MAX] = "max",
	[FIGURE_READINGS] = "readings",
	[FIGURE_WAKEUPS] = "wakeups",
	[FIGURE_BOUND] = "bound",
	[FIGURE_VIOLATIONS] = "violations",
	[FIGURE_BLIND] = "blind",
	[FIGURE_BLINDNESS] = "blindness",
	[FIGURE_UNNOTICED] = "unnoticed",
	[FIGURE_UNCAUSED] = "uncaused",
	[FIGURE_DISRUPTIONS] = "told",
	[FIGURE_STEPS] = "steps",
	[FIGURE_REPAIR] = "repair",
	[FIGURE_TYPICAL] = "typical",
	[FIGURE_OVERSHOOT] = "overshoot",
	[FIGURE_BACK] = "back",
	[FIGURE_OPTIMUM] = "optimum",
	[FIGURE_RATIO] = "ratio",
};

static double ns_of(vt_span span)
{
	return (double)span.ns;
}

struct figures figures_of(const struct world *w)
{
	const struct world_tally *t = &w->tally;
	double s = fmax(vt_span_seconds(vt_mono_since(w->now, t->since)), 1e-9);
	double optimum = w->has_oracle && t->n ? sqrt(t->oracle_squares / (double)t->n) : 0;
	struct figures f = { {
		[FIGURE_RMS] = world_rms_ns(w),
		[FIGURE_MAX] = t->worst_ns,
		[FIGURE_READINGS] = (double)(w->sources[0].reads - t->reads) / s,
		[FIGURE_WAKEUPS] = (double)(w->dispatches - t->dispatches) / s,
		[FIGURE_BOUND] = world_median_bound_ns(w),
		[FIGURE_VIOLATIONS] = (double)w->violations + (w->is_sleepless ? 1 : 0),
		[FIGURE_BLIND] = w->blind_windows,
		[FIGURE_BLINDNESS] = ns_of(w->blind_longest),
		[FIGURE_UNNOTICED] = (double)w->unnoticed,
		[FIGURE_UNCAUSED] = (double)(w->uncaused + w->clock.steps - w->steps_told),
		[FIGURE_DISRUPTIONS] = w->kinds[EVENT_DISRUPTED],
		[FIGURE_STEPS] = w->clock.steps,
		[FIGURE_REPAIR] = ns_of(w->off_longest),
		[FIGURE_TYPICAL] = ns_of(w->off_longest),
		[FIGURE_OVERSHOOT] = w->overshoot_ns * 100 / fmax(fabs(w->offset_ns), 1),
		[FIGURE_BACK] = w->overshoot_reads,
		[FIGURE_OPTIMUM] = optimum,
		[FIGURE_RATIO] = optimum > 0 ? world_rms_ns(w) / optimum : 0,
	} };

	return f;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double sum_of(const double *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += values[i];
	return sum;
}

/* @values are sorted. */
static double combine(enum figure figure, const double *values, size_t n)
{
	switch (figure) {
	case FIGURE_VIOLATIONS:
	case FIGURE_UNNOTICED:
	case FIGURE_UNCAUSED:
	case FIGURE_BLIND: return sum_of(values, n);
	case FIGURE_BLINDNESS:
	case FIGURE_DISRUPTIONS:
	case FIGURE_STEPS:
	case FIGURE_REPAIR:
	case FIGURE_OVERSHOOT:
	case FIGURE_BACK: return values[n - 1];
	case FIGURE_RMS:
	case FIGURE_MAX:
	case FIGURE_READINGS:
	case FIGURE_WAKEUPS:
	case FIGURE_BOUND:
	case FIGURE_OPTIMUM:
	case FIGURE_RATIO:
	case FIGURE_TYPICAL:
	case FIGURES: break;
	}
	return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

struct figures figures_combine(const struct figures *each, size_t n)
{
	struct figures all;
	double values[SEEDS_MAX];

	assert(n > 0 && n <= SEEDS_MAX);
	for (int f = 0; f < FIGURES; f++) {
		for (size_t i = 0; i < n; i++)
			values[i] = each[i].value[f];
		qsort(values, n, sizeof *values, compare);
		all.value[f] = combine((enum figure)f, values, n);
	}
	return all;
}

static const struct {
	const char *suffix;
	double scale;
} UNITS[] = { { "", 1 },    { "ns", 1 },  { "us", 1e3 }, { "ms", 1e6 },
	      { "s", 1e9 }, { "min", 60e9 }, { "h", 3600e9 }, { "%", 1 } };

bool figure_read(struct slice s, double *ret)
{
	struct slice number = { s.p, 0 };
	double value;

	while (number.n < s.n &&
	       ((s.p[number.n] >= '0' && s.p[number.n] <= '9') || s.p[number.n] == '.'))
		number.n++;
	if (!slice_to_double(number, &value))
		return false;
	s = (struct slice){ s.p + number.n, s.n - number.n };
	for (size_t i = 0; i < COUNT(UNITS); i++)
		if (slice_equals(s, UNITS[i].suffix)) {
			*ret = value * UNITS[i].scale;
			return true;
		}
	return false;
}

static const char *format_ns(double ns, char *to, size_t size)
{
	static const char *const SUFFIXES[] = { "ns", "us", "ms", "s" };
	unsigned i = 0;

	for (; i < 3 && fabs(ns) >= 1000; i++)
		ns /= 1000;
	snprintf(to, size, "%.*f %s", fabs(ns) < 10 ? 2 : fabs(ns) < 100 ? 1 : 0, ns, SUFFIXES[i]);
	return to;
}

const char *figure_format(enum figure figure, double value, char *to, size_t size)
{
	switch (figure) {
	case FIGURE_RMS:
	case FIGURE_MAX:
	case FIGURE_BOUND:
	case FIGURE_BLINDNESS:
	case FIGURE_REPAIR:
	case FIGURE_TYPICAL:
	case FIGURE_OPTIMUM: return format_ns(value, to, size);
	case FIGURE_READINGS:
	case FIGURE_WAKEUPS:
	case FIGURE_RATIO: snprintf(to, size, "%.2f", value); return to;
	case FIGURE_OVERSHOOT: snprintf(to, size, "%.1f %%", value); return to;
	case FIGURE_VIOLATIONS:
	case FIGURE_BLIND:
	case FIGURE_UNNOTICED:
	case FIGURE_UNCAUSED:
	case FIGURE_DISRUPTIONS:
	case FIGURE_STEPS:
	case FIGURE_BACK:
	case FIGURES: break;
	}
	snprintf(to, size, "%.0f", value);
	return to;
}
