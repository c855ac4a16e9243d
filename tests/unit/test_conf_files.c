/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/attr.h"
#include "conf/conf.h"
#include "os/conf_files.h"

/* The doors have the shape that the parser asks for. */
static const struct conf_loader LOADER = {
	NULL,
	conf_files_read,
	conf_files_expand,
	conf_files_list,
};

/* Each test runs in an empty directory of its own. */
static int enter_directory(void **state)
{
	char *directory = strdup("/tmp/vmtime-test-XXXXXX");

	if (!directory || !mkdtemp(directory) || chdir(directory))
		return -1;
	*state = directory;
	return 0;
}

static int leave_directory(void **state)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", (const char *)*state);
	free(*state);
	return chdir("/") || system(command);
}

static void write_file(const char *path, const void *bytes, size_t n)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

static void refuse_file(const char *path, int want)
{
	char text[16] = "untouched";
	size_t n = 77;

	assert_int_equal(LOADER.read(NULL, path, text, sizeof text, &n), want);
	assert_int_equal(n, 77);
}

static void test_reads_a_file_whole(void **state)
{
	(void)state;
	char text[8];
	size_t n = 77;

	write_file("five", "abcd\n", 5);
	assert_int_equal(LOADER.read(NULL, "five", text, sizeof text, &n), 0);
	assert_int_equal(n, 5);
	assert_memory_equal(text, "abcd\n", 5);

	assert_int_equal(LOADER.read(NULL, "five", text, 5, &n), 0);
	assert_int_equal(n, 5);
	assert_int_equal(LOADER.read(NULL, "five", text, 4, &n), -EFBIG);

	write_file("empty", "", 0);
	assert_int_equal(LOADER.read(NULL, "empty", text, sizeof text, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(symlink("five", "link"), 0);
	assert_int_equal(LOADER.read(NULL, "link", text, sizeof text, &n), 0);
	assert_int_equal(n, 5);
}

static void test_ten_megabytes_of_noise(void **state)
{
	(void)state;
	size_t n_noise = 10 << 20, n = 77;
	char *noise = malloc(n_noise), *text = malloc(CONF_FILE_MAX);

	assert_true(noise && text);
	memset(noise, 0xa5, n_noise);
	write_file("noise", noise, n_noise);
	assert_int_equal(LOADER.read(NULL, "noise", text, CONF_FILE_MAX, &n), -EFBIG);
	assert_int_equal(n, 77);
	free(noise);
	free(text);
}

static void test_what_is_no_file_is_refused_at_once(void **state)
{
	(void)state;
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(mkdir("directory", 0700), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0); /* nobody will ever write to it */
	assert_int_equal(symlink("loop", "loop"), 0);

	refuse_file("none", -ENOENT);
	refuse_file("directory", -EISDIR);
	refuse_file("fifo", -EOPNOTSUPP);
	refuse_file("socket", -ENXIO);
	refuse_file("loop", -ELOOP);
	refuse_file("/dev/zero", -EOPNOTSUPP);
	close(fd);
}

/* `-f /dev/null` is how one says "an empty configuration". */
static void test_the_null_device_is_an_empty_file(void **state)
{
	(void)state;
	char text[8];
	size_t n = 77;

	assert_int_equal(LOADER.read(NULL, "/dev/null", text, sizeof text, &n), 0);
	assert_int_equal(n, 0);
}

static int append(void *list, const char *path)
{
	char *text = list;

	if (strstr(path, "stop"))
		return -E2BIG;
	strcat(strcat(text, path), " ");
	return 0;
}

static void make_tree(void)
{
	static const char *const NAMES[] = { "d/b.conf", "d/a.conf", "d/B.conf",  "d/10.conf",
		                             "d/9.conf", "d/x.txt",  "d/.c.conf", "d/.conf" };

	assert_int_equal(mkdir("d", 0700), 0);
	for (size_t i = 0; i < COUNT(NAMES); i++)
		write_file(NAMES[i], "", 0);
}

static void test_list_is_sorted_and_by_suffix(void **state)
{
	(void)state;
	char found[256] = "";

	make_tree();
	assert_int_equal(LOADER.list(NULL, "d", ".conf", append, found), 0);
	assert_string_equal(found, "d/10.conf d/9.conf d/B.conf d/a.conf d/b.conf ");
	assert_int_equal(LOADER.list(NULL, "none", ".conf", append, found), -ENOENT);
	assert_int_equal(LOADER.list(NULL, "d/x.txt", ".conf", append, found), -ENOTDIR);
}

static void test_expand_is_sorted(void **state)
{
	(void)state;
	char found[256] = "";

	make_tree();
	assert_int_equal(LOADER.expand(NULL, "d/*.conf", append, found), 0);
	assert_string_equal(found, "d/10.conf d/9.conf d/B.conf d/a.conf d/b.conf ");
	found[0] = '\0';
	assert_int_equal(LOADER.expand(NULL, "d/[ab].*", append, found), 0);
	assert_string_equal(found, "d/a.conf d/b.conf ");
	found[0] = '\0';
	assert_int_equal(LOADER.expand(NULL, "d/*.none", append, found), 0);
	assert_int_equal(LOADER.expand(NULL, "none/*.conf", append, found), 0);
	assert_int_equal(LOADER.expand(NULL, "d/x.txt/*.conf", append, found), 0);
	assert_string_equal(found, "");
}

static void test_expand_goes_through_directories(void **state)
{
	(void)state;
	char here[128], pattern[256], want[512], found[512] = "";

	make_tree();
	assert_int_equal(mkdir("e", 0700), 0);
	write_file("e/a.conf", "", 0);
	write_file("f", "", 0);
	assert_int_equal(symlink("gone", "e/b.conf"), 0); /* found here, refused when it is read */
	assert_int_equal(LOADER.expand(NULL, "*/[ab].conf", append, found), 0);
	assert_string_equal(found, "d/a.conf d/b.conf e/a.conf e/b.conf ");
	found[0] = '\0';
	assert_int_equal(LOADER.expand(NULL, "?/a.conf", append, found), 0);
	assert_string_equal(found, "d/a.conf e/a.conf ");
	found[0] = '\0';
	assert_non_null(getcwd(here, sizeof here));
	snprintf(pattern, sizeof pattern, "%s//?/9*", here);
	snprintf(want, sizeof want, "%s/d/9.conf ", here);
	assert_int_equal(LOADER.expand(NULL, pattern, append, found), 0);
	assert_string_equal(found, want);
}

static void test_expand_of_too_long_a_pattern(void **state)
{
	(void)state;
	char pattern[PATH_MAX + 300], found[16] = "";

	memset(pattern, '*', sizeof pattern);
	pattern[NAME_MAX] = '\0'; /* the longest that a name can be: none here is */
	assert_int_equal(LOADER.expand(NULL, pattern, append, found), 0);
	memset(pattern, 'x', sizeof pattern);
	pattern[NAME_MAX + 1] = '\0';
	assert_int_equal(LOADER.expand(NULL, pattern, append, found), -ENAMETOOLONG);
	for (size_t i = 0; i < sizeof pattern - 1; i++)
		pattern[i] = i % 2 ? '/' : '.';
	pattern[sizeof pattern - 1] = '\0';
	assert_int_equal(LOADER.expand(NULL, pattern, append, found), -ENAMETOOLONG);
	assert_string_equal(found, "");
}

static void test_the_listener_ends_a_search(void **state)
{
	(void)state;
	char found[256] = "";

	make_tree();
	write_file("d/B.stop.conf", "", 0);
	assert_int_equal(LOADER.list(NULL, "d", ".conf", append, found), -E2BIG);
	assert_string_equal(found, "d/10.conf d/9.conf d/B.conf ");
	found[0] = '\0';
	assert_int_equal(LOADER.expand(NULL, "d/*", append, found), -E2BIG);
	assert_string_equal(found, "d/10.conf d/9.conf d/B.conf ");
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, enter_directory, leave_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(test_reads_a_file_whole),
		IN_DIRECTORY(test_ten_megabytes_of_noise),
		IN_DIRECTORY(test_what_is_no_file_is_refused_at_once),
		IN_DIRECTORY(test_the_null_device_is_an_empty_file),
		IN_DIRECTORY(test_list_is_sorted_and_by_suffix),
		IN_DIRECTORY(test_expand_is_sorted),
		IN_DIRECTORY(test_expand_goes_through_directories),
		IN_DIRECTORY(test_expand_of_too_long_a_pattern),
		IN_DIRECTORY(test_the_listener_ends_a_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
