/* SPDX-License-Identifier: Apache-2.0 */
/* Those who asked for guests to be synchronised, and what they are told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/fleet_inner.h"

#define TICKET_LONGEST VT_SEC(60)

/* Room for one more of @size.  False: there is none. */
static bool make_room(void **list, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	void *longer;

	if (n < *room)
		return true;
	longer = realloc(*list, more * size);
	if (!longer)
		return false;
	*list = longer;
	*room = more;
	return true;
}

static void answer_one(struct fleet *f, uint64_t ticket, const struct guest *g, enum fleet_end end,
                       bool is_verified, const char *note)
{
	const struct sequence *s = &g->sequence;
	void *list = f->answers;
	struct answer *answer;

	if (!make_room(&list, f->n_answers, &f->room_answers, sizeof *f->answers))
		return;
	f->answers = list;
	answer = &f->answers[f->n_answers++];
	*answer = (struct answer){
		.ticket = ticket,
		.sync = {
			.is_verified = is_verified,
			.end = end,
			.has_offset = s->has_offset,
			.offset = s->offset,
			.uncertainty = s->uncertainty,
		},
	};
	snprintf(answer->sync.name, sizeof answer->sync.name, "%s", g->name);
	snprintf(answer->sync.note, sizeof answer->sync.note, "%s", note[0] ? note : s->note);
}

static void remove_ticket(struct fleet *f, size_t i)
{
	f->tickets[i].guest->tickets--;
	f->n_tickets--;
	memmove(f->tickets + i, f->tickets + i + 1, (f->n_tickets - i) * sizeof *f->tickets);
}

void fleet_answer(struct fleet *f, struct guest *g, enum fleet_end end, bool is_verified,
                  const char *note)
{
	for (size_t i = 0; i < f->n_tickets && g->tickets;) {
		uint64_t ticket = f->tickets[i].ticket;

		if (f->tickets[i].guest != g) {
			i++;
			continue;
		}
		remove_ticket(f, i);
		answer_one(f, ticket, g, end, is_verified, note);
	}
}

void fleet_expire(struct fleet *f, vt_mono now)
{
	while (f->n_tickets && f->tickets[0].until.ns <= now.ns) {
		struct guest *g = f->tickets[0].guest;
		uint64_t ticket = f->tickets[0].ticket;

		remove_ticket(f, 0);
		answer_one(f, ticket, g, FLEET_END_OPEN, false,
		           g->sequence.note[0] ? "" : "still being worked at");
	}
}

/* False: there is no memory for it. */
static bool sync_guest(struct fleet *f, struct guest *g, uint64_t ticket, struct host_instant now)
{
	void *list = f->tickets;

	if (!make_room(&list, f->n_tickets, &f->room_tickets, sizeof *f->tickets))
		return false;
	f->tickets = list;
	f->tickets[f->n_tickets++] = (struct ticket){
		.ticket = ticket,
		.guest = g,
		.until = vt_mono_add(now.mono, TICKET_LONGEST),
	};
	g->tickets++;
	if (g->sequence.step == SEQUENCE_STOPPED) {
		fleet_answer(f, g, FLEET_END_FAILED, false,
		             "it is stopped: it is looked at when it runs");
		return true;
	}
	sequence_check(&g->sequence, now);
	fleet_settle(f, g, now);
	return true;
}

unsigned fleet_sync(struct fleet *f, const char *name, uint64_t ticket, struct host_instant now)
{
	size_t i = name ? roster_named(&f->roster, name) : 0;
	unsigned n = 0;

	for (; i < f->roster.n; i++) {
		struct guest *g = f->roster.by_name[i];

		if (name && strcmp(g->name, name) != 0)
			break;
		n += sync_guest(f, g, ticket, now);
	}
	f->is_unfinished = true;
	return n;
}

void fleet_forget(struct fleet *f, uint64_t ticket)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n_tickets;)
		if (f->tickets[i].ticket == ticket)
			remove_ticket(f, i);
		else
			i++;
	for (size_t i = 0; i < f->n_answers; i++)
		if (f->answers[i].ticket != ticket)
			f->answers[kept++] = f->answers[i];
	f->n_answers = kept;
}

bool fleet_pop_sync(struct fleet *f, uint64_t *ret_ticket, struct fleet_sync *ret)
{
	/* The order in which they are told is of no importance. */
	if (f->n_answers == 0)
		return false;
	f->n_answers--;
	*ret_ticket = f->answers[f->n_answers].ticket;
	*ret = f->answers[f->n_answers].sync;
	return true;
}
