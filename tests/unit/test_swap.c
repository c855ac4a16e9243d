/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/xattr.h>

#include "os/swap.h"
#include "scratch.h"

static struct swap_image image_of(char *text)
{
	return (struct swap_image){ true, text, strlen(text) };
}

static void test_owner_mode_and_attributes_stay(void **state)
{
	struct scratch *s = *state;
	char text[] = "new", value[8] = "";
	struct swap_image image = image_of(text);
	const char *path;
	struct stat st;
	bool has_attributes;

	scratch_write_text(s, "file", "old");
	path = scratch_path(s, "file");
	/* A file system may have no attributes of users; the rest is tested all the same. */
	has_attributes = setxattr(path, "user.vmtime", "label", 5, 0) == 0;
	if (geteuid() == 0)
		assert_int_equal(chown(path, 12, 34), 0);
	assert_int_equal(chmod(path, 04640), 0);
	assert_int_equal(swap_write(path, &image, 0600), 0);
	scratch_check_text(s, "file", "new");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 04640);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 12);
		assert_int_equal(st.st_gid, 34);
	}
	if (has_attributes) {
		assert_int_equal(getxattr(path, "user.vmtime", value, sizeof value), 5);
		assert_memory_equal(value, "label", 5);
	} else {
		print_message("no attributes of users here\n");
	}
}

static void test_made_and_removed(void **state)
{
	struct scratch *s = *state;
	char text[] = "new";
	struct swap_image image = image_of(text), none = { 0 }, read;
	mode_t mask = umask(077);
	struct stat st;

	assert_int_equal(swap_write(scratch_path(s, "made"), &image, 0644), 0);
	umask(mask);
	assert_int_equal(stat(scratch_path(s, "made"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(swap_read(scratch_path(s, "made"), &read), 0);
	assert_true(swap_image_equals(&read, &image));
	swap_image_fini(&read);

	assert_int_equal(swap_write(scratch_path(s, "made"), &none, 0644), 0);
	assert_false(scratch_exists(s, "made"));
	assert_int_equal(swap_write(scratch_path(s, "made"), &none, 0644), 0);
	assert_int_equal(swap_read(scratch_path(s, "made"), &read), 0);
	assert_false(read.exists);
	assert_true(swap_image_equals(&read, &none));
}

static void test_an_empty_file_is_not_none(void **state)
{
	(void)state;
	char text[] = "";
	struct swap_image empty = image_of(text), none = { 0 };

	assert_false(swap_image_equals(&empty, &none));
}

static void test_leftovers(void **state)
{
	struct scratch *s = *state;
	char text[] = "new";
	struct swap_image image = image_of(text);

	scratch_write_text(s, "file.vmtime-tmp", "half");
	assert_int_equal(swap_write(scratch_path(s, "file"), &image, 0644), 0);
	assert_false(scratch_exists(s, "file.vmtime-tmp"));
	scratch_write_text(s, "file.vmtime-tmp", "half");
	swap_clean(scratch_path(s, "file"));
	assert_false(scratch_exists(s, "file.vmtime-tmp"));
	scratch_check_text(s, "file", "new");
}

static void test_refusals_leave_everything(void **state)
{
	struct scratch *s = *state;
	char text[] = "new", mark;
	struct swap_image image = image_of(text), read = { true, &mark, 7 };

	assert_int_equal(mkdir(scratch_path(s, "folder"), 0755), 0);
	assert_int_equal(swap_write(scratch_path(s, "folder"), &image, 0644), -EISDIR);
	assert_false(scratch_exists(s, "folder.vmtime-tmp"));
	assert_int_equal(swap_write(scratch_path(s, "none/file"), &image, 0644), -ENOENT);
	assert_int_equal(symlink("folder", scratch_path(s, "link")), 0);
	assert_int_equal(swap_write(scratch_path(s, "link"), &image, 0644), -ELOOP);
	assert_int_equal(swap_read(scratch_path(s, "folder"), &read), -EISDIR);
	assert_ptr_equal(read.data, &mark);
	assert_int_equal(read.length, 7);
}

static void test_folders(void **state)
{
	struct scratch *s = *state;
	mode_t mask = umask(077);
	struct stat st;

	assert_int_equal(swap_make_folder(scratch_path(s, "folder"), 0755), 0);
	umask(mask);
	assert_int_equal(stat(scratch_path(s, "folder"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(swap_make_folder(scratch_path(s, "folder"), 0755), -EEXIST);
	scratch_write_text(s, "folder/file", "");
	assert_int_equal(swap_remove_folder(scratch_path(s, "folder")), 0);
	assert_true(scratch_exists(s, "folder/file"));
	assert_int_equal(unlink(scratch_path(s, "folder/file")), 0);
	assert_int_equal(swap_remove_folder(scratch_path(s, "folder")), 0);
	assert_false(scratch_exists(s, "folder"));
	assert_int_equal(swap_remove_folder(scratch_path(s, "folder")), 0);
}

#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_owner_mode_and_attributes_stay),
		scratch_test(test_made_and_removed),
		scratch_test(test_leftovers),
		scratch_test(test_refusals_leave_everything),
		scratch_test(test_folders),
		cmocka_unit_test(test_an_empty_file_is_not_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
