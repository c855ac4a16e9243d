/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process is real and forked without a right; /dev/null, which everybody may open, stands for
 * the devices.  Replies that it would never give are written by the test itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "os/opener.h"
#include "os/opener_process.h"
#include "sys_tree.h"

struct bench {
	struct sys_tree tree;
	struct opener opener;
	struct opener_paths paths;
};

static int set_up(void **state, bool is_direct)
{
	struct bench *b = calloc(1, sizeof *b);

	assert_non_null(b);
	sys_tree_init(&b->tree);
	sys_tree_ptp(&b->tree, "ptp0", "a network card\n", "1:5\n");
	sys_tree_ptp(&b->tree, "ptp1", PTP_NAME_KVM "\n", "1:3\n");
	sys_tree_link(&b->tree, "/dev/ptp0", "/dev/zero");
	sys_tree_link(&b->tree, "/dev/ptp1", "/dev/null");
	sys_tree_link(&b->tree, "/dev/ptp2", "/dev/no-such-device");
	sys_tree_file(&b->tree, "/dev/ptp3", "not a device");
	sys_tree_link(&b->tree, "/dev/rtc0", "/dev/null");
	sys_tree_link(&b->tree, "/dev/vmclock0", "/dev/zero");
	b->paths.n = 3;
	strcpy(b->paths.paths[0], "/dev/full");
	strcpy(b->paths.paths[1], "/dev/no-such-device");
	snprintf(b->paths.paths[2], OPENER_PATH_MAX, "%s/dev/ptp3", b->tree.root);
	assert_int_equal(opener_init(&b->opener, &b->paths, b->tree.root, is_direct), 0);
	*state = b;
	return 0;
}

static int set_up_process(void **state)
{
	return set_up(state, false);
}

static int set_up_direct(void **state)
{
	return set_up(state, true);
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	opener_fini(&b->opener);
	opener_fini(&b->opener); /* harmless */
	sys_tree_fini(&b->tree);
	free(b);
	return 0;
}

/* What came is that device, for reading, not inherited by what is executed; closes it. */
static void check_device(int fd, unsigned minor_number)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_rdev == makedev(1, minor_number));
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void test_opens_what_it_knows(void **state)
{
	struct bench *b = *state;
	struct opener *o = &b->opener;
	struct ptp_node node;
	int fd;

	assert_int_equal(opener_open_kvm(o, &node, &fd), 0);
	assert_string_equal(node.path, "/dev/ptp1");
	assert_string_equal(node.name, PTP_NAME_KVM);
	check_device(fd, 3);
	assert_int_equal(opener_open_path(o, "/dev/ptp_kvm", &fd), 0);
	check_device(fd, 3);
	assert_int_equal(opener_open_path(o, "/dev/ptp0", &fd), 0);
	check_device(fd, 5);
	assert_int_equal(opener_open_path(o, "/dev/full", &fd), 0);
	check_device(fd, 7);
	assert_int_equal(opener_open_rtc(o, &fd), 0);
	check_device(fd, 3);
	assert_int_equal(opener_open_vmclock(o, &fd), 0);
	check_device(fd, 5);
}

static void test_refuses_everything_else(void **state)
{
	struct bench *b = *state;
	const struct {
		const char *path;
		int want;
	} cases[] = {
		{ "/dev/no-such-device", -ENOENT },   /* in the list                     */
		{ b->paths.paths[2], -ENOTTY },       /* in the list, and not a device   */
		{ "/dev/ptp2", -ENOENT },             /* a link that leads nowhere       */
		{ "/dev/ptp3", -ENOTTY },             /* a file in a device's place      */
		{ "/dev/ptp77", -ENOENT },
		{ "/dev/null", -EACCES },             /* exists, but was not in the list */
		{ "/etc/passwd", -EACCES },
		{ "/dev/ptp0/../null", -EACCES },
		{ "", -EACCES },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int fd = -7;
		int r = opener_open_path(&b->opener, cases[i].path, &fd);

		if (r != cases[i].want || fd != -7)
			fail_msg("%s: %d (%s), fd %d", cases[i].path, r, strerror(-r), fd);
	}
}

