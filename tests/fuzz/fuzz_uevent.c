/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fuzz_uevent.c - a kernel event's text against arbitrary bytes
 *
 * Who finds the word in a text finds it in the same text with an event in front of it, and does not
 * find it once its digit is another.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "os/uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char FRONT[] = "change@/devices/x";

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool tells = uevent_tells_generation((const char *)data, size);
	char *longer = malloc(sizeof FRONT + size);

	if (!longer)
		return 0;
	memcpy(longer, FRONT, sizeof FRONT);
	if (size)
		memcpy(longer + sizeof FRONT, data, size);
	require(!tells || uevent_tells_generation(longer, sizeof FRONT + size));
	for (size_t i = 0; i < sizeof FRONT + size; i++)
		if (longer[i] == '1')
			longer[i] = '2';
	require(!uevent_tells_generation(longer, sizeof FRONT + size));
	free(longer);
	return 0;
}
