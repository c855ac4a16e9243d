/* SPDX-License-Identifier: Apache-2.0 */
#include "os/opener_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#define SOCKET_FD 3

/* O_NONBLOCK, so that no odd device holds us up. */
static int open_as(int access_mode, const char *prefix, const char *path, int *ret_fd)
{
	char full[PATH_MAX];
	struct stat st;
	int n = snprintf(full, sizeof full, "%s%s", prefix, path);

	if (n < 0 || (size_t)n >= sizeof full)
		return -ENAMETOOLONG;

	int fd = open(full, access_mode | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode)) {
		close(fd);
		return -ENOTTY;
	}
	*ret_fd = fd;
	return 0;
}

/*
 * Reading is enough: a PTP clock's time, cross time stamps and the RTC's time need no right to
 * write, and what cannot write cannot set.
 */
static int open_device(const char *prefix, const char *path, int *ret_fd)
{
	return open_as(O_RDONLY, prefix, path, ret_fd);
}

/* A serial port may stand for it; that must not echo, nor wait for the end of a line. */
static int open_agent(const char *root, const char *path, int *ret_fd)
{
	struct termios serial;
	int fd, r;

	r = *path ? open_as(O_RDWR, "", path, &fd) : open_as(O_RDWR, root, OPENER_AGENT_PATH, &fd);
	if (r < 0)
		return r;
	if (tcgetattr(fd, &serial) == 0) {
		cfmakeraw(&serial);
		if (tcsetattr(fd, TCSANOW, &serial) < 0) {
			r = -errno;
			close(fd);
			return r;
		}
	}
	*ret_fd = fd;
	return 0;
}

static int open_kvm(const char *root, struct ptp_node *ret_node, int *ret_fd)
{
	struct ptp_node node;
	struct stat st;
	int fd;
	int r = ptp_find_by_name(root, PTP_NAME_KVM, &node);

	if (r < 0)
		return r;
	r = open_device(root, node.path, &fd);
	if (r < 0)
		return r;
	/* The number may have gone to another clock between the look and the opening. */
	if (node.device != 0 && (fstat(fd, &st) < 0 || st.st_rdev != node.device)) {
		close(fd);
		return -ENODEV;
	}
	*ret_node = node;
	*ret_fd = fd;
	return 0;
}

static int open_number(const char *root, uint32_t number, int *ret_fd)
{
	char path[PTP_PATH_MAX];

	snprintf(path, sizeof path, "/dev/ptp%u", number);
	return open_device(root, path, ret_fd);
}

int opener_process_open(const char *root, const struct opener_paths *paths,
                        const struct opener_request *request, struct ptp_node *ret_node,
                        int *ret_fd)
{
	switch ((enum opener_kind)request->kind) {
	case OPENER_KVM:
		return open_kvm(root, ret_node, ret_fd);
	case OPENER_NUMBER:
		return open_number(root, request->number, ret_fd);
	case OPENER_LISTED:
		if (request->number >= paths->n)
			return -EINVAL;
		return open_device("", paths->paths[request->number], ret_fd);
	case OPENER_VMCLOCK:
		return open_device(root, "/dev/vmclock0", ret_fd);
	case OPENER_RTC:
		return open_device(root, "/dev/rtc0", ret_fd);
	case OPENER_AGENT:
		return open_agent(root, paths->agent, ret_fd);
	}
	return -EINVAL;
}

static int send_reply(int socket, const struct opener_reply *reply, int fd)
{
	struct iovec data = { .iov_base = (void *)(uintptr_t)reply, .iov_len = sizeof *reply };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;

		struct cmsghdr *header = CMSG_FIRSTHDR(&message);

		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(header), &fd, sizeof fd);
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void answer(int socket, const char *root, const struct opener_paths *paths,
                   const struct opener_request *request)
{
	struct opener_reply reply;
	int fd = -1;

	/* Padding included: nothing of this process's memory leaves it. */
	memset(&reply, 0, sizeof reply);
	reply.magic = OPENER_MAGIC;
	reply.sequence = request->sequence;
	reply.error = opener_process_open(root, paths, request, &reply.node, &fd);
	/* Whoever is not there to take the answer is not there to be told: the next recv ends us. */
	(void)send_reply(socket, &reply, fd);
	if (fd >= 0)
		close(fd);
}

/* All but CAP_DAC_OVERRIDE, for ever.  0 or -errno. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { 0 };
	const uint32_t keep = UINT32_C(1) << CAP_DAC_OVERRIDE;

	/* Each fails where there is nothing left to drop, or no right to: capset decides. */
	for (int cap = 0; cap < 64; cap++)
		if (cap != CAP_DAC_OVERRIDE)
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	sets[0].effective = sets[0].permitted & keep;
	sets[0].permitted = sets[0].permitted & keep;
	sets[0].inheritable = 0;
	sets[1] = (struct __user_cap_data_struct){ 0 };
	if (syscall(SYS_capset, &header, sets) < 0)
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* Of the daemon's files only the socket stays: a pipe open here would never end for its reader. */
static int keep_only(int socket)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	/* Out of the way first: either may be one of the numbers that are about to be taken. */
	int moved = fcntl(socket, F_DUPFD_CLOEXEC, SOCKET_FD + 1);

	if (moved < 0)
		return -errno;
	for (int fd = 0; fd < SOCKET_FD; fd++)
		if (null != fd && dup2(null, fd) < 0)
			return -errno;
	if (dup3(moved, SOCKET_FD, O_CLOEXEC) < 0)
		return -errno;
#ifdef SYS_close_range
	if (syscall(SYS_close_range, SOCKET_FD + 1, UINT_MAX, 0) == 0)
		return 0;
#endif
	for (int fd = SOCKET_FD + 1, most = (int)sysconf(_SC_OPEN_MAX); fd < most; fd++)
		close(fd);
	return 0;
}

/* A terminal's or a service manager's signal to the group is for the daemon: we end with it. */
static void ignore_signals(void)
{
	static const int theirs[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM };

	for (size_t i = 0; i < COUNT(theirs); i++)
		(void)signal(theirs[i], SIG_IGN);
}

/*
 * Not at once: the client that asked the daemon to end may still have its own socket in there.  And
 * only the folder that it was: by then another may have its name.
 */
static void remove_folder(const char *folder, const struct stat *it)
{
	struct stat now;

	for (int i = 0; *folder && i < 10; i++) {
		if (lstat(folder, &now) < 0 || now.st_dev != it->st_dev || now.st_ino != it->st_ino ||
		    rmdir(folder) == 0 || errno != ENOTEMPTY)
			return;
		(void)poll(NULL, 0, 20);
	}
}

noreturn void opener_process_run(int socket, pid_t parent, const char *root,
                                 const struct opener_paths *paths)
{
	struct stat folder = { 0 };

	if (*paths->folder)
		(void)lstat(paths->folder, &folder);
	ignore_signals();
	(void)prctl(PR_SET_NAME, "vmtimed-opener", 0, 0, 0);
	if (keep_only(socket) < 0 || drop_capabilities() < 0)
		_exit(1);
	/*
	 * A second string to the bow: the kernel does not deliver it from a daemon that may not
	 * signal root, and then the closing of the socket alone ends us.
	 */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(0);

	for (;;) {
		struct opener_request request;
		ssize_t n = recv(SOCKET_FD, &request, sizeof request, MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			remove_folder(paths->folder, &folder);
			_exit(0);
		}
		if (n == sizeof request && request.magic == OPENER_MAGIC)
			answer(SOCKET_FD, root, paths, &request);
	}
}
