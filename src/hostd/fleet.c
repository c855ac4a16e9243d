/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/guest.h"
#include "hostd/roster.h"

/* clang-format off */
const vt_span FLEET_BUCKET_EDGES[FLEET_BUCKETS] = {
	{ 5000000 }, { 10000000 }, { 20000000 }, { 50000000 }, { 100000000 }, { 150000000 },
	{ 250000000 }, { 500000000 }, { 1000000000 }, { 2500000000 }, { 5000000000 },
	{ 10000000000 }, { 60000000000 }, { 3600000000000 },
};
/* clang-format on */

static const char *const MARKS[FLEET_MARKS] = {
	[FLEET_MARK_MEASURED] = "measured",   [FLEET_MARK_STOPPED] = "stopped",
	[FLEET_MARK_DISRUPTED] = "disrupted", [FLEET_MARK_SET] = "set",
	[FLEET_MARK_NUDGED] = "nudged",       [FLEET_MARK_RIGHT] = "right",
	[FLEET_MARK_FAILED] = "failed",
};

const char *fleet_mark_name(enum fleet_mark mark)
{
	return MARKS[mark];
}

struct fleet {
	struct fleet_conf conf;
	struct backend *backends[FLEET_BACKENDS_MAX];
	unsigned n_backends;
	struct host_instant began;
	struct fleet_host host;
	struct roster roster;
	struct fleet_counters counters;
};

int fleet_open(const struct fleet_conf *conf, struct backend *const backends[], unsigned n,
               struct host_instant now, struct fleet **ret)
{
	struct fleet *f = calloc(1, sizeof *f);

	if (!f)
		return -ENOMEM;
	f->conf = *conf;
	f->n_backends = n;
	memcpy(f->backends, backends, n * sizeof *backends);
	f->began = now;
	roster_init(&f->roster);
	*ret = f;
	return 0;
}

struct fleet *fleet_close(struct fleet *f)
{
	if (!f)
		return NULL;
	roster_fini(&f->roster);
	free(f);
	return NULL;
}

void fleet_configure(struct fleet *f, const struct fleet_conf *conf)
{
	f->conf = *conf;
}

static void guest_appeared(struct fleet *f, unsigned backend, const struct sign *sign)
{
	struct guest *g = roster_find(&f->roster, backend, sign->guest);
	bool is_new = !g;

	if (is_new)
		g = calloc(1, sizeof *g);
	if (!g)
		return;
	g->is_running = sign->is_running;
	g->has_agent = sign->has_agent;
	g->cid = sign->cid;
	if (!is_new)
		return;
	g->backend = backend;
	g->number = sign->guest;
	memcpy(g->name, sign->name, sizeof g->name);
	memcpy(g->uuid, sign->uuid, sizeof g->uuid);
	if (roster_take(&f->roster, g) < 0)
		free(g);
}

static void take_sign(struct fleet *f, unsigned backend, const struct sign *sign)
{
	struct guest *g = roster_find(&f->roster, backend, sign->guest);

	switch (sign->kind) {
	case SIGN_APPEARED:
		guest_appeared(f, backend, sign);
		break;
	case SIGN_GONE:
		if (g)
			roster_remove(&f->roster, g);
		break;
	case SIGN_STOPPED:
	case SIGN_RUNNING:
		if (g)
			g->is_running = sign->kind == SIGN_RUNNING;
		break;
	case SIGN_CHANGED:
		if (g)
			g->cid = sign->cid;
		break;
	case SIGN_AGENT_UP:
	case SIGN_AGENT_DOWN:
		break;
	}
}

void fleet_dispatch(struct fleet *f, struct host_instant now)
{
	for (unsigned i = 0; i < f->n_backends; i++) {
		struct backend *b = f->backends[i];
		struct sign sign;

		b->ops->dispatch(b, now.mono);
		while (b->ops->pop_sign(b, &sign))
			take_sign(f, i, &sign);
	}
}

vt_mono fleet_deadline(const struct fleet *f)
{
	vt_mono deadline = VT_MONO_NEVER;

	for (unsigned i = 0; i < f->n_backends; i++)
		deadline = vt_mono_min(deadline, f->backends[i]->ops->deadline(f->backends[i]));
	return deadline;
}

void fleet_tell_host(struct fleet *f, const struct fleet_host *host, struct host_instant now)
{
	(void)now;
	f->host = *host;
}

void fleet_report_host(const struct fleet *f, struct host_instant now, struct fleet_host *ret)
{
	*ret = f->host;
	ret->uptime = vt_mono_since(now.mono, f->began.mono);
	ret->threshold = f->conf.threshold;
	for (unsigned i = 0; i < f->n_backends && ret->n_alerts < FLEET_ALERTS_MAX; i++)
		if (f->backends[i]->trouble[0])
			snprintf(ret->alerts[ret->n_alerts++], REPORT_TEXT_MAX, "%s",
			         f->backends[i]->trouble);
}

static void report_guest(const struct fleet *f, const struct guest *g, struct fleet_guest *ret)
{
	snprintf(ret->name, sizeof ret->name, "%s", g->name);
	snprintf(ret->uuid, sizeof ret->uuid, "%s", g->uuid);
	snprintf(ret->backend, sizeof ret->backend, "%s", f->backends[g->backend]->name);
	ret->is_running = g->is_running;
	ret->state = g->is_running ? FLEET_DISCOVERED : FLEET_STOPPED;
	ret->agent = g->has_agent ? FLEET_AGENT_UNKNOWN : FLEET_AGENT_NONE;
}

int fleet_report(const struct fleet *f, struct host_instant now, struct fleet_report *ret)
{
	struct fleet_guest *guests = calloc(f->roster.n + 1, sizeof *guests);

	if (!guests)
		return -ENOMEM;
	for (size_t i = 0; i < f->roster.n; i++)
		report_guest(f, f->roster.by_name[i], &guests[i]);
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

const struct fleet_counters *fleet_counters(const struct fleet *f)
{
	return &f->counters;
}

/* Until the sequence is here, no guest can be synchronised and none has a history. */
void fleet_host_jumped(struct fleet *f, enum host_reason reason, vt_span stopped,
                       struct host_instant now)
{
	(void)f;
	(void)reason;
	(void)stopped;
	(void)now;
}

unsigned fleet_sync(struct fleet *f, const char *name, uint64_t ticket, struct host_instant now)
{
	(void)f;
	(void)name;
	(void)ticket;
	(void)now;
	return 0;
}

void fleet_forget(struct fleet *f, uint64_t ticket)
{
	(void)f;
	(void)ticket;
}

bool fleet_pop_sync(struct fleet *f, uint64_t *ret_ticket, struct fleet_sync *ret)
{
	(void)f;
	(void)ret_ticket;
	(void)ret;
	return false;
}

size_t fleet_history(const struct fleet *f, const char *name, const char *backend,
                     struct fleet_point points[FLEET_HISTORY_MAX])
{
	(void)f;
	(void)name;
	(void)backend;
	(void)points;
	return 0;
}
