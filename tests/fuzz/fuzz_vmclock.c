/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_vmclock.c - a host's page against arbitrary bytes
 *
 * The last eight bytes are a counter's value, the rest is the page.  A page that does as a clock must
 * never run backwards, nor be more certain later than before.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/vmclock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void read_twice(const struct vmclock_page *page, uint64_t value)
{
	vt_real first, second;
	vt_span radius, later;

	if (!vmclock_time_at(page, value, &first, &radius) || value == UINT64_MAX ||
	    !vmclock_time_at(page, value + 1, &second, &later))
		return;
	require(value >= page->counter_value);
	require(second.ns >= first.ns && radius.ns >= 0 && later.ns >= radius.ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmclock_page page;
	uint64_t value;

	if (size < sizeof value)
		return 0;
	memcpy(&value, data + size - sizeof value, sizeof value);
	if (vmclock_decode(data, size - sizeof value, &page) != VMCLOCK_READ)
		return 0;
	require(page.sequence % 2 == 0);
	require(page.has_generation || page.generation == 0);
	if (vmclock_as_clock(&page, VMCLOCK_X86_TSC) == VMCLOCK_CLOCK)
		read_twice(&page, value);
	return 0;
}
