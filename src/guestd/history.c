/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/history.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "guestd/daemon.h"
#include "guestd/held.h"
#include "os/files.h"
#include "proto/report_event.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* A disruption's end and a record's are the same, in this order. */
static const enum event_end ENDS[] = {
	[DISRUPTION_OPEN] = EVENT_END_OPEN,       [DISRUPTION_STEPPED] = EVENT_END_STEPPED,
	[DISRUPTION_SLEWED] = EVENT_END_SLEWED,   [DISRUPTION_NOTHING] = EVENT_END_NOTHING,
	[DISRUPTION_LEFT] = EVENT_END_LEFT,       [DISRUPTION_HELD] = EVENT_END_HELD,
};

_Static_assert(EVIDENCE_BITS == REPORT_EVIDENCE_BITS, "all evidence can be reported");

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "123e4567-e89b-12d3-a456-426614174000"; anything else stays unknown. */
static void read_boot(uint8_t boot[EVENT_BOOT_SIZE])
{
	char text[64];
	unsigned digits = 0;

	memset(boot, 0, EVENT_BOOT_SIZE);
	if (file_read_small(AT_FDCWD, BOOT_ID, text, sizeof text) != 36)
		return;
	for (const char *c = text; *c && digits < 2 * EVENT_BOOT_SIZE; c++)
		if (hex_digit(*c) >= 0) {
			boot[digits / 2] = (uint8_t)(boot[digits / 2] << 4 | hex_digit(*c));
			digits++;
		}
}

int history_start(struct history *h)
{
	read_boot(h->boot);
	return event_ring_open(&h->ring);
}

void history_keep(struct history *h)
{
	event_ring_keep(&h->ring, EVENT_RING_PATH);
}

/* What was added before the file could be read has larger numbers now. */
static void renumber(struct history *h, uint64_t shift)
{
	if (h->is_open)
		h->is_open += shift;
	for (unsigned i = 0; i < HISTORY_DISRUPTIONS; i++)
		if (h->known[i].ring)
			h->known[i].ring += shift;
}

void history_sync(struct history *h, vt_mono now)
{
	int r = event_ring_sync(&h->ring, now);

	renumber(h, event_ring_shift(&h->ring));
	if (r < 0 && r != h->error)
		log_cope(r, "%s: events are kept in memory alone", h->ring.path);
	else if (r == 0 && h->error < 0)
		log_info("%s: events are kept there again", h->ring.path);
	h->error = r;
	if (h->ring.unreadable > h->unreadable)
		log_warn("%s: %llu damaged records, left out", h->ring.path,
		         (unsigned long long)h->ring.unreadable);
	h->unreadable = h->ring.unreadable;
}

void history_fini(struct history *h)
{
	event_ring_fini(&h->ring);
}

static const char *source_name(const struct daemon *d, int source)
{
	return source >= 0 && source < (int)d->refclocks.n ? d->refclocks.list[source].name : "";
}

static struct event_record make_record(const struct daemon *d, const char *cause, int source)
{
	struct event_record r = { .number = 0 };

	memcpy(r.boot, d->history.boot, sizeof r.boot);
	snprintf(r.cause, sizeof r.cause, "%s", cause);
	snprintf(r.source, sizeof r.source, "%s", source_name(d, source));
	return r;
}

static struct event_record of_disruption(const struct daemon *d, const struct disruption *from)
{
	struct event_record r = make_record(d, step_cause_name(from->cause), from->source);

	r.end = ENDS[from->end];
	r.evidence = from->evidence;
	r.noticed_at = from->noticed_at;
	r.repaired_at = from->repaired_at;
	r.size = from->size;
	r.blind_for = from->blind_for;
	r.disrupted_for = from->disrupted_for;
	return r;
}

static uint64_t *find_known(struct history *h, uint64_t core)
{
	for (unsigned i = 0; i < HISTORY_DISRUPTIONS; i++)
		if (h->known[i].ring && h->known[i].core == core)
			return &h->known[i].ring;
	return NULL;
}

static void remember(struct history *h, uint64_t core, uint64_t ring)
{
	h->known[h->next].core = core;
	h->known[h->next].ring = ring;
	h->next = (h->next + 1) % HISTORY_DISRUPTIONS;
}

static void add(struct daemon *d, struct event_record *r, enum report_happening what)
{
	r->number = event_ring_add(&d->history.ring, r);
	held_tell(d, what, r);
}

static void note_disruption(struct daemon *d, const struct disruption *from)
{
	struct history *h = &d->history;
	struct event_record r = of_disruption(d, from);
	const uint64_t *known = find_known(h, from->number);
	bool was_open = known && *known == h->is_open;

	if (from->end != DISRUPTION_OPEN && was_open)
		h->is_open = 0;
	if (!known) {
		add(d, &r, from->end == DISRUPTION_OPEN ? REPORT_HAPPENING_OPENED
		                                        : REPORT_HAPPENING_CLOSED);
		remember(h, from->number, r.number);
		if (from->end == DISRUPTION_OPEN)
			h->is_open = r.number;
		return;
	}
	r.number = *known;
	if (event_ring_change(&h->ring, &r))
		held_tell(d, was_open && from->end != DISRUPTION_OPEN ? REPORT_HAPPENING_CLOSED
		                                                      : REPORT_HAPPENING_RENAMED, &r);
}

void history_note(struct daemon *d, const struct discipline_event *e)
{
	/* All others are told in the log; a step has its disruption, however short. */
	if (e->kind == EVENT_DISRUPTED || e->kind == EVENT_REPAIRED)
		note_disruption(d, &e->disruption);
}

void history_note_rtc(struct daemon *d, vt_span size)
{
	struct event_record r = make_record(d, "RTC", -1);

	r.end = EVENT_END_STEPPED;
	r.evidence = EVIDENCE_RTC;
	r.size = size;
	r.repaired_at = daemon_clock_shows();
	r.noticed_at = vt_real_add(r.repaired_at, (vt_span){ -size.ns });
	add(d, &r, REPORT_HAPPENING_CLOSED);
}

void history_report_latest(const struct history *h, struct report_event *ret)
{
	const struct event_record *r = event_ring_get(&h->ring, h->ring.newest);

	*ret = (struct report_event){ .is_there = false };
	if (r)
		report_event_fill(r, ret);
}

void history_report_events(const struct history *h, const struct control_arguments *arguments,
                           struct report_events *ret)
{
	uint64_t last = h->ring.newest, first = event_ring_oldest(&h->ring);
	uint64_t limit = arguments->has_limit ? arguments->limit : REPORT_EVENTS_MAX;

	*ret = (struct report_events){ .n = 0, .unreadable = h->ring.unreadable };
	snprintf(ret->path, sizeof ret->path, "%.255s", h->ring.path);
	if (h->ring.error < 0)
		snprintf(ret->trouble, sizeof ret->trouble, "%.120s: %.100s", h->ring.path,
		         strerror(-h->ring.error));
	if (arguments->has_before && arguments->before <= last)
		last = arguments->before > 0 ? arguments->before - 1 : 0;
	if (arguments->has_since && arguments->since >= first)
		first = arguments->since + 1;
	if (last >= limit && first <= last - limit)
		first = last - limit + 1;
	for (uint64_t number = first; number <= last && ret->n < REPORT_EVENTS_MAX; number++) {
		const struct event_record *r = event_ring_get(&h->ring, number);

		if (r)
			report_event_fill(r, &ret->events[ret->n++]);
	}
}
