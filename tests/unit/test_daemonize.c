/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <poll.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "os/daemonize.h"
#include "os/files.h"
#include "scratch.h"

static pid_t waiting_pid; /* set before the daemon is forked off */

/* What the daemon of a test does; it writes what it finds to @fd. */
typedef int daemon_body(struct daemonize *d, int fd);

static int body_up(struct daemonize *d, int fd)
{
	char folder[8], text[64];
	int r = daemonize_up(d);
	bool leads = getsid(0) == getpid();
	struct stat null, out;

	stat("/dev/null", &null);
	fstat(STDOUT_FILENO, &out);
	snprintf(text, sizeof text, "r=%d leads=%d null=%d folder=%s fd=%d", r, leads,
		 null.st_rdev == out.st_rdev, getcwd(folder, sizeof folder) ? folder : "?",
		 d->report_fd);
	return write(fd, text, strlen(text)) > 0 ? 0 : 9;
}

static int body_fails(struct daemonize *d, int fd)
{
	(void)fd;
	daemonize_fail(d, 3);
	return 9;
}

/* Who waits for us has our name, and must not look like another owner of the clock. */
static int body_looks_for_rights(struct daemonize *d, int fd)
{
	char path[64], text[4096];
	char *field;

	/* The one who waits has written its pid first. */
	snprintf(path, sizeof path, "/proc/%ld/status", (long)waiting_pid);
	if (file_read_small(AT_FDCWD, path, text, sizeof text) < 0)
		snprintf(text, sizeof text, "no status");
	field = strstr(text, "CapEff:");
	text[field ? field - text + 24 : 0] = '\0';
	daemonize_fail(d, write(fd, field ? field : text, field ? 24 : 0) == 24 ? 4 : 9);
	return 0;
}

static int body_ends(struct daemonize *d, int fd)
{
	(void)d;
	(void)fd;
	return 9;
}

/* Runs @body as a daemon; returns what its parent would exit with. */
static int run(daemon_body *body, char *text, size_t size)
{
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct daemonize d = DAEMONIZE_INIT;

		waiting_pid = getpid();
		switch (daemonize_fork(&d, &status)) {
		case DAEMONIZE_PARENT: _exit(status);
		case DAEMONIZE_FAILED: _exit(99);
		case DAEMONIZE_CHILD: _exit(body(&d, ends[1]));
		}
		_exit(98);
	}
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	n = read(ends[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_up(void **state)
{
	(void)state;
	char text[128];

	assert_int_equal(run(body_up, text, sizeof text), 0);
	assert_string_equal(text, "r=0 leads=0 null=1 folder=/ fd=-1");
}

static void test_parent_ends_with_the_childs_status(void **state)
{
	(void)state;
	char text[128];

	assert_int_equal(run(body_fails, text, sizeof text), 3);
}

static void test_parent_waits_without_rights(void **state)
{
	(void)state;
	char text[128];

	assert_int_equal(run(body_looks_for_rights, text, sizeof text), 4);
	assert_string_equal(text, "CapEff:\t0000000000000000");
}

static void test_a_child_that_dies_is_a_failure(void **state)
{
	(void)state;
	char text[128];

	assert_int_equal(run(body_ends, text, sizeof text), 1);
}

static void test_nothing_happens_in_the_foreground(void **state)
{
	(void)state;
	struct daemonize d = DAEMONIZE_INIT;
	struct stat before, after;

	assert_int_equal(fstat(STDOUT_FILENO, &before), 0);
	assert_int_equal(daemonize_up(&d), 0);
	daemonize_fail(&d, 1);
	assert_int_equal(fstat(STDOUT_FILENO, &after), 0);
	assert_true(before.st_ino == after.st_ino && before.st_dev == after.st_dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_parent_ends_with_the_childs_status),
		cmocka_unit_test(test_parent_waits_without_rights),
		cmocka_unit_test(test_a_child_that_dies_is_a_failure),
		cmocka_unit_test(test_nothing_happens_in_the_foreground),
	};

	return cmocka_run_group_tests_name("daemonize", tests, NULL, NULL);
}
