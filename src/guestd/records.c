/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/records.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "guestd/daemon.h"
#include "guestd/report.h"
#include "os/files.h"

_Static_assert(RECORD_NAME_MAX > sizeof((struct refclock *)0)->name, "names fit");

/* What chrony reckons with before there is a source: half of its root delay, and its dispersion. */
#define ERROR_UNKNOWN VT_MS(1500)

/* Those of `log` that have lines here. */
#define FILES (SETTINGS_LOG_TRACKING | SETTINGS_LOG_STATISTICS | SETTINGS_LOG_REFCLOCKS)

static bool is_wanted(const struct daemon *d, enum record_kind kind)
{
	static const unsigned FLAGS[] = {
		[RECORD_TRACKING] = SETTINGS_LOG_TRACKING,
		[RECORD_STATISTICS] = SETTINGS_LOG_STATISTICS,
		[RECORD_REFCLOCKS] = SETTINGS_LOG_REFCLOCKS,
	};

	return (d->settings.logs & FLAGS[kind]) != 0 && d->settings.log_dir[0];
}

void records_init(struct records *r)
{
	*r = (struct records){ .updates = 0 };
	for (size_t i = 0; i < COUNT(r->files); i++)
		r->files[i].file = (struct record_file)RECORD_FILE_INIT;
}

void records_cycle(struct records *r)
{
	for (size_t i = 0; i < COUNT(r->files); i++) {
		record_file_close(&r->files[i].file);
		r->files[i].lines = 0;
	}
}

void records_fini(struct records *r)
{
	records_cycle(r);
}

void records_drop_sources(struct records *r)
{
	memset(r->sources, 0, sizeof r->sources);
}

/* Where it did not work it is told once, and so is that it works again. */
static void tell(const char *path, int r, int *told)
{
	if (r == *told)
		return;
	*told = r;
	if (r < 0)
		log_cope(r, "%s cannot be written: the clock goes on without these records", path);
	else
		log_info("%s can be written again", path);
}

static void append(struct daemon *d, enum record_kind kind, const char *line, size_t n)
{
	char path[SETTINGS_PATH_MAX + 32], banner[RECORD_BANNER_MAX];
	struct record_file *f = &d->records.files[kind].file;
	uint64_t *lines = &d->records.files[kind].lines;
	int every = d->settings.log_banner, r = 0;

	snprintf(path, sizeof path, "%s/%s", d->settings.log_dir, record_file_name(kind));
	if (every > 0 && *lines % (uint64_t)every == 0)
		r = record_file_append(f, path, banner, record_banner(kind, banner));
	if (r == 0)
		r = record_file_append(f, path, line, n);
	*lines += r == 0;
	tell(path, r, &d->records.files[kind].told);
}

static void copy_name(char to[RECORD_NAME_MAX], const struct refclock *clock)
{
	snprintf(to, RECORD_NAME_MAX, "%s", clock->name);
}

static void write_tracking(struct daemon *d, vt_mono now, vt_span offset)
{
	const struct discipline *c = &d->discipline;
	struct record_tracking line = { .offset = VT_NS(0) };
	struct report_tracking report;
	struct clock_pair pair;
	char text[RECORD_LINE_MAX];

	if (!is_wanted(d, RECORD_TRACKING) || d->clock.port.ops->read(&d->clock.port, &pair) < 0)
		return;
	report_tracking(d, now, &report);
	line.at = pair.local;
	line.stratum = report.stratum;
	line.frequency_ppm = report.frequency_ppm;
	line.skew_ppm = report.skew_ppm;
	line.root_delay = report.root_delay;
	line.root_dispersion = report.root_dispersion;
	line.max_error = ERROR_UNKNOWN;
	d->records.is_followed = report.leap == REPORT_LEAP_NORMAL;
	if (d->records.is_followed) {
		const struct source *s = &c->sources[c->selected];

		copy_name(line.name, &d->refclocks.list[c->selected]);
		line.at = s->latest.local;
		line.offset = vt_span_sub(d->records.remaining, offset);
		line.offset_sigma = estimator_uncertainty(&s->estimator, s->latest.raw);
		line.remaining = d->records.remaining;
		line.max_error = d->records.has_bound ? d->records.bound : ERROR_UNKNOWN;
	}
	if (d->records.is_started)
		append(d, RECORD_TRACKING, text, record_tracking_line(&line, text));
	else
		d->records.n_first = record_tracking_line(&line, d->records.first);
}

static void write_reading(struct daemon *d, unsigned i, bool is_filtered)
{
	const struct source *s = &d->discipline.sources[i];
	struct record_refclock line = {
		.at = s->latest.local,
		.is_filtered = is_filtered,
		.number = d->records.sources[i].number,
		.raw = vt_real_since(s->latest.remote, s->latest.local),
		.dispersion = is_filtered ? source_error(s) : s->latest.radius,
	};
	char text[RECORD_LINE_MAX];

	if (!is_wanted(d, RECORD_REFCLOCKS))
		return;
	copy_name(line.name, &d->refclocks.list[i]);
	line.offset = vt_span_sub(is_filtered ? s->latest_offset : line.raw, d->records.remaining);
	line.raw = vt_span_sub(line.raw, s->conf.offset);
	if (s->conf.is_tai)
		line.raw = vt_span_sub(line.raw, d->discipline.utc_minus_tai);
	append(d, RECORD_REFCLOCKS, text, record_refclock_line(&line, text));
}

