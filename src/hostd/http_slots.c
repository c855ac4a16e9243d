/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/http_slots.h"

struct http_slot *http_slots_take(struct http_slots *s, int fd, vt_mono now)
{
	for (unsigned i = 0; i < HTTP_SLOTS_MAX; i++) {
		if (s->slots[i].phase != HTTP_SLOT_FREE)
			continue;
		s->n++;
		s->slots[i] = (struct http_slot){ .phase = HTTP_SLOT_ASKING,
			                          .due = vt_mono_add(now, HTTP_TIME_TO_ASK),
			                          .fd = fd };
		return &s->slots[i];
	}
	return NULL;
}

/* One that is being closed stays so. */
static void enter(struct http_slots *s, struct http_slot *slot, enum http_phase phase, size_t bytes,
                  vt_mono due)
{
	s->bytes -= slot->bytes;
	slot->bytes = 0;
	if (slot->phase == HTTP_SLOT_CLOSING)
		return;
	slot->phase = phase;
	slot->due = due;
	slot->bytes = bytes;
	s->bytes += bytes;
}

void http_slots_answer(struct http_slots *s, struct http_slot *slot, size_t bytes, vt_mono now)
{
	enter(s, slot, HTTP_SLOT_TAKING, bytes, vt_mono_add(now, HTTP_TIME_TO_TAKE));
}

void http_slots_rest(struct http_slots *s, struct http_slot *slot, vt_mono now)
{
	enter(s, slot, HTTP_SLOT_RESTING, 0, vt_mono_add(now, HTTP_TIME_TO_RETURN));
}

void http_slots_free(struct http_slots *s, struct http_slot *slot)
{
	s->bytes -= slot->bytes;
	s->n--;
	*slot = (struct http_slot){ .phase = HTTP_SLOT_FREE };
}

/* Whether @a goes before @b: who rests first, then whose time is up earlier. */
static bool goes_before(const struct http_slot *a, const struct http_slot *b)
{
	const bool a_rests = a->phase == HTTP_SLOT_RESTING, b_rests = b->phase == HTTP_SLOT_RESTING;

	return a_rests != b_rests ? a_rests : a->due.ns < b->due.ns;
}

/* The one to go first; with @is_taking among those that take an answer. */
static struct http_slot *slowest(struct http_slots *s, bool is_taking)
{
	struct http_slot *found = NULL;

	for (unsigned i = 0; i < HTTP_SLOTS_MAX; i++) {
		struct http_slot *slot = &s->slots[i];

		if (slot->phase == HTTP_SLOT_FREE || slot->phase == HTTP_SLOT_CLOSING)
			continue;
		if (is_taking && slot->phase != HTTP_SLOT_TAKING)
			continue;
		if (!found || goes_before(slot, found))
			found = slot;
	}
	return found;
}

static struct http_slot *overdue(struct http_slots *s, vt_mono now)
{
	for (unsigned i = 0; i < HTTP_SLOTS_MAX; i++) {
		struct http_slot *slot = &s->slots[i];

		if (slot->phase != HTTP_SLOT_FREE && slot->phase != HTTP_SLOT_CLOSING &&
		    slot->due.ns <= now.ns)
			return slot;
	}
	return NULL;
}

static unsigned count_closing(const struct http_slots *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HTTP_SLOTS_MAX; i++)
		n += s->slots[i].phase == HTTP_SLOT_CLOSING;
	return n;
}

struct http_slot *http_slots_pop_late(struct http_slots *s, vt_mono now)
{
	struct http_slot *late = overdue(s, now);

	if (!late && s->bytes > HTTP_BYTES_MAX)
		late = slowest(s, true);
	if (!late && s->n - count_closing(s) > HTTP_SLOTS_MAX - HTTP_SLOTS_SPARE)
		late = slowest(s, false);
	if (!late)
		return NULL;
	s->bytes -= late->bytes;
	late->bytes = 0;
	late->phase = HTTP_SLOT_CLOSING;
	return late;
}

vt_mono http_slots_deadline(const struct http_slots *s)
{
	vt_mono due = VT_MONO_NEVER;

	for (unsigned i = 0; i < HTTP_SLOTS_MAX; i++)
		if (s->slots[i].phase != HTTP_SLOT_FREE && s->slots[i].phase != HTTP_SLOT_CLOSING)
			due = vt_mono_min(due, s->slots[i].due);
	return due;
}
