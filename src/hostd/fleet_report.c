/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of the fleet. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/fleet_inner.h"

static const char *const MARKS[FLEET_MARKS] = {
	[FLEET_MARK_MEASURED] = "measured",   [FLEET_MARK_STOPPED] = "stopped",
	[FLEET_MARK_DISRUPTED] = "disrupted", [FLEET_MARK_SET] = "set",
	[FLEET_MARK_NUDGED] = "nudged",       [FLEET_MARK_RIGHT] = "right",
	[FLEET_MARK_FAILED] = "failed",
};

static const char *const VMTIMED_STATES[] = {
	[REPORT_STARTING] = "starting",   [REPORT_OK] = "ok",
	[REPORT_HOLDOVER] = "holdover",   [REPORT_DISRUPTED] = "disrupted",
	[REPORT_CONTESTED] = "contested",
};

static const enum fleet_agent AGENTS[] = {
	[AGENT_NONE] = FLEET_AGENT_NONE,
	[AGENT_UNKNOWN] = FLEET_AGENT_UNKNOWN,
	[AGENT_QEMU_GA] = FLEET_AGENT_QEMU_GA,
	[AGENT_VMTIMED] = FLEET_AGENT_VMTIMED,
};

const char *fleet_mark_name(enum fleet_mark mark)
{
	return MARKS[mark];
}

/* @who: whose trouble it is. */
static void alert(struct fleet_host *host, const char *who, const char *text)
{
	if (host->n_alerts < FLEET_ALERTS_MAX && text[0])
		snprintf(host->alerts[host->n_alerts++], REPORT_TEXT_MAX, "%.16s: %.230s", who, text);
}

/* One sentence with the names of the first of them. */
static void alert_of_failures(const struct fleet *f, struct fleet_host *host)
{
	char text[REPORT_TEXT_MAX];
	size_t used = 0;
	unsigned n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < f->roster.n; i++) {
		const struct guest *g = f->roster.by_name[i];

		if (!g->sequence.is_open || g->sequence.last.end != FLEET_END_FAILED)
			continue;
		if (++n <= 3)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%.48s",
			                         n > 1 ? ", " : "", g->name);
	}
	if (n > 3)
		snprintf(text + used, sizeof text - used, " and %u more", n - 3);
	if (n && host->n_alerts < FLEET_ALERTS_MAX)
		snprintf(host->alerts[host->n_alerts++], REPORT_TEXT_MAX,
		         "the clock could not be put right, or nobody can tell: %.180s", text);
}

void fleet_report_host(const struct fleet *f, struct host_instant now, struct fleet_host *ret)
{
	*ret = f->host;
	ret->quality = f->rules.quality;
	ret->uptime = vt_mono_since(now.mono, f->began.mono);
	ret->threshold = f->conf.threshold;
	for (unsigned i = 0; i < f->n_backends; i++)
		alert(ret, f->backends[i]->name, f->backends[i]->trouble);
	if (f->is_too_many)
		alert(ret, "guests", "there are more guests than are looked after");
	alert_of_failures(f, ret);
}

/* After so many intervals without a measurement nobody knows any more. */
#define KNOWN_INTERVALS 3
#define KNOWN_MORE      VT_SEC(10) /* for answers that take their time, where the interval is short */

/* What a measurement told is not believed for ever; one that began the disruption that lasts is. */
static bool is_known(const struct sequence *s, vt_mono now)
{
	vt_span limit = vt_span_add(VT_NS(s->rules->interval.ns * KNOWN_INTERVALS), KNOWN_MORE);

	if (s->is_open && s->measured.ns >= s->noticed.ns)
		return true;
	return vt_mono_since(now, s->measured).ns <= limit.ns;
}

static void report_guest(const struct fleet *f, const struct guest *g, vt_mono now,
                         struct fleet_guest *ret)
{
	const struct sequence *s = &g->sequence;

	snprintf(ret->name, sizeof ret->name, "%s", g->name);
	snprintf(ret->uuid, sizeof ret->uuid, "%s", g->uuid);
	snprintf(ret->backend, sizeof ret->backend, "%s", f->backends[g->backend]->name);
	ret->state = sequence_state(s);
	ret->is_running = s->step != SEQUENCE_STOPPED;
	ret->was_measured = s->has_offset;
	ret->has_offset = s->has_offset && is_known(s, now);
	ret->is_silent = s->is_silent && !ret->has_offset;
	if (s->has_offset) {
		ret->offset = s->offset;
		ret->uncertainty = s->uncertainty;
		ret->offset_age = vt_mono_since(now, s->measured);
	}
	ret->agent = AGENTS[s->agent];
	snprintf(ret->agent_version, sizeof ret->agent_version, "%s", s->version);
	ret->has_vmtimed = s->vmtimed == KNOWN_YES;
	if (s->has_vmtimed_state)
		snprintf(ret->vmtimed_state, sizeof ret->vmtimed_state, "%s",
		         VMTIMED_STATES[s->vmtimed_state]);
	ret->last = s->last;
	ret->disruptions = s->disruptions;
	ret->sets = s->sets;
	ret->nudges = s->nudges;
	ret->failures = s->failures;
	snprintf(ret->note, sizeof ret->note, "%s", s->note);
}

int fleet_report(const struct fleet *f, struct host_instant now, struct fleet_report *ret)
{
	struct fleet_guest *guests = calloc(f->roster.n + 1, sizeof *guests);

	if (!guests)
		return -ENOMEM;
	for (size_t i = 0; i < f->roster.n; i++)
		report_guest(f, f->roster.by_name[i], now.mono, &guests[i]);
	fleet_report_host(f, now, &ret->host);
	ret->n = (unsigned)f->roster.n;
	ret->guests = guests;
	return 0;
}

void fleet_report_fini(struct fleet_report *report)
{
	free(report->guests);
	report->guests = NULL;
	report->n = 0;
}

size_t fleet_history(const struct fleet *f, const char *name, const char *backend,
                     struct fleet_point points[FLEET_HISTORY_MAX])
{
	for (size_t i = roster_named(&f->roster, name); i < f->roster.n; i++) {
		const struct guest *g = f->roster.by_name[i];

		if (strcmp(g->name, name) != 0)
			break;
		if (strcmp(f->backends[g->backend]->name, backend) == 0)
			return history_read(&g->history, points);
	}
	return 0;
}
