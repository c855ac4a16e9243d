/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest's sequence has to tell: counted, remembered, logged. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "hostd/fleet_inner.h"

/* clang-format off */
const vt_span FLEET_BUCKET_EDGES[FLEET_BUCKETS] = {
	{ 5000000 }, { 10000000 }, { 20000000 }, { 50000000 }, { 100000000 }, { 150000000 },
	{ 250000000 }, { 500000000 }, { 1000000000 }, { 2500000000 }, { 5000000000 },
	{ 10000000000 }, { 60000000000 }, { 3600000000000 },
};
/* clang-format on */

void fleet_histogram_add(struct fleet_histogram *h, vt_span value)
{
	unsigned i = 0;

	while (i < FLEET_BUCKETS && value.ns > FLEET_BUCKET_EDGES[i].ns)
		i++;
	h->counts[i]++;
	h->n++;
	h->sum = vt_span_add(h->sum, value);
}

static void remember(struct guest *g, const struct sequence_result *result, enum fleet_mark mark)
{
	const struct fleet_point point = {
		.at = result->at,
		.mark = mark,
		.reason = result->reason,
		.has_offset = result->kind == SEQUENCE_MEASURED,
		.offset = result->offset,
		.uncertainty = result->uncertainty,
	};

	history_add(&g->history, &point,
	            result->kind != SEQUENCE_MEASURED || result->is_disruption);
}

/* One line for each disruption, when it is over. */
static void log_end(const struct guest *g, const struct sequence_result *result)
{
	const struct fleet_disruption *last = &g->sequence.last;
	char name[GUEST_NAME_MAX * 4], lost[32] = "unknown";
	const char *reason = host_reason_name(last->reason);
	bool is_failed = result->end == FLEET_END_FAILED;

	if (last->has_lost)
		snprintf(lost, sizeof lost, "%.3f", vt_span_seconds(last->lost));
	log_at(is_failed ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	       "guest %s: end=%s reason=%s lost=%s after=%.3f%s%s",
	       log_quote(g->name, strlen(g->name), name, sizeof name), fleet_end_name(result->end),
	       reason[0] ? reason : "unknown", lost,
	       vt_span_seconds(result->after), g->sequence.note[0] ? ": " : "", g->sequence.note);
}

static void log_frozen(const struct guest *g)
{
	char name[GUEST_NAME_MAX * 4];

	log_info("guest %s: its filesystems are frozen: looked at after the thaw",
	         log_quote(g->name, strlen(g->name), name, sizeof name));
}

static void take_end(struct fleet *f, struct guest *g, const struct sequence_result *result)
{
	const struct fleet_disruption *last = &g->sequence.last;
	bool is_right = result->end != FLEET_END_FAILED;

	if (result->end == FLEET_END_OPEN) {
		f->counters.ends[FLEET_END_OPEN]++;
		return;
	}
	fleet_answer(f, g, result->end, is_right, "");
	if (!result->is_disruption || (result->is_again && !is_right))
		return;
	f->counters.ends[result->end]++;
	if (last->has_lost && !result->is_again)
		fleet_histogram_add(&f->counters.lost, vt_span_abs(last->lost));
	if (is_right)
		fleet_histogram_add(&f->counters.to_right, result->after);
	remember(g, result, is_right ? FLEET_MARK_RIGHT : FLEET_MARK_FAILED);
	log_end(g, result);
}

void fleet_take_result(struct fleet *f, struct guest *g, const struct sequence_result *result)
{
	struct fleet_counters *counters = &f->counters;

	switch (result->kind) {
	case SEQUENCE_STANDS:
		remember(g, result, FLEET_MARK_STOPPED);
		fleet_answer(f, g, FLEET_END_FAILED, false,
		             "it was stopped: it is looked at when it runs");
		break;
	case SEQUENCE_NOTICED:
		counters->disruptions[result->reason]++;
		remember(g, result, FLEET_MARK_DISRUPTED);
		break;
	case SEQUENCE_MEASURED:
		counters->measurements++;
		remember(g, result, FLEET_MARK_MEASURED);
		break;
	case SEQUENCE_DISCARDED: counters->discarded++; break;
	case SEQUENCE_NUDGED:
		counters->nudges++;
		remember(g, result, FLEET_MARK_NUDGED);
		break;
	case SEQUENCE_SENT:
		counters->sets++;
		fleet_histogram_add(&counters->to_set, result->after);
		remember(g, result, FLEET_MARK_SET);
		break;
	case SEQUENCE_FALSE_YES: counters->false_yes++; break;
	case SEQUENCE_FALSE_NO: counters->false_no++; break;
	case SEQUENCE_THAWS: log_frozen(g); break;
	case SEQUENCE_ENDED: take_end(f, g, result); break;
	}
}
