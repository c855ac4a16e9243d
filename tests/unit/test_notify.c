/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <time.h>

#include "os/notify.h"
#include "scratch.h"

/* The service manager's end; @address as $NOTIFY_SOCKET would say it. */
static int listen_at(const char *address)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t length = strlen(address);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	memcpy(un.sun_path, address, length);
	if (address[0] == '@')
		un.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&un,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
			 0);
	return fd;
}

static void check_told(int fd, const char *want)
{
	char text[512];
	ssize_t n = recv(fd, text, sizeof text - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, want);
}

static void check_messages(const char *address)
{
	int fd = listen_at(address);
	struct notify n;

	notify_init(&n, address);
	assert_true(n.fd >= 0);
	notify_status(&n, "looking for a clock");
	check_told(fd, "STATUS=looking for a clock");
	notify_ready(&n, "in sync\nREADY=0");
	check_told(fd, "READY=1\nSTATUS=in sync READY=0");
	notify_ready(&n, NULL);
	check_told(fd, "READY=1\n");
	notify_stopping(&n, NULL);
	check_told(fd, "STOPPING=1\n");
	notify_fini(&n);
	notify_fini(&n);
	assert_int_equal(n.fd, -1);
	close(fd);
}

static void test_path(void **state)
{
	check_messages(scratch_path(*state, "notify"));
}

static void test_abstract_name(void **state)
{
	char name[80];

	/* The scratch folder's name is nobody else's. */
	snprintf(name, sizeof name, "@%s", ((struct scratch *)*state)->folder);
	check_messages(name);
}

static void test_reloading_carries_the_time(void **state)
{
	const char *path = scratch_path(*state, "notify");
	int fd = listen_at(path);
	struct timespec before, after;
	struct notify n;
	char text[128] = "";
	int64_t us;

	notify_init(&n, path);
	clock_gettime(CLOCK_MONOTONIC, &before);
	notify_reloading(&n);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(recv(fd, text, sizeof text - 1, 0) > 0);
	assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64, &us), 1);
	assert_true(us >= (int64_t)before.tv_sec * 1000000 + before.tv_nsec / 1000);
	assert_true(us <= (int64_t)after.tv_sec * 1000000 + after.tv_nsec / 1000);
	notify_fini(&n);
	close(fd);
}

static void test_long_status_is_cut(void **state)
{
	const char *path = scratch_path(*state, "notify");
	int fd = listen_at(path);
	char status[2000], text[2000];
	struct notify n;
	ssize_t length;

	memset(status, 's', sizeof status - 1);
	status[sizeof status - 1] = '\0';
	notify_init(&n, path);
	notify_ready(&n, status);
	length = recv(fd, text, sizeof text, 0);
	assert_in_range(length, 200, 400);
	assert_memory_equal(text, "READY=1\nSTATUS=ss", 17);
	notify_fini(&n);
	close(fd);
}

static void test_nobody_asked(void **state)
{
	(void)state;
	char longest[200];
	const char *const cases[] = {
		NULL, "", "@", "/", "relative/path", "vsock:2:1234", longest
	};
	struct notify n;

	memset(longest, 'a', sizeof longest - 1);
	longest[0] = '/';
	longest[sizeof longest - 1] = '\0';
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		notify_init(&n, cases[i]);
		assert_int_equal(n.fd, -1);
		notify_ready(&n, "no");
		notify_reloading(&n);
		notify_fini(&n);
	}
}

static void test_nobody_listens(void **state)
{
	struct notify n;

	notify_init(&n, scratch_path(*state, "none"));
	notify_ready(&n, "hello");
	notify_fini(&n);
}

/* A manager that has stopped reading must not stop us. */
static void test_a_full_socket_does_not_block(void **state)
{
	const char *path = scratch_path(*state, "notify");
	int fd = listen_at(path);
	struct notify n;

	notify_init(&n, path);
	for (int i = 0; i < 10000; i++)
		notify_status(&n, "again");
	check_told(fd, "STATUS=again");
	notify_fini(&n);
	close(fd);
}

#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SCRATCH(test_path),
		WITH_SCRATCH(test_abstract_name),
		WITH_SCRATCH(test_reloading_carries_the_time),
		WITH_SCRATCH(test_long_status_is_cut),
		cmocka_unit_test(test_nobody_asked),
		WITH_SCRATCH(test_nobody_listens),
		WITH_SCRATCH(test_a_full_socket_does_not_block),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