/* What our clock gains on the source by, at the rate that it had until this reading. */
static vt_rate gain_on(const struct discipline *c, int i)
{
	vt_rate rate = estimator_rate(&c->sources[i].estimator);

	return (vt_rate){ i == c->selected ? -c->residual.ppb : c->tempo.base.ppb - rate.ppb };
}

static void write_statistics(struct daemon *d, unsigned i)
{
	const struct source *s = &d->discipline.sources[i];
	struct statistics_summary sum = statistics_summarize(&s->statistics);
	vt_rate rate = estimator_rate(&s->estimator), sigma = estimator_rate_sigma(&s->estimator);
	vt_rate old = d->records.sources[i].rate, old_sigma = d->records.sources[i].sigma;
	struct record_statistics line = {
		.at = s->latest.local,
		.deviation = sum.standard_deviation,
		.offset = vt_span_sub(d->records.remaining, s->latest_offset),
		.offset_sigma = estimator_uncertainty(&s->estimator, s->latest.raw),
		.frequency = gain_on(&d->discipline, (int)i).ppb / 1e9,
		.skew = sigma.ppb / 1e9,
		.stress = old_sigma.ppb > 0 ? fabs(rate.ppb - old.ppb) / old_sigma.ppb : 0,
		.samples = sum.samples,
		.runs = sum.runs,
	};
	char text[RECORD_LINE_MAX];

	d->records.sources[i].rate = rate;
	d->records.sources[i].sigma = sigma;
	if (!is_wanted(d, RECORD_STATISTICS))
		return;
	copy_name(line.name, &d->refclocks.list[i]);
	append(d, RECORD_STATISTICS, text, record_statistics_line(&line, text));
}

/* The lines of one source.  True where its interval of `poll` has come to its end. */
static bool write_source(struct daemon *d, unsigned i, vt_mono now)
{
	struct records *r = &d->records;
	const struct source *s = &d->discipline.sources[i];

	if (s->readings == r->sources[i].readings || d->refclocks.list[i].is_hidden)
		return false;
	if (r->sources[i].readings == 0)
		r->sources[i].due = vt_mono_add(now, poll_interval(s->conf.poll));
	r->sources[i].readings = s->readings;
	write_reading(d, i, false);
	r->sources[i].number++;
	if (now.ns < r->sources[i].due.ns)
		return false;
	r->sources[i].due = vt_mono_add(r->sources[i].due, poll_interval(s->conf.poll));
	if (r->sources[i].due.ns <= now.ns)
		r->sources[i].due = vt_mono_add(now, poll_interval(s->conf.poll));
	r->sources[i].number = 0;
	write_reading(d, i, true);
	write_statistics(d, i);
	return true;
}

/* `logchange`: an error that is slewed without a word; a step has its own line. */
static void tell_change(const struct daemon *d)
{
	const struct discipline *c = &d->discipline;
	vt_span news = vt_span_sub(c->last_offset, d->records.remaining);

	if (c->steps != d->records.steps || c->is_unstepped || vt_span_abs(news).ns <= d->settings.log_change.ns)
		return;
	log_warn("the clock is off by %+.6f s", vt_span_seconds(c->last_offset));
}

void records_before(struct daemon *d, vt_mono now)
{
	struct records *r = &d->records;

	r->remaining = VT_NS(0);
	(void)discipline_correction(&d->discipline, now, &r->remaining);
	r->has_bound = report_bound(d, now, &r->bound);
}

void records_after(struct daemon *d, vt_mono now)
{
	const struct discipline *c = &d->discipline;
	struct records *r = &d->records;
	bool is_updated = c->updates != r->updates, is_stepped = c->steps != r->steps;
	bool is_followed = discipline_state(c) == DISCIPLINE_OK && !c->is_left_away && !c->is_let_be;
	bool is_due = false;

	for (unsigned i = 0; i < d->refclocks.n && r->is_started; i++)
		is_due |= write_source(d, i, now) && (int)i == c->selected;
	if (is_updated)
		tell_change(d);
	if (is_updated && (is_due || is_stepped || r->is_followed != is_followed))
		write_tracking(d, now, c->last_offset);
	else if (!is_followed && r->is_followed)
		write_tracking(d, now, VT_NS(0));
	r->updates = c->updates;
	r->steps = c->steps;
}

/* Makes the folder and those above it that are missing; theirs is root. */
static int make_folder(const char *path, uid_t uid, gid_t gid)
{
	char part[SETTINGS_PATH_MAX];
	int r;

	for (const char *p = strchr(path + 1, '/'); p && p[1]; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
		r = folder_make(part, 0755, geteuid(), getegid());
		if (r < 0)
			return r;
	}
	return folder_make(path, 0755, uid, gid);
}

void records_make_folder(const struct daemon *d, uid_t uid, gid_t gid)
{
	int r = 0;

	if ((d->settings.logs & FILES) == 0 || d->options.mode != OPTIONS_RUN)
		return;
	if (d->settings.log_dir[0])
		r = make_folder(d->settings.log_dir, uid, gid);
	else
		log_warn("log: nothing is written, because no logdir says where to");
	if (r < 0)
		log_cope(r, "logdir %s cannot be made", d->settings.log_dir);
}

void records_start(struct daemon *d, vt_mono now)
{
	struct records *r = &d->records;

	r->is_started = true;
	if (r->n_first)
		append(d, RECORD_TRACKING, r->first, r->n_first);
	else if (!d->discipline.has_updated)
		write_tracking(d, now, VT_NS(0));
}
