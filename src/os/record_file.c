/* SPDX-License-Identifier: Apache-2.0 */
#include "os/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void record_file_close(struct record_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* O_NONBLOCK: a FIFO in its place must not hold a daemon up. */
static int open_file(struct record_file *f, const char *path)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	              0644);
	int r = 0;

	if (fd < 0)
		return errno == ENXIO ? -ENODEV : -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -ENODEV;
	if (r < 0)
		close(fd);
	else
		f->fd = fd;
	return r;
}

/* Of a line that was cut short nothing stays. */
static int write_whole(int fd, const char *text, size_t n)
{
	off_t before = lseek(fd, 0, SEEK_END);
	ssize_t written;

	do {
		written = write(fd, text, n);
	} while (written < 0 && errno == EINTR);
	if (written < 0)
		return -errno;
	if ((size_t)written == n)
		return 0;
	if (before >= 0 && ftruncate(fd, before) < 0)
		return -errno;
	return -ENOSPC;
}

int record_file_append(struct record_file *f, const char *path, const char *text, size_t n)
{
	int r = 0;

	if (f->fd < 0)
		r = open_file(f, path);
	if (r == 0)
		r = write_whole(f->fd, text, n);
	if (r < 0)
		record_file_close(f);
	return r;
}
