/* SPDX-License-Identifier: Apache-2.0 */
#include "os/unix_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/files.h"

struct attempt {
	uid_t folder_owner;
	char *text;
	size_t text_size;
};

static enum unix_stream_outcome fail_with(const struct attempt *a, int error, const char *what)
{
	snprintf(a->text, a->text_size, "%s: %s", what, strerror(error));
	return error == ENOENT ? UNIX_STREAM_MISSING : UNIX_STREAM_FAILED;
}

static bool is_trusted(const struct attempt *a, uid_t uid)
{
	return uid == 0 || uid == geteuid() || uid == a->folder_owner;
}

static enum unix_stream_outcome check_file(const struct attempt *a, int file)
{
	struct stat st;

	if (fstat(file, &st) < 0)
		return fail_with(a, errno, "stat");
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(a->text, a->text_size, "it is no socket");
		return UNIX_STREAM_REFUSED;
	}
	if (!is_trusted(a, st.st_uid)) {
		snprintf(a->text, a->text_size,
		         "it belongs to user %u, who is neither root nor we nor the owner of its folder",
		         (unsigned)st.st_uid);
		return UNIX_STREAM_REFUSED;
	}
	return UNIX_STREAM_OPEN;
}

/* Who listens, as of when he began to. */
static enum unix_stream_outcome check_peer(const struct attempt *a, int fd)
{
	struct ucred peer = { .pid = 0 };
	socklen_t n = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return fail_with(a, errno, "who listens");
	if (is_trusted(a, peer.uid))
		return UNIX_STREAM_OPEN;
	snprintf(a->text, a->text_size,
	         "user %u listens there, who is neither root nor we nor the owner of its folder",
	         (unsigned)peer.uid);
	return UNIX_STREAM_REFUSED;
}

static enum unix_stream_outcome outcome_of_connect(const struct attempt *a, int error)
{
	switch (error) {
	case ECONNREFUSED:
		snprintf(a->text, a->text_size, "nobody listens there");
		return UNIX_STREAM_NOBODY;
	case EAGAIN:
		snprintf(a->text, a->text_size, "too many others wait there");
		return UNIX_STREAM_BUSY;
	default:
		(void)fail_with(a, error, "connect");
		return UNIX_STREAM_FAILED;
	}
}

/* @file is what was looked at; its name may lead elsewhere by now. */
static enum unix_stream_outcome connect_to(const struct attempt *a, int file, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", file);
	do
		r = connect(fd, (const struct sockaddr *)&address, sizeof address);
	while (r < 0 && errno == EINTR);
	return r < 0 ? outcome_of_connect(a, errno) : check_peer(a, fd);
}

/* @path cut into its folder and what stands in it. */
static bool split(const char *path, char *folder, size_t size, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (!slash || !slash[1] || n + 2 > size)
		return false;
	memcpy(folder, path, n ? n : 1);
	folder[n ? n : 1] = '\0';
	*ret_name = slash + 1;
	return true;
}

/* *@ret_file is written for UNIX_STREAM_OPEN. */
static enum unix_stream_outcome hold(struct attempt *a, const char *path, int *ret_file)
{
	char folder[FILE_PATH_MAX];
	enum unix_stream_outcome outcome;
	const char *name;
	struct stat st;
	int at, file;

	if (!split(path, folder, sizeof folder, &name))
		return fail_with(a, ENAMETOOLONG, "its path");
	at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return fail_with(a, errno, "its folder");
	if (fstat(at, &st) < 0) {
		close(at);
		return fail_with(a, errno, "its folder");
	}
	a->folder_owner = st.st_uid;
	file = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	outcome = file < 0 ? fail_with(a, errno, "open") : check_file(a, file);
	close(at);
	if (outcome == UNIX_STREAM_OPEN)
		*ret_file = file;
	else if (file >= 0)
		close(file);
	return outcome;
}

enum unix_stream_outcome unix_stream_connect(const char *path, int *ret_fd, char *reterr_text,
                                             size_t text_size)
{
	struct attempt a = { .text = reterr_text, .text_size = text_size };
	int file = -1, fd;
	enum unix_stream_outcome outcome = hold(&a, path, &file);

	if (outcome != UNIX_STREAM_OPEN)
		return outcome;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	outcome = fd < 0 ? fail_with(&a, errno, "socket") : connect_to(&a, file, fd);
	close(file);
	if (outcome == UNIX_STREAM_OPEN)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	return outcome;
}