static void test_device_that_appears_late(void **state)
{
	struct bench *b = *state;
	struct ptp_node node;
	char path[512];
	int fd = -7;

	sys_tree_way(&b->tree, "/sys/class/ptp/ptp1/clock_name", path);
	assert_int_equal(unlink(path), 0);
	memset(&node, 0x5a, sizeof node);
	assert_int_equal(opener_open_kvm(&b->opener, &node, &fd), -ENOENT);
	assert_int_equal(fd, -7);
	assert_int_equal(node.number, 0x5a5a5a5a);
	sys_tree_ptp(&b->tree, "ptp1", PTP_NAME_KVM "\n", NULL);
	assert_int_equal(opener_open_kvm(&b->opener, &node, &fd), 0);
	check_device(fd, 3);
}

/* The node is not the clock that sysfs named: the number has changed hands in between. */
static void test_node_of_another_clock(void **state)
{
	struct bench *b = *state;
	struct ptp_node node;
	int fd = -7;

	sys_tree_ptp(&b->tree, "ptp1", PTP_NAME_KVM "\n", "1:9\n");
	assert_int_equal(opener_open_kvm(&b->opener, &node, &fd), -ENODEV);
	assert_int_equal(fd, -7);
}

/* The value behind @key in /proc/PID/status. */
static void read_status(pid_t pid, const char *key, char value[64])
{
	char path[64], line[256];

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	value[0] = '\0';
	while (fgets(line, sizeof line, f))
		if (strncmp(line, key, strlen(key)) == 0)
			sscanf(line + strlen(key), " %63s", value);
	fclose(f);
}

static void test_process_is_small(void **state)
{
	struct bench *b = *state;
	char value[64], path[64];
	unsigned files = 0;
	int fd;

	/* Its answer says that it has made itself small, and an errno leaves no fd to be closed. */
	assert_int_equal(opener_open_path(&b->opener, "/dev/no-such-device", &fd), -ENOENT);
	read_status(b->opener.pid, "Name:", value);
	assert_string_equal(value, "vmtimed-opener");
	read_status(b->opener.pid, "NoNewPrivs:", value);
	assert_string_equal(value, "1");
	static const char *const sets[] = { "CapEff:", "CapPrm:", "CapInh:", "CapAmb:" };
	for (size_t i = 0; i < COUNT(sets); i++) {
		read_status(b->opener.pid, sets[i], value);
		/* CAP_DAC_OVERRIDE is bit 1. */
		assert_int_equal(strtoull(value, NULL, 16) & ~UINT64_C(2), 0);
	}

	snprintf(path, sizeof path, "/proc/%d/fd", b->opener.pid);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		files += e->d_name[0] != '.';
	closedir(dir);
	assert_int_equal(files, 4); /* /dev/null three times, and the socket */
}

static void test_process_ignores_the_groups_signals(void **state)
{
	struct bench *b = *state;
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE };
	int fd;

	assert_int_equal(opener_open_rtc(&b->opener, &fd), 0);
	close(fd);
	for (size_t i = 0; i < COUNT(signals); i++) {
		assert_int_equal(kill(b->opener.pid, signals[i]), 0);
		assert_int_equal(opener_open_rtc(&b->opener, &fd), 0);
		close(fd);
	}
}

static void test_process_survives_odd_requests(void **state)
{
	struct bench *b = *state;
	struct opener *o = &b->opener;
	struct opener_request r = { OPENER_MAGIC, 0, OPENER_RTC, 0 };
	char large[4096] = { 0 };
	int fd;

	/* Not requests: no answer. */
	assert_true(send(o->socket, large, sizeof large, 0) > 0);
	assert_true(send(o->socket, large, 1, 0) > 0);
	r.magic = 0;
	assert_true(send(o->socket, &r, sizeof r, 0) > 0);
	/* Requests for what it does not do: an errno, for a sequence that nobody waits for. */
	r = (struct opener_request){ OPENER_MAGIC, 77, 4711, 0 };
	assert_true(send(o->socket, &r, sizeof r, 0) > 0);
	r.kind = OPENER_LISTED;
	r.number = 3;
	assert_true(send(o->socket, &r, sizeof r, 0) > 0);
	r.number = UINT32_MAX;
	assert_true(send(o->socket, &r, sizeof r, 0) > 0);
	r.kind = OPENER_NUMBER;
	assert_true(send(o->socket, &r, sizeof r, 0) > 0);
	/* An answer with an fd that comes for nobody is closed on our side. */
	r.kind = OPENER_RTC;
	assert_true(send(o->socket, &r, sizeof r, 0) > 0);
	assert_int_equal(opener_open_rtc(o, &fd), 0);

	int next = dup(fd);

	assert_int_equal(next, fd + 1);
	close(next);
	close(fd);
}

