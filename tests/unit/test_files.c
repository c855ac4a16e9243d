/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "os/files.h"
#include "scratch.h"

static void test_read_whole(void **state)
{
	struct scratch *s = *state;
	char big[10000];
	char *text;
	size_t length;

	memset(big, 'x', sizeof big);
	scratch_write(s, "big", big, sizeof big);
	assert_int_equal(file_read(scratch_path(s, "big"), sizeof big, &text, &length), 0);
	assert_int_equal(length, sizeof big);
	assert_memory_equal(text, big, sizeof big);
	assert_int_equal(text[length], '\0');
	free(text);

	scratch_write(s, "empty", "", 0);
	assert_int_equal(file_read(scratch_path(s, "empty"), 10, &text, &length), 0);
	assert_int_equal(length, 0);
	assert_string_equal(text, "");
	free(text);
}

static void test_read_refusals_leave_outputs_alone(void **state)
{
	struct scratch *s = *state;
	char mark;
	char *text = &mark;
	size_t length = 77;

	scratch_write_text(s, "file", "12345");
	assert_int_equal(mkfifo(scratch_path(s, "fifo"), 0600), 0);
	assert_int_equal(file_read(scratch_path(s, "file"), 4, &text, &length), -EFBIG);
	assert_int_equal(file_read(scratch_path(s, "none"), 4, &text, &length), -ENOENT);
	/* Returns at once, though nobody ever opens the other end. */
	assert_int_equal(file_read(scratch_path(s, "fifo"), 4, &text, &length), -ENODEV);
	assert_int_equal(file_read(s->folder, 4, &text, &length), -EISDIR);
	assert_int_equal(file_read("/dev/zero", 4, &text, &length), -ENODEV);
	assert_ptr_equal(text, &mark);
	assert_int_equal(length, 77);
	assert_int_equal(file_read(scratch_path(s, "file"), 5, &text, &length), 0);
	free(text);
}

static void test_read_proc_which_has_no_length(void **state)
{
	(void)state;
	char *text;
	size_t length;

	assert_int_equal(file_read("/proc/self/status", 100000, &text, &length), 0);
	assert_true(length > 100);
	assert_memory_equal(text, "Name:", 5);
	free(text);
}

