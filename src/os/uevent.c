/* SPDX-License-Identifier: Apache-2.0 */
#include "os/uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <unistd.h>

#define GROUP_KERNEL 1

/* The kernel's own limit for the words of one event is 2048 bytes; the path comes before them. */
#define EVENT_MAX 8192

/*
 * A machine may find a hundred devices at once; what one wake-up takes of a storm, and then a
 * second.
 */
#define AT_ONCE     64
#define EVERY       VT_MS(5)
#define ONE_WAKE_UP 32

static const char WORD[] = "NEW_VMGENID=1";

static int call_receive(int fd, struct msghdr *message)
{
	ssize_t n = recvmsg(fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	return n < 0 ? -errno : (int)n;
}

void uevent_init(struct uevent *u)
{
	*u = (struct uevent){
		.fd = -1,
		.receive = call_receive,
		.messages = ALLOWANCE(AT_ONCE, EVERY),
	};
}

int uevent_open(struct uevent *u)
{
	struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_groups = GROUP_KERNEL };
	const int on = 1;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	                NETLINK_KOBJECT_UEVENT);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
	    bind(fd, (struct sockaddr *)&name, sizeof name) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	u->fd = fd;
	return 0;
}

size_t uevent_prepare(struct uevent *u, vt_mono now, struct pollfd *ret)
{
	u->is_polled = u->fd >= 0 && allowance_has(&u->messages, now);
	if (!u->is_polled)
		return 0;
	*ret = (struct pollfd){ .fd = u->fd, .events = POLLIN };
	return 1;
}

bool uevent_tells_generation(const char *text, size_t length)
{
	const char *end = text + length;
	const char *nul = memchr(text, '\0', length);

	/* The first is not a word: it holds the path of the device, which may hold anything. */
	while (nul && nul + 1 < end) {
		const char *word = nul + 1;

		nul = memchr(word, '\0', (size_t)(end - word));
		if (nul && (size_t)(nul - word) == sizeof WORD - 1 &&
		    memcmp(word, WORD, sizeof WORD) == 0)
			return true;
	}
	return false;
}

/* The kernel has the number 0 and sends to its group; programs have a number and a process. */
static bool is_kernel(struct msghdr *message, const struct sockaddr_nl *name)
{
	struct ucred sender;

	if (message->msg_namelen != sizeof *name || name->nl_family != AF_NETLINK ||
	    name->nl_pid != 0 || name->nl_groups != GROUP_KERNEL)
		return false;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(message); h; h = CMSG_NXTHDR(message, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_CREDENTIALS ||
		    h->cmsg_len != CMSG_LEN(sizeof sender))
			continue;
		memcpy(&sender, CMSG_DATA(h), sizeof sender);
		return sender.pid == 0 && sender.uid == 0;
	}
	return false;
}

/* One message.  Its error, or 0; *@ret_tells: it is the one that we wait for. */
static int take(struct uevent *u, bool *ret_tells)
{
	char text[EVENT_MAX];
	struct sockaddr_nl name = { .nl_family = AF_UNSPEC };
	struct iovec data = { .iov_base = text, .iov_len = sizeof text };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control = { 0 };
	struct msghdr message = {
		.msg_name = &name,
		.msg_namelen = sizeof name,
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes,
	};
	int n = u->receive(u->fd, &message);

	*ret_tells = false;
	if (n < 0)
		return n;
	if (!(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && (size_t)n <= sizeof text &&
	    is_kernel(&message, &name))
		*ret_tells = uevent_tells_generation(text, (size_t)n);
	return 0;
}

bool uevent_dispatch(struct uevent *u, vt_mono now, const struct pollfd *fds, size_t n)
{
	bool is_told = false;

	if (n != 1 || !fds->revents || !u->is_polled)
		return false;
	u->is_polled = false;
	for (unsigned i = 0; i < ONE_WAKE_UP && allowance_take(&u->messages, now); i++) {
		bool tells;
		int r = take(u, &tells);

		is_told |= tells;
		/* ENOBUFS: some were lost, and more are there. */
		if (r < 0 && r != -ENOBUFS && r != -EINTR) {
			if (r != -EAGAIN)
				uevent_fini(u);
			break;
		}
	}
	return is_told;
}

void uevent_fini(struct uevent *u)
{
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
}