static void test_process_ends_with_the_socket(void **state)
{
	struct bench *b = *state;
	pid_t pid = b->opener.pid;

	assert_true(pid > 0);
	opener_fini(&b->opener);
	assert_int_equal(kill(pid, 0), -1); /* ended, and waited for */
	assert_int_equal(errno, ESRCH);
	assert_int_equal(b->opener.socket, -1);
}

/* The daemon's folder is removed in the end: when it is empty, and when it is still the same. */
static void test_process_removes_the_folder(void **state)
{
	struct bench *b = *state;
	/* clang-format off */
	static const struct {
		const char *what;
		bool is_used, is_another, is_left;
	} cases[] = {
		{ "empty", false, false, false },
		{ "in use", true, false, true },
		{ "another of the same name", false, true, true },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		char file[OPENER_PATH_MAX + 8], other[OPENER_PATH_MAX + 8];
		struct opener o = OPENER_INIT;
		struct opener_paths paths = { .n = 0 };
		struct stat st;

		snprintf(paths.folder, sizeof paths.folder, "%s/folder", b->tree.root);
		snprintf(file, sizeof file, "%s/f", paths.folder);
		snprintf(other, sizeof other, "%s2", paths.folder);
		assert_int_equal(mkdir(paths.folder, 0700), 0);
		assert_int_equal(opener_init(&o, &paths, b->tree.root, false), 0);
		/* Its answer says that it is up. */
		int fd;
		assert_int_equal(opener_open_rtc(&o, &fd), 0);
		close(fd);
		if (cases[i].is_another) {
			assert_int_equal(mkdir(other, 0700), 0);
			assert_int_equal(rename(other, paths.folder), 0);
		}
		if (cases[i].is_used)
			assert_int_equal(mkdir(file, 0700), 0);
		opener_fini(&o);
		if ((stat(paths.folder, &st) == 0) != cases[i].is_left)
			fail_msg("%s", cases[i].what);
		if (cases[i].is_used)
			assert_int_equal(rmdir(file), 0);
		if (cases[i].is_left)
			assert_int_equal(rmdir(paths.folder), 0);
	}
}

static void test_process_that_was_killed(void **state)
{
	struct bench *b = *state;
	siginfo_t info;
	int fd = -7;

	assert_int_equal(kill(b->opener.pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)b->opener.pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(opener_open_rtc(&b->opener, &fd), -EPIPE);
	assert_int_equal(opener_open_rtc(&b->opener, &fd), -EPIPE);
	assert_int_equal(fd, -7);
}

static void reply(int socket, const struct opener_reply *r, size_t size, int n_fds)
{
	int fds[2] = { STDIN_FILENO, STDIN_FILENO };
	struct iovec data = { (void *)(uintptr_t)r, size };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof fds)];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (n_fds) {
		size_t length = sizeof(int) * (size_t)n_fds;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(length);
		struct cmsghdr *h = CMSG_FIRSTHDR(&message);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(length);
		memcpy(CMSG_DATA(h), fds, length);
	}
	assert_true(sendmsg(socket, &message, 0) >= 0);
}