static void test_read_small(void **state)
{
	struct scratch *s = *state;
	char text[8] = "before";

	scratch_write_text(s, "seven", "1234567");
	scratch_write_text(s, "eight", "12345678");
	scratch_write_text(s, "line", "tsc \n");
	assert_int_equal(file_read_small(AT_FDCWD, scratch_path(s, "line"), text, sizeof text), 3);
	assert_string_equal(text, "tsc");
	assert_int_equal(file_read_small(AT_FDCWD, scratch_path(s, "seven"), text, sizeof text), 7);
	assert_string_equal(text, "1234567");
	assert_int_equal(file_read_small(AT_FDCWD, scratch_path(s, "eight"), text, sizeof text),
			 -EFBIG);
	assert_string_equal(text, "");
	assert_int_equal(file_read_small(AT_FDCWD, scratch_path(s, "none"), text, sizeof text),
			 -ENOENT);
	assert_string_equal(text, "");
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_replace(void **state)
{
	struct scratch *s = *state;
	mode_t old_umask = umask(077);

	assert_int_equal(file_replace(scratch_path(s, "f"), "one", 3, 0644), 0);
	umask(old_umask);
	scratch_check_text(s, "f", "one");
	/* The umask does not cut the mode that was asked for. */
	assert_int_equal(mode_of(scratch_path(s, "f")), 0644);

	assert_int_equal(chmod(scratch_path(s, "f"), 0640), 0);
	assert_int_equal(file_replace(scratch_path(s, "f"), "second", 6, 0644), 0);
	scratch_check_text(s, "f", "second");
	assert_int_equal(mode_of(scratch_path(s, "f")), 0640);
	assert_false(scratch_exists(s, "f.tmp"));
}

static void test_replace_takes_over_what_a_killed_daemon_left(void **state)
{
	struct scratch *s = *state;

	scratch_write_text(s, "f", "old");
	scratch_write_text(s, "f.tmp", "half of something lon");
	assert_int_equal(file_replace(scratch_path(s, "f"), "new", 3, 0644), 0);
	scratch_check_text(s, "f", "new");
	assert_false(scratch_exists(s, "f.tmp"));
}

static void test_replace_does_not_write_through_a_planted_link(void **state)
{
	struct scratch *s = *state;

	scratch_write_text(s, "victim", "untouched");
	assert_int_equal(symlink("victim", scratch_path(s, "f.tmp")), 0);
	assert_int_equal(file_replace(scratch_path(s, "f"), "new", 3, 0644), 0);
	scratch_check_text(s, "victim", "untouched");
	scratch_check_text(s, "f", "new");
}

static void test_replace_keeps_a_link(void **state)
{
	struct scratch *s = *state;
	struct stat st;

	scratch_write_text(s, "data/drift", "old");
	assert_int_equal(symlink("data/drift", scratch_path(s, "drift")), 0);
	assert_int_equal(file_replace(scratch_path(s, "drift"), "new", 3, 0644), 0);
	assert_int_equal(lstat(scratch_path(s, "drift"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	scratch_check_text(s, "data/drift", "new");
}

static void test_replace_refusals(void **state)
{
	struct scratch *s = *state;
	char longest[FILE_PATH_MAX + 1];

	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(file_replace(longest, "x", 1, 0644), -ENAMETOOLONG);
	assert_int_equal(file_replace(scratch_path(s, "none/f"), "x", 1, 0644), -ENOENT);
	assert_int_equal(mkdir(scratch_path(s, "folder"), 0755), 0);
	assert_int_equal(file_replace(scratch_path(s, "folder"), "x", 1, 0644), -EISDIR);
	assert_false(scratch_exists(s, "folder.tmp"));
	assert_int_equal(mkfifo(scratch_path(s, "fifo"), 0600), 0);
	assert_int_equal(file_replace(scratch_path(s, "fifo"), "x", 1, 0644), -ENODEV);
	assert_true(scratch_exists(s, "fifo"));
	assert_false(scratch_exists(s, "fifo.tmp"));
}

/* What the child found, as its exit status. */
enum full_disk {
	FULL_OK,
	FULL_NO_NAMESPACE,
	FULL_NO_MOUNT,
	FULL_NOT_REFUSED,
	FULL_OLD_GONE,
	FULL_LITTER,
};

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* Root of a mount namespace of our own, whoever we were. */
static int enter_namespace(void)
{
	char uid_map[32], gid_map[32];

	snprintf(uid_map, sizeof uid_map, "0 %u 1", geteuid());
	snprintf(gid_map, sizeof gid_map, "0 %u 1", getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -1;
	return write_to("/proc/self/setgroups", "deny") < 0 ||
			       write_to("/proc/self/uid_map", uid_map) < 0 ||
			       write_to("/proc/self/gid_map", gid_map) < 0
		       ? -1
		       : 0;
}

/* Saves more than a file system of 64 KiB holds. */
static enum full_disk save_on_full_disk(struct scratch *s)
{
	static const char big[128 * 1024];
	char text[16];
	int r;

	if (enter_namespace() < 0)
		return FULL_NO_NAMESPACE;
	if (mount("none", s->folder, "tmpfs", 0, "size=64k") < 0)
		return FULL_NO_MOUNT;
	if (file_replace(scratch_path(s, "drift"), "old", 3, 0644) < 0)
		return FULL_NOT_REFUSED;
	r = file_replace(scratch_path(s, "drift"), big, sizeof big, 0644);
	if (r != -ENOSPC)
		return FULL_NOT_REFUSED;
	if (file_read_small(AT_FDCWD, scratch_path(s, "drift"), text, sizeof text) != 3 ||
	    strcmp(text, "old") != 0)
		return FULL_OLD_GONE;
	return scratch_exists(s, "drift.tmp") ? FULL_LITTER : FULL_OK;
}

static void test_full_disk_keeps_the_old_file(void **state)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit((int)save_on_full_disk(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), FULL_OK);
}

static void test_make_and_take_folders(void **state)
{
	struct scratch *s = *state;
	uid_t uid = geteuid();
	gid_t gid = getegid();

	assert_int_equal(folder_make(scratch_path(s, "run"), 0750, uid, gid), 0);
	assert_int_equal(mode_of(scratch_path(s, "run")), 0750);
	/* One that exists is somebody's choice. */
	assert_int_equal(folder_make(scratch_path(s, "run"), 0755, uid, gid), 0);
	assert_int_equal(mode_of(scratch_path(s, "run")), 0750);
	assert_int_equal(folder_take(scratch_path(s, "run"), 0755, uid, gid), 0);
	assert_int_equal(mode_of(scratch_path(s, "run")), 0755);

	scratch_write_text(s, "file", "");
	assert_int_equal(folder_make(scratch_path(s, "file"), 0755, uid, gid), -ENOTDIR);
	assert_int_equal(folder_take(scratch_path(s, "file"), 0755, uid, gid), -ENOTDIR);
	assert_int_equal(folder_make(scratch_path(s, "no/run"), 0755, uid, gid), -ENOENT);
	assert_int_equal(symlink("run", scratch_path(s, "link")), 0);
	assert_int_equal(folder_take(scratch_path(s, "link"), 0700, uid, gid), -ENOTDIR);
	assert_int_equal(mode_of(scratch_path(s, "run")), 0755);
}

#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

/* A full disk takes a file system of our own. */
static int run_full_disk(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SCRATCH(test_full_disk_keeps_the_old_file),
	};
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(enter_namespace() < 0 || mount("none", "/tmp", "tmpfs", 0, "size=64k") < 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		printf("skipped: this system gives us no namespace or no mount of our own\n");
		return 77;
	}
	return cmocka_run_group_tests_name("files-full-disk", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WITH_SCRATCH(test_read_whole),
		WITH_SCRATCH(test_read_refusals_leave_outputs_alone),
		cmocka_unit_test(test_read_proc_which_has_no_length),
		WITH_SCRATCH(test_read_small),
		WITH_SCRATCH(test_replace),
		WITH_SCRATCH(test_replace_takes_over_what_a_killed_daemon_left),
		WITH_SCRATCH(test_replace_does_not_write_through_a_planted_link),
		WITH_SCRATCH(test_replace_keeps_a_link),
		WITH_SCRATCH(test_replace_refusals),
		WITH_SCRATCH(test_make_and_take_folders),
	};

	if (argc > 1 && strcmp(argv[1], "full-disk") == 0)
		return run_full_disk();
	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
