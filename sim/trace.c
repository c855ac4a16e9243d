/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/trace.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define WIDTH   1000
#define HEIGHT  400
#define LEFT    80
#define TOP     40
#define BOTTOM  30
#define DECADES 12 /* of the picture's logarithmic axis, from 1 ns up */

void trace_fini(struct trace *t)
{
	free(t->looks);
	*t = TRACE_INIT;
}

void trace_look(void *context, const struct world_look *look)
{
	struct trace *t = context;

	if (t->n == t->room) {
		size_t room = t->room ? t->room * 2 : 4096;
		struct world_look *looks = realloc(t->looks, room * sizeof *looks);

		if (!looks) {
			t->error = ENOMEM;
			return;
		}
		t->looks = looks;
		t->room = room;
	}
	t->looks[t->n++] = *look;
}

static double time_of(const struct world_look *look)
{
	return vt_span_seconds((vt_span){ look->at.ns - WORLD_WAKES_NS });
}

static const char *state_of(const struct world_look *look)
{
	switch (look->state) {
	case DISCIPLINE_STARTING: return "starting";
	case DISCIPLINE_OK: return "ok";
	case DISCIPLINE_HOLDOVER: return "holdover";
	case DISCIPLINE_DISRUPTED: return "disrupted";
	}
	return "";
}

static int result_of(const struct trace *t, FILE *to)
{
	if (t->error)
		return -t->error;
	return fflush(to) != 0 || ferror(to) ? -EIO : 0;
}

int trace_csv(const struct trace *t, FILE *to)
{
	fputs("time_s,error_ns,bound_ns,rate_error_ppb,state,blind\n", to);
	for (size_t i = 0; i < t->n; i++) {
		const struct world_look *l = &t->looks[i];

		fprintf(to, "%.6f,%.3f,", time_of(l), l->error_ns);
		if (l->bound_ns >= 0)
			fprintf(to, "%.0f", l->bound_ns);
		fprintf(to, ",%.4f,%s,%d\n", l->rate_ppb, state_of(l), l->is_blind);
	}
	return result_of(t, to);
}

/* Where |@ns| stands in the picture: 1 ns and less at the bottom, a decade higher each time. */
static double height_of(double ns)
{
	double decade = fmin(log10(fmax(fabs(ns), 1)), DECADES);

	return TOP + HEIGHT * (1 - decade / DECADES);
}

static void draw_axis(FILE *to, double duration)
{
	static const char *const NAMES[] = { "1 ns", "1 us", "1 ms", "1 s", "1000 s" };

	for (int i = 0; i < 5; i++) {
		double y = height_of(pow(1000, i));

		fprintf(to,
		        "<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' stroke='#ddd'/>"
		        "<text x='%d' y='%.1f' text-anchor='end'>%s</text>\n",
		        LEFT, y, LEFT + WIDTH, y, LEFT - 6, y + 4, NAMES[i]);
	}
	fprintf(to, "<text x='%d' y='%d'>0 s</text><text x='%d' y='%d' text-anchor='end'>%.0f s</text>\n",
	        LEFT, TOP + HEIGHT + 18, LEFT + WIDTH, TOP + HEIGHT + 18, duration);
}

/* One line over the picture: the worst of each column. */
static void draw_line(const struct trace *t, double duration, bool is_bound, FILE *to)
{
	size_t i = 0;

	fprintf(to, "<polyline fill='none' stroke='%s' points='", is_bound ? "#e08000" : "#0050c0");
	for (int x = 0; x < WIDTH; x++) {
		double end = duration * (x + 1) / WIDTH, worst = -1;

		for (; i < t->n && time_of(&t->looks[i]) <= end; i++) {
			const struct world_look *l = &t->looks[i];

			worst = fmax(worst, is_bound ? l->bound_ns : fabs(l->error_ns));
		}
		if (worst >= 0)
			fprintf(to, "%d,%.1f ", LEFT + x, height_of(worst));
	}
	fputs("'/>\n", to);
}

int trace_svg(const struct trace *t, const char *title, FILE *to)
{
	double duration = t->n ? time_of(&t->looks[t->n - 1]) : 1;

	fprintf(to,
	        "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
	        "font-family='sans-serif' font-size='12'>\n"
	        "<rect width='100%%' height='100%%' fill='white'/>\n"
	        "<text x='%d' y='20'>%s: error (blue) and published bound (orange), the largest of "
	        "each column</text>\n",
	        LEFT + WIDTH + 20, TOP + HEIGHT + BOTTOM, LEFT, title);
	draw_axis(to, duration);
	draw_line(t, duration, true, to);
	draw_line(t, duration, false, to);
	fputs("</svg>\n", to);
	return result_of(t, to);
}
