/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/fleet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/fleet_inner.h"

/*
 * An agent that has not answered by then is busy: hwclock keeps it for a second.  What it was asked is
 * still in flight, but others need not wait for it.
 */
#define SLOT_PATIENCE VT_MS(150)

/* One dispatch goes round so often at most, and the loop comes back. */
#define ROUNDS_MOST 64

#define LINES_MOST 65536

static void make_rules(struct fleet *f)
{
	f->rules.threshold = f->conf.threshold;
	f->rules.unsynchronized_threshold = f->conf.unsynchronized_threshold;
	f->rules.interval = f->conf.interval;
	f->rules.quality_interval = f->conf.quality_interval;
	f->rules.timeout = f->conf.timeout;
	f->rules.set_timeout = f->conf.set_timeout;
	f->rules.clock_error = f->conf.clock_error;
}

int fleet_open(const struct fleet_conf *conf, struct backend *const backends[], unsigned n,
               struct host_instant now, struct fleet **ret)
{
	struct fleet *f = calloc(1, sizeof *f);

	if (!f)
		return -ENOMEM;
	f->conf = *conf;
	make_rules(f);
	f->n_backends = n;
	memcpy(f->backends, backends, n * sizeof *backends);
	f->began = now;
	roster_init(&f->roster);
	heap_init(&f->deadlines);
	heap_init(&f->turns);
	heap_init(&f->slots);
	*ret = f;
	return 0;
}

void fleet_lines(struct fleet *f, const struct lines *lines)
{
	for (unsigned i = 0; i < f->n_backends; i++)
		if (f->backends[i] == lines->backend) {
			f->lines = *lines;
			f->lines_at = i;
		}
}

static void drop_line(struct fleet *f, struct guest *g)
{
	if (!g->has_line)
		return;
	f->lines.release(f->lines.backend, g->line);
	f->by_line[g->line] = NULL;
	g->has_line = false;
}

struct fleet *fleet_close(struct fleet *f)
{
	if (!f)
		return NULL;
	for (size_t i = 0; i < f->roster.n; i++) {
		struct guest *g = f->roster.by_number[i];

		drop_line(f, g);
		if (g->sequence.is_begun)
			f->backends[g->backend]->ops->drop(f->backends[g->backend], g->number);
	}
	roster_fini(&f->roster);
	heap_fini(&f->deadlines);
	heap_fini(&f->turns);
	heap_fini(&f->slots);
	free(f->by_line);
	free(f->tickets);
	free(f->answers);
	free(f);
	return NULL;
}

void fleet_configure(struct fleet *f, const struct fleet_conf *conf, struct host_instant now)
{
	bool is_other = f->conf.interval.ns != conf->interval.ns;

	f->conf = *conf;
	make_rules(f);
	for (size_t i = 0; is_other && i < f->roster.n; i++) {
		struct guest *g = f->roster.by_number[i];

		sequence_interval_changed(&g->sequence, (uint32_t)i, now.mono);
		fleet_settle(f, g, now);
	}
	f->is_unfinished = true;
}

/* Makes by_line reach to @line.  False: it cannot be had. */
static bool line_room(struct fleet *f, uint32_t line)
{
	size_t n = f->n_lines ? f->n_lines : 64;
	struct guest **by_line;

	if (line < f->n_lines)
		return true;
	if (line >= LINES_MOST)
		return false;
	while (n <= line)
		n *= 2;
	by_line = realloc(f->by_line, n * sizeof *by_line);
	if (!by_line)
		return false;
	memset(by_line + f->n_lines, 0, (n - f->n_lines) * sizeof *by_line);
	f->by_line = by_line;
	f->n_lines = n;
	return true;
}

/* A line to @g by its cid, where there are lines and another back end has the guest. */
static void mend_line(struct fleet *f, struct guest *g)
{
	uint32_t line;

	if (!f->lines.backend || g->backend == f->lines_at)
		return;
	if (g->sequence.cid == 0) {
		drop_line(f, g);
	} else if (g->has_line) {
		f->lines.move(f->lines.backend, g->line, g->sequence.cid);
	} else if (f->lines.lend(f->lines.backend, g->sequence.cid, &line) == 0) {
		if (!line_room(f, line)) {
			f->lines.release(f->lines.backend, line);
			return;
		}
		f->by_line[line] = g;
		g->line = line;
		g->has_line = true;
	}
}

static struct guest *add_guest(struct fleet *f, unsigned backend, const struct sign *sign)
{
	size_t n = f->roster.n + 1;
	struct guest *g;

