/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "os/files.h"
#include "os/privileges.h"

#define SOMEBODY 61000

static void test_find_user(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *user;
		enum privileges_user_outcome want;
		struct privileges_user found;
	} cases[] = {
		{ "root",            PRIVILEGES_USER_FOUND, { true, 0, 0 } },
		{ "0",               PRIVILEGES_USER_FOUND, { true, 0, 0 } },
		{ "1234",            PRIVILEGES_USER_FOUND, { false, 1234, 1234 } },
		{ "1234:56",         PRIVILEGES_USER_FOUND, { false, 1234, 56 } },
		{ "4294967294",      PRIVILEGES_USER_FOUND, { false, 4294967294, 4294967294 } },
		{ "4294967295",      PRIVILEGES_USER_MALFORMED, { false, 7, 7 } },
		{ "12:4294967295",   PRIVILEGES_USER_MALFORMED, { false, 7, 7 } },
		{ "12:",             PRIVILEGES_USER_MALFORMED, { false, 7, 7 } },
		{ "12x",             PRIVILEGES_USER_MALFORMED, { false, 7, 7 } },
		{ "-1",              PRIVILEGES_USER_MALFORMED, { false, 7, 7 } },
		{ "",                PRIVILEGES_USER_MALFORMED, { false, 7, 7 } },
		{ "no-such-user-xy", PRIVILEGES_USER_UNKNOWN,   { false, 7, 7 } },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct privileges_user user = { false, 7, 7 };

		if (privileges_find_user(cases[i].user, &user) != cases[i].want)
			fail_msg("\"%s\"", cases[i].user);
		assert_int_equal(user.is_root, cases[i].found.is_root);
		assert_int_equal(user.uid, cases[i].found.uid);
		assert_int_equal(user.gid, cases[i].found.gid);
	}
}

static void test_explanations_say_what_to_do(void **state)
{
	(void)state;
	char text[256];

	privileges_explain_user(PRIVILEGES_USER_UNKNOWN, "vmtime", text, sizeof text);
	assert_memory_equal(text, "user vmtime does not exist: create it (", 39);
	assert_non_null(strstr(text, "use -u root or a numeric uid"));
	privileges_explain_user(PRIVILEGES_USER_NEEDS_NUMBER, "vmtime", text, sizeof text);
	assert_non_null(strstr(text, "numeric uid"));
	assert_null(privileges_explain_clock(PRIVILEGES_CLOCK_OURS));
	assert_non_null(strstr(privileges_explain_clock(PRIVILEGES_CLOCK_NO_CAPABILITY), "-x"));
	assert_non_null(strstr(privileges_explain_clock(PRIVILEGES_CLOCK_NAMESPACE), "-x"));
}

/* Runs @body in a child, which tells by its exit status what failed: 0 is well. */
static int in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The hexadecimal field @label of our /proc/self/status. */
static unsigned long long status_mask(const char *label)
{
	char *text, *field;
	size_t length;
	unsigned long long mask;

	if (file_read("/proc/self/status", 65536, &text, &length) < 0)
		return ~0ULL;
	field = strstr(text, label);
	mask = field ? strtoull(field + strlen(label), NULL, 16) : ~0ULL;
	free(text);
	return mask;
}

static int check_masks(unsigned long long keep)
{
	if (status_mask("CapPrm:") != keep || status_mask("CapEff:") != keep)
		return 10;
	if (status_mask("CapInh:") || status_mask("CapAmb:") || status_mask("CapBnd:"))
		return 11;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 12;
}

