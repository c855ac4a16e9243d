/* SPDX-License-Identifier: Apache-2.0 */
#include "os/vsock.h"

#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/files.h"
#include "os/line_socket.h"

/* Made by the vsock module itself, whether it is loaded or built in. */
#define SIGN "/sys/class/misc/vsock"

/* The kernel's LAST_RESERVED_PORT (net/vmw_vsock/af_vsock.c), which no header exports. */
#define LAST_PRIVILEGED_PORT 1023

static bool is_there(const char *root)
{
	char path[FILE_PATH_MAX];
	int n = snprintf(path, sizeof path, "%s%s", root, SIGN);

	return n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0;
}

enum vsock_outcome vsock_listen(const char *root, unsigned port, int *ret_fd, int *reterr)
{
	const struct sockaddr_vm address = {
		.svm_family = AF_VSOCK,
		.svm_port = port,
		.svm_cid = VMADDR_CID_ANY,
	};
	int fd;

	if (!is_there(root))
		return VSOCK_MISSING;
	fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 && (errno == EAFNOSUPPORT || errno == ENODEV))
		return VSOCK_MISSING;
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
	    listen(fd, LINE_SOCKET_BACKLOG) == 0) {
		*ret_fd = fd;
		return VSOCK_LISTENS;
	}
	*reterr = -errno;
	if (fd >= 0)
		close(fd);
	return VSOCK_FAILED;
}

/* From the highest one down; 0 or -errno. */
static int bind_privileged(int fd)
{
	struct sockaddr_vm address = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY };

	for (unsigned port = LAST_PRIVILEGED_PORT; port > 0; port--) {
		address.svm_port = port;
		if (bind(fd, (const struct sockaddr *)&address, sizeof address) == 0)
			return 0;
		if (errno != EADDRINUSE)
			return -errno;
	}
	return -EADDRINUSE;
}

static int begin_to_connect(int fd, unsigned cid, unsigned port)
{
	const struct sockaddr_vm address = {
		.svm_family = AF_VSOCK,
		.svm_port = port,
		.svm_cid = cid,
	};
	int r = bind_privileged(fd);

	if (r == 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 &&
	    errno != EINPROGRESS)
		r = -errno;
	return r;
}

enum vsock_dial vsock_dial(const char *root, unsigned cid, unsigned port, int *ret_fd, int *reterr)
{
	int fd, r;

	if (!is_there(root))
		return VSOCK_DIAL_MISSING;
	fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 && (errno == EAFNOSUPPORT || errno == ENODEV))
		return VSOCK_DIAL_MISSING;
	r = fd < 0 ? -errno : begin_to_connect(fd, cid, port);
	if (r == 0) {
		*ret_fd = fd;
		return VSOCK_DIAL_BEGUN;
	}
	if (fd >= 0)
		close(fd);
	*reterr = r;
	return VSOCK_DIAL_FAILED;
}

int vsock_dialled(int fd)
{
	int error = 0;
	socklen_t n = sizeof error;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		return -errno;
	return -error;
}

/* False: it is no address of vsock. */
static bool read_address(const struct sockaddr *peer, struct sockaddr_vm *ret)
{
	if (peer->sa_family != AF_VSOCK)
		return false;
	memcpy(ret, peer, sizeof *ret);
	return true;
}

bool vsock_is_host(const struct sockaddr *peer, socklen_t length)
{
	struct sockaddr_vm address;

	return length >= sizeof address && read_address(peer, &address) &&
	       address.svm_cid == VMADDR_CID_HOST && address.svm_port <= LAST_PRIVILEGED_PORT;
}

const char *vsock_text(const struct sockaddr *peer, char to[VSOCK_TEXT_MAX])
{
	struct sockaddr_vm address;

	if (read_address(peer, &address))
		snprintf(to, VSOCK_TEXT_MAX, "CID %u port %u", address.svm_cid, address.svm_port);
	else
		snprintf(to, VSOCK_TEXT_MAX, "unknown");
	return to;
}
