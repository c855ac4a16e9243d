/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/metrics.h"

#include <stdlib.h>
#include <string.h>

/* A guest's value for one metric.  False, and nothing written: it has none. */
typedef bool guest_value(const struct fleet_guest *g, vt_real now, struct text *to);

/* Labels that a metric of a guest has besides the guest's own. */
typedef void guest_labels(const struct fleet_guest *g, struct text *to);

static bool put(struct text *to, int64_t value)
{
	text_int(to, value);
	return true;
}

static bool put_seconds_if(struct text *to, bool has, vt_span span)
{
	if (has)
		text_seconds(to, span);
	return has;
}

static bool put_count(struct text *to, uint64_t count)
{
	return put(to, count > INT64_MAX ? INT64_MAX : (int64_t)count);
}

static bool one(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)g;
	(void)now;
	return put(to, 1);
}

static bool offset(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put_seconds_if(to, g->has_offset, g->offset);
}

static bool uncertainty(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put_seconds_if(to, g->has_offset, g->uncertainty);
}

static bool measured(const struct fleet_guest *g, vt_real now, struct text *to)
{
	return put_seconds_if(to, g->was_measured, VT_NS(vt_sat_sub(now.ns, g->offset_age.ns)));
}

static bool running(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put(to, g->is_running);
}

/* Whether nothing is left to be done: neither a disruption that is still open nor one given up. */
static bool repaired(const struct fleet_guest *g, vt_real now, struct text *to)
{
	const bool is_open = g->last.is_there &&
	                     (g->last.end == FLEET_END_OPEN || g->last.end == FLEET_END_FAILED);

	(void)now;
	return put(to, !is_open && g->state != FLEET_FAILED);
}

static bool agent_up(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put(to, (g->agent != FLEET_AGENT_NONE && !g->is_silent) || g->has_vmtimed);
}

static bool vmtimed_up(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put(to, g->has_vmtimed);
}

static bool disrupted_at(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put_seconds_if(to, g->last.is_there, VT_NS(g->last.at.ns));
}

static bool stopped_for(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put_seconds_if(to, g->last.is_there && g->last.has_stopped, g->last.stopped);
}

static bool lost(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put_seconds_if(to, g->last.is_there && g->last.has_lost, g->last.lost);
}

static bool took(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put_seconds_if(to, g->last.is_there && g->last.has_took, g->last.took);
}

static bool disruptions(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put_count(to, g->disruptions);
}

static bool sets(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put_count(to, g->sets);
}

static bool nudges(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put_count(to, g->nudges);
}

static bool failures(const struct fleet_guest *g, vt_real now, struct text *to)
{
	(void)now;
	return put_count(to, g->failures);
}

static void put_label(struct text *to, const char *name, const char *value)
{
	text_put(to, ",");
	text_put(to, name);
	text_put(to, "=\"");
	text_escaped(to, value);
	text_put(to, "\"");
}

static void state_label(const struct fleet_guest *g, struct text *to)
{
	put_label(to, "state", fleet_state_name(g->state));
}

static void agent_label(const struct fleet_guest *g, struct text *to)
{
	put_label(to, "agent", fleet_agent_name(g->agent));
	put_label(to, "version", g->agent_version);
}

#define GAUGE   "gauge"
#define COUNTER "counter"

