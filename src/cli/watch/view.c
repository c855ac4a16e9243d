/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch/view.h"

#include <stdio.h>
#include <string.h>

#include "cli/status.h"
#include "cli/words.h"

/* Rows of the screen; a part that has no room has no rows. */
struct layout {
	int sentence, chart, sources, events, keys;
	int n_sentence, n_chart, n_sources, n_events, n_keys;
	bool has_header; /* of the sources */
};

static int at_most(int n, int max)
{
	return n < max ? n : max;
}

/* A row being written from left to right. */
struct line {
	struct screen *to;
	int row, column, end;
};

static void say(struct line *l, enum screen_style style, const char *text)
{
	l->column = screen_text(l->to, l->column, l->row, l->end, style, text);
}

/* As much of it as fits into @width columns; a '>' where there is more. */
static void say_cut(struct line *l, enum screen_style style, const char *text, int width)
{
	const int end = at_most(l->column + width, l->end);
	const bool is_cut = (int)strlen(text) > end - l->column;

	l->column = screen_text(l->to, l->column, l->row, end, style, text);
	if (is_cut && width > 0)
		screen_put(l->to, end - 1, l->row, '>', style);
}

/* At @column, or a blank behind what stands there already. */
static void say_at(struct line *l, int column, enum screen_style style, const char *text)
{
	l->column = l->column < column ? column : l->column + 1;
	say(l, style, text);
}

static void say_glyph(struct line *l, enum screen_style style, uint32_t glyph)
{
	if (l->column < l->end)
		screen_put(l->to, l->column++, l->row, glyph, style);
}

static enum screen_style style_of(const struct report_status *status)
{
	switch (status->state) {
	case REPORT_OK: return status->is_observing ? STYLE_WARN : STYLE_GOOD;
	case REPORT_STARTING:
	case REPORT_CONTESTED:
	case REPORT_DISRUPTED: return STYLE_WARN;
	case REPORT_HOLDOVER: return STYLE_BAD;
	}
	return STYLE_PLAIN;
}

const char *view_offset(char *to, vt_span offset)
{
	char span[WORDS_SPAN_MAX];

	snprintf(to, WORDS_SPAN_MAX, "%c%.40s", offset.ns < 0 ? '-' : '+',
	         words_span(span, offset));
	return to;
}

/* The same, or nothing where not all of it has room. */
static void say_whole(struct line *l, enum screen_style style, const char *text)
{
	if (l->column + (int)strlen(text) <= l->end)
		say(l, style, text);
}

/* Takes @n rows off the bottom of what is left between *@from and *@to; returns the first. */
static int take_below(int *to, int n)
{
	*to -= n;
	return *to;
}

static struct layout lay_out(const struct view_model *m, int rows)
{
	const int n_sources = m->status.sources.n ? (int)m->status.sources.n : 1;
	struct layout l = { .has_header = rows >= 12 };
	int from = 1, to = rows, plot;

	if (rows >= 6) {
		l.sentence = from++;
		l.n_sentence = 1;
	}
	if (rows >= 10)
		l.keys = take_below(&to, l.n_keys = 1);
	if (rows >= 16)
		l.events = take_below(&to, l.n_events = at_most((rows - 11) / 5, 12));
	if (rows >= 5) {
		l.n_sources = at_most(n_sources, rows / 4) + l.has_header;
		l.sources = take_below(&to, l.n_sources);
	}
	if (rows >= 20)
		to--;
	l.n_chart = to - from;
	/* An odd number of rows has one in the middle, for zero. */
	plot = l.n_chart >= CHART_TIMED_FROM ? l.n_chart - 1 : l.n_chart;
	if (plot > 0 && plot % 2 == 0) {
		from++;
		l.n_chart--;
	}
	l.chart = from;
	return l;
}

static void say_for(struct line *l, vt_span span)
{
	char words[WORDS_SPAN_MAX];

	say(l, STYLE_PLAIN, " for ");
	say(l, STYLE_PLAIN, words_span(words, VT_SEC(span.ns / 1000000000)));
}

static void draw_state(struct line *l, const struct view_model *m, vt_mono now)
{
	const struct glyphs *glyphs = glyphs_of(m->glyphs);
	const enum screen_style style = style_of(&m->status);

	if (!m->is_answering) {
		const bool was_asked = m->trouble[0] != '\0';

		say_glyph(l, STYLE_BAD, was_asked ? glyphs->cross : '?');
		say(l, STYLE_BAD, was_asked ? " no answer" : " asking vmtimed");
		if (was_asked)
			say_for(l, vt_span_max(vt_mono_since(now, m->since), VT_NS(0)));
		return;
	}
	say_glyph(l, style, glyphs->bullet);
	say(l, style, " ");
	say(l, style, report_state_name(m->status.state));
	if (m->status.has_state_age)
		say_for(l, m->status.state_age);
}

