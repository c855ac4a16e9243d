/* SPDX-License-Identifier: Apache-2.0 */
#include "os/poller.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define AT_ONCE 64

int poller_init(struct poller *p)
{
	p->fd = epoll_create1(EPOLL_CLOEXEC);
	return p->fd < 0 ? -errno : 0;
}

void poller_fini(struct poller *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

int poller_watch(struct poller *p, int fd, uint64_t tag, bool wants_write)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = tag };

	if (wants_write)
		e.events |= EPOLLOUT;
	if (epoll_ctl(p->fd, EPOLL_CTL_ADD, fd, &e) == 0)
		return 0;
	if (errno == EEXIST && epoll_ctl(p->fd, EPOLL_CTL_MOD, fd, &e) == 0)
		return 0;
	return -errno;
}

void poller_forget(struct poller *p, int fd)
{
	(void)epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, NULL);
}

size_t poller_take(struct poller *p, struct poller_event *to, size_t n)
{
	struct epoll_event events[AT_ONCE];
	int got = epoll_wait(p->fd, events, n < AT_ONCE ? (int)n : AT_ONCE, 0);

	for (int i = 0; i < got; i++)
		to[i] = (struct poller_event){
			.tag = events[i].data.u64,
			.is_readable = events[i].events & ~(uint32_t)EPOLLOUT,
			.is_writable = events[i].events & EPOLLOUT,
		};
	return got > 0 ? (size_t)got : 0;
}