static int drop_body(void)
{
	const struct privileges_user user = { false, SOMEBODY, SOMEBODY + 1 };
	const unsigned long long had = status_mask("CapPrm:") & 1ULL << CAP_SYS_TIME;
	const gid_t group = 4;
	uid_t r, e, s;
	gid_t rg, eg, sg;
	int masks;

	if (setgroups(1, &group) < 0 || privileges_drop(&user) < 0)
		return 1;
	if (getresuid(&r, &e, &s) < 0 || r != SOMEBODY || e != SOMEBODY || s != SOMEBODY)
		return 2;
	if (getresgid(&rg, &eg, &sg) < 0 || rg != user.gid || eg != user.gid || sg != user.gid)
		return 3;
	if (getgroups(0, NULL) != 0)
		return 4;
	masks = check_masks(had);
	if (masks)
		return masks;
	if (setuid(0) == 0 || setgid(0) == 0)
		return 5;
	return open("/etc/shadow", O_RDONLY) >= 0 ? 6 : 0;
}

static int drop_again_body(void)
{
	const struct privileges_user user = { false, SOMEBODY, SOMEBODY };
	const struct privileges_user other = { false, SOMEBODY + 1, SOMEBODY };

	if (privileges_drop(&user) < 0)
		return 1;
	/* Already there, as with User= in a unit: nothing to change, no error. */
	if (privileges_drop(&user) < 0)
		return 2;
	return privileges_drop(&other) == -EPERM ? 0 : 3;
}

static int keep_root_body(void)
{
	const struct privileges_user user = { .is_root = true };
	const unsigned long long had = status_mask("CapEff:");

	if (privileges_drop(&user) < 0)
		return 1;
	return geteuid() == 0 && status_mask("CapEff:") == had ? 0 : 2;
}

static int limit_body(void)
{
	if (privileges_limit(0) < 0)
		return 1;
	return geteuid() == 0 ? check_masks(0) : 2;
}

static int clock_right_body(void)
{
	if (privileges_limit(0) < 0)
		return 1;
	return privileges_clock_right() == PRIVILEGES_CLOCK_NO_CAPABILITY ? 0 : 2;
}

static void test_drop(void **state)
{
	(void)state;
	assert_int_equal(in_child(drop_body), 0);
}

static void test_drop_again(void **state)
{
	(void)state;
	assert_int_equal(in_child(drop_again_body), 0);
}

static void test_keep_root(void **state)
{
	(void)state;
	assert_int_equal(in_child(keep_root_body), 0);
}

static void test_limit(void **state)
{
	(void)state;
	assert_int_equal(in_child(limit_body), 0);
}

static void test_no_right_without_the_capability(void **state)
{
	(void)state;
	assert_int_equal(in_child(clock_right_body), 0);
}

/* All capabilities there are, and none of them good for the machine's clock. */
static int namespace_body(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return 77;
	return privileges_clock_right() == PRIVILEGES_CLOCK_NAMESPACE ? 0 : 1;
}

static void test_no_right_in_a_user_namespace(void **state)
{
	(void)state;
	assert_int_equal(in_child(namespace_body), 0);
}

