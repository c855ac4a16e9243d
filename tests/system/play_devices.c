/* SPDX-License-Identifier: Apache-2.0 */

/*
 * play_devices.c - a vmclock device, the kernel's events and its word about a clock that was set
 *
 * The other half of play.c.  Beside the file that VMTIME_PLAY names stand
 *
 *     .vmclock   the page, 4096 bytes: what has the device number of /dev/zero shows it
 *     .wake      a FIFO: a byte in it wakes up who waits for the page
 *     .set       a FIFO: a byte in it is what cancels a timer on CLOCK_REALTIME
 *     .uevent    a FIFO: what is written to it is a message of the kernel
 *
 * poll(2) and read(2) on the page are as in Linux's driver: POLLHUP where the page announces nothing,
 * else POLLIN while its sequence is not the one that was read last; a read waits up to 0.1 s for a
 * page that is being written, and says ETIMEDOUT then.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "play.h"

#pragma GCC visibility push(default)

#define PAGE 4096

static struct {
	const volatile unsigned char *page; /* NULL: there is no such device in this play */
	int page_fd, wake, set, uevent;
	uint32_t sequence;   /* as of the latest read */
	int timer, listener; /* the daemon's fds for the last two, or -1 */
} devices = { .timer = -1, .listener = -1 };

static int (*real_poll)(struct pollfd *, nfds_t, int);
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static ssize_t (*real_recvmsg)(int, struct msghdr *, int);

static int open_beside(const char *path, const char *what)
{
	char name[512];

	snprintf(name, sizeof name, "%s%s", path, what);
	return open(name, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

static void find(void *to, const char *name)
{
	*(void **)to = dlsym(RTLD_NEXT, name);
	if (!*(void **)to)
		_exit(96);
}

/* The others' constructors may have called one of ours already. */
static void find_all(void)
{
	if (real_recvmsg)
		return;
	find(&real_poll, "poll");
	find(&real_read, "read");
	find(&real_pread, "pread");
	find(&real_mmap, "mmap");
	find(&real_recvmsg, "recvmsg");
}

void play_devices(const char *path)
{
	void *page;

	find_all();
	devices.page_fd = open_beside(path, ".vmclock");
	devices.wake = open_beside(path, ".wake");
	devices.set = open_beside(path, ".set");
	devices.uevent = open_beside(path, ".uevent");
	if (devices.page_fd < 0)
		return;
	page = real_mmap(NULL, PAGE, PROT_READ, MAP_SHARED, devices.page_fd, 0);
	if (page == MAP_FAILED)
		_exit(95);
	devices.page = page;
}

static bool is_vmclock(int fd)
{
	struct stat st;

	return devices.page && fstat(fd, &st) == 0 && st.st_rdev == makedev(1, 5);
}

static uint32_t sequence(void)
{
	uint32_t value;

	memcpy(&value, (const void *)(uintptr_t)(devices.page + 0x0c), sizeof value);
	return value;
}

void *mmap(void *to, size_t size, int protection, int flags, int fd, off_t offset)
{
	find_all();
	if (fd < 0 || !is_vmclock(fd))
		return real_mmap(to, size, protection, flags, fd, offset);
	if (offset != 0 || size != PAGE || protection != PROT_READ) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	return real_mmap(to, size, protection, flags, devices.page_fd, 0);
}

ssize_t pread(int fd, void *to, size_t size, off_t offset)
{
	struct timespec pause = { .tv_nsec = 1000000 };

	find_all();
	if (!is_vmclock(fd))
		return real_pread(fd, to, size, offset);
	for (int i = 0; i < 100; i++) {
		uint32_t before = sequence();

		if (!(before & 1) && real_pread(devices.page_fd, to, size, offset) == (ssize_t)size &&
		    sequence() == before) {
			devices.sequence = before;
			return (ssize_t)size;
		}
		nanosleep(&pause, NULL);
	}
	errno = ETIMEDOUT;
	return -1;
}

static short vmclock_events(short wanted)
{
	if (!(devices.page[0x19] & 2))
		return POLLHUP;
	return sequence() != devices.sequence ? POLLIN & wanted : 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* The one fd of the page is waited for by the FIFO that tells of its changes. */
static int poll_page(struct pollfd *fds, nfds_t n, struct pollfd *page, int timeout_ms)
{
	const struct pollfd wanted = *page;
	int64_t end = now_ms() + timeout_ms;

	for (;;) {
		short events = vmclock_events(wanted.events);
		int64_t left = timeout_ms < 0 ? -1 : end > now_ms() ? end - now_ms() : 0;
		char bytes[64];

		*page = (struct pollfd){ .fd = devices.wake, .events = POLLIN };
		int r = real_poll(fds, n, events ? 0 : (int)left);
		bool is_woken = r > 0 && page->revents;

		*page = wanted;
		if (is_woken)
			while (real_read(devices.wake, bytes, sizeof bytes) > 0)
				;
		events = vmclock_events(wanted.events);
		page->revents = events;
		if (r < 0)
			return r;
		r += (events != 0) - is_woken;
		if (r > 0 || left == 0)
			return r;
	}
}

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	find_all();
	for (nfds_t i = 0; i < n; i++)
		if (fds[i].fd >= 0 && is_vmclock(fds[i].fd))
			return poll_page(fds, n, &fds[i], timeout_ms);
	return real_poll(fds, n, timeout_ms);
}

void play_clock_set(void)
{
	if (devices.set >= 0 && write(devices.set, "s", 1) < 0)
		_exit(94);
}

int timerfd_create(int clock, int flags)
{
	if (devices.set < 0 || clock != CLOCK_REALTIME || !(flags & TFD_NONBLOCK)) {
		errno = ENOSYS;
		return -1;
	}
	return devices.timer = fcntl(devices.set, F_DUPFD_CLOEXEC, 0);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *from)
{
	(void)to;
	(void)from;
	if (fd != devices.timer || flags != (TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		_exit(93);
	return 0;
}

ssize_t read(int fd, void *to, size_t size)
{
	char bytes[64];
	bool is_set = false;

	find_all();
	if (fd < 0 || fd != devices.timer)
		return real_read(fd, to, size);
	while (real_read(devices.set, bytes, sizeof bytes) > 0)
		is_set = true;
	errno = is_set ? ECANCELED : EAGAIN;
	return -1;
}

int play_kernel_socket(int domain, int protocol)
{
	if (domain != AF_NETLINK || protocol != NETLINK_KOBJECT_UEVENT || devices.uevent < 0)
		return -1;
	return devices.listener = fcntl(devices.uevent, F_DUPFD_CLOEXEC, 0);
}

bool play_is_kernel_socket(int fd)
{
	return fd >= 0 && fd == devices.listener;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	static int (*real)(int, int, int, const void *, socklen_t);

	if (!real)
		find(&real, "setsockopt");
	return play_is_kernel_socket(fd) ? 0 : real(fd, level, name, value, size);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	const struct ucred root = { 0 };
	struct cmsghdr *h;
	ssize_t n;

	find_all();
	if (!play_is_kernel_socket(fd))
		return real_recvmsg(fd, message, flags);
	n = real_read(fd, message->msg_iov->iov_base, message->msg_iov->iov_len);
	if (n < 0)
		return n;
	memcpy(message->msg_name, &kernel, sizeof kernel);
	message->msg_namelen = sizeof kernel;
	h = CMSG_FIRSTHDR(message);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_CREDENTIALS;
	h->cmsg_len = CMSG_LEN(sizeof root);
	memcpy(CMSG_DATA(h), &root, sizeof root);
	message->msg_flags = 0;
	return n;
}
