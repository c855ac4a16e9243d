/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCH_CHART_H
#define CLI_WATCH_CHART_H

/*
 * chart.h - the clock's error over time, as a line within its bound
 *
 * Up is behind: the clock must go forward.  The line is what vmtimed reckons the
 * error to be, the band is what it vouches for, and a mark stands where an event
 * was.  Where the daemon said nothing there is no line.
 */

#include "cli/watch/glyphs.h"
#include "cli/watch/history.h"
#include "cli/watch/screen.h"

/* One column of the chart stands for one of these. */
#define CHART_ZOOMS 7

/* A chart of fewer rows has no time axis, which takes one of them. */
#define CHART_TIMED_FROM 5

struct chart {
	int left, top, columns, rows; /* on the screen, the axes within */
	unsigned zoom;                /* below CHART_ZOOMS              */
	enum glyphs_kind glyphs;
};

/* How long a column is at @zoom. */
vt_span chart_column(unsigned zoom);

/* Draws @h up to @now; nothing outside of the chart. */
void chart_draw(const struct chart *c, const struct history *h, vt_mono now, struct screen *to);

#endif