/* clang-format off */
static const struct guest_metric {
	const char *name, *type;
	guest_value *value;
	guest_labels *labels; /* NULL: none */
	const char *help;
} GUEST_METRICS[] = {
	{ "offset_seconds", GAUGE, offset, NULL,
	  "How far the guest's clock is behind the host's at the latest measurement; negative: ahead." },
	{ "uncertainty_seconds", GAUGE, uncertainty, NULL,
	  "The offset is known to plus or minus this." },
	{ "measurement_timestamp_seconds", GAUGE, measured, NULL,
	  "When the offset was measured last, by the host's clock." },
	{ "state", GAUGE, one, state_label,
	  "1 for the state that the guest is in." },
	{ "running", GAUGE, running, NULL,
	  "1 while the guest's CPUs run." },
	{ "repaired", GAUGE, repaired, NULL,
	  "1 if no disruption of the guest's clock is left to be repaired." },
	{ "agent_up", GAUGE, agent_up, NULL,
	  "1 if somebody in the guest can be asked for the time: a guest agent or vmtimed." },
	{ "agent_info", GAUGE, one, agent_label,
	  "Who answers on the guest agent's port." },
	{ "vmtimed_up", GAUGE, vmtimed_up, NULL,
	  "1 if vmtimed in the guest answers." },
	{ "last_disruption_timestamp_seconds", GAUGE, disrupted_at, NULL,
	  "When the latest disruption was noticed, by the host's clock." },
	{ "last_stopped_seconds", GAUGE, stopped_for, NULL,
	  "For how long the guest stood still in the latest disruption." },
	{ "last_lost_seconds", GAUGE, lost, NULL,
	  "How far the guest's clock was behind when first measured after the latest disruption." },
	{ "last_recovery_seconds", GAUGE, took, NULL,
	  "From noticing the latest disruption until the guest's clock was known to be right." },
	{ "disruptions_total", COUNTER, disruptions, NULL,
	  "Pauses, restores, migrations and the like of the guest." },
	{ "sets_total", COUNTER, sets, NULL,
	  "How often the guest's clock was set through its agent." },
	{ "nudges_total", COUNTER, nudges, NULL,
	  "How often vmtimed in the guest was told to look at its clock." },
	{ "failures_total", COUNTER, failures, NULL,
	  "How often the guest's clock could not be put right." },
};
/* clang-format on */

static void describe(struct text *to, const char *prefix, const char *name, const char *type,
                     const char *help)
{
	const char *const parts[] = { "# HELP ", prefix, name, " ",  help, "\n# TYPE ",
		                      prefix,    name,   " ",  type, "\n" };

	for (size_t i = 0; i < COUNT(parts); i++)
		text_put(to, parts[i]);
}

/* Where each guest's labels begin in one text; they are written once and used for each metric. */
struct label_index {
	struct text text;
	size_t *begin; /* n + 1 of them; equal neighbours: this guest is left out */
};

/* Two guests of one name behind one back end would be one series twice, which is none at all. */
static bool is_twin(const struct fleet_guest *a, const struct fleet_guest *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->backend, b->backend) == 0;
}

static void index_labels(const struct fleet_report *report, struct label_index *ret)
{
	const struct fleet_guest *g = report->guests;

	for (unsigned i = 0; i < report->n; i++, g++) {
		ret->begin[i] = ret->text.n;
		if (i > 0 && is_twin(g - 1, g))
			continue;
		text_put(&ret->text, "{guest=\"");
		text_escaped(&ret->text, g->name);
		text_put(&ret->text, "\"");
		put_label(&ret->text, "backend", g->backend);
	}
	ret->begin[report->n] = ret->text.n;
}

static void write_guest(const struct guest_metric *m, const struct fleet_guest *g, vt_real now,
                        const char *labels, size_t n, struct text *to)
{
	const size_t before = to->n;

	text_put(to, "vmtime_guest_");
	text_put(to, m->name);
	text_add(to, labels, n);
	if (m->labels)
		m->labels(g, to);
	text_put(to, "} ");
	if (m->value(g, now, to))
		text_put(to, "\n");
	else
		to->n = before;
}

static void write_guests(const struct fleet_report *report, vt_real now, struct text *to)
{
	struct label_index labels = { .text = TEXT_INIT,
		                      .begin = calloc(report->n + 1, sizeof(size_t)) };

	if (labels.begin)
		index_labels(report, &labels);
	if (!labels.begin || labels.text.is_broken) {
		to->is_broken = true;
		goto out;
	}
	for (const struct guest_metric *m = GUEST_METRICS; m < GUEST_METRICS + COUNT(GUEST_METRICS);
	     m++) {
		describe(to, "vmtime_guest_", m->name, m->type, m->help);
		for (unsigned i = 0; i < report->n; i++)
			if (labels.begin[i] < labels.begin[i + 1])
				write_guest(m, &report->guests[i], now,
				            labels.text.p + labels.begin[i],
				            labels.begin[i + 1] - labels.begin[i], to);
	}
out:
	free(labels.begin);
	free(labels.text.p);
}

