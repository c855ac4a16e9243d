/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/guest_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "cli/words.h"
#include "proto/host_reason.h"

#define NAME_MIN 5
#define NAME_MAX 32

/* Its own word is not enough: one that is only watched may drift. */
static bool is_off(const struct fleet_guest *g, vt_span threshold)
{
	return g->has_offset &&
	       vt_span_sub(vt_span_abs(g->offset), g->uncertainty).ns > threshold.ns;
}

enum guest_concern guest_text_concern(const struct fleet_guest *g, vt_span threshold)
{
	switch (g->state) {
	case FLEET_FAILED: return GUEST_WRONG;
	case FLEET_FROZEN:
	case FLEET_DISRUPTED:
	case FLEET_MEASURING:
	case FLEET_SETTING: return GUEST_BUSY;
	case FLEET_WATCHING:
	case FLEET_VERIFIED: return is_off(g, threshold) ? GUEST_WRONG : GUEST_FINE;
	case FLEET_DISCOVERED:
	case FLEET_STOPPED: return GUEST_IDLE;
	case FLEET_STATES: break;
	}
	return GUEST_IDLE;
}

struct ranked {
	unsigned rank;
	struct fleet_guest guest;
};

static unsigned rank_of(const struct fleet_guest *g, vt_span threshold)
{
	static const unsigned RANKS[] = {
		[GUEST_WRONG] = 0, [GUEST_BUSY] = 1, [GUEST_FINE] = 2, [GUEST_IDLE] = 3,
	};

	return RANKS[guest_text_concern(g, threshold)];
}

static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = strcmp(x->guest.name, y->guest.name);

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return order ? order : strcmp(x->guest.backend, y->guest.backend);
}

void guest_text_sort(struct fleet_report *report)
{
	struct ranked *list = calloc(report->n ? report->n : 1, sizeof *list);

	if (!list)
		return; /* by name alone, as they came */
	for (unsigned i = 0; i < report->n; i++)
		list[i] = (struct ranked){ rank_of(&report->guests[i], report->host.threshold),
					   report->guests[i] };
	qsort(list, report->n, sizeof *list, compare);
	for (unsigned i = 0; i < report->n; i++)
		report->guests[i] = list[i].guest;
	free(list);
}

/* --- The host --- */

static void host_line(const struct fleet_host *h, char to[GUEST_LINE_MAX])
{
	char daemon[WORDS_SAFE_MAX], distance[WORDS_SPAN_MAX];

	words_safe(h->quality.daemon, daemon, sizeof daemon);
	if (!*h->quality.daemon)
		snprintf(to, GUEST_LINE_MAX, "Nobody keeps this host's own clock.");
	else if (!h->quality.is_synchronized)
		snprintf(to, GUEST_LINE_MAX, "This host's own clock is not synchronised (%.64s).", daemon);
	else if (!h->quality.has_root_distance)
		snprintf(to, GUEST_LINE_MAX, "This host's own clock is synchronised (%.64s).", daemon);
	else
		snprintf(to, GUEST_LINE_MAX, "This host's own clock is right within %s (%.64s).",
		         words_bound(distance, h->quality.root_distance), daemon);
}

/* "12 guests: 1 failed, 10 watching, 1 stopped." */
static void count_line(const struct fleet_report *r, char to[GUEST_LINE_MAX])
{
	unsigned counts[FLEET_STATES] = { 0 };
	const char *before = ": ";
	size_t used;

	for (unsigned i = 0; i < r->n; i++)
		counts[r->guests[i].state]++;
	used = (size_t)snprintf(to, GUEST_LINE_MAX, "%u guest%s", r->n, r->n == 1 ? "" : "s");
	for (unsigned s = FLEET_STATES; s-- > 0;) {
		if (!counts[s])
			continue;
		used += (size_t)snprintf(to + used, GUEST_LINE_MAX - used, "%s%u %s", before, counts[s],
		                         fleet_state_name((enum fleet_state)s));
		before = ", ";
	}
	snprintf(to + used, GUEST_LINE_MAX - used, ".");
}

/* --- A guest --- */

static void offset_cell(const struct fleet_guest *g, char *to, size_t size)
{
	char span[WORDS_SPAN_MAX], give[WORDS_SPAN_MAX];

	if (!g->has_offset) {
		snprintf(to, size, "not known");
		return;
	}
	/* An offset that the uncertainty hides has no direction. */
	if (vt_span_abs(g->offset).ns <= g->uncertainty.ns)
		snprintf(to, size, "right within %s",
		         words_bound(give, vt_span_add(vt_span_abs(g->offset), g->uncertainty)));
	else
		snprintf(to, size, "%s %s (+/- %s)", words_span(span, g->offset),
		         g->offset.ns > 0 ? "behind" : "ahead", words_bound(give, g->uncertainty));
}