	f->is_too_many = n > FLEET_GUESTS_MAX;
	if (f->is_too_many || heap_reserve(&f->deadlines, n) < 0 ||
	    heap_reserve(&f->turns, n) < 0 || heap_reserve(&f->slots, n) < 0)
		return NULL;
	g = calloc(1, sizeof *g);
	if (!g)
		return NULL;
	g->backend = backend;
	g->number = sign->guest;
	memcpy(g->name, sign->name, sizeof g->name);
	memcpy(g->uuid, sign->uuid, sizeof g->uuid);
	g->deadline.owner = g->turn.owner = g->slot.owner = g;
	sequence_init(&g->sequence, &f->rules, f->guests++);
	if (roster_take(&f->roster, g) < 0) {
		free(g);
		return NULL;
	}
	return g;
}

static void remove_guest(struct fleet *f, struct guest *g)
{
	fleet_answer(f, g, FLEET_END_FAILED, false, "it is gone");
	drop_line(f, g);
	heap_remove(&f->deadlines, &g->deadline);
	heap_remove(&f->turns, &g->turn);
	heap_remove(&f->slots, &g->slot);
	roster_remove(&f->roster, g);
}

static void take_sign(struct fleet *f, unsigned backend, const struct sign *sign,
                      struct host_instant now)
{
	struct guest *g = roster_find(&f->roster, backend, sign->guest);

	if (!g && sign->kind == SIGN_APPEARED)
		g = add_guest(f, backend, sign);
	if (!g)
		return;
	if (sign->kind == SIGN_GONE) {
		remove_guest(f, g);
		return;
	}
	sequence_sign(&g->sequence, sign, now);
	if (sign->kind == SIGN_APPEARED || sign->kind == SIGN_CHANGED)
		mend_line(f, g);
	if (sign->kind == SIGN_RUNNING && g->has_line)
		f->lines.wake(f->lines.backend, g->line, now.mono);
	fleet_settle(f, g, now);
}

static void take_outcome(struct fleet *f, unsigned backend, const struct work_outcome *outcome,
                         struct host_instant now)
{
	struct guest *g = NULL;

	f->counters.work[outcome->kind][outcome->result]++;
	if (f->lines.backend && backend == f->lines_at && outcome->guest < f->n_lines)
		g = f->by_line[outcome->guest];
	if (!g)
		g = roster_find(&f->roster, backend, outcome->guest);
	if (!g)
		return;
	sequence_outcome(&g->sequence, outcome, now);
	fleet_settle(f, g, now);
}

/* Both ways to it: only one has something in flight. */
static void drop_work(struct fleet *f, struct guest *g)
{
	struct backend *b = f->backends[g->backend];

	b->ops->drop(b, g->number);
	if (g->has_line)
		f->lines.backend->ops->drop(f->lines.backend, g->line);
}

void fleet_settle(struct fleet *f, struct guest *g, struct host_instant now)
{
	struct sequence *s = &g->sequence;
	struct sequence_result result;
	vt_mono deadline;

	sequence_tick(s, now);
	if (sequence_pop_drop(s))
		drop_work(f, g);
	while (sequence_pop_result(s, &result))
		fleet_take_result(f, g, &result);

	if (!s->is_begun)
		heap_remove(&f->slots, &g->slot);
	if (sequence_wants(s))
		heap_put(&f->turns, &g->turn, sequence_key(s));
	else
		heap_remove(&f->turns, &g->turn);
	deadline = sequence_deadline(s);
	if (deadline.ns < VT_MONO_NEVER.ns)
		heap_put(&f->deadlines, &g->deadline, deadline);
	else
		heap_remove(&f->deadlines, &g->deadline);
}

static void begin(struct fleet *f, struct guest *g, const struct work *work)
{
	bool is_vmtimeds = work->kind == WORK_NUDGE || work->kind == WORK_STATUS ||
	                   work->kind == WORK_QUALITY;
	struct backend *b = f->backends[g->backend];

	if (is_vmtimeds && g->has_line)
		f->lines.backend->ops->begin(f->lines.backend, g->line, work);
	else
		b->ops->begin(b, g->number, work);
}

