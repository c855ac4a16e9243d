/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_poller.c - many descriptors as one, folders that are watched, paths that are found
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "os/folder_watch.h"
#include "os/path_search.h"
#include "os/poller.h"
#include "scratch.h"

static int is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0);
}

static void test_who_is_ready(void **state)
{
	(void)state;
	struct poller poller;
	struct poller_event events[4];
	int a[2], b[2];

	assert_int_equal(poller_init(&poller), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	assert_int_equal(poller_watch(&poller, a[0], 17, false), 0);
	assert_int_equal(poller_watch(&poller, b[0], UINT64_MAX, false), 0);
	assert_int_equal(is_readable(poller.fd), 0);
	assert_int_equal(poller_take(&poller, events, 4), 0);

	assert_int_equal(write(b[1], "x", 1), 1);
	for (unsigned i = 0; i < 2; i++) { /* as long as it lasts */
		assert_int_equal(is_readable(poller.fd), 1);
		assert_int_equal(poller_take(&poller, events, 4), 1);
		assert_true(events[0].tag == UINT64_MAX);
		assert_true(events[0].is_readable && !events[0].is_writable);
	}
	assert_int_equal(poller_watch(&poller, b[0], 18, true), 0); /* watched otherwise */
	assert_int_equal(poller_take(&poller, events, 4), 1);
	assert_int_equal(events[0].tag, 18);
	assert_true(events[0].is_readable && events[0].is_writable);
	poller_forget(&poller, b[0]);
	poller_forget(&poller, b[0]);
	assert_int_equal(poller_take(&poller, events, 4), 0);

	close(a[1]); /* hung up: reading tells */
	assert_int_equal(poller_take(&poller, events, 4), 1);
	assert_true(events[0].is_readable);
	close(a[0]);
	assert_int_equal(poller_take(&poller, events, 4), 0);
	assert_int_equal(poller_watch(&poller, -1, 1, false), -EBADF);
	close(b[0]);
	close(b[1]);
	poller_fini(&poller);
	poller_fini(&poller);
}

static void test_a_folder_that_changes(void **state)
{
	struct folder_watch w;

	folder_watch_init(&w);
	if (w.fd < 0) {
		print_message("this kernel has no inotify\n");
		return;
	}
	assert_false(folder_watch_add(&w, scratch_path(*state, "none")));
	assert_true(folder_watch_add(&w, ((struct scratch *)*state)->folder));
	assert_true(folder_watch_add(&w, ((struct scratch *)*state)->folder));
	assert_false(folder_watch_take(&w));
	scratch_write_text(*state, "file", "");
	assert_int_equal(is_readable(w.fd), 1);
	assert_true(folder_watch_take(&w));
	assert_false(folder_watch_take(&w));
	assert_int_equal(unlink(scratch_path(*state, "file")), 0);
	assert_true(folder_watch_take(&w));
	for (unsigned i = 0; i < 500; i++) {
		char name[20];

		snprintf(name, sizeof name, "file-%u", i);
		scratch_write_text(*state, name, "");
	}
	assert_true(folder_watch_take(&w));
	assert_false(folder_watch_take(&w));
	folder_watch_fini(&w);
	folder_watch_fini(&w);
	assert_false(folder_watch_take(&w));
	assert_false(folder_watch_add(&w, "/"));
}

/* How many paths @pattern finds, below the folder; with @star only those where it stands for that. */
static unsigned count_matches(struct scratch *s, const char *pattern, const char *star)
{
	char whole[FILE_PATH_MAX];
	struct path_search search;
	struct path_match match;
	unsigned n = 0;

	snprintf(whole, sizeof whole, "%s", scratch_path(s, pattern));
	path_search_begin(&search, whole);
	while (path_search_next(&search, &match)) {
		assert_int_equal(access(match.path, F_OK), 0);
		if (!star || strcmp(match.star, star) == 0)
			n++;
	}
	path_search_end(&search);
	path_search_end(&search);
	return n;
}

static void test_paths_with_a_star(void **state)
{
	struct scratch *s = *state;
	static const char *const FILES[] = { "vm-1.qmp", "vm-22.qmp", "vm-.qmp", "vm-3.qga", ".qmp",
		                             ".hidden.qmp", "a/x", "b/x", "c/y" };

	for (unsigned i = 0; i < COUNT(FILES); i++)
		scratch_write_text(s, FILES[i], "");
	assert_int_equal(count_matches(s, "vm-*.qmp", NULL), 2);
	assert_int_equal(count_matches(s, "vm-*.qmp", "22"), 1);
	assert_int_equal(count_matches(s, "*.qmp", NULL), 3); /* "vm-" among them, no hidden ones */
	assert_int_equal(count_matches(s, "*.qmp", "vm-"), 1);
	assert_int_equal(count_matches(s, "vm-1.*", "qmp"), 1);
	assert_int_equal(count_matches(s, "*/x", NULL), 2);
	assert_int_equal(count_matches(s, "*/x", "b"), 1);
	assert_int_equal(count_matches(s, "vm-1.qmp", ""), 1);
	assert_int_equal(count_matches(s, "vm-9.qmp", NULL), 0);
	assert_int_equal(count_matches(s, "none/*.qmp", NULL), 0);
	assert_int_equal(count_matches(s, "a/none", NULL), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_ready),
		TEST(test_a_folder_that_changes),
		TEST(test_paths_with_a_star),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
