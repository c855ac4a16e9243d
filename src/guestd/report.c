/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/select.h"

/* Cut where it does not fit: these are for people. */
static void fill_name(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
}

/* The rate that the clock needs is the opposite of how fast it runs by itself. */
static double fast_ppm(vt_rate needed)
{
	return needed.ppb == 0 ? 0 : -needed.ppb / 1e3;
}

static enum report_selection selection_of(const struct daemon *d, int i)
{
	const struct discipline *c = &d->discipline;

	if (c->selected == i)
		return REPORT_SELECTED;
	if (c->sources[i].is_held)
		return REPORT_FALSETICKER;
	if (c->sources[i].trouble == TROUBLE_UNSTEADY)
		return REPORT_JITTERY;
	return source_is_usable(&c->sources[i]) ? REPORT_NOT_COMBINED : REPORT_UNUSABLE;
}

static void fill_sample(const struct source *s, const struct discipline *c, vt_mono now,
                        struct report_source *ret)
{
	struct clock_pair local = c->course.seen;
	vt_span elapsed = vt_mono_since(now, local.raw);
	vt_real shows = vt_real_add(vt_real_add(local.local, elapsed),
	                            vt_rate_over(c->course.steered, elapsed));

	ret->has_sample = s->has_reading;
	if (!s->has_reading)
		return;
	ret->since_sample = vt_span_max(vt_mono_since(now, s->latest.raw), VT_NS(0));
	ret->measured_offset = s->latest_offset;
	ret->adjusted_offset = s->latest_offset;
	if (s->estimator.is_started && c->course.is_known)
		ret->adjusted_offset = vt_real_since(estimator_remote_at(&s->estimator, now), shows);
	ret->error = source_error(s);
	ret->bracket = s->latest.radius;
	fill_name(ret->method, sizeof ret->method, ptp_method_name(s->latest.method));
}

static void fill_statistics(const struct source *s, const struct discipline *c,
                            struct report_source *ret)
{
	struct statistics_summary sum = statistics_summarize(&s->statistics);
	double residual = s->estimator.is_started ? estimator_rate(&s->estimator).ppb - c->tempo.base.ppb : 0;

	ret->samples = sum.samples;
	ret->runs = sum.runs;
	ret->span = sum.span;
	ret->frequency_ppm = fast_ppm((vt_rate){ residual });
	ret->frequency_skew_ppm = estimator_rate_sigma(&s->estimator).ppb / 1e3;
	ret->estimated_offset = sum.mean;
	ret->standard_deviation = sum.standard_deviation;
}

void report_source(const struct daemon *d, int i, vt_mono now, struct report_source *ret)
{
	const struct refclock *r = &d->refclocks.list[i];
	const struct source *s = &d->discipline.sources[i];

	*ret = (struct report_source){
		.refid = r->refid,
		.stratum = s->conf.stratum,
		.poll = s->conf.poll,
		.reading_interval = s->interval,
		.selection = selection_of(d, i),
		.is_host = r->is_automatic || strcmp(r->node.name, PTP_NAME_KVM) == 0,
		.reach = s->reach,
		.readings = s->readings,
		.failures = s->failures,
		.outliers = s->outliers,
	};
	fill_name(ret->name, sizeof ret->name, r->name);
	fill_name(ret->device, sizeof ret->device, r->device);
	fill_name(ret->clock_name, sizeof ret->clock_name, r->node.name);
	refclock_explain(r, s, ret->trouble, sizeof ret->trouble);
	fill_sample(s, &d->discipline, now, ret);
	fill_statistics(s, &d->discipline, ret);
}

int report_place_of(const struct daemon *d, unsigned nth)
{
	for (unsigned i = 0; i < d->refclocks.n; i++)
		if (!d->refclocks.list[i].is_hidden && nth-- == 0)
			return (int)i;
	return -1;
}

unsigned report_count_sources(const struct daemon *d)
{
	unsigned n = 0;

	while (report_place_of(d, n) >= 0)
		n++;
	return n;
}

static void fill_sources(const struct daemon *d, vt_mono now, struct report_sources *ret)
{
	ret->n = 0;
	for (unsigned i = 0; i < report_count_sources(d) && i < REPORT_SOURCES_MAX; i++)
		report_source(d, report_place_of(d, i), now, &ret->sources[ret->n++]);
}

/* A reading of this very wake-up is younger than the wake-up. */
static vt_mono not_before_reading(const struct daemon *d, vt_mono now)
{
	return now.ns < d->discipline.bound.taken.ns ? d->discipline.bound.taken : now;
}

bool report_bound(const struct daemon *d, vt_mono now, vt_span *ret)
{
	return !d->discipline.is_disrupted &&
	       bound_at(&d->discipline.bound, not_before_reading(d, now), ret) == BOUND_HOLDS;
}