static unsigned count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_odd_replies(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		uint32_t magic, sequence;
		int32_t error;
		size_t size;
		int n_fds;
		int want;
	} cases[] = {
		{ "good",              OPENER_MAGIC, 1, 0,       sizeof(struct opener_reply),     1, 0          },
		{ "an errno",          OPENER_MAGIC, 1, -ENXIO,  sizeof(struct opener_reply),     0, -ENXIO     },
		{ "an errno and an fd", OPENER_MAGIC, 1, -ENXIO, sizeof(struct opener_reply),     1, -ENXIO     },
		{ "no fd",             OPENER_MAGIC, 1, 0,       sizeof(struct opener_reply),     0, -EPROTO    },
		{ "two fds",           OPENER_MAGIC, 1, 0,       sizeof(struct opener_reply),     2, -EPROTO    },
		{ "a positive error",  OPENER_MAGIC, 1, 5,       sizeof(struct opener_reply),     1, -EPROTO    },
		{ "other magic",       1,            1, 0,       sizeof(struct opener_reply),     1, -EPROTO    },
		{ "short",             OPENER_MAGIC, 1, 0,       sizeof(struct opener_reply) - 1, 1, -EPROTO    },
		{ "another's",         OPENER_MAGIC, 9, 0,       sizeof(struct opener_reply),     1, -EPIPE     },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct opener_reply r = { cases[i].magic, cases[i].sequence, cases[i].error, { 0 } };
		struct opener o = { .socket = -1, .patience_ms = 1000, .root = "" };
		struct ptp_node node;
		int pair[2], fd = -7;
		unsigned before;

		memset(&r.node, 'x', sizeof r.node); /* and no terminator anywhere */
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
		o.socket = pair[0];
		before = count_fds();
		reply(pair[1], &r, cases[i].size, cases[i].n_fds);
		shutdown(pair[1], SHUT_WR); /* nothing more is to come: no waiting */

		int got = opener_open_kvm(&o, &node, &fd);

		if (got != cases[i].want || (got != 0 && fd != -7))
			fail_msg("%s: %d, fd %d", cases[i].what, got, fd);
		if (got == 0) {
			assert_true(strlen(node.name) < sizeof node.name);
			assert_true(strlen(node.path) < sizeof node.path);
			close(fd);
		}
		assert_int_equal(count_fds(), before); /* none is left over */
		close(pair[0]);
		close(pair[1]);
	}
}

static void test_late_reply_is_not_taken_for_the_next(void **state)
{
	(void)state;
	struct opener_reply late = { OPENER_MAGIC, 1, 0, { 0 } };
	struct opener_reply right = { OPENER_MAGIC, 2, -ENXIO, { 0 } };
	struct opener o = { .socket = -1, .patience_ms = 0, .root = "" };
	int pair[2], fd = -7;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	o.socket = pair[0];
	assert_int_equal(opener_open_rtc(&o, &fd), -ETIMEDOUT);
	unsigned before = count_fds();
	reply(pair[1], &late, sizeof late, 1);
	reply(pair[1], &right, sizeof right, 0);
	o.patience_ms = 1000;
	assert_int_equal(opener_open_rtc(&o, &fd), -ENXIO);
	assert_int_equal(fd, -7);
	assert_int_equal(count_fds(), before);

	/* Nobody reads: once the socket is full, that is no reason to block either. */
	o.patience_ms = 0;
	for (int i = 0; i < 10000; i++)
		assert_int_equal(opener_open_rtc(&o, &fd), -ETIMEDOUT);
	close(pair[0]);
	close(pair[1]);
}

static void test_init_refuses(void **state)
{
	(void)state;
	struct opener o = OPENER_INIT;
	struct opener_paths paths = { .n = OPENER_PATHS_MAX + 1 };

	assert_int_equal(opener_init(&o, &paths, "", false), -E2BIG);
	paths.n = 1;
	memset(paths.paths[0], 'x', OPENER_PATH_MAX);
	assert_int_equal(opener_init(&o, &paths, "", false), -ENAMETOOLONG);
	assert_int_equal(o.socket, -1);
	assert_int_equal(o.pid, 0);
	opener_fini(&o);
}

#define EITHER_WAY(test)                                                 \
	cmocka_unit_test_setup_teardown(test, set_up_process, tear_down), \
	cmocka_unit_test_setup_teardown(test, set_up_direct, tear_down)
#define PROCESS(test) cmocka_unit_test_setup_teardown(test, set_up_process, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EITHER_WAY(test_opens_what_it_knows),
		EITHER_WAY(test_refuses_everything_else),
		EITHER_WAY(test_device_that_appears_late),
		EITHER_WAY(test_node_of_another_clock),
		PROCESS(test_process_is_small),
		PROCESS(test_process_ignores_the_groups_signals),
		PROCESS(test_process_survives_odd_requests),
		PROCESS(test_process_ends_with_the_socket),
		PROCESS(test_process_removes_the_folder),
		PROCESS(test_process_that_was_killed),
		cmocka_unit_test(test_odd_replies),
		cmocka_unit_test(test_late_reply_is_not_taken_for_the_next),
		cmocka_unit_test(test_init_refuses),
	};

	return cmocka_run_group_tests_name("opener", tests, NULL, NULL);
}
