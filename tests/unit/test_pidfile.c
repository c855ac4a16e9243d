/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "os/pidfile.h"
#include "scratch.h"

static void check_holds_pid(struct scratch *s, const char *name, pid_t pid)
{
	char text[32];

	snprintf(text, sizeof text, "%ld\n", (long)pid);
	scratch_check_text(s, name, text);
}

static void test_take_and_remove(void **state)
{
	struct scratch *s = *state;
	struct pidfile p = PIDFILE_INIT;
	pid_t other = -7;
	int error = -7;

	pidfile_fini(&p);
	assert_int_equal(pidfile_take(&p, scratch_path(s, "pid"), &other, &error), PIDFILE_TAKEN);
	check_holds_pid(s, "pid", getpid());
	pidfile_fini(&p);
	assert_false(scratch_exists(s, "pid"));
	assert_int_equal(p.fd, -1);
	assert_int_equal(other, -7);
	assert_int_equal(error, -7);
}

/* A lock belongs to the open file, so a second take in one process is as good as another one. */
static void test_second_daemon_is_told_the_pid_of_the_first(void **state)
{
	struct scratch *s = *state;
	struct pidfile first = PIDFILE_INIT, second = PIDFILE_INIT;
	pid_t other = -7;
	int error = -7;

	assert_int_equal(pidfile_take(&first, scratch_path(s, "pid"), &other, &error),
			 PIDFILE_TAKEN);
	assert_int_equal(pidfile_take(&second, scratch_path(s, "pid"), &other, &error),
			 PIDFILE_HELD);
	assert_int_equal(other, getpid());
	assert_int_equal(second.fd, -1);
	check_holds_pid(s, "pid", getpid());

	pidfile_fini(&first);
	assert_int_equal(pidfile_take(&second, scratch_path(s, "pid"), &other, &error),
			 PIDFILE_TAKEN);
	pidfile_fini(&second);
}

static void test_file_of_a_killed_daemon_is_taken_over(void **state)
{
	struct scratch *s = *state;
	struct pidfile p = PIDFILE_INIT;
	pid_t pid = fork(), other;
	int error, status;

	assert_true(pid >= 0);
	if (pid == 0) {
		/* Ends without a word, as by SIGKILL. */
		_exit((int)pidfile_take(&p, scratch_path(s, "pid"), &other, &error));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, PIDFILE_TAKEN);
	check_holds_pid(s, "pid", pid);
	assert_int_equal(pidfile_take(&p, scratch_path(s, "pid"), &other, &error), PIDFILE_TAKEN);
	check_holds_pid(s, "pid", getpid());
	pidfile_fini(&p);
}

static void test_what_is_no_pid_file_is_left_alone(void **state)
{
	struct scratch *s = *state;
	struct pidfile p = PIDFILE_INIT;
	pid_t other = -7;
	int error = -7;

	scratch_write_text(s, "text", "root:x:0:0:root:/root:/bin/sh\n");
	assert_int_equal(pidfile_take(&p, scratch_path(s, "text"), &other, &error),
			 PIDFILE_FOREIGN);
	scratch_check_text(s, "text", "root:x:0:0:root:/root:/bin/sh\n");

	scratch_write_text(s, "numbers", "12 34\n");
	assert_int_equal(pidfile_take(&p, scratch_path(s, "numbers"), &other, &error),
			 PIDFILE_FOREIGN);
	assert_int_equal(mkfifo(scratch_path(s, "fifo"), 0600), 0);
	assert_int_equal(pidfile_take(&p, scratch_path(s, "fifo"), &other, &error),
			 PIDFILE_FOREIGN);
	assert_int_equal(p.fd, -1);
	assert_int_equal(other, -7);
}

static void test_failures_say_why(void **state)
{
	struct scratch *s = *state;
	struct pidfile p = PIDFILE_INIT;
	pid_t other = -7;
	int error = 0;
	char longest[FILE_PATH_MAX + 1];

	assert_int_equal(pidfile_take(&p, scratch_path(s, "none/pid"), &other, &error),
			 PIDFILE_FAILED);
	assert_int_equal(error, -ENOENT);
	scratch_write_text(s, "victim", "");
	assert_int_equal(symlink("victim", scratch_path(s, "link")), 0);
	assert_int_equal(pidfile_take(&p, scratch_path(s, "link"), &other, &error), PIDFILE_FAILED);
	assert_int_equal(error, -ELOOP);
	scratch_check_text(s, "victim", "");
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(pidfile_take(&p, longest, &other, &error), PIDFILE_FAILED);
	assert_int_equal(error, -ENAMETOOLONG);
	assert_int_equal(p.fd, -1);
	assert_int_equal(other, -7);
}

/* Removing it is the last thing we do, and by then the name may belong to somebody else. */
static void test_fini_does_not_remove_anothers_file(void **state)
{
	struct scratch *s = *state;
	struct pidfile p = PIDFILE_INIT;
	pid_t other;
	int error;

	assert_int_equal(pidfile_take(&p, scratch_path(s, "pid"), &other, &error), PIDFILE_TAKEN);
	assert_int_equal(unlink(scratch_path(s, "pid")), 0);
	scratch_write_text(s, "pid", "1234\n");
	pidfile_fini(&p);
	scratch_check_text(s, "pid", "1234\n");
}

#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SCRATCH(test_take_and_remove),
		WITH_SCRATCH(test_second_daemon_is_told_the_pid_of_the_first),
		WITH_SCRATCH(test_file_of_a_killed_daemon_is_taken_over),
		WITH_SCRATCH(test_what_is_no_pid_file_is_left_alone),
		WITH_SCRATCH(test_failures_say_why),
		WITH_SCRATCH(test_fini_does_not_remove_anothers_file),
	};

	return cmocka_run_group_tests_name("pidfile", tests, NULL, NULL);
}
