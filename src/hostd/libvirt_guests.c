/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/libvirt_guests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_AGAIN VT_SEC(2) /* after one that failed */

/* Where signs are written to, and how many have been. */
struct telling {
	struct sign *signs;
	size_t n;
	vt_mono at;
};

void libvirt_guests_fini(struct libvirt_guests *guests)
{
	for (size_t i = 0; i < guests->n; i++)
		free(guests->all[i]);
	free(guests->all);
	*guests = (struct libvirt_guests)LIBVIRT_GUESTS_INIT;
}

struct libvirt_guest *libvirt_guests_find(const struct libvirt_guests *guests, uint32_t number)
{
	size_t low = 0, high = guests->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (guests->all[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < guests->n && guests->all[low]->number == number ? guests->all[low] : NULL;
}

static struct libvirt_guest *find_uuid(const struct libvirt_guests *guests, const unsigned char *uuid)
{
	for (size_t i = 0; i < guests->n; i++)
		if (memcmp(guests->all[i]->uuid, uuid, LIBVIRT_UUID_SIZE) == 0)
			return guests->all[i];
	return NULL;
}

static struct libvirt_guest *add(struct libvirt_guests *guests, const unsigned char *uuid)
{
	struct libvirt_guest *guest;

	if (guests->n == guests->room) {
		size_t room = guests->room ? guests->room * 2 : 16;
		struct libvirt_guest **all = realloc(guests->all, room * sizeof *all);

		if (!all)
			return NULL;
		guests->all = all;
		guests->room = room;
	}
	guest = calloc(1, sizeof *guest);
	if (!guest)
		return NULL;
	memcpy(guest->uuid, uuid, LIBVIRT_UUID_SIZE);
	guest->agent = AGENT_UNKNOWN;
	guest->number = ++guests->latest_number;
	guests->all[guests->n++] = guest;
	return guest;
}

static void forget(struct libvirt_guests *guests, struct libvirt_guest *guest)
{
	size_t i = 0;

	while (guests->all[i] != guest)
		i++;
	guests->n--;
	memmove(guests->all + i, guests->all + i + 1, (guests->n - i) * sizeof *guests->all);
	guests->n_outcomes -= guest->has_outcome;
	free(guest);
}

/* --- signs -------------------------------------------------------------------------------------- */

static struct sign *tell(struct telling *t, const struct libvirt_guest *guest, enum sign_kind kind)
{
	struct sign *sign = &t->signs[t->n++];

	*sign = (struct sign){ .kind = kind, .guest = guest->number, .at = t->at };
	return sign;
}

static void write_uuid(const unsigned char *uuid, char to[GUEST_UUID_MAX])
{
	static const char DIGITS[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < LIBVIRT_UUID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			to[at++] = '-';
		to[at++] = DIGITS[uuid[i] >> 4];
		to[at++] = DIGITS[uuid[i] & 15];
	}
	to[at] = 0;
}

static void tell_appeared(struct telling *t, struct libvirt_guest *guest)
{
	struct sign *sign = tell(t, guest, SIGN_APPEARED);

	sign->reason = guest->reason;
	sign->is_running = guest->domain.is_running;
	sign->has_agent = guest->domain.has_agent;
	sign->cid = guest->domain.cid;
	snprintf(sign->name, sizeof sign->name, "%s", guest->domain.name);
	write_uuid(guest->uuid, sign->uuid);
	guest->has_appeared = true;
	guest->is_unsure = false;
	guest->reason = HOST_REASON_NONE;
	if (guest->domain.has_agent)
		tell(t, guest, guest->domain.is_agent_up ? SIGN_AGENT_UP : SIGN_AGENT_DOWN);
}

static void tell_gone(struct telling *t, struct libvirt_guests *guests, struct libvirt_guest *guest)
{
	if (guest->has_appeared)
		tell(t, guest, SIGN_GONE);
	forget(guests, guest);
}

/* --- news --------------------------------------------------------------------------------------- */

static void want_look(struct libvirt_guests *guests, struct libvirt_guest *guest, vt_mono at)
{
	guest->wants_look = true;
	guest->look_at = at;
	guests->deadline = vt_mono_min(guests->deadline, at);
}

/* It may be another one from now on. */
static void doubt_agent(struct libvirt_guest *guest)
{
	guest->agent = AGENT_UNKNOWN;
	guest->agent_news++;
}

static void hear_running(struct telling *t, struct libvirt_guest *guest, bool is_running,
                         enum host_reason reason)
{
	guest->domain.is_running = is_running;
	guest->has_heard = true;
	/* Other memory, with another agent in it perhaps, and nobody tells of that one. */
	if (is_running && reason != HOST_REASON_PAUSE)
		doubt_agent(guest);
	if (guest->has_appeared)
		tell(t, guest, is_running ? SIGN_RUNNING : SIGN_STOPPED)->reason = reason;
	else if (reason != HOST_REASON_NONE)
		guest->reason = reason;
}

static void hear_agent(struct telling *t, struct libvirt_guest *guest, bool is_up)
{
	guest->domain.is_agent_up = is_up;
	doubt_agent(guest);
	guest->has_heard_agent = true;
	if (guest->has_appeared)
		tell(t, guest, is_up ? SIGN_AGENT_UP : SIGN_AGENT_DOWN);
}

/* It has no process any more. */
static void end_process(struct telling *t, struct libvirt_guests *guests, struct libvirt_guest *guest)
{
	if (!guest->has_appeared || !guest->domain.is_persistent) {
		tell_gone(t, guests, guest);
		return;
	}
	guest->has_ended = true;
	hear_running(t, guest, false, HOST_REASON_NONE);
	if (guest->domain.is_agent_up)
		hear_agent(t, guest, false);
}

/* News of a guest that is not known, or not yet: what of them makes one known. */
static bool makes_known(enum libvirt_news news)
{
	return news == NEWS_FOUND || news == NEWS_STARTED || news == NEWS_RUNNING || news == NEWS_STOPPED;
}

static void take_news(struct telling *t, struct libvirt_guests *guests, const struct libvirt_item *item,
                      vt_mono now)
{
	struct libvirt_guest *guest = find_uuid(guests, item->uuid);

	if (!guest) {
		guest = makes_known(item->news) ? add(guests, item->uuid) : NULL;
		if (!guest)
			return;
		want_look(guests, guest, now);
	}
	switch (item->news) {
	case NEWS_STARTED:
		want_look(guests, guest, now);
		/* fall through */
	case NEWS_RUNNING:
		guest->has_ended = false;
		hear_running(t, guest, true, item->reason);
		break;
	case NEWS_STOPPED:
		hear_running(t, guest, false, HOST_REASON_NONE);
		break;
	case NEWS_ENDED:
		end_process(t, guests, guest);
		break;
	case NEWS_LEFT:
		tell_gone(t, guests, guest);
		break;
	case NEWS_DEFINED:
		guest->domain.is_persistent = true;
		break;
	case NEWS_UNDEFINED:
		guest->domain.is_persistent = false;
		if (guest->has_ended)
			tell_gone(t, guests, guest);
		break;
	case NEWS_AGENT_UP:
	case NEWS_AGENT_DOWN:
		hear_agent(t, guest, item->news == NEWS_AGENT_UP);
		break;
	case NEWS_DEVICES:
		want_look(guests, guest, now);
		break;
	case NEWS_FOUND: /* a guest that is known was told to be looked at by LINK_UP */
	case NEWS_NONE:
		break;
	}
}

/* --- looks -------------------------------------------------------------------------------------- */

static void take_domain(struct telling *t, struct libvirt_guest *guest, const struct libvirt_domain *found)
{
	struct libvirt_domain was = guest->domain;

	guest->domain = *found;
	if (guest->has_heard)
		guest->domain.is_running = was.is_running;
	if (guest->has_heard_agent)
		guest->domain.is_agent_up = was.is_agent_up;
	guest->has_ended = false;
	if (!guest->has_appeared || guest->is_unsure) {
		tell_appeared(t, guest);
		return;
	}
	if (guest->domain.is_running != was.is_running)
		tell(t, guest, guest->domain.is_running ? SIGN_RUNNING : SIGN_STOPPED);
	if (guest->domain.is_agent_up != was.is_agent_up)
		doubt_agent(guest);
	if (guest->domain.is_agent_up != was.is_agent_up)
		tell(t, guest, guest->domain.is_agent_up ? SIGN_AGENT_UP : SIGN_AGENT_DOWN);
	if (guest->domain.cid != was.cid)
		tell(t, guest, SIGN_CHANGED)->cid = guest->domain.cid;
}

static void take_look(struct telling *t, struct libvirt_guests *guests, const struct libvirt_item *item,
                      vt_mono now)
{
	struct libvirt_guest *guest = find_uuid(guests, item->uuid);

	if (!guest || guest->look_ticket != item->ticket)
		return;
	guest->look_ticket = 0;
	switch (item->look) {
	case LOOK_FAILED:
		want_look(guests, guest, vt_mono_add(now, LOOK_AGAIN));
		break;
	case LOOK_MISSING:
	case LOOK_INACTIVE:
		if (guest->has_heard && guest->domain.is_running) {
			want_look(guests, guest, now); /* it was started since */
			break;
		}
		guest->domain.is_persistent = item->look == LOOK_INACTIVE && item->domain.is_persistent;
		end_process(t, guests, guest);
		break;
	case LOOK_DONE:
		take_domain(t, guest, &item->domain);
		break;
	}
}

static void take_link(struct libvirt_guests *guests, const struct libvirt_item *item, vt_mono now)
{
	if (item->link != LINK_UP)
		return;
	for (size_t i = 0; i < guests->n; i++) {
		guests->all[i]->is_unsure = guests->all[i]->has_appeared;
		doubt_agent(guests->all[i]);
		want_look(guests, guests->all[i], now);
	}
}

/* --- work --------------------------------------------------------------------------------------- */

static void finish(struct libvirt_guests *guests, struct libvirt_guest *guest,
                   const struct work_outcome *outcome, const struct work *work)
{
	guests->n_outcomes += !guest->has_outcome;
	guest->has_outcome = true;
	guest->outcome = *outcome;
	guest->outcome.guest = guest->number;
	guest->outcome.number = work->number;
	guest->outcome.kind = work->kind;
	guest->ticket = 0;
}

static void take_work(struct libvirt_guests *guests, const struct libvirt_item *item)
{
	struct libvirt_guest *guest = find_uuid(guests, item->uuid);

	if (!guest || guest->ticket != item->ticket)
		return;
	/* What is older than the latest news of its agent would be known wrongly. */
	if (item->outcome.agent != AGENT_NONE && item->agent_news == guest->agent_news)
		guest->agent = item->outcome.agent;
	finish(guests, guest, &item->outcome, &guest->work);
}

size_t libvirt_guests_take(struct libvirt_guests *guests, const struct libvirt_item *item, vt_mono now,
                           struct sign signs[LIBVIRT_SIGNS_MAX])
{
	struct telling t = { signs, 0, item->kind == ITEM_NEWS ? item->at : now };

	switch (item->kind) {
	case ITEM_NEWS:
		take_news(&t, guests, item, now);
		break;
	case ITEM_LOOK:
		take_look(&t, guests, item, now);
		break;
	case ITEM_LINK:
		take_link(guests, item, now);
		break;
	case ITEM_WORK:
		take_work(guests, item);
		break;
	}
	return t.n;
}

static void fill_job(struct libvirt_guests *guests, const struct libvirt_guest *guest,
                     enum libvirt_item_kind kind, struct libvirt_item *job)
{
	*job = (struct libvirt_item){ .kind = kind, .ticket = ++guests->latest_ticket };
	memcpy(job->uuid, guest->uuid, LIBVIRT_UUID_SIZE);
}

void libvirt_guests_begin(struct libvirt_guests *guests, struct libvirt_guest *guest,
                          const struct work *work, vt_mono now, struct libvirt_item *job)
{
	fill_job(guests, guest, ITEM_WORK, job);
	job->work = *work;
	job->is_vmtimed = guest->agent == AGENT_VMTIMED;
	job->agent_news = guest->agent_news;
	job->deadline = vt_mono_add(now, work->timeout);
	guest->work = *work;
	guest->ticket = job->ticket;
	guest->deadline = job->deadline;
	guests->deadline = vt_mono_min(guests->deadline, guest->deadline);
}

void libvirt_guests_end(struct libvirt_guests *guests, struct libvirt_guest *guest,
                        const struct work *work, enum work_result result, const char *text)
{
	struct work_outcome outcome = { .result = result };

	snprintf(outcome.text, sizeof outcome.text, "%s", text);
	finish(guests, guest, &outcome, work);
}

uint64_t libvirt_guests_drop(struct libvirt_guests *guests, struct libvirt_guest *guest)
{
	uint64_t ticket = guest->ticket;

	guests->n_outcomes -= guest->has_outcome;
	guest->has_outcome = false;
	guest->ticket = 0;
	return ticket;
}

bool libvirt_guests_pop(struct libvirt_guests *guests, struct work_outcome *ret)
{
	if (guests->n_outcomes == 0)
		return false;
	for (;; guests->next_outcome++) {
		struct libvirt_guest *guest;

		if (guests->next_outcome >= guests->n)
			guests->next_outcome = 0;
		guest = guests->all[guests->next_outcome];
		if (!guest->has_outcome)
			continue;
		*ret = guest->outcome;
		guest->has_outcome = false;
		guests->n_outcomes--;
		return true;
	}
}

static vt_mono guest_deadline(const struct libvirt_guest *guest)
{
	vt_mono at = guest->ticket ? guest->deadline : VT_MONO_NEVER;

	return guest->wants_look && !guest->look_ticket ? vt_mono_min(at, guest->look_at) : at;
}

static void begin_look(struct libvirt_guests *guests, struct libvirt_guest *guest,
                       struct libvirt_item *job)
{
	fill_job(guests, guest, ITEM_LOOK, job);
	job->deadline = VT_MONO_NEVER;
	guest->look_ticket = job->ticket;
	guest->wants_look = guest->has_heard = guest->has_heard_agent = false;
}

bool libvirt_guests_due(struct libvirt_guests *guests, vt_mono now, struct libvirt_item *job,
                        uint64_t *ret_late)
{
	vt_mono deadline = VT_MONO_NEVER;

	if (now.ns < guests->deadline.ns)
		return false;
	for (size_t i = 0; i < guests->n; i++) {
		struct libvirt_guest *guest = guests->all[i];

		deadline = vt_mono_min(deadline, guest_deadline(guest));
		if (now.ns < deadline.ns)
			continue;
		if (guest->ticket && guest->deadline.ns <= now.ns) {
			*ret_late = guest->ticket;
			libvirt_guests_end(guests, guest, &guest->work, WORK_TIMED_OUT,
			                   "no answer in time");
		} else {
			begin_look(guests, guest, job);
		}
		return true;
	}
	guests->deadline = deadline;
	return false;
}
