/* SPDX-License-Identifier: Apache-2.0 */
#include "os/agent_rival.h"

#include <stdio.h>
#include <unistd.h>

#include "os/files.h"

/* Debian and Ubuntu, Fedora and RHEL, SUSE, Alpine, Arch; units as well for an agent under another name. */
static const char *const PLACES[] = {
	"/usr/sbin/qemu-ga",
	"/usr/bin/qemu-ga",
	"/usr/local/sbin/qemu-ga",
	"/usr/local/bin/qemu-ga",
	"/usr/libexec/qemu-ga",
	"/usr/lib/systemd/system/qemu-guest-agent.service",
	"/lib/systemd/system/qemu-guest-agent.service",
	"/etc/systemd/system/qemu-guest-agent.service",
	"/usr/lib/systemd/system/qemu-ga@.service",
	"/etc/init.d/qemu-guest-agent",
};

bool agent_rival_find(const char *root, const char **ret_path)
{
	char path[FILE_PATH_MAX];

	for (size_t i = 0; i < COUNT(PLACES); i++) {
		int n = snprintf(path, sizeof path, "%s%s", root, PLACES[i]);

		if (n < 0 || (size_t)n >= sizeof path || access(path, F_OK) < 0)
			continue;
		*ret_path = PLACES[i];
		return true;
	}
	return false;
}