/* --- the host --- */

static void write_number(struct text *to, const char *name, const char *type, const char *help,
                         int64_t value)
{
	describe(to, "", name, type, help);
	text_put(to, name);
	text_put(to, " ");
	text_int(to, value);
	text_put(to, "\n");
}

static void write_span(struct text *to, const char *name, const char *type, const char *help,
                       vt_span span)
{
	describe(to, "", name, type, help);
	text_put(to, name);
	text_put(to, " ");
	text_seconds(to, span);
	text_put(to, "\n");
}

/* NAME{LABEL="WORD"} VALUE, of a metric that was described. */
static void write_word(struct text *to, const char *name, const char *label, const char *word,
                       int64_t value)
{
	text_put(to, name);
	text_put(to, "{");
	text_put(to, label);
	text_put(to, "=\"");
	text_escaped(to, word);
	text_put(to, "\"} ");
	text_int(to, value);
	text_put(to, "\n");
}

static void write_states(const struct fleet_report *report, struct text *to)
{
	unsigned n[FLEET_STATES] = { 0 };

	for (unsigned i = 0; i < report->n; i++)
		n[report->guests[i].state]++;
	describe(to, "", "vmtime_guests", GAUGE, "How many guests are in each state.");
	for (unsigned s = 0; s < FLEET_STATES; s++)
		write_word(to, "vmtime_guests", "state", fleet_state_name(s), n[s]);
}

static void write_leap(enum report_leap leap, struct text *to)
{
	static const char *const LEAPS[] = {
		[REPORT_LEAP_NORMAL] = "normal",
		[REPORT_LEAP_INSERT] = "insert-second",
		[REPORT_LEAP_DELETE] = "delete-second",
		[REPORT_LEAP_UNSYNCHRONISED] = "not-synchronised",
	};

	describe(to, "", "vmtime_host_leap", GAUGE,
	         "1 for what the host's clock says of the next leap second.");
	for (unsigned i = 0; i < COUNT(LEAPS); i++)
		write_word(to, "vmtime_host_leap", "leap", LEAPS[i], i == leap);
}

static void write_clocksource(const char *name, struct text *to)
{
	write_number(to, "vmtime_host_clocksource_tsc", GAUGE,
	             "1 if the host's clocksource is tsc, which ptp_kvm in its guests needs.",
	             strcmp(name, "tsc") == 0);
	describe(to, "", "vmtime_host_clocksource_info", GAUGE, "1, with the host's clocksource.");
	write_word(to, "vmtime_host_clocksource_info", "clocksource", name, 1);
}

static void write_host(const struct fleet_host *host, struct text *to)
{
	const struct report_host_quality *q = &host->quality;

	describe(to, "", "vmtime_hostd_build_info", GAUGE, "1, with vmtime-hostd's version.");
	write_word(to, "vmtime_hostd_build_info", "version", host->version, 1);
	write_number(to, "vmtime_host_synchronized", GAUGE,
	             "1 if the host's own clock follows something better than itself.",
	             q->is_synchronized);
	if (q->has_root_distance)
		write_span(to, "vmtime_host_root_distance_seconds", GAUGE,
		           "The host's clock is at most so far from true time.", q->root_distance);
	write_leap(q->leap, to);
	describe(to, "", "vmtime_host_time_daemon_info", GAUGE,
	         "1, with the daemon that keeps the host's clock; empty: none.");
	write_word(to, "vmtime_host_time_daemon_info", "daemon", q->daemon, 1);
	if (*host->clocksource)
		write_clocksource(host->clocksource, to);
	write_number(to, "vmtime_host_alerts", GAUGE,
	             "How many alerts about the host itself vmtime-hostd shows.", host->n_alerts);
	write_span(to, "vmtime_hostd_threshold_seconds", GAUGE,
	           "A guest whose clock is farther off than this is set.", host->threshold);
}