/* What a started daemon does all day must go on. */
static int confined_work_body(void)
{
	struct timex timex = { .modes = 0 };
	struct timespec now;
	struct pollfd fd = { .fd = -1 };
	char *text, path[] = "/tmp/vmtime-test-XXXXXX";
	size_t length;
	void *memory;
	int file = mkstemp(path), pair[2];

	if (file < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return 1;
	if (privileges_confine() != PRIVILEGES_CONFINED)
		return 77;
	if (clock_gettime(CLOCK_MONOTONIC_RAW, &now) < 0 ||
	    clock_adjtime(CLOCK_REALTIME, &timex) < 0)
		return 2;
	if (file_read("/proc/self/status", 65536, &text, &length) < 0)
		return 3;
	free(text);
	if (file_replace(path, "drift", 5, 0644) < 0 || unlink(path) < 0)
		return 4;
	if (rmdir("/nowhere") == 0 || errno != ENOSYS)
		return 9;
	memory = malloc(4 * 1024 * 1024);
	if (!memory || poll(&fd, 1, 0) < 0)
		return 5;
	memset(memory, 1, 4 * 1024 * 1024);
	free(memory);
	if (send(pair[0], "x", 1, 0) != 1 || recv(pair[1], path, 1, 0) != 1)
		return 6;
	if (close(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return 7;
	/* A type that no family has: the kernel refuses it before it would load a module for vsock. */
	if (socket(AF_VSOCK, 12, 0) >= 0 || errno != EINVAL)
		return 10;
	fprintf(stderr, "%s", "");
	return raise(0) == 0 ? 0 : 8;
}

static int confined_refusals_body(void)
{
	struct winsize size;

	if (privileges_confine() != PRIVILEGES_CONFINED)
		return 77;
	if (socket(AF_INET, SOCK_DGRAM, 0) >= 0 || errno != EPERM)
		return 1;
	if (ioctl(0, TIOCGWINSZ, &size) >= 0 || errno != EPERM)
		return 2;
	/* As with a call that the kernel has not: a C library looks for another way. */
	if (syscall(SYS_sched_setparam, 0, NULL) >= 0 || errno != ENOSYS)
		return 3;
	return fork() < 0 && errno == ENOSYS ? 0 : 4;
}

static int confined_exec_body(void)
{
	char *const arguments[] = { NULL };

	if (privileges_confine() != PRIVILEGES_CONFINED)
		return 77;
	syscall(SYS_execve, "/bin/true", arguments, arguments);
	return 1;
}

static void test_confined_daemon_can_do_its_work(void **state)
{
	(void)state;
	assert_int_equal(in_child(confined_work_body), 0);
}

static void test_confined_daemon_can_do_no_more(void **state)
{
	(void)state;
	assert_int_equal(in_child(confined_refusals_body), 0);
}

static void test_confined_daemon_dies_on_exec(void **state)
{
	(void)state;
	assert_int_equal(in_child(confined_exec_body), 1000 + SIGSYS);
}

static int probe_filter(void)
{
	return privileges_confine() == PRIVILEGES_CONFINED ? 0 : 77;
}

static int probe_namespace(void)
{
	return unshare(CLONE_NEWUSER) < 0 ? 77 : 0;
}

static int probe_root(void)
{
	return geteuid() == 0 ? 0 : 77;
}

static int run_plain(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_user),
		cmocka_unit_test(test_explanations_say_what_to_do),
		cmocka_unit_test(test_no_right_without_the_capability),
	};

	return cmocka_run_group_tests_name("privileges", tests, NULL, NULL);
}

static int run_root(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_drop_again),
		cmocka_unit_test(test_keep_root),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests_name("privileges-root", tests, NULL, NULL);
}

static int run_namespace(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_right_in_a_user_namespace),
	};

	return cmocka_run_group_tests_name("privileges-namespace", tests, NULL, NULL);
}

static int run_filter(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confined_daemon_can_do_its_work),
		cmocka_unit_test(test_confined_daemon_can_do_no_more),
		cmocka_unit_test(test_confined_daemon_dies_on_exec),
	};

	return cmocka_run_group_tests_name("privileges-filter", tests, NULL, NULL);
}

/* What needs something of the system is a group of its own, which is skipped as a whole. */
static const struct {
	const char *name;
	int (*run)(void);
	int (*probe)(void); /* 77 where it cannot run; tried in a child */
	const char *reason;
} GROUPS[] = {
	{ "plain", run_plain, NULL, NULL },
	{ "root", run_root, probe_root, "giving up root takes root" },
	{ "namespace", run_namespace, probe_namespace, "this system gives us no user namespace" },
	{ "filter", run_filter, probe_filter, "no system call filter in this build or kernel" },
};

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "plain";

	for (size_t i = 0; i < COUNT(GROUPS); i++) {
		if (strcmp(GROUPS[i].name, name) != 0)
			continue;
		if (GROUPS[i].probe && in_child(GROUPS[i].probe) == 77) {
			printf("skipped: %s\n", GROUPS[i].reason);
			return 77;
		}
		return GROUPS[i].run();
	}
	fprintf(stderr, "no group %s\n", name);
	return 2;
}
