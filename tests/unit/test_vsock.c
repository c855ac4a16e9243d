/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <string.h>

#include "line_fixture.h"
#include "os/vsock.h"

static struct sockaddr_storage address(unsigned cid, unsigned port)
{
	const struct sockaddr_vm vm = { .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
	struct sockaddr_storage storage;

	memset(&storage, 0, sizeof storage);
	memcpy(&storage, &vm, sizeof vm);
	return storage;
}

static void test_who_is_the_host(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		unsigned cid, port;
		bool is_host;
	} cases[] = {
		{ 2, 1023, true },  { 2, 1, true },     { 2, 0, true },
		{ 2, 1024, false }, { 2, 9532, false }, { 2, UINT32_MAX, false },
		{ 0, 1023, false }, { 1, 1023, false }, { 3, 1023, false },
		{ 1U << 16 | 2, 1023, false }, { UINT32_MAX, 1023, false },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sockaddr_storage peer = address(cases[i].cid, cases[i].port);

		if (vsock_is_host((struct sockaddr *)&peer, sizeof(struct sockaddr_vm)) != cases[i].is_host)
			fail_msg("CID %u port %u", cases[i].cid, cases[i].port);
	}
}

static void test_what_is_no_address_is_not_the_host(void **state)
{
	(void)state;
	struct sockaddr_storage peer = address(2, 1023);
	char text[VSOCK_TEXT_MAX];

	assert_false(vsock_is_host((struct sockaddr *)&peer, sizeof(struct sockaddr_vm) - 1));
	assert_false(vsock_is_host((struct sockaddr *)&peer, 0));
	assert_string_equal(vsock_text((struct sockaddr *)&peer, text), "CID 2 port 1023");
	peer.ss_family = AF_UNIX;
	assert_false(vsock_is_host((struct sockaddr *)&peer, sizeof(struct sockaddr_vm)));
	assert_string_equal(vsock_text((struct sockaddr *)&peer, text), "unknown");
}

/* Without the module's sign no socket is even asked for: the kernel would load the module. */
static void test_no_vsock_is_only_missed(void **state)
{
	struct fixture *f = *state;
	int fd = -7, error = -7;

	assert_int_equal(vsock_listen(f->scratch.folder, 9532, &fd, &error), VSOCK_MISSING);
	assert_int_equal(fd, -7);
	assert_int_equal(error, -7);
}

/* What the door of a test says; the addresses of Unix sockets tell nothing. */
static bool says_no(const struct sockaddr *peer, socklen_t length)
{
	(void)peer, (void)length;
	return false;
}

static bool says_yes(const struct sockaddr *peer, socklen_t length)
{
	(void)length;
	return peer->sa_family == AF_UNIX;
}

static void test_the_door_closes_unread(void **state)
{
	struct fixture *f = *state;
	char bytes[4000];
	int fd = connect_client(f);

	f->server.conf.admits = says_no;
	memset(bytes, 'x', sizeof bytes);
	assert_int_equal(send(fd, bytes, sizeof bytes, MSG_NOSIGNAL), sizeof bytes);
	assert_int_equal(turn(f), 0);
	assert_int_equal(line_server_count(&f->server), 0);
	assert_int_equal(f->server.refused, 1);
	assert_int_equal(f->server.refused_from.ss_family, AF_UNIX);
	/* A Unix socket that is closed with bytes unread tells its peer so, before anything else. */
	assert_int_equal(recv(fd, bytes, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
}

static void test_who_comes_through_the_door_may_change(void **state)
{
	struct fixture *f = *state;
	struct pollfd fds[LINE_SERVER_FDS];
	struct line_request request;
	int fd = connect_client(f);
	size_t n;

	f->server.conf.admits = says_yes;
	turn(f);
	say(fd, "hello\n");
	n = line_server_prepare(&f->server, fds);
	poll(fds, n, 0);
	line_server_dispatch(&f->server, f->now, fds, n);
	assert_true(line_server_pop(&f->server, &request));
	assert_true(request.may_change);
	assert_int_equal(f->server.refused, 0);
	close(fd);
}

static void test_fewer_clients(void **state)
{
	struct fixture *f = *state;
	int fds[5];

	f->server.conf.admits = says_yes;
	f->server.conf.clients = 4;
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = connect_client(f);
	turn(f);
	assert_int_equal(line_server_count(&f->server), 4);
	check_heard(fds[4], BUSY "\n");
	check_hung_up(fds[4]);
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i]);
}

/* A socket of somebody else's making is served and closed, and no file is touched. */
static void test_a_socket_without_a_path(void **state)
{
	struct fixture *f = *state;
	struct line_server_conf conf = f->server.conf;
	int fd = dup(f->server.fd);

	line_server_fini(&f->server);
	assert_false(scratch_exists(&f->scratch, "run/sock"));
	scratch_write_text(&f->scratch, "run/sock", "precious");
	conf.path = NULL;
	line_server_init(&f->server);
	line_server_take(&f->server, &conf, fd, f->now);
	turn(f);
	line_server_fini(&f->server);
	scratch_check_text(&f->scratch, "run/sock", "precious");
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* it was ours to close */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_the_host),
		cmocka_unit_test(test_what_is_no_address_is_not_the_host),
		WITH_SERVER(test_no_vsock_is_only_missed),
		WITH_SERVER(test_the_door_closes_unread),
		WITH_SERVER(test_who_comes_through_the_door_may_change),
		WITH_SERVER(test_fewer_clients),
		WITH_SERVER(test_a_socket_without_a_path),
	};

	return cmocka_run_group_tests_name("vsock", tests, NULL, NULL);
}
