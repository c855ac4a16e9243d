/* SPDX-License-Identifier: Apache-2.0 */
#include "os/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/privileges.h"

/* The byte that the other side sends, or 1 where it ends without a word. */
static int wait_for_byte(int fd)
{
	unsigned char status;
	ssize_t n;

	do
		n = read(fd, &status, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? status : 1;
}

/* One that was killed meanwhile does not matter any more. */
static void tell(int fd, unsigned char byte)
{
	ssize_t ignored = send(fd, &byte, 1, MSG_NOSIGNAL);

	(void)ignored;
}

/* In the first child: a session of its own, then the daemon, which leads none. */
static void become_daemon(void)
{
	pid_t pid;

	if (setsid() < 0)
		_exit(1);
	pid = fork();
	if (pid < 0)
		_exit(1);
	if (pid > 0)
		_exit(0);
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/*
 * The parent has nothing left to do but wait, so it gives up its rights before the child goes on:
 * a second vmtimed that may set the clock is what the daemon itself looks for when it starts.
 */
static int wait_as_parent(int fd, pid_t child)
{
	/* Where this fails there were no rights to give up. */
	if (privileges_limit(0) < 0)
		errno = 0;
	tell(fd, 0);
	reap(child);
	return wait_for_byte(fd);
}

enum daemonize_outcome daemonize_fork(struct daemonize *d, int *ret_status)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		*ret_status = -errno;
		return DAEMONIZE_FAILED;
	}
	pid = fork();
	if (pid < 0) {
		*ret_status = -errno;
		close(ends[0]);
		close(ends[1]);
		return DAEMONIZE_FAILED;
	}
	if (pid == 0) {
		close(ends[0]);
		(void)wait_for_byte(ends[1]);
		become_daemon();
		d->report_fd = ends[1];
		return DAEMONIZE_CHILD;
	}
	close(ends[1]);
	*ret_status = wait_as_parent(ends[0], pid);
	close(ends[0]);
	return DAEMONIZE_PARENT;
}

static void report(struct daemonize *d, int status)
{
	tell(d->report_fd, (unsigned char)status);
	close(d->report_fd);
	d->report_fd = -1;
}

void daemonize_fail(struct daemonize *d, int status)
{
	if (d->report_fd >= 0)
		report(d, status > 0 && status < 256 ? status : 1);
}

static int leave_stdio(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int r = 0;

	if (null < 0)
		return -errno;
	for (int fd = 0; fd <= 2 && r == 0; fd++)
		if (dup2(null, fd) < 0)
			r = -errno;
	if (null > 2)
		close(null);
	return r;
}

int daemonize_up(struct daemonize *d)
{
	int r;

	if (d->report_fd < 0)
		return 0;
	/* Not in the way of an unmount. */
	if (chdir("/") < 0)
		return -errno;
	r = leave_stdio();
	if (r == 0)
		report(d, 0);
	return r;
}
