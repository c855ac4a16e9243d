/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch/chart.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/watch/scale.h"

#define LABEL_COLUMNS 9  /* "+500 ms " and the axis                                  */
#define LABELLED_FROM 30 /* columns; narrower charts have no labels                  */
#define TICKS_MAX     40
#define HELD          3 /* stretches that a line goes on without a sample: late polls */

static const struct zoom {
	int64_t column_s;
	int label_columns; /* between two labels of the time axis */
} ZOOMS[CHART_ZOOMS] = {
	{ 1, 20 }, { 2, 15 }, { 5, 12 }, { 10, 18 }, { 30, 20 }, { 60, 20 }, { 300, 12 },
};

/* The area between the axes. */
struct plot {
	const struct chart *chart;
	const struct glyphs *glyphs;
	struct screen *to;
	struct scale scale;
	int left, top, columns, rows;
	int n; /* folds: columns * dots across */
	struct history_fold folds[SCREEN_COLUMNS_MAX * 2];
};

/* Rows of dots, from the top; lowest < highest is not meant: from <= to, or none. */
struct stroke {
	int from, to;
};

static const struct stroke NO_STROKE = { 1, 0 };

vt_span chart_column(unsigned zoom)
{
	assert(zoom < CHART_ZOOMS);
	return VT_SEC(ZOOMS[zoom].column_s);
}

static enum screen_style style_of(enum report_state state)
{
	switch (state) {
	case REPORT_OK: return STYLE_GOOD;
	case REPORT_STARTING:
	case REPORT_CONTESTED:
	case REPORT_DISRUPTED: return STYLE_WARN;
	case REPORT_HOLDOVER: return STYLE_BAD;
	}
	return STYLE_PLAIN;
}

static int dot_row(const struct plot *p, vt_span offset)
{
	const int last = p->rows * p->glyphs->down - 1;

	return (int)lround((1 - scale_height(&p->scale, offset)) / 2 * last);
}

static int cell_row(const struct plot *p, vt_span offset)
{
	return dot_row(p, offset) / p->glyphs->down;
}

static bool is_drawn(struct stroke s)
{
	return s.from <= s.to;
}

/* The line in stretch @i, reaching as far as the one before it so that it is one line. */
static struct stroke stroke_at(const struct plot *p, int i, struct stroke before)
{
	const struct history_fold *fold = &p->folds[i];
	struct stroke s;

	if (!fold->has_offset)
		return NO_STROKE;
	s = (struct stroke){ dot_row(p, fold->highest), dot_row(p, fold->lowest) };
	if (is_drawn(before) && before.to < s.from - 1)
		s.from = before.to + 1;
	if (is_drawn(before) && before.from > s.to + 1)
		s.to = before.from - 1;
	return s;
}

/* Where a poll came late its stretch is empty: there the line goes on as it was. */
static void bridge_gaps(struct plot *p)
{
	int held = HELD;

	for (int i = 1; i < p->n; i++) {
		struct history_fold *fold = &p->folds[i], *before = &p->folds[i - 1];

		if (fold->n > 0 || fold->is_silent) {
			held = 0;
		} else if (held++ < HELD && before->n > 0) {
			fold->n = before->n;
			fold->state = before->state;
			fold->has_bound = before->has_bound;
			fold->bound = before->bound;
			fold->has_offset = before->has_offset;
			fold->lowest = fold->highest = before->lowest;
		}
	}
}

static void add_dots(const struct plot *p, struct stroke s, int x, unsigned dots[SCREEN_ROWS_MAX])
{
	const int down = p->glyphs->down, across = p->glyphs->across;

	for (int y = s.from; y <= s.to; y++)
		dots[y / down] |= 1u << (y % down * across + x);
}

/* Half the height of the band in the column of stretch @i, in [0, 1]; below 0: none. */
static double band_at(const struct plot *p, int i)
{
	double height = -1;

	for (int x = 0; x < p->glyphs->across; x++)
		if (p->folds[i + x].has_bound)
			height = fmax(height, scale_height(&p->scale, p->folds[i + x].bound));
	return height;
}

static void draw_ground(struct plot *p, int column, bool is_marked)
{
	const double band = band_at(p, column * p->glyphs->across);
	const int zero = cell_row(p, VT_NS(0));

	for (int row = 0; row < p->rows; row++) {
		const double height = 1 - 2 * (row + 0.5) / p->rows;

		if (is_marked)
			screen_put(p->to, p->left + column, p->top + row, p->glyphs->dash,
			           STYLE_MARK);
		else if (fabs(height) <= band || (band >= 0 && row == zero))
			screen_put(p->to, p->left + column, p->top + row, p->glyphs->band,
			           STYLE_BAND);
		else if (row == zero)
			screen_put(p->to, p->left + column, p->top + row, p->glyphs->zero,
			           STYLE_FAINT);
	}
}

static void draw_dots(struct plot *p, int column, const unsigned dots[SCREEN_ROWS_MAX],
                      enum screen_style style)
{
	for (int row = 0; row < p->rows; row++)
		if (dots[row])
			screen_put(p->to, p->left + column, p->top + row,
			           glyphs_dots(p->chart->glyphs, dots[row]), style);
}