static void give_turns(struct fleet *f, vt_mono now)
{
	struct heap_node *node;

	while ((node = heap_first(&f->slots)) && node->at.ns <= now.ns)
		heap_remove(&f->slots, node);

	while (f->slots.n < f->conf.parallel && (node = heap_first(&f->turns))) {
		struct guest *g = node->owner;
		struct work work;

		heap_remove(&f->turns, &g->turn);
		sequence_take(&g->sequence, ++f->numbers, now, &work);
		/* Whoever sets its clock is busy for a second and keeps nobody waiting. */
		if (work.kind != WORK_SET_TIME)
			heap_put(&f->slots, &g->slot, vt_mono_add(now, SLOT_PATIENCE));
		heap_put(&f->deadlines, &g->deadline, sequence_deadline(&g->sequence));
		begin(f, g, &work);
	}
}

/* Takes what the back ends have.  False: there was nothing. */
static bool pop_all(struct fleet *f, struct host_instant now)
{
	struct work_outcome outcome;
	struct sign sign;
	bool has_popped = false;

	for (unsigned i = 0; i < f->n_backends; i++) {
		struct backend *b = f->backends[i];

		while (b->ops->pop_sign(b, &sign)) {
			take_sign(f, i, &sign, now);
			has_popped = true;
		}
		while (b->ops->pop_outcome(b, &outcome)) {
			take_outcome(f, i, &outcome, now);
			has_popped = true;
		}
	}
	return has_popped;
}

static void serve_deadlines(struct fleet *f, struct host_instant now)
{
	struct heap_node *node;

	/* What is due now leads to something that is due later: this ends. */
	for (size_t i = 0; i <= f->roster.n; i++) {
		node = heap_first(&f->deadlines);
		if (!node || node->at.ns > now.mono.ns)
			return;
		fleet_settle(f, node->owner, now);
	}
}

void fleet_dispatch(struct fleet *f, struct host_instant now)
{
	unsigned rounds = 0;

	for (unsigned i = 0; i < f->n_backends; i++)
		f->backends[i]->ops->dispatch(f->backends[i], now.mono);
	serve_deadlines(f, now);
	do {
		f->is_unfinished = pop_all(f, now);
		give_turns(f, now.mono);
	} while (f->is_unfinished && ++rounds < ROUNDS_MOST);
	fleet_expire(f, now.mono);
}

vt_mono fleet_deadline(const struct fleet *f)
{
	struct heap_node *node = heap_first(&f->deadlines);
	vt_mono deadline = node ? node->at : VT_MONO_NEVER;

	if (f->is_unfinished)
		return (vt_mono){ 0 };
	/* A slot that falls free is of interest to those who wait for one. */
	node = f->turns.n ? heap_first(&f->slots) : NULL;
	if (node)
		deadline = vt_mono_min(deadline, node->at);
	if (f->n_tickets)
		deadline = vt_mono_min(deadline, f->tickets[0].until);
	for (unsigned i = 0; i < f->n_backends; i++)
		deadline = vt_mono_min(deadline, f->backends[i]->ops->deadline(f->backends[i]));
	return deadline;
}

/* Would a guest's vmtimed want to hear of it at once? */
static bool is_news(const struct report_host_quality *a, const struct report_host_quality *b)
{
	if (a->is_synchronized != b->is_synchronized || a->leap != b->leap ||
	    a->has_root_distance != b->has_root_distance || strcmp(a->daemon, b->daemon) != 0)
		return true;
	return a->root_distance.ns / 2 > b->root_distance.ns ||
	       b->root_distance.ns / 2 > a->root_distance.ns;
}

void fleet_tell_host(struct fleet *f, const struct fleet_host *host, struct host_instant now)
{
	/* What is news is measured against what was news last, or it would creep. */
	bool has_news = f->rules.quality_version == 0 ||
	                is_news(&f->host.quality, &host->quality);
	struct report_host_quality told = f->host.quality;

	f->host = *host;
	f->rules.quality = host->quality;
	if (!has_news) {
		f->host.quality = told;
		return;
	}
	f->rules.quality_version++;
	for (size_t i = 0; i < f->roster.n; i++)
		fleet_settle(f, f->roster.by_number[i], now);
	f->is_unfinished = true; /* turns are given when what has happened meanwhile is known */
}

void fleet_host_jumped(struct fleet *f, enum host_reason reason, vt_span stopped,
                       struct host_instant now)
{
	for (size_t i = 0; i < f->roster.n; i++) {
		struct guest *g = f->roster.by_number[i];

		sequence_host_jumped(&g->sequence, reason, stopped, now);
		if (g->has_line)
			f->lines.wake(f->lines.backend, g->line, now.mono);
		fleet_settle(f, g, now);
	}
	f->is_unfinished = true; /* turns are given when what has happened meanwhile is known */
}

const struct fleet_counters *fleet_counters(const struct fleet *f)
{
	return &f->counters;
}
