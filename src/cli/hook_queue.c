/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/hook_queue.h"

void hook_queue_init(struct hook_queue *q)
{
	*q = (struct hook_queue){ 0 };
}

/* What is known of @event; where nothing is, that is noted from now on. */
static struct hook_seen *look_up(struct hook_queue *q, const struct report_event *event)
{
	struct hook_seen *seen;

	for (size_t i = 0; i < q->n_seen; i++)
		if (q->seen[i].number == event->number &&
		    q->seen[i].noticed.ns == event->noticed.ns)
			return &q->seen[i];
	seen = &q->seen[q->next_seen];
	q->next_seen = (q->next_seen + 1) % HOOK_SEEN_MAX;
	if (q->n_seen < HOOK_SEEN_MAX)
		q->n_seen++;
	*seen = (struct hook_seen){ .number = event->number, .noticed = event->noticed };
	return seen;
}

static void push(struct hook_queue *q, enum hook_phase phase, const struct report_event *event)
{
	if (q->n == HOOK_QUEUE_MAX) {
		q->first = (q->first + 1) % HOOK_QUEUE_MAX;
		q->n--;
		q->dropped++;
	}
	q->jobs[(q->first + q->n++) % HOOK_QUEUE_MAX] = (struct hook_job){ phase, *event };
}

static bool are_same(const struct report_event *a, const struct report_event *b)
{
	return a->number == b->number && a->noticed.ns == b->noticed.ns;
}

static void see(struct hook_queue *q, const struct report_event *event)
{
	struct hook_seen *seen = look_up(q, event);

	if (seen->has_ended)
		return;
	if (event->end != REPORT_END_OPEN) {
		push(q, HOOK_ON_REPAIR, event);
		seen->has_ended = true;
		q->has_open &= !are_same(&q->open, event);
	} else if (!seen->has_begun) {
		push(q, HOOK_ON_DISRUPTION, event);
		seen->has_begun = true;
		q->has_open = true;
		q->open = *event;
	}
}

static void end_forgotten(struct hook_queue *q, const struct report_event *events, size_t n)
{
	struct report_event forgotten = q->open;

	if (!q->has_open)
		return;
	for (size_t i = 0; i < n; i++)
		if (are_same(&events[i], &forgotten))
			return;
	forgotten.end = REPORT_END_UNFINISHED;
	see(q, &forgotten);
}

void hook_queue_add(struct hook_queue *q, const struct report_notice *notice)
{
	switch (notice->what) {
	case REPORT_HAPPENING_STATE:
	case REPORT_HAPPENING_RENAMED:
	case REPORT_HAPPENINGS: return;
	case REPORT_HAPPENING_OPENED:
	case REPORT_HAPPENING_CLOSED: see(q, &notice->event); return;
	}
}

void hook_queue_catch_up(struct hook_queue *q, const struct report_event *events, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (q->has_caught_up || events[i].end == REPORT_END_OPEN)
			see(q, &events[i]);
		else
			look_up(q, &events[i])->has_ended = true;
	end_forgotten(q, events, n);
	q->has_caught_up = true;
}

bool hook_queue_pop(struct hook_queue *q, struct hook_job *ret)
{
	if (q->n == 0)
		return false;
	*ret = q->jobs[q->first];
	q->first = (q->first + 1) % HOOK_QUEUE_MAX;
	q->n--;
	q->has_begun = ret->phase == HOOK_ON_DISRUPTION;
	q->begun = ret->event;
	return true;
}

bool hook_queue_close(struct hook_queue *q, struct hook_job *ret)
{
	struct hook_job job = { HOOK_ON_REPAIR, q->begun };

	job.event.end = REPORT_END_UNFINISHED;
	for (size_t i = 0; i < q->n; i++) {
		const struct hook_job *waits = &q->jobs[(q->first + i) % HOOK_QUEUE_MAX];

		if (waits->phase == HOOK_ON_REPAIR && are_same(&waits->event, &q->begun))
			job = *waits;
	}
	q->n = 0;
	if (!q->has_begun)
		return false;
	q->has_begun = false;
	*ret = job;
	return true;
}

unsigned hook_queue_dropped(struct hook_queue *q)
{
	const unsigned dropped = q->dropped;

	q->dropped = 0;
	return dropped;
}
