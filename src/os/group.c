/* SPDX-License-Identifier: Apache-2.0 */
#include "os/group.h"

#include <grp.h>
#include <stdint.h>

#include "base/slice.h"

bool group_find(const char *name, gid_t *ret)
{
	const struct group *entry;
	int64_t number;

	if (slice_to_int(slice_of(name), &number)) {
		/* The last one means "none" to the kernel. */
		if (number < 0 || number >= UINT32_MAX)
			return false;
		*ret = (gid_t)number;
		return true;
	}
	entry = getgrnam(name);
	if (!entry)
		return false;
	*ret = entry->gr_gid;
	return true;
}
