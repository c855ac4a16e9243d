/* SPDX-License-Identifier: Apache-2.0 */
#include "os/line_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/files.h"

/* Does somebody listen at @address? */
static bool is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answers;

	if (fd < 0)
		return false;
	/* A full backlog (EAGAIN) is a sign of life, too. */
	answers = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
		  errno == EAGAIN;
	close(fd);
	return answers;
}

/* Removes a socket that nobody listens to.  0, -EADDRINUSE where somebody does, or -errno. */
static int clear_path(const struct sockaddr_un *address)
{
	struct stat st;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (is_alive(address))
		return -EADDRINUSE;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int make_folder_of(const char *path, uid_t uid, gid_t gid)
{
	char folder[FILE_PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return 0;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	return folder_make(folder, 0755, uid, gid);
}

static int bind_and_listen(int fd, const struct sockaddr_un *address, uid_t uid, gid_t gid)
{
	if (bind(fd, (const struct sockaddr *)address, sizeof *address) < 0)
		return -errno;
	/* Anybody may connect and read; who may change things is looked at per client. */
	if (chmod(address->sun_path, 0666) < 0 ||
	    (geteuid() != uid && lchown(address->sun_path, uid, gid) < 0) ||
	    listen(fd, LINE_SOCKET_BACKLOG) < 0) {
		int r = -errno;

		(void)unlink(address->sun_path);
		return r;
	}
	return 0;
}

int line_socket_open(const char *path, uid_t uid, gid_t gid, int *ret_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);
	int fd, r;

	if (length >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length);
	r = make_folder_of(path, uid, gid);
	if (r == 0)
		r = clear_path(&address);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = bind_and_listen(fd, &address, uid, gid);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}