static void draw_error(struct line *l, const struct view_model *m)
{
	const struct report_status *status = &m->status;
	char words[WORDS_SPAN_MAX], text[2 * WORDS_SPAN_MAX];

	if (!m->is_answering || status->tracking.refid == 0)
		return;
	snprintf(text, sizeof text, "   %s %s", words_span(words, status->tracking.system_offset),
	         status->tracking.system_offset.ns >= 0 ? "behind" : "ahead");
	say_whole(l, STYLE_TITLE, text);
	if (!status->has_bound)
		return;
	snprintf(text, sizeof text, "   at most %s", words_bound(words, status->bound));
	say_whole(l, STYLE_PLAIN, text);
}

/* "14:55:03 UTC", of words_time's; all of it where it does not look like that. */
static const char *time_of_day(const char *time)
{
	const size_t date = strlen("2026-11-23 ");

	return strlen(time) == date + strlen("14:55:03 UTC") ? time + date : time;
}

/* The time of day at the right edge, as much of it as leaves what stands there alone. */
static void draw_time(struct line *l, vt_real real)
{
	char words[WORDS_TIME_MAX];
	const char *shown = words_time(words, real);
	const int room = l->end - l->column - 2;

	if (room < (int)strlen(shown))
		shown = time_of_day(shown);
	if (room < (int)strlen(shown))
		return;
	screen_text(l->to, l->end - (int)strlen(shown), l->row, l->end, STYLE_FAINT, shown);
}

static void draw_sentence(struct line *l, const struct view_model *m)
{
	char text[VIEW_TROUBLE_MAX] = "", safe[WORDS_SAFE_MAX];
	FILE *out;

	if (!m->is_answering) {
		say(l, STYLE_PLAIN, m->trouble);
		return;
	}
	out = fmemopen(text, sizeof text, "w");
	if (out) {
		status_headline(out, &m->status);
		fclose(out);
	}
	say(l, STYLE_PLAIN, text);
	if (!m->status.reason[0])
		return;
	say(l, STYLE_PLAIN, "  ");
	say(l, STYLE_WARN, words_safe(m->status.reason, safe, sizeof safe));
}

/* clang-format off */
static const struct {
	enum screen_style style;
	char letter;
	const char *name;
} SELECTIONS[] = {
	[REPORT_SELECTED]     = { STYLE_GOOD,  '*', "followed"    },
	[REPORT_UNUSABLE]     = { STYLE_BAD,   '?', "unusable"    },
	[REPORT_FALSETICKER]  = { STYLE_BAD,   'x', "contradicts" },
	[REPORT_JITTERY]      = { STYLE_WARN,  '~', "restless"    },
	[REPORT_COMBINED]     = { STYLE_GOOD,  '+', "combined"    },
	[REPORT_NOT_COMBINED] = { STYLE_PLAIN, '-', "usable"      },
};

/* Where the columns of the table of sources begin. */
enum { AT_NAME = 2, AT_STATE = 12, AT_OFFSET = 25, AT_ERROR = 36, AT_REACH = 46, AT_EVERY = 53, AT_METHOD = 63 };
/* clang-format on */

static void draw_source_header(struct screen *to, int row)
{
	struct line l = { to, row, 0, to->columns };

	say_at(&l, AT_NAME, STYLE_FAINT, "Source");
	say_at(&l, AT_STATE, STYLE_FAINT, "State");
	say_at(&l, AT_OFFSET, STYLE_FAINT, "Offset");
	say_at(&l, AT_ERROR, STYLE_FAINT, "Error");
	say_at(&l, AT_REACH, STYLE_FAINT, "Reach");
	say_at(&l, AT_EVERY, STYLE_FAINT, "Every");
	say_at(&l, AT_METHOD, STYLE_FAINT, "Method");
}

static void draw_source(const struct report_source *s, bool is_old, struct screen *to, int row)
{
	const enum screen_style style = is_old ? STYLE_FAINT : STYLE_PLAIN;
	struct line l = { to, row, 0, to->columns };
	char safe[WORDS_SAFE_MAX], words[WORDS_SPAN_MAX], reach[16];

	say_glyph(&l, is_old ? style : SELECTIONS[s->selection].style,
	          (unsigned char)SELECTIONS[s->selection].letter);
	l.column = AT_NAME;
	say_cut(&l, style, words_safe(s->name, safe, sizeof safe), AT_STATE - AT_NAME - 1);
	say_at(&l, AT_STATE, style, SELECTIONS[s->selection].name);
	if (s->trouble[0]) {
		say_at(&l, AT_OFFSET, is_old ? style : STYLE_WARN,
		       words_safe(s->trouble, safe, sizeof safe));
		return;
	}
	say_at(&l, AT_OFFSET, style, s->has_sample ? view_offset(words, s->adjusted_offset) : "-");
	say_at(&l, AT_ERROR, style, s->has_sample ? words_bound(words, s->error) : "-");
	snprintf(reach, sizeof reach, "%03o", s->reach);
	say_at(&l, AT_REACH, style, reach);
	say_at(&l, AT_EVERY, style,
	       s->reading_interval.ns > 0 ? words_span(words, s->reading_interval) : "-");
	say_at(&l, AT_METHOD, style,
	       s->method[0] ? words_safe(s->method, safe, sizeof safe) : "not read");
}

