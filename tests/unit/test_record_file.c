/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "os/record_file.h"
#include "scratch.h"

static void assert_holds(const char *path, const char *want)
{
	char text[64] = "";
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	(void)!fread(text, 1, sizeof text - 1, file);
	fclose(file);
	assert_string_equal(text, want);
}

static void test_lines_are_appended(void **state)
{
	struct record_file f = RECORD_FILE_INIT;
	const char *path = scratch_path(*state, "a.log");
	struct stat st;

	umask(022);
	assert_int_equal(record_file_append(&f, path, "one\n", 4), 0);
	assert_int_equal(record_file_append(&f, path, "two\n", 4), 0);
	assert_holds(path, "one\ntwo\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	record_file_close(&f);
	assert_int_equal(f.fd, -1);
	record_file_close(&f);
	assert_int_equal(record_file_append(&f, path, "three\n", 6), 0);
	assert_holds(path, "one\ntwo\nthree\n");
	record_file_close(&f);
}

/* A rotation moves the file: it is written on until it is closed, and then begun anew. */
static void test_closing_is_what_a_rotation_needs(void **state)
{
	struct record_file f = RECORD_FILE_INIT;
	char path[512], moved[520];

	snprintf(path, sizeof path, "%s", scratch_path(*state, "a.log"));
	snprintf(moved, sizeof moved, "%s.1", path);
	assert_int_equal(record_file_append(&f, path, "one\n", 4), 0);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(record_file_append(&f, path, "two\n", 4), 0);
	assert_holds(moved, "one\ntwo\n");
	record_file_close(&f);
	assert_int_equal(record_file_append(&f, path, "three\n", 6), 0);
	assert_holds(path, "three\n");
	record_file_close(&f);
}

static void test_what_is_no_file(void **state)
{
	struct record_file f = RECORD_FILE_INIT;
	char path[512];

	snprintf(path, sizeof path, "%s", scratch_path(*state, "x"));
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(record_file_append(&f, path, "one\n", 4), -EISDIR);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0666), 0);
	assert_int_equal(record_file_append(&f, path, "one\n", 4), -ENODEV);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(record_file_append(&f, "/dev/null", "one\n", 4), -ENODEV);
	assert_int_equal(record_file_append(&f, "/none/x.log", "one\n", 4), -ENOENT);
	assert_int_equal(f.fd, -1);
	/* Each attempt is a new one. */
	assert_int_equal(record_file_append(&f, path, "one\n", 4), 0);
	assert_holds(path, "one\n");
	record_file_close(&f);
}

/* A limit on the size of files stands for a full disk: of a line that is cut short nothing stays. */
static void test_no_half_lines(void **state)
{
	struct record_file f = RECORD_FILE_INIT;
	const char *path = scratch_path(*state, "a.log");
	struct rlimit limit, small;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(record_file_append(&f, path, "one\n", 4), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = (struct rlimit){ 6, limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(record_file_append(&f, path, "two\n", 4), -ENOSPC);
	assert_int_equal(f.fd, -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_holds(path, "one\n");
	assert_int_equal(record_file_append(&f, path, "two\n", 4), 0);
	assert_holds(path, "one\ntwo\n");
	record_file_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines_are_appended, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_closing_is_what_a_rotation_needs, scratch_setup,
		                                scratch_teardown),
		cmocka_unit_test_setup_teardown(test_what_is_no_file, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_no_half_lines, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
