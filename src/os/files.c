/* SPDX-License-Identifier: Apache-2.0 */
#include "os/files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK: opening a FIFO without it would wait for a writer. */
static int open_for_reading(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		r = -ENODEV;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

ssize_t file_read_up_to(int fd, char *to, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, to + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	return (ssize_t)used;
}

/* Reads @fd into a buffer that doubles: files of /proc do not say how long they are. */
static int read_growing(int fd, size_t limit, char **ret, size_t *ret_length)
{
	size_t size = limit < 4096 ? limit : 4096, used = 0;
	char *text = NULL;

	for (;;) {
		/* One byte more than the limit is asked for, to see that there is more. */
		char *larger = realloc(text, size + 2);
		ssize_t got = -ENOMEM;

		if (larger) {
			text = larger;
			got = file_read_up_to(fd, text + used, size + 1 - used);
		}
		if (got < 0 || used + (size_t)got > limit) {
			free(text);
			return got < 0 ? (int)got : -EFBIG;
		}
		used += (size_t)got;
		if (used <= size)
			break;
		size = size > limit / 2 ? limit : size * 2;
	}
	text[used] = '\0';
	*ret = text;
	*ret_length = used;
	return 0;
}

int file_read(const char *path, size_t limit, char **ret, size_t *ret_length)
{
	int fd = open_for_reading(path);
	int r;

	assert(limit < SIZE_MAX / 4);
	if (fd < 0)
		return fd;
	r = read_growing(fd, limit, ret, ret_length);
	close(fd);
	return r;
}

ssize_t file_read_small(int folder, const char *path, char *to, size_t size)
{
	int fd;
	ssize_t got;

	assert(size > 0);
	to[0] = '\0';
	fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	got = file_read_up_to(fd, to, size);
	close(fd);
	if (got < 0 || (size_t)got == size) {
		to[0] = '\0';
		return got < 0 ? got : -EFBIG;
	}
	while (got > 0 && (to[got - 1] == '\n' || to[got - 1] == ' ' || to[got - 1] == '\t'))
		got--;
	to[got] = '\0';
	return got;
}

int file_write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, data, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		data += put;
		length -= (size_t)put;
	}
	return 0;
}

/* Gives @fd the mode and owner of the file it is to replace. */
static int inherit(int fd, const char *path, mode_t mode)
{
	struct stat old;
	bool exists = lstat(path, &old) == 0;

	if (!exists && errno != ENOENT)
		return -errno;
	if (exists && !S_ISREG(old.st_mode))
		return S_ISDIR(old.st_mode) ? -EISDIR : -ENODEV;
	/* Giving a file away takes a right that the daemon has dropped; the content matters more.
	 */
	if (exists && fchown(fd, old.st_uid, old.st_gid) < 0 && errno != EPERM)
		return -errno;
	/* Not left to open(2), whose mode the umask cuts. */
	return fchmod(fd, exists ? old.st_mode & 07777 : mode) < 0 ? -errno : 0;
}

/* A temporary that a killed daemon left is in nobody's use: there is one writer. */
static int create_temporary(const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == EEXIST && unlink(path) == 0)
		fd = open(path, flags, 0600);
	return fd < 0 ? -errno : fd;
}

static int write_temporary(const char *temporary, const char *path, const char *data, size_t length,
			   mode_t mode)
{
	int fd = create_temporary(temporary);
	int r;

	if (fd < 0)
		return fd;
	r = inherit(fd, path, mode);
	if (r == 0)
		r = file_write_all(fd, data, length);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	/* Some file systems tell only now that there was no room. */
	if (close(fd) < 0 && r == 0 && errno != EINTR)
		r = -errno;
	return r;
}

/* Makes the rename itself survive a power cut.  Best effort: the content is safe already. */
static void sync_folder_of(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;

	if (!slash)
		snprintf(folder, sizeof folder, ".");
	else
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

static int replace(const char *path, const char *data, size_t length, mode_t mode)
{
	char temporary[PATH_MAX + 8];
	int r;

	snprintf(temporary, sizeof temporary, "%s.tmp", path);
	r = write_temporary(temporary, path, data, length, mode);
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(temporary);
		return r;
	}
	sync_folder_of(path);
	return 0;
}

int file_replace(const char *path, const char *data, size_t length, mode_t mode)
{
	struct stat st;
	char *target;
	int r;

	if (strlen(path) >= FILE_PATH_MAX)
		return -ENAMETOOLONG;
	if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
		return replace(path, data, length, mode);

	target = realpath(path, NULL);
	if (!target)
		return -errno;
	r = replace(target, data, length, mode);
	free(target);
	return r;
}

/* Opens a folder for its owner to be changed, not by way of a link. */
static int open_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int own_folder(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct stat st;
	int fd = open_folder(path);
	int r = 0;

	if (fd < 0)
		return fd;
	/* The mode first: who gives a folder away may have no right to change it any more. */
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (st.st_uid == geteuid() && (st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		r = -errno;
	else if ((st.st_uid != uid || st.st_gid != gid) && fchown(fd, uid, gid) < 0)
		r = -errno;
	else if (st.st_uid != geteuid() && (st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		r = -errno;
	close(fd);
	return r;
}

int folder_make(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return own_folder(path, mode, uid, gid);
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int folder_take(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return -errno;
	return own_folder(path, mode, uid, gid);
}
