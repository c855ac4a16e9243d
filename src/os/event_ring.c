/* SPDX-License-Identifier: Apache-2.0 */
#include "os/event_ring.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#define BYTES (EVENT_RING_SIZE * sizeof(struct event_record))

int event_ring_open(struct event_ring *r)
{
	/* Pages that no event has touched yet do not exist. */
	void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	*r = (struct event_ring){ .records = memory };
	return 0;
}

void event_ring_fini(struct event_ring *r)
{
	if (r->records)
		munmap(r->records, BYTES);
	*r = (struct event_ring)EVENT_RING_INIT;
}

static struct event_record *slot(const struct event_ring *r, uint64_t number)
{
	return &r->records[number % EVENT_RING_SIZE];
}

uint64_t event_ring_add(struct event_ring *r, const struct event_record *record)
{
	struct event_record *to = slot(r, ++r->newest);

	*to = *record;
	to->number = r->newest;
	return r->newest;
}

bool event_ring_change(struct event_ring *r, const struct event_record *record)
{
	if (!event_ring_get(r, record->number))
		return false;
	*slot(r, record->number) = *record;
	return true;
}

const struct event_record *event_ring_get(const struct event_ring *r, uint64_t number)
{
	const struct event_record *at = slot(r, number);

	return number > 0 && at->number == number ? at : NULL;
}

uint64_t event_ring_oldest(const struct event_ring *r)
{
	return r->newest < EVENT_RING_SIZE ? 1 : r->newest - EVENT_RING_SIZE + 1;
}
