/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Consumes @line, where it could be made: without memory the client hears nothing. */
static void send_line(struct control *c, uint32_t client, int r, char *line, size_t length)
{
	if (r < 0)
		return;
	/* The server ends the line itself. */
	line_server_reply(&c->server, client, line, length - 1);
	free(line);
}

static void refuse(struct control *c, uint32_t client, const struct control_error *error)
{
	size_t length = 0;
	char *line = NULL;
	int r = control_encode_error(error, &line, &length);

	send_line(c, client, r, line, length);
}

static void refuse_with(struct control *c, uint32_t client, const struct control_id *id,
			enum control_code code, const char *why)
{
	struct control_error error;

	control_error_make(&error, code, id, "%s", why);
	refuse(c, client, &error);
}

static void answer(struct control *c, uint32_t client, const struct fleet_request *request,
		   const void *report)
{
	size_t length = 0;
	char *line = NULL;
	int r = fleet_control_encode(request, report, &line, &length);

	send_line(c, client, r, line, length);
}

static void send_guests(struct control *c, const struct fleet *fleet, uint32_t client,
			const struct fleet_request *request, struct host_instant now)
{
	struct fleet_report all;
	struct fleet_page page;

	if (fleet_report(fleet, now, &all) < 0)
		return;
	fleet_page_cut(&all, request->has_after ? &request->after : NULL, &page);
	answer(c, client, request, &page);
	fleet_report_fini(&all);
}

static void send_host(struct control *c, const struct fleet *fleet, uint32_t client,
		      const struct fleet_request *request, struct host_instant now)
{
	struct fleet_host host;

	fleet_report_host(fleet, now, &host);
	answer(c, client, request, &host);
}

/* --- Who waits --- */

static bool is_worse(const struct fleet_sync *a, const struct fleet_sync *b)
{
	return !a->is_verified && b->is_verified;
}

/* Counts @one, and lists it: where there is no room, in the place of one that is right. */
static void note(struct fleet_synced *s, const struct fleet_sync *one)
{
	if (one->is_verified)
		s->verified++;
	else
		s->failed++;
	if (s->n < FLEET_PAGE_MAX) {
		s->list[s->n++] = *one;
		return;
	}
	for (unsigned i = 0; i < s->n; i++)
		if (is_worse(one, &s->list[i])) {
			s->list[i] = *one;
			return;
		}
}

