/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "hostd/metrics.h"
#include "hostd/text.h"
#include "proto/fleet_text.h"

/* clang-format off */
static const struct {
	const char *path, *type;
} KINDS[API_KINDS] = {
	[API_METRICS] = { "/metrics",     "text/plain; version=0.0.4; charset=utf-8" },
	[API_GUESTS]  = { "/api/guests",  "application/json" },
	[API_HOST]    = { "/api/host",    "application/json" },
	[API_HISTORY] = { "/api/history", "application/json" },
};
/* clang-format on */

bool api_find(const char *path, enum api_kind *ret)
{
	for (unsigned k = 0; k < API_KINDS; k++)
		if (strcmp(path, KINDS[k].path) == 0) {
			*ret = k;
			return true;
		}
	return false;
}

const char *api_type(enum api_kind kind)
{
	return KINDS[kind].type;
}

static int metrics(const struct fleet *fleet, const struct fleet_report *report,
                   struct host_instant now, char **ret, size_t *ret_n)
{
	const struct process_usage process = process_look();
	struct text text = TEXT_INIT;

	metrics_write(report, fleet_counters(fleet), &process, now.real, &text);
	return text_take(&text, ret, ret_n);
}

/* --- history --- */

static void put_key(struct text *to, const char *before, const char *key)
{
	text_put(to, before);
	text_put(to, "\"");
	text_put(to, key);
	text_put(to, "\":");
}

static void put_text(struct text *to, const char *before, const char *key, const char *value)
{
	put_key(to, before, key);
	text_put(to, "\"");
	text_escaped(to, value);
	text_put(to, "\"");
}

static void put_int(struct text *to, const char *before, const char *key, int64_t value)
{
	put_key(to, before, key);
	text_int(to, value);
}

static void begin_history(struct text *to, vt_real now)
{
	text_put(to, "{");
	put_int(to, "", "v", 1);
	put_int(to, ",", "now_unix_ns", now.ns);
}

static void write_point(const struct fleet_point *p, struct text *to)
{
	put_int(to, "{", "at_unix_ns", p->at.ns);
	put_text(to, ",", "mark", fleet_mark_name(p->mark));
	if (p->mark == FLEET_MARK_DISRUPTED)
		put_text(to, ",", "reason", host_reason_name(p->reason));
	if (p->has_offset) {
		put_int(to, ",", "offset_ns", p->offset.ns);
		put_int(to, ",", "uncertainty_ns", p->uncertainty.ns);
	}
	text_put(to, "}");
}

static void write_guest(const struct fleet *fleet, const struct fleet_guest *g, vt_real now,
                        struct text *to)
{
	struct fleet_point points[FLEET_HISTORY_MAX];
	const size_t n = fleet_history(fleet, g->name, g->backend, points);

	begin_history(to, now);
	put_text(to, ",", "name", g->name);
	put_text(to, ",", "backend", g->backend);
	put_key(to, ",", "points");
	text_put(to, "[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			text_put(to, ",");
		write_point(&points[i], to);
	}
	text_put(to, "]}\n");
}

/* The points from @since on that have something for @key, as numbers between brackets. */
static void write_column(const struct fleet_point *points, size_t n, const char *key,
                         int64_t (*value)(const struct fleet_point *p), struct text *to)
{
	bool is_first = true;

	put_key(to, ",", key);
	text_put(to, "[");
	for (size_t i = 0; i < n; i++) {
		if (!points[i].has_offset)
			continue;
		if (!is_first)
			text_put(to, ",");
		text_int(to, value(&points[i]));
		is_first = false;
	}
	text_put(to, "]");
}

static int64_t at_ms(const struct fleet_point *p)
{
	return p->at.ns / 1000000;
}

static int64_t offset_us(const struct fleet_point *p)
{
	return p->offset.ns / 1000;
}

