/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/channels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/channel.h"
#include "hostd/host_instant.h"

#define EVENTS_AT_ONCE 64

static struct channel *find(const struct channels *c, uint32_t number)
{
	return number >= 1 && number <= c->n ? c->channels[number - 1] : NULL;
}

/* After anything was done with @line. */
static void note(struct channels *c, struct channel *line)
{
	vt_mono deadline = channel_deadline(line);

	if (line->signs || line->has_outcome)
		c->n_telling = c->n;
	if (deadline.ns < VT_MONO_NEVER.ns)
		heap_put(&c->turns, &line->turn, deadline);
	else
		heap_remove(&c->turns, &line->turn);
}

/* --- The back end --- */

static void dispatch(struct backend *b, vt_mono now)
{
	struct channels *c = (struct channels *)b;
	struct poller_event events[EVENTS_AT_ONCE];
	size_t n = poller_take(&c->poller, events, EVENTS_AT_ONCE);

	for (size_t i = 0; i < n; i++) {
		struct channel *line = find(c, (uint32_t)events[i].tag);

		if (!line)
			continue;
		channel_hear(line, c, now);
		note(c, line);
	}
	/* Whoever wants another turn at once gets it at the next dispatch. */
	for (size_t i = c->turns.n; i > 0; i--) {
		struct heap_node *node = heap_first(&c->turns);
		struct channel *line;

		if (!node || node->at.ns > now.ns)
			return;
		line = node->owner;
		channel_turn(line, c, now);
		note(c, line);
	}
}

static vt_mono deadline(const struct backend *b)
{
	const struct heap_node *first = heap_first(&((const struct channels *)b)->turns);

	return first ? first->at : VT_MONO_NEVER;
}

static bool pop_sign(struct backend *b, struct sign *ret)
{
	struct channels *c = (struct channels *)b;

	for (size_t i = 0; c->n_telling && i < c->n; i++)
		if (c->channels[i] && channel_pop_sign(c->channels[i], ret))
			return true;
	return false;
}

static bool pop_outcome(struct backend *b, struct work_outcome *ret)
{
	struct channels *c = (struct channels *)b;

	for (size_t i = 0; c->n_telling && i < c->n; i++)
		if (c->channels[i] && c->channels[i]->has_outcome) {
			*ret = c->channels[i]->outcome;
			c->channels[i]->has_outcome = false;
			return true;
		}
	c->n_telling = 0; /* signs are popped first */
	if (c->n_strays == 0)
		return false;
	*ret = c->strays[--c->n_strays];
	return true;
}

static void begin_for_nobody(struct channels *c, uint32_t number, const struct work *work)
{
	struct work_outcome o = { .guest = number, .number = work->number, .kind = work->kind,
		                  .result = WORK_LOST, .answered = host_instant_now() };
	struct work_outcome *larger = realloc(c->strays, (c->n_strays + 1) * sizeof *larger);

	snprintf(o.text, sizeof o.text, "there is no such guest any more");
	if (!larger)
		return;
	c->strays = larger;
	c->strays[c->n_strays++] = o;
}

static void begin(struct backend *b, uint32_t guest, const struct work *work)
{
	struct channels *c = (struct channels *)b;
	struct channel *line = find(c, guest);

	if (!line) {
		begin_for_nobody(c, guest, work);
		return;
	}
	channel_begin(line, c, work, host_instant_now().mono);
	note(c, line);
}

static void drop(struct backend *b, uint32_t guest)
{
	struct channels *c = (struct channels *)b;
	struct channel *line = find(c, guest);

	if (!line)
		return;
	channel_drop(line);
	note(c, line);
}

static const struct backend_ops OPS = {
	.dispatch = dispatch,
	.deadline = deadline,
	.pop_sign = pop_sign,
	.pop_outcome = pop_outcome,
	.begin = begin,
	.drop = drop,
};

/* --- Lines --- */

int channels_init(struct channels *c, const char *root)
{
	int r;

	*c = (struct channels){
		.backend = { .ops = &OPS, .name = "vsock", .fd = -1 },
		.root = root,
		.dial = vsock_dial,
	};
	heap_init(&c->turns);
	r = poller_init(&c->poller);
	c->backend.fd = c->poller.fd;
	return r;
}

void channels_fini(struct channels *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->channels[i]) {
			channel_fini(c->channels[i]);
			free(c->channels[i]);
		}
	free(c->channels);
	free(c->strays);
	heap_fini(&c->turns);
	poller_fini(&c->poller);
	*c = (struct channels){
		.backend = { .ops = &OPS, .name = "vsock", .fd = -1 },
		.poller = { .fd = -1 },
	};
}

static bool make_room(struct channels *c)
{
	size_t size = c->size ? c->size * 2 : 16;
	struct channel **larger;

	if (c->n < c->size)
		return true;
	larger = realloc(c->channels, size * sizeof *larger);
	if (!larger)
		return false;
	c->channels = larger;
	c->size = size;
	return true;
}

/* @name NULL: a lent one. */
static int open_line(struct channels *c, const char *name, unsigned cid, uint32_t *ret)
{
	bool has_room = make_room(c) && heap_reserve(&c->turns, c->n + 1) == 0;
	struct channel *line = has_room ? malloc(sizeof *line) : NULL;

	if (!line)
		return -ENOMEM;
	channel_init(line, (uint32_t)c->n + 1, cid, name, host_instant_now().mono);
	line->turn.owner = line;
	c->channels[c->n++] = line;
	note(c, line);
	*ret = line->number;
	return 0;
}

int channels_add(struct channels *c, const char *name, unsigned cid, uint32_t *ret)
{
	return open_line(c, name, cid, ret);
}

int channels_lend(struct channels *c, unsigned cid, uint32_t *ret)
{
	return open_line(c, NULL, cid, ret);
}

void channels_move(struct channels *c, uint32_t line, unsigned cid)
{
	struct channel *l = find(c, line);

	if (!l || l->cid == cid)
		return;
	channel_drop(l);
	channel_fini(l);
	l->cid = cid;
	note(c, l);
}

void channels_release(struct channels *c, uint32_t line)
{
	struct channel *l = find(c, line);

	if (!l)
		return;
	heap_remove(&c->turns, &l->turn);
	channel_fini(l);
	free(l);
	c->channels[line - 1] = NULL;
}

void channels_wake(struct channels *c, uint32_t line, vt_mono now)
{
	struct channel *l = find(c, line);

	if (!l)
		return;
	channel_wake(l, c, now);
	note(c, l);
}