void report_tracking(const struct daemon *d, vt_mono now, struct report_tracking *ret)
{
	const struct discipline *c = &d->discipline;
	vt_span correction = VT_NS(0), radius = VT_NS(0);

	now = not_before_reading(d, now);

	/* Before there is a source, what chronyd says too: its dispersion and delay could be anything. */
	*ret = (struct report_tracking){
		.leap = REPORT_LEAP_UNSYNCHRONISED,
		.root_delay = VT_SEC(1),
		.root_dispersion = VT_SEC(1),
	};
	ret->frequency_ppm = fast_ppm(c->tempo.base);
	if (c->selected == SELECT_NONE || !c->has_updated || c->is_disrupted || c->is_left_away ||
	    c->is_let_be || bound_at(&c->bound, now, &radius) != BOUND_HOLDS)
		return;

	const struct source *s = &c->sources[c->selected];

	(void)discipline_correction(c, now, &correction);
	fill_name(ret->name, sizeof ret->name, d->refclocks.list[c->selected].name);
	ret->refid = d->refclocks.list[c->selected].refid;
	ret->stratum = s->conf.stratum + 1;
	ret->ref_time = s->latest.remote;
	ret->system_offset = correction;
	ret->last_offset = c->last_offset;
	ret->rms_offset = vt_span_from_ns(c->rms_offset_ns);
	ret->residual_ppm = fast_ppm(c->residual);
	ret->skew_ppm = estimator_rate_sigma(&s->estimator).ppb / 1e3;
	ret->root_delay = vt_span_add(s->conf.delay, (vt_span){ 2 * s->latest.radius.ns });
	/* Against true time, as far as anybody knows how right the source itself is. */
	ret->root_dispersion = vt_span_add(radius, s->is_host ? c->host_error : VT_NS(0));
	ret->update_interval = c->update_interval;
	ret->leap = REPORT_LEAP_NORMAL;
}

/* Another process steers, or somebody sets the clock again and again. */
static bool is_contested(const struct daemon *d)
{
	return d->has_contender || d->discipline.is_left_away;
}

enum report_state report_state(const struct daemon *d)
{
	switch (discipline_state(&d->discipline)) {
	case DISCIPLINE_STARTING: return REPORT_STARTING;
	case DISCIPLINE_OK: return is_contested(d) ? REPORT_CONTESTED : REPORT_OK;
	case DISCIPLINE_HOLDOVER: return REPORT_HOLDOVER;
	case DISCIPLINE_DISRUPTED: return REPORT_DISRUPTED;
	}
	return REPORT_STARTING;
}

/* Why nothing is followed: the trouble of the first source that has one. */
void report_explain_sources(const struct daemon *d, char *to, size_t size)
{
	char text[REPORT_TEXT_MAX];

	if (d->refclocks.n == 0) {
		snprintf(to, size, "no source is configured, and the host's clock is switched off");
		return;
	}
	for (unsigned i = 0; i < d->refclocks.n; i++) {
		const struct refclock *r = &d->refclocks.list[i];

		if (r->is_hidden)
			continue;
		refclock_explain(r, &d->discipline.sources[i], text, sizeof text);
		if (*text) {
			snprintf(to, size, "%s: %.200s", *r->device ? r->name : "host's clock", text);
			return;
		}
	}
	snprintf(to, size, "no source may be followed: see noselect and require in the configuration");
}

static void explain_contest(const struct daemon *d, char *to, size_t size)
{
	if (d->has_contender)
		snprintf(to, size, "%s (pid %d) steers the clock too; end it: %.120s", d->contender.name,
		         (int)d->contender.pid, d->contender.hand_over);
	else
		snprintf(to, size, "somebody else set the clock twice within a minute: it is wrong, and is set "
		         "right again when the minute is over");
}

void report_reason(const struct daemon *d, enum report_state state, char *to, size_t size)
{
	switch (state) {
	case REPORT_STARTING:
	case REPORT_HOLDOVER:
		report_explain_sources(d, to, size);
		return;
	case REPORT_DISRUPTED:
		if (d->discipline.is_catching_up)
			snprintf(to, size, "a jump of %+.3f s is being slewed away, as `resume slew` wants it",
			         vt_span_seconds(d->discipline.caught_size));
		else
			snprintf(to, size,
			         "the source's time jumped; it is followed again when readings agree");
		return;
	case REPORT_CONTESTED:
		explain_contest(d, to, size);
		return;
	case REPORT_OK:
		*to = '\0';
		return;
	}
}

/* Asked, not reckoned: its maxerror grows by itself, and others may set its clock. */
static bool is_kernel_synchronized(const struct daemon *d)
{
	bool is_synchronized;

	return clock_linux_is_synchronized(&d->clock, &is_synchronized) == 0 && is_synchronized;
}

void report_make(const struct daemon *d, vt_mono now, struct report_status *ret)
{
	const struct discipline *c = &d->discipline;

	now = not_before_reading(d, now);
	*ret = (struct report_status){
		.state = report_state(d),
		.pid = (int)getpid(),
		.uptime = vt_mono_since(now, d->started),
		.is_observing = d->options.is_observing,
		.is_kernel_synchronized = is_kernel_synchronized(d),
		.has_state_age = true,
		.state_age = vt_mono_since(now, d->state_since),
		.steps = c->steps,
		.jumps = c->jumps,
	};
	report_reason(d, ret->state, ret->reason, sizeof ret->reason);
	fill_name(ret->version, sizeof ret->version, VMTIME_VERSION);
	fill_name(ret->user, sizeof ret->user, d->user_name);
	fill_name(ret->configuration, sizeof ret->configuration,
	          d->configuration ? d->configuration : "");
	fill_name(ret->clocksource, sizeof ret->clocksource, d->clocksource.name);
	if (d->has_contender)
		snprintf(ret->owner, sizeof ret->owner, "%s (pid %d)", d->contender.name,
		         (int)d->contender.pid);
	ret->has_bound = report_bound(d, now, &ret->bound);
	host_report(&d->host, &d->settings, now, ret);
	history_report_latest(&d->history, &ret->last_event);
	report_tracking(d, now, &ret->tracking);
	ret->senses = senses_report(&d->senses);
	fill_sources(d, now, &ret->sources);
}
