/* SPDX-License-Identifier: Apache-2.0 */
#include "os/opener.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/opener_process.h"

#define PATIENCE_MS 1000

static int64_t now_ms(void)
{
	struct timespec t;

	/* Cannot fail for this clock; a wait is not part of the time that we keep. */
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int opener_init(struct opener *o, const struct opener_paths *paths, const char *root,
                bool is_direct)
{
	struct opener fresh = {
		.socket = -1,
		.patience_ms = PATIENCE_MS,
		.root = root,
		.paths = *paths,
	};
	int pair[2];

	if (paths->n > OPENER_PATHS_MAX)
		return -E2BIG;
	if (!memchr(paths->agent, '\0', OPENER_PATH_MAX))
		return -ENAMETOOLONG;
	for (unsigned i = 0; i < paths->n; i++)
		if (!memchr(paths->paths[i], '\0', OPENER_PATH_MAX))
			return -ENAMETOOLONG;
	if (is_direct) {
		*o = fresh;
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;

	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0) {
		int r = -errno;

		close(pair[0]);
		close(pair[1]);
		return r;
	}
	if (pid == 0)
		opener_process_run(pair[1], parent, root, &fresh.paths);
	close(pair[1]);
	fresh.socket = pair[0];
	fresh.pid = pid;
	*o = fresh;
	return 0;
}

/* True where exactly one fd came, which goes to *@ret_fd; else whatever came is closed. */
static bool take_fd(struct msghdr *message, int *ret_fd)
{
	int found = -1;
	unsigned n = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof found) <= h->cmsg_len; at += sizeof found) {
			if (n++)
				close(found);
			memcpy(&found, CMSG_DATA(h) + at, sizeof found);
		}
	}
	if (n == 1 && !(message->msg_flags & MSG_CTRUNC)) {
		*ret_fd = found;
		return true;
	}
	if (n)
		close(found);
	return false;
}

/* A process that ended is told by either, depending on what was under way. */
static int gone(int error)
{
	return error == ECONNRESET ? -EPIPE : -error;
}

/* One message.  0, *@ret_fd is -1 where none came; -EAGAIN: none yet; -EPIPE: it is gone. */
static int receive(int socket, struct opener_reply *ret, int *ret_fd)
{
	struct iovec data = { .iov_base = ret, .iov_len = sizeof *ret };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes,
	};
	ssize_t n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : gone(errno);
	if (n == 0)
		return -EPIPE;

	int fd = -1;
	bool has_fd = take_fd(&message, &fd);

	if (n != sizeof *ret || (message.msg_flags & MSG_TRUNC) || ret->magic != OPENER_MAGIC) {
		if (has_fd)
			close(fd);
		return -EPROTO;
	}
	*ret_fd = fd;
	return 0;
}

/* What came for us: -errno of the other side, or 0 with the fd. */
static int open_reply(struct opener_reply *reply, int fd, struct ptp_node *ret_node, int *ret_fd)
{
	if (reply->error == 0 && fd >= 0) {
		reply->node.path[sizeof reply->node.path - 1] = '\0';
		reply->node.name[sizeof reply->node.name - 1] = '\0';
		*ret_node = reply->node;
		*ret_fd = fd;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	return reply->error < 0 ? reply->error : -EPROTO;
}

static int await_reply(const struct opener *o, struct ptp_node *ret_node, int *ret_fd)
{
	const int64_t deadline_ms = now_ms() + o->patience_ms;

	for (;;) {
		struct pollfd wait = { .fd = o->socket, .events = POLLIN };
		struct opener_reply reply;
		int64_t left_ms = deadline_ms - now_ms();
		int fd = -1;

		if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) == 0)
			return -ETIMEDOUT;

		int r = receive(o->socket, &reply, &fd);

		if (r == -EAGAIN)
			continue;
		if (r < 0)
			return r;
		if (reply.sequence == o->sequence)
			return open_reply(&reply, fd, ret_node, ret_fd);
		/* The answer to a question that was given up. */
		if (fd >= 0)
			close(fd);
	}
}

static int ask(struct opener *o, enum opener_kind kind, uint32_t number, struct ptp_node *ret_node,
               int *ret_fd)
{
	struct opener_request request = {
		.magic = OPENER_MAGIC,
		.sequence = ++o->sequence,
		.kind = kind,
		.number = number,
	};

	if (o->socket < 0)
		return opener_process_open(o->root, &o->paths, &request, ret_node, ret_fd);
	if (send(o->socket, &request, sizeof request, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : gone(errno);
	return await_reply(o, ret_node, ret_fd);
}

int opener_open_kvm(struct opener *o, struct ptp_node *ret_node, int *ret_fd)
{
	return ask(o, OPENER_KVM, 0, ret_node, ret_fd);
}

int opener_open_path(struct opener *o, const char *path, int *ret_fd)
{
	struct ptp_node node;
	unsigned number;

	if (strcmp(path, PTP_LINK_KVM) == 0)
		return ask(o, OPENER_KVM, 0, &node, ret_fd);
	if (ptp_path_number(path, &number))
		return ask(o, OPENER_NUMBER, number, &node, ret_fd);
	for (unsigned i = 0; i < o->paths.n; i++)
		if (strcmp(o->paths.paths[i], path) == 0)
			return ask(o, OPENER_LISTED, i, &node, ret_fd);
	return -EACCES;
}

int opener_open_vmclock(struct opener *o, int *ret_fd)
{
	struct ptp_node node;

	return ask(o, OPENER_VMCLOCK, 0, &node, ret_fd);
}

int opener_open_rtc(struct opener *o, int *ret_fd)
{
	struct ptp_node node;

	return ask(o, OPENER_RTC, 0, &node, ret_fd);
}

int opener_open_agent(struct opener *o, int *ret_fd)
{
	struct ptp_node node;

	return ask(o, OPENER_AGENT, 0, &node, ret_fd);
}

void opener_fini(struct opener *o)
{
	struct pollfd end = { .fd = o->socket, .events = 0 };

	if (o->socket >= 0) {
		/* It reads the end, and ends; where it is stuck in a device we do not stay with it. */
		shutdown(o->socket, SHUT_WR);
		bool has_ended = poll(&end, 1, o->patience_ms) == 1;

		close(o->socket);
		while (waitpid(o->pid, NULL, has_ended ? 0 : WNOHANG) < 0 && errno == EINTR)
			;
	}
	*o = OPENER_INIT;
}
