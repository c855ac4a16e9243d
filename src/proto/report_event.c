/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/report_event.h"

#include <stdio.h>
#include <string.h>

_Static_assert((int)EVENT_ENDS == (int)REPORT_ENDS, "every end can be reported");
_Static_assert((int)EVENT_END_UNFINISHED == (int)REPORT_END_UNFINISHED, "by the same number");

static void write_boot(const uint8_t boot[EVENT_BOOT_SIZE], char *to, size_t size)
{
	static const uint8_t unknown[EVENT_BOOT_SIZE];
	size_t used = 0;

	*to = '\0';
	if (memcmp(boot, unknown, sizeof unknown) == 0)
		return;
	for (unsigned i = 0; i < EVENT_BOOT_SIZE && used + 4 < size; i++)
		used += (size_t)snprintf(to + used, size - used, "%s%02x",
		                         i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", boot[i]);
}

void report_event_fill(const struct event_record *r, struct report_event *ret)
{
	*ret = (struct report_event){
		.is_there = true,
		.number = r->number,
		.end = (enum report_end)r->end,
		.evidence = r->evidence,
		.noticed = r->noticed_at,
		.at = r->repaired_at,
		.size = r->size,
		.is_repaired = r->end != EVENT_END_OPEN && r->end != EVENT_END_UNFINISHED,
		.noticed_after = r->blind_for,
		.repaired_after = r->disrupted_for,
		.wrong_for = vt_span_add(r->blind_for, r->disrupted_for),
	};
	snprintf(ret->cause, sizeof ret->cause, "%s", r->cause);
	snprintf(ret->source, sizeof ret->source, "%s", r->source);
	write_boot(r->boot, ret->boot, sizeof ret->boot);
}