static void draw_sources(const struct view_model *m, const struct layout *layout, struct screen *to)
{
	const struct report_sources *sources = &m->status.sources;
	const int header = layout->has_header, room = layout->n_sources - header;
	char more[32];

	if (layout->n_sources == 0)
		return;
	if (header)
		draw_source_header(to, layout->sources);
	if (m->has_status && sources->n == 0)
		screen_text(to, 0, layout->sources + header, to->columns, STYLE_WARN, "no sources");
	for (int i = 0; i < room && i < (int)sources->n; i++)
		draw_source(&sources->sources[i], !m->is_answering, to,
		            layout->sources + header + i);
	if ((int)sources->n <= room)
		return;
	snprintf(more, sizeof more, " and %d more", (int)sources->n - room);
	screen_text(to, to->columns - (int)strlen(more), layout->sources + layout->n_sources - 1,
	            to->columns, STYLE_FAINT, more);
}

/* How the clock was off, and for how long. */
static void say_event(struct line *l, const struct report_event *e)
{
	char words[WORDS_SPAN_MAX];

	if (e->size.ns == 0) {
		say(l, STYLE_TITLE, e->is_repaired ? "nothing lost" : "being measured");
		return;
	}
	say(l, STYLE_TITLE, words_span(words, e->size));
	say(l, STYLE_PLAIN, e->size.ns > 0 ? " behind" : " ahead");
	if (e->is_repaired) {
		say(l, STYLE_PLAIN, " for at most ");
		say(l, STYLE_PLAIN, words_bound(words, e->wrong_for));
	} else {
		say(l, STYLE_BAD, ", not repaired yet");
	}
}

static void draw_event(const struct view_model *m, const struct report_event *e, struct screen *to,
                       int row)
{
	const vt_real at = e->is_repaired ? e->at : e->noticed;
	struct line l = { to, row, 0, to->columns };
	char safe[WORDS_SAFE_MAX], words[WORDS_TIME_MAX], time[16];

	say_glyph(&l, STYLE_MARK, glyphs_of(m->glyphs)->mark);
	snprintf(time, sizeof time, "%.8s", time_of_day(words_time(words, at)));
	say_at(&l, 2, STYLE_FAINT, time);
	l.column = 12;
	say_event(&l, e);
	say(&l, STYLE_PLAIN, ": ");
	say(&l, STYLE_PLAIN, words_safe(e->cause, safe, sizeof safe));
}

static void draw_events(const struct view_model *m, const struct layout *layout, struct screen *to)
{
	const struct history *h = &m->history;

	if (layout->n_events > 0 && h->n_marks == 0)
		screen_text(to, 2, layout->events, to->columns, STYLE_FAINT, "no events yet");
	for (int i = 0; i < layout->n_events && i < (int)h->n_marks; i++)
		draw_event(m, &h->marks[h->n_marks - 1 - (size_t)i].event, to, layout->events + i);
}

static void draw_keys(const struct view_model *m, int row, struct screen *to)
{
	const struct glyphs *glyphs = glyphs_of(m->glyphs);
	struct line l = { to, row, 0, to->columns };

	say_whole(&l, STYLE_FAINT, "q quit   + - time   ");
	say_whole(&l, STYLE_FAINT, "up: behind   ");
	if (l.column + 30 > l.end)
		return;
	say_glyph(&l, STYLE_BAND, glyphs->band);
	say(&l, STYLE_FAINT, " off at most   ");
	say_glyph(&l, STYLE_MARK, glyphs->mark);
	say(&l, STYLE_FAINT, " event");
}

void view_init(struct view_model *m, enum glyphs_kind glyphs, vt_mono now)
{
	m->has_status = false;
	m->status = (struct report_status){ .state = REPORT_STARTING };
	m->is_answering = false;
	m->trouble[0] = '\0';
	m->since = now;
	history_init(&m->history);
	m->zoom = 0;
	m->glyphs = glyphs;
}

void view_draw(const struct view_model *m, vt_mono now, vt_real real, struct screen *to)
{
	const struct layout layout = lay_out(m, to->rows);
	const struct chart chart = {
		.top = layout.chart,
		.columns = to->columns,
		.rows = layout.n_chart,
		.zoom = m->zoom,
		.glyphs = m->glyphs,
	};
	struct line head = { to, 0, 0, to->columns };
	struct line sentence = { to, layout.sentence, 0, to->columns };

	screen_clear(to);
	draw_state(&head, m, now);
	draw_error(&head, m);
	draw_time(&head, real);
	if (layout.n_sentence)
		draw_sentence(&sentence, m);
	chart_draw(&chart, &m->history, now, to);
	draw_sources(m, &layout, to);
	draw_events(m, &layout, to);
	if (layout.n_keys)
		draw_keys(m, layout.keys, to);
}
