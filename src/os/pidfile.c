/* SPDX-License-Identifier: Apache-2.0 */
#include "os/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Does @path still lead to the file that @fd is?  Its former owner may have removed it. */
static bool is_still_at(int fd, const char *path)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

/* The pid in the file; 0 where it is empty, -1 where there is something else in it. */
static pid_t read_pid(int fd)
{
	char text[16];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	char *end;
	long pid;

	if (n < 0)
		return -1;
	text[n] = '\0';
	if (n == 0)
		return 0;
	pid = strtol(text, &end, 10);
	if (end == text || strspn(end, "\n \t") != strlen(end) || pid < 0 || pid > INT32_MAX)
		return -1;
	return (pid_t)pid;
}

static int write_pid(int fd)
{
	char text[16];
	int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	ssize_t put;

	if (ftruncate(fd, 0) < 0)
		return -errno;
	put = pwrite(fd, text, (size_t)n, 0);
	if (put < 0)
		return -errno;
	return put == n ? 0 : -ENOSPC;
}

static enum pidfile_outcome failed(int fd, int error, int *reterr)
{
	if (fd >= 0)
		close(fd);
	*reterr = error;
	return PIDFILE_FAILED;
}

/* The lock on @fd: 0, -errno, or *@ret_held where another process has it. */
static int lock(int fd, bool *ret_held)
{
	*ret_held = false;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return -errno;
	*ret_held = true;
	return 0;
}

/* Opens the file that is at @path and tries to lock it.  Its fd, or -errno. */
static int open_and_lock(const char *path, bool *ret_held)
{
	/* O_NONBLOCK: a FIFO must not hang us. */
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;

	/* Its holder may remove it between our open and our lock, hence more than one attempt. */
	for (int attempt = 0; attempt < 100; attempt++) {
		int fd = open(path, flags, 0644);
		int r = fd < 0 ? -errno : lock(fd, ret_held);

		if (fd < 0)
			return r;
		if (r == 0 && is_still_at(fd, path))
			return fd;
		close(fd);
		if (r < 0)
			return r;
	}
	return -EAGAIN;
}

enum pidfile_outcome pidfile_take(struct pidfile *p, const char *path, pid_t *ret_other,
				  int *reterr)
{
	struct stat st;
	bool is_held = false;
	pid_t former;
	int fd, r;

	if (strlen(path) >= sizeof p->path)
		return failed(-1, -ENAMETOOLONG, reterr);
	fd = open_and_lock(path, &is_held);
	if (fd < 0)
		return failed(-1, fd, reterr);
	former = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read_pid(fd) : -1;
	if (is_held) {
		close(fd);
		*ret_other = former > 0 ? former : 0;
		return PIDFILE_HELD;
	}
	if (former < 0) {
		close(fd);
		return PIDFILE_FOREIGN;
	}
	r = write_pid(fd);
	if (r < 0)
		return failed(fd, r, reterr);

	p->fd = fd;
	memcpy(p->path, path, strlen(path) + 1);
	return PIDFILE_TAKEN;
}

void pidfile_fini(struct pidfile *p)
{
	if (p->fd < 0)
		return;
	/* Emptied first: without the right to remove it, at least it names nobody. */
	if (ftruncate(p->fd, 0) == 0 && is_still_at(p->fd, p->path))
		(void)unlink(p->path);
	close(p->fd);
	p->fd = -1;
}