/* @before: the stroke of the stretch before the column's first; returns that of its last. */
static struct stroke draw_column(struct plot *p, int column, struct stroke before)
{
	const int first = column * p->glyphs->across;
	unsigned dots[SCREEN_ROWS_MAX] = { 0 }, away[SCREEN_ROWS_MAX] = { 0 };
	enum screen_style style = STYLE_PLAIN;
	bool is_marked = false;

	for (int x = 0; x < p->glyphs->across; x++) {
		const struct history_fold *fold = &p->folds[first + x];
		const int zero = dot_row(p, VT_NS(0)), peak = dot_row(p, fold->away);

		before = stroke_at(p, first + x, before);
		add_dots(p, before, x, dots);
		if (fold->is_away)
			add_dots(p,
			         (struct stroke){ peak < zero ? peak : zero,
			                          peak < zero ? zero : peak },
			         x, away);
		if (fold->has_offset && style_of(fold->state) > style)
			style = style_of(fold->state);
		is_marked |= fold->mark != NULL;
	}
	draw_ground(p, column, is_marked);
	draw_dots(p, column, dots, style);
	draw_dots(p, column, away, STYLE_BAD);
	if (is_marked)
		screen_put(p->to, p->left + column, p->top, p->glyphs->mark, STYLE_MARK);
	return before;
}

static void draw_label(struct plot *p, vt_span value, bool taken[SCREEN_ROWS_MAX])
{
	const int row = cell_row(p, value);
	char label[SCALE_LABEL_MAX];
	int width;

	/* A row apart, so that they can be told from each other. */
	if (taken[row] || (row > 0 && taken[row - 1]) || (row + 1 < p->rows && taken[row + 1]))
		return;
	taken[row] = true;
	width = (int)strlen(scale_label(label, value));
	screen_text(p->to, p->left - 2 - width, p->top + row, p->left - 1, STYLE_FAINT, label);
	screen_put(p->to, p->left - 1, p->top + row, p->glyphs->tick, STYLE_FAINT);
}

static void draw_labels(struct plot *p)
{
	vt_span ticks[TICKS_MAX];
	const size_t n = scale_ticks(&p->scale, ticks, TICKS_MAX);
	bool taken[SCREEN_ROWS_MAX] = { false };

	for (int row = 0; row < p->rows; row++)
		screen_put(p->to, p->left - 1, p->top + row, p->glyphs->axis, STYLE_FAINT);
	draw_label(p, VT_NS(0), taken);
	for (size_t i = 0; i < n; i++) {
		draw_label(p, ticks[i], taken);
		draw_label(p, VT_NS(-ticks[i].ns), taken);
	}
}

/* "-40 s", "-5 min", "-2 h" */
static void age_label(char to[SCALE_LABEL_MAX], int64_t s)
{
	if (s % 3600 == 0)
		snprintf(to, SCALE_LABEL_MAX, "-%d h", (int)(s / 3600));
	else if (s % 60 == 0)
		snprintf(to, SCALE_LABEL_MAX, "-%d min", (int)(s / 60));
	else
		snprintf(to, SCALE_LABEL_MAX, "-%d s", (int)s);
}

/* Ages and not times of day: they stay as they are while the line moves on. */
static void draw_time_axis(struct plot *p, bool has_labels)
{
	const struct zoom *zoom = &ZOOMS[p->chart->zoom];
	const int row = p->top + p->rows, last = p->columns - 1;

	if (has_labels)
		screen_put(p->to, p->left - 1, row, p->glyphs->corner, STYLE_FAINT);
	for (int column = 0; column <= last; column++)
		screen_put(p->to, p->left + column, row, p->glyphs->time_axis, STYLE_FAINT);
	for (int back = zoom->label_columns; back <= last; back += zoom->label_columns) {
		const int at = p->left + last - back;
		char label[SCALE_LABEL_MAX];

		age_label(label, back * zoom->column_s);
		screen_put(p->to, at, row, p->glyphs->time_tick, STYLE_FAINT);
		screen_text(p->to, at + 1, row, p->left + p->columns, STYLE_FAINT, label);
	}
	if (last >= 4)
		screen_text(p->to, p->left + last - 2, row, p->left + p->columns, STYLE_FAINT,
		            "now");
}

void chart_draw(const struct chart *c, const struct history *h, vt_mono now, struct screen *to)
{
	const bool has_labels = c->columns >= LABELLED_FROM, has_time = c->rows >= CHART_TIMED_FROM;
	const int across = glyphs_of(c->glyphs)->across;
	struct plot plot = {
		.chart = c,
		.glyphs = glyphs_of(c->glyphs),
		.to = to,
		.left = c->left + (has_labels ? LABEL_COLUMNS : 0),
		.top = c->top,
		.columns = c->columns - (has_labels ? LABEL_COLUMNS : 0),
		.rows = c->rows - has_time,
	};
	vt_span largest, typical;
	struct stroke stroke = NO_STROKE;

	if (c->columns < 1 || c->rows < 1)
		return;
	plot.n = plot.columns * across;
	history_fold(h, now, VT_NS(chart_column(c->zoom).ns / across), plot.folds, (size_t)plot.n);
	bridge_gaps(&plot);
	history_extent(plot.folds, (size_t)plot.n, &largest, &typical);
	plot.scale = scale_fit(largest, typical);
	for (int column = 0; column < plot.columns; column++)
		stroke = draw_column(&plot, column, stroke);
	if (has_labels)
		draw_labels(&plot);
	if (has_time)
		draw_time_axis(&plot, has_labels);
}