static void last_cell(const struct fleet_disruption *d, vt_real now, char *to, size_t size)
{
	const char *reason = d->reason == HOST_REASON_NONE ? "unknown" : host_reason_name(d->reason);
	const vt_span age = vt_real_since(now, d->at);
	char text[WORDS_SPAN_MAX];

	if (!d->is_there)
		snprintf(to, size, "none");
	else if (age.ns < VT_SEC(1).ns)
		snprintf(to, size, "%s just now", reason);
	else
		snprintf(to, size, "%s %s ago", reason,
		         words_span(text, VT_NS(age.ns - age.ns % VT_SEC(1).ns)));
}

/* How long until the clock was right. */
static void right_cell(const struct fleet_disruption *d, char *to, size_t size)
{
	char took[WORDS_SPAN_MAX];

	if (!d->is_there)
		snprintf(to, size, "-");
	else if (d->end == FLEET_END_OPEN)
		snprintf(to, size, "not yet");
	else if (d->end == FLEET_END_FAILED || !d->has_took)
		snprintf(to, size, "%s", d->end == FLEET_END_FAILED ? "no" : "-");
	else
		snprintf(to, size, "%s", words_span(took, d->took));
}

static const char *agent_cell(const struct fleet_guest *g)
{
	if (!g->has_vmtimed || g->agent == FLEET_AGENT_VMTIMED)
		return fleet_agent_name(g->agent);
	return g->agent == FLEET_AGENT_QEMU_GA ? "qemu-ga, vmtimed" : "vmtimed";
}

#define ROW "%-*.*s  %-10s  %-34s  %-16s  %-24s  %-10s  %s"

static void guest_line(const struct fleet_guest *g, int width, vt_real now, char to[GUEST_LINE_MAX])
{
	char name[WORDS_SAFE_MAX], offset[128], last[96], right[WORDS_SPAN_MAX];
	char lost[WORDS_SPAN_MAX] = "-";

	words_safe(g->name, name, sizeof name);
	offset_cell(g, offset, sizeof offset);
	last_cell(&g->last, now, last, sizeof last);
	right_cell(&g->last, right, sizeof right);
	if (g->last.is_there && g->last.has_lost)
		words_span(lost, g->last.lost);
	snprintf(to, GUEST_LINE_MAX, ROW, width, width, name, fleet_state_name(g->state), offset,
	         agent_cell(g), last, lost, right);
}

static int name_width(const struct fleet_report *r)
{
	char safe[WORDS_SAFE_MAX];
	size_t longest = NAME_MIN;

	for (unsigned i = 0; i < r->n; i++) {
		size_t n = strlen(words_safe(r->guests[i].name, safe, sizeof safe));

		longest = n > longest ? n : longest;
	}
	return longest > NAME_MAX ? NAME_MAX : (int)longest;
}

/* --- All of them --- */

void guest_lines_begin(struct guest_lines *l, const struct fleet_report *report, vt_real now)
{
	*l = (struct guest_lines){ .report = report, .now = now, .name_width = name_width(report) };
}

/* What stands above the guests.  False: they begin here. */
static bool head_line(const struct guest_lines *l, char to[GUEST_LINE_MAX], enum guest_concern *ret)
{
	const struct fleet_host *h = &l->report->host;
	char alert[WORDS_SAFE_MAX];
	const unsigned after_alerts = 1 + h->n_alerts;

	if (l->at > after_alerts + 2 || (l->at > after_alerts && l->report->n == 0))
		return false;
	*ret = GUEST_TITLE;
	if (l->at == 0) {
		host_line(h, to);
		*ret = h->quality.is_synchronized ? GUEST_TITLE : GUEST_WRONG;
	} else if (l->at < after_alerts) {
		*ret = GUEST_WRONG;
		snprintf(to, GUEST_LINE_MAX, "%.500s",
		         words_safe(h->alerts[l->at - 1], alert, sizeof alert));
	} else if (l->at == after_alerts) {
		count_line(l->report, to);
	} else if (l->at == after_alerts + 1) {
		*to = '\0';
	} else {
		snprintf(to, GUEST_LINE_MAX, ROW, l->name_width, l->name_width, "Guest", "State",
		         "Clock", "Agent", "Last disruption", "Lost", "Right after");
	}
	return true;
}

bool guest_lines_next(struct guest_lines *l, char to[GUEST_LINE_MAX], enum guest_concern *ret)
{
	const struct fleet_guest *g;
	char note[WORDS_SAFE_MAX];

	if (head_line(l, to, ret)) {
		l->at++;
		return true;
	}
	if (l->is_noted) {
		l->is_noted = false;
		*ret = GUEST_ASIDE;
		snprintf(to, GUEST_LINE_MAX, "%*s  %.400s", l->name_width, "",
		         words_safe(l->report->guests[l->guest - 1].note, note, sizeof note));
		return true;
	}
	if (l->guest == l->report->n)
		return false;
	g = &l->report->guests[l->guest++];
	guest_line(g, l->name_width, l->now, to);
	*ret = guest_text_concern(g, l->report->host.threshold);
	l->is_noted = *g->note;
	return true;
}
