/* SPDX-License-Identifier: Apache-2.0 */
#include "core/event.h"

struct discipline_event *event_push(struct event_queue *q, enum discipline_event_kind kind,
                                    int source)
{
	struct discipline_event *event;

	if (q->n == EVENT_QUEUE_MAX) {
		q->first = (q->first + 1) % EVENT_QUEUE_MAX;
		q->n--;
	}
	event = &q->events[(q->first + q->n++) % EVENT_QUEUE_MAX];
	*event = (struct discipline_event){ .kind = kind, .source = source };
	return event;
}

bool event_pop(struct event_queue *q, struct discipline_event *ret)
{
	if (q->n == 0)
		return false;
	*ret = q->events[q->first];
	q->first = (q->first + 1) % EVENT_QUEUE_MAX;
	q->n--;
	return true;
}