/* Rounded outwards: a band must not be drawn narrower than it is. */
static int64_t uncertainty_us(const struct fleet_point *p)
{
	return p->uncertainty.ns / 1000 + (p->uncertainty.ns % 1000 > 0);
}

static void write_marks(const struct fleet_point *points, size_t n, struct text *to)
{
	bool is_first = true;

	put_key(to, ",", "marks");
	text_put(to, "[");
	for (size_t i = 0; i < n; i++) {
		if (points[i].mark == FLEET_MARK_MEASURED)
			continue;
		text_put(to, is_first ? "[" : ",[");
		text_int(to, at_ms(&points[i]));
		text_put(to, ",\"");
		text_put(to, fleet_mark_name(points[i].mark));
		text_put(to, "\"]");
		is_first = false;
	}
	text_put(to, "]");
}

/* How many of the @n points are not later than @since. */
static size_t points_until(const struct fleet_point *points, size_t n, int64_t since)
{
	size_t i = 0;

	while (i < n && points[i].at.ns <= since)
		i++;
	return i;
}

/* What is new of each guest; one of whom nothing is new is left out. */
static void write_all(const struct fleet *fleet, const struct fleet_report *report, int64_t since,
                      vt_real now, struct text *to)
{
	struct fleet_point points[FLEET_HISTORY_MAX];
	const char *before = "";

	begin_history(to, now);
	put_key(to, ",", "guests");
	text_put(to, "[");
	for (unsigned g = 0; g < report->n; g++) {
		const struct fleet_guest *guest = &report->guests[g];
		const size_t n = fleet_history(fleet, guest->name, guest->backend, points);
		const size_t old = points_until(points, n, since);

		if (old == n)
			continue;
		text_put(to, before);
		put_text(to, "{", "name", guest->name);
		put_text(to, ",", "backend", guest->backend);
		write_column(points + old, n - old, "at_ms", at_ms, to);
		write_column(points + old, n - old, "offset_us", offset_us, to);
		write_column(points + old, n - old, "uncertainty_us", uncertainty_us, to);
		write_marks(points + old, n - old, to);
		text_put(to, "}");
		before = ",";
	}
	text_put(to, "]}\n");
}

static const struct fleet_guest *find_guest(const struct fleet_report *report,
                                            const struct api_query *query)
{
	for (unsigned i = 0; i < report->n; i++)
		if (strcmp(report->guests[i].name, query->guest) == 0 &&
		    (!query->backend || strcmp(report->guests[i].backend, query->backend) == 0))
			return &report->guests[i];
	return NULL;
}

static int history(const struct fleet *fleet, const struct fleet_report *report,
                   const struct api_query *query, vt_real now, char **ret, size_t *ret_n)
{
	const struct fleet_guest *guest = query->guest ? find_guest(report, query) : NULL;
	struct text text = TEXT_INIT;
	int64_t since = INT64_MIN;

	if (query->guest && !guest)
		return -ENOENT;
	if (query->since && !slice_to_int(slice_of(query->since), &since))
		return -EINVAL;
	if (guest)
		write_guest(fleet, guest, now, &text);
	else
		write_all(fleet, report, since, now, &text);
	return text_take(&text, ret, ret_n);
}

int api_answer(const struct fleet *fleet, const struct api_query *query, const char *host_name,
               struct host_instant now, char **ret, size_t *ret_n)
{
	struct fleet_report report;
	int r = fleet_report(fleet, now, &report);

	if (r)
		return r;
	switch (query->kind) {
	case API_METRICS: r = metrics(fleet, &report, now, ret, ret_n); break;
	case API_GUESTS:
	case API_HOST:
		r = fleet_text(&report, host_name, now.real, query->kind == API_GUESTS, ret, ret_n);
		break;
	case API_HISTORY: r = history(fleet, &report, query, now.real, ret, ret_n); break;
	case API_KINDS: break;
	}
	fleet_report_fini(&report);
	return r;
}