static void write_process(const struct process_usage *p, vt_real started, struct text *to)
{
	write_span(to, "process_cpu_seconds_total", COUNTER,
	           "Processor time that vmtime-hostd has used.", p->cpu);
	write_span(to, "process_start_time_seconds", GAUGE, "When vmtime-hostd began.",
	           VT_NS(started.ns));
	if (!p->has_memory)
		return;
	write_number(to, "process_resident_memory_bytes", GAUGE, "Memory of vmtime-hostd.",
	             (int64_t)p->resident_bytes);
	write_number(to, "process_virtual_memory_bytes", GAUGE,
	             "Addresses that vmtime-hostd has mapped.", (int64_t)p->virtual_bytes);
}

/* --- since vmtime-hostd began, guests that are gone included --- */

static void write_bucket(struct text *to, const char *name, vt_span edge, uint64_t count)
{
	text_put(to, name);
	text_put(to, "_bucket{le=\"");
	if (edge.ns == VT_SPAN_MAX.ns)
		text_put(to, "+Inf");
	else
		text_seconds(to, edge);
	text_put(to, "\"} ");
	put_count(to, count);
	text_put(to, "\n");
}

static void write_histogram(struct text *to, const char *name, const char *help,
                            const struct fleet_histogram *h)
{
	uint64_t sum = 0;

	describe(to, "", name, "histogram", help);
	for (size_t i = 0; i < FLEET_BUCKETS; i++)
		write_bucket(to, name, FLEET_BUCKET_EDGES[i], sum += h->counts[i]);
	write_bucket(to, name, VT_SPAN_MAX, sum + h->counts[FLEET_BUCKETS]);
	text_put(to, name);
	text_put(to, "_sum ");
	text_seconds(to, h->sum);
	text_put(to, "\n");
	text_put(to, name);
	text_put(to, "_count ");
	put_count(to, sum + h->counts[FLEET_BUCKETS]);
	text_put(to, "\n");
}

static void write_counters(const struct fleet_counters *c, struct text *to)
{
	describe(to, "", "vmtime_hostd_repairs_total", COUNTER,
	         "Disruptions by how they ended; open: overtaken by the next one.");
	for (unsigned e = 0; e < FLEET_ENDS; e++)
		write_word(to, "vmtime_hostd_repairs_total", "end", fleet_end_name(e),
		           (int64_t)c->ends[e]);
	describe(to, "", "vmtime_hostd_agent_false_answers_total", COUNTER,
	         "Answers of guest agents to set-time that measuring proved wrong.");
	write_word(to, "vmtime_hostd_agent_false_answers_total", "answer", "yes",
	           (int64_t)c->false_yes);
	write_word(to, "vmtime_hostd_agent_false_answers_total", "answer", "no",
	           (int64_t)c->false_no);
	write_number(to, "vmtime_hostd_measurements_total", COUNTER,
	             "Measurements of guests' clocks that counted.", (int64_t)c->measurements);
	write_number(to, "vmtime_hostd_measurements_discarded_total", COUNTER,
	             "Measurements that did not count: the host's own clock moved meanwhile.",
	             (int64_t)c->discarded);
	write_histogram(to, "vmtime_hostd_set_delay_seconds",
	                "From noticing a disruption until the time was sent to the guest.",
	                &c->to_set);
	write_histogram(to, "vmtime_hostd_recovery_seconds",
	                "From noticing a disruption until the guest's clock was known to be right.",
	                &c->to_right);
	write_histogram(to, "vmtime_hostd_lost_seconds",
	                "How far guests' clocks were off after disruptions.", &c->lost);
}

void metrics_write(const struct fleet_report *report, const struct fleet_counters *counters,
                   const struct process_usage *process, vt_real now, struct text *to)
{
	const vt_real started = { vt_sat_sub(now.ns, report->host.uptime.ns) };

	write_host(&report->host, to);
	write_states(report, to);
	write_counters(counters, to);
	write_process(process, started, to);
	write_guests(report, now, to);
}
