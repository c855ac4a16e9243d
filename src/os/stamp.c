/* SPDX-License-Identifier: Apache-2.0 */
#include "os/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "os/files.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_SIZE 64

/* 0 or -errno. */
static int read_boot_id(char id[BOOT_ID_SIZE])
{
	ssize_t n = file_read_small(AT_FDCWD, BOOT_ID_PATH, id, BOOT_ID_SIZE);

	if (n < 0)
		return (int)n;
	return n > 0 ? 0 : -ENODATA;
}

int stamp_make(const char *path)
{
	char id[BOOT_ID_SIZE];
	int r = read_boot_id(id);

	if (r < 0)
		return r;
	return file_replace(path, id, strlen(id), 0644);
}

bool stamp_exists(const char *path)
{
	char ours[BOOT_ID_SIZE], theirs[BOOT_ID_SIZE];

	return read_boot_id(ours) == 0 &&
	       file_read_small(AT_FDCWD, path, theirs, sizeof theirs) > 0 &&
	       strcmp(ours, theirs) == 0;
}
