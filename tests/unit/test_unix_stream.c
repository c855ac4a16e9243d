/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_unix_stream.c - whose sockets are connected to, and what is said of the others
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "guest_sockets.h"
#include "base/attr.h"
#include "os/unix_stream.h"
#include "scratch.h"

static void check_refused(const char *path, enum unix_stream_outcome want, const char *why)
{
	char text[200] = "";
	int fd = -77;

	assert_int_equal(unix_stream_connect(path, &fd, text, sizeof text), want);
	assert_int_equal(fd, -77);
	if (!strstr(text, why))
		fail_msg("\"%s\" does not say \"%s\"", text, why);
}

static void test_our_own_socket_is_connected_to(void **state)
{
	struct played_socket s;
	char text[200] = "untouched";
	int fd;

	played_listen(&s, scratch_path(*state, "sock"));
	assert_int_equal(unix_stream_connect(s.path, &fd, text, sizeof text), UNIX_STREAM_OPEN);
	assert_string_equal(text, "untouched");
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_true(played_accept(&s));
	assert_int_equal(send(fd, "x", 1, 0), 1);
	assert_string_equal(played_hear(&s), "x");
	close(fd);
	played_end(&s);
}

static void test_a_path_that_no_address_has_room_for(void **state)
{
	struct played_socket s;
	char folder[300], path[320], text[200];
	int fd, at;

	snprintf(folder, sizeof folder, "%s/", ((struct scratch *)*state)->folder);
	for (unsigned i = 0; i < 12; i++) {
		size_t n = strlen(folder);

		snprintf(folder + n, sizeof folder - n, "a-long-name/");
		assert_int_equal(mkdir(folder, 0755), 0);
	}
	at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d/sock", at);
	played_listen(&s, path);
	snprintf(path, sizeof path, "%ssock", folder);
	assert_true(strlen(path) > 120);
	assert_int_equal(unix_stream_connect(path, &fd, text, sizeof text), UNIX_STREAM_OPEN);
	close(fd);
	played_end(&s);
	close(at);
}

static void test_what_is_not_there(void **state)
{
	struct played_socket s;

	check_refused(scratch_path(*state, "nothing"), UNIX_STREAM_MISSING, "No such file");
	check_refused(scratch_path(*state, "no/folder"), UNIX_STREAM_MISSING, "its folder");
	check_refused("sock", UNIX_STREAM_FAILED, "path");
	played_listen(&s, scratch_path(*state, "sock"));
	close(s.listener);
	check_refused(s.path, UNIX_STREAM_NOBODY, "nobody listens");
}

static void test_what_is_no_socket(void **state)
{
	scratch_write_text(*state, "file", "");
	check_refused(scratch_path(*state, "file"), UNIX_STREAM_REFUSED, "no socket");
	assert_int_equal(mkdir(scratch_path(*state, "folder"), 0755), 0);
	check_refused(scratch_path(*state, "folder"), UNIX_STREAM_REFUSED, "no socket");
	assert_int_equal(mkfifo(scratch_path(*state, "fifo"), 0644), 0);
	check_refused(scratch_path(*state, "fifo"), UNIX_STREAM_REFUSED, "no socket");
}

static void test_a_link_leads_nowhere(void **state)
{
	struct played_socket s;

	played_listen(&s, scratch_path(*state, "sock"));
	assert_int_equal(symlink("sock", scratch_path(*state, "link")), 0);
	check_refused(scratch_path(*state, "link"), UNIX_STREAM_REFUSED, "no socket");
	played_end(&s);
}

static void test_too_many_wait(void **state)
{
	struct played_socket s;
	char text[200];
	int fds[16];
	unsigned n = 0;

	played_listen(&s, scratch_path(*state, "sock"));
	while (n < COUNT(fds) &&
	       unix_stream_connect(s.path, &fds[n], text, sizeof text) == UNIX_STREAM_OPEN)
		n++;
	assert_true(n > 1 && n < COUNT(fds));
	check_refused(s.path, UNIX_STREAM_BUSY, "too many");
	while (n)
		close(fds[--n]);
	played_end(&s);
}

/* --- As root --- */

static void test_a_socket_of_another_user(void **state)
{
	struct played_socket s;

	played_listen(&s, scratch_path(*state, "sock"));
	assert_int_equal(chown(s.path, 4711, 4711), 0);
	check_refused(s.path, UNIX_STREAM_REFUSED, "belongs to user 4711");
	assert_false(played_accept(&s));

	/* Whose folder it is, he may play there: but not while others listen. */
	assert_int_equal(chown(((struct scratch *)*state)->folder, 4711, 4711), 0);
	check_refused(scratch_path(*state, "nothing"), UNIX_STREAM_MISSING, "");
	assert_int_equal(chown(s.path, 4712, 4712), 0);
	check_refused(s.path, UNIX_STREAM_REFUSED, "belongs to user 4712");
	played_end(&s);
}

/* The file is root's, but he who listens is not. */
static void test_a_listener_of_another_user(void **state)
{
	struct played_socket s;

	assert_int_equal(chmod(((struct scratch *)*state)->folder, 0777), 0);
	assert_int_equal(seteuid(4711), 0);
	played_listen(&s, scratch_path(*state, "sock"));
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(chown(s.path, 0, 0), 0);
	check_refused(s.path, UNIX_STREAM_REFUSED, "user 4711 listens there");
	played_end(&s);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_our_own_socket_is_connected_to),
		TEST(test_a_path_that_no_address_has_room_for),
		TEST(test_what_is_not_there),
		TEST(test_what_is_no_socket),
		TEST(test_a_link_leads_nowhere),
		TEST(test_too_many_wait),
	};
	const struct CMUnitTest as_root[] = {
		TEST(test_a_socket_of_another_user),
		TEST(test_a_listener_of_another_user),
	};

	if (argc > 1 && strcmp(argv[1], "root") == 0) {
		if (geteuid() != 0) {
			puts("skip: sockets of other users are made by root alone");
			return 77;
		}
		return cmocka_run_group_tests(as_root, NULL, NULL);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
