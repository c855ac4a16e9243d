/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/host_reason.h"

#include <string.h>

const char *const HOST_REASON_NAMES[] = {
	[HOST_REASON_NONE] = "",
	[HOST_REASON_PAUSE] = "pause",
	[HOST_REASON_RESTORE] = "restore",
	[HOST_REASON_MIGRATION] = "migration",
	[HOST_REASON_STEP] = "host-step",
	[HOST_REASON_RESUME] = "resume",
};

const char *host_reason_name(enum host_reason reason)
{
	return HOST_REASON_NAMES[reason];
}

bool host_reason_find(const char *name, enum host_reason *ret)
{
	for (unsigned i = HOST_REASON_NONE + 1; i < HOST_REASONS; i++)
		if (strcmp(HOST_REASON_NAMES[i], name) == 0) {
			*ret = (enum host_reason)i;
			return true;
		}
	return false;
}
