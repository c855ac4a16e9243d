/* SPDX-License-Identifier: Apache-2.0 */
#include "os/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* The status that the child reports, or 1 where it ends without a word. */
static int wait_for_report(int fd)
{
	unsigned char status;
	ssize_t n;

	do
		n = read(fd, &status, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? status : 1;
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

enum daemonize_outcome daemonize_fork(struct daemonize *d, int *ret_status)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0) {
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
		become_daemon();
		close(ends[0]);
		d->report_fd = ends[1];
		return DAEMONIZE_CHILD;
	}
	close(ends[1]);
	*ret_status = wait_for_report(ends[0]);
	close(ends[0]);
	reap(pid);
	return DAEMONIZE_PARENT;
}

/* Releases the parent.  One that was killed meanwhile does not matter any more. */
static void report(struct daemonize *d, int status)
{
	unsigned char byte = (unsigned char)status;
	ssize_t ignored = write(d->report_fd, &byte, 1);

	(void)ignored;
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