static int compare(const void *a, const void *b)
{
	const struct fleet_sync *x = a, *y = b;

	if (x->is_verified != y->is_verified)
		return x->is_verified ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void end_job(struct control *c, unsigned i, struct fleet *fleet)
{
	fleet_forget(fleet, c->jobs[i].ticket);
	free(c->jobs[i].synced);
	c->jobs[i] = c->jobs[--c->n];
}

static unsigned done(const struct control_job *job)
{
	return job->synced->verified + job->synced->failed;
}

/* Answers a job that is done, or whose time is up; true: it is over. */
static bool conclude(struct control *c, struct control_job *job, vt_mono now)
{
	const struct fleet_request request = { .command = FLEET_COMMAND_SYNC, .id = job->id };
	unsigned n = done(job);

	if (n < job->expected && now.ns < job->until.ns)
		return !line_server_has(&c->server, job->client);
	job->synced->pending = job->expected > n ? job->expected - n : 0;
	qsort(job->synced->list, job->synced->n, sizeof job->synced->list[0], compare);
	answer(c, job->client, &request, job->synced);
	return true;
}

/* Asks the fleet for those that @request names.  A name that nobody has is an outcome, too. */
static void begin(struct control_job *job, struct fleet *fleet, const struct fleet_request *request,
		  struct host_instant now)
{
	if (request->is_all) {
		job->expected = fleet_sync(fleet, NULL, job->ticket, now);
		return;
	}
	for (unsigned i = 0; i < request->n_names; i++) {
		struct fleet_sync nobody = { .end = FLEET_END_FAILED,
					     .note = "there is no guest of that name" };
		unsigned n = fleet_sync(fleet, request->names[i], job->ticket, now);

		job->expected += n ? n : 1;
		if (n)
			continue;
		memcpy(nobody.name, request->names[i], sizeof nobody.name);
		note(job->synced, &nobody);
	}
}

static void take_sync(struct control *c, struct fleet *fleet, const struct line_request *from,
		      const struct fleet_request *request, struct host_instant now)
{
	struct control_job job = {
		.ticket = ++c->last_ticket,
		.client = from->client,
		.id = request->id,
		.until = vt_mono_add(now.mono, request->timeout),
	};

	if (!from->may_change) {
		refuse_with(c, from->client, &request->id, CONTROL_DENIED,
			    "only root and the group of vmtime-hostd may have guests synchronised");
		return;
	}
	if (c->n == COUNT(c->jobs) || !line_server_hold(&c->server, from->client, LINE_HOLD_REPLY)) {
		refuse_with(c, from->client, &request->id, CONTROL_BUSY, "too many clients wait");
		return;
	}
	job.synced = calloc(1, sizeof *job.synced);
	if (!job.synced) {
		refuse_with(c, from->client, &request->id, CONTROL_INTERNAL, "out of memory");
		return;
	}
	begin(&job, fleet, request, now);
	c->jobs[c->n++] = job;
}

static void take_outcomes(struct control *c, struct fleet *fleet)
{
	struct fleet_sync one;
	uint64_t ticket;

	while (fleet_pop_sync(fleet, &ticket, &one))
		for (unsigned i = 0; i < c->n; i++)
			if (c->jobs[i].ticket == ticket)
				note(c->jobs[i].synced, &one);
}

/* --- The component --- */

static void serve(struct control *c, struct fleet *fleet, const struct line_request *from,
		  const struct fleet_request *request, struct host_instant now)
{
	switch (request->command) {
	case FLEET_COMMAND_GUESTS: send_guests(c, fleet, from->client, request, now); return;
	case FLEET_COMMAND_HOST: send_host(c, fleet, from->client, request, now); return;
	case FLEET_COMMAND_SYNC: take_sync(c, fleet, from, request, now); return;
	case FLEET_COMMANDS: return;
	}
}

void control_init(struct control *c)
{
	c->n = 0;
	c->last_ticket = 0;
	line_server_init(&c->server);
}

void control_fini(struct control *c, struct fleet *fleet)
{
	while (c->n > 0) {
		if (fleet)
			fleet_forget(fleet, c->jobs[c->n - 1].ticket);
		free(c->jobs[--c->n].synced);
	}
	line_server_fini(&c->server);
}

void control_lose_fleet(struct control *c)
{
	/* At the next dispatch they are told that nothing more came. */
	for (unsigned i = 0; i < c->n; i++)
		c->jobs[i].until = (vt_mono){ 0 };
}

void control_dispatch(struct control *c, struct fleet *fleet, struct host_instant now,
		      const struct pollfd *fds, size_t n)
{
	struct line_request line;
	struct fleet_request request;
	struct control_error error;

	line_server_dispatch(&c->server, now.mono, fds, n);
	while (line_server_pop(&c->server, &line))
		if (fleet_control_decode(line.line.p, line.line.n, &request, &error) == 0)
			serve(c, fleet, &line, &request, now);
		else
			refuse(c, line.client, &error);
	take_outcomes(c, fleet);
	for (unsigned i = c->n; i-- > 0;)
		if (conclude(c, &c->jobs[i], now.mono))
			end_job(c, i, fleet);
}

vt_mono control_deadline(const struct control *c)
{
	vt_mono at = line_server_deadline(&c->server);

	for (unsigned i = 0; i < c->n; i++)
		at = vt_mono_min(at, c->jobs[i].until);
	return at;
}
