/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "os/candm_sock.h"
#include "scratch.h"

struct fixture {
	struct scratch scratch; /* first: its teardown gets this */
	struct candm_sock sock;
	char path[100];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct scratch *s;

	if (!f || scratch_setup((void **)&s) != 0)
		return -1;
	f->scratch = *s;
	free(s);
	candm_sock_init(&f->sock);
	snprintf(f->path, sizeof f->path, "%s/run/s", f->scratch.folder);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	candm_sock_fini(&f->sock);
	candm_sock_fini(&f->sock);
	return scratch_teardown(state);
}

static enum candm_sock_outcome open_unix(struct fixture *f, struct candm_sock *s, bool is_open_folder,
					 int *err)
{
	const struct candm_sock_unix conf = { f->path, getuid(), getgid(), is_open_folder,
					      getgid() };

	return candm_sock_open_unix(s, &conf, err);
}

static void open_here(struct fixture *f)
{
	int err = 0;

	assert_int_equal(open_unix(f, &f->sock, false, &err), CANDM_SOCK_OPEN);
}

/* A client with the path NAME in the socket's folder; "": without a path. */
static int make_client(struct fixture *f, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	if (*name) {
		snprintf(address.sun_path, sizeof address.sun_path, "%s/run/%s", f->scratch.folder, name);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	}
	snprintf(address.sun_path, sizeof address.sun_path, "%s", f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

/* One turn; every datagram is sent back to its sender.  Returns how many there were. */
static int turn(struct candm_sock *s)
{
	struct pollfd fds[CANDM_SOCK_FDS];
	struct candm_datagram d;
	size_t n = candm_sock_prepare(s, fds);
	int popped = 0;

	assert_true(poll(fds, n, 0) >= 0);
	candm_sock_dispatch(s, fds, n);
	while (candm_sock_pop(s, &d)) {
		candm_sock_reply(s, &d, d.bytes, d.n);
		popped++;
	}
	return popped;
}

static void check_heard(int fd, const char *text)
{
	char got[1024];
	ssize_t n = recv(fd, got, sizeof got, 0);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void check_silence(int fd)
{
	char got[16];

	assert_int_equal(recv(fd, got, sizeof got, 0), -1);
	assert_int_equal(errno, EAGAIN);
}

static void test_question_and_answer(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	int fd;

	open_here(f);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	assert_int_equal(stat(scratch_path(&f->scratch, "run"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0770);
	fd = make_client(f, "c");
	assert_int_equal(turn(&f->sock), 0);
	assert_int_equal(send(fd, "one", 3, 0), 3);
	assert_int_equal(send(fd, "two", 3, 0), 3);
	assert_int_equal(turn(&f->sock), 2);
	check_heard(fd, "one");
	check_heard(fd, "two");
	check_silence(fd);
	close(fd);
	candm_sock_fini(&f->sock);
	assert_false(scratch_exists(&f->scratch, "run/s"));
}

/* A client without a path, or whose path has gone, costs nothing and nobody. */
static void test_clients_that_cannot_be_answered(void **state)
{
	struct fixture *f = *state;
	int nameless, gone, other;

	open_here(f);
	nameless = make_client(f, "");
	gone = make_client(f, "gone");
	other = make_client(f, "other");
	assert_int_equal(send(nameless, "a", 1, 0), 1);
	assert_int_equal(send(gone, "b", 1, 0), 1);
	assert_int_equal(send(other, "c", 1, 0), 1);
	assert_int_equal(unlink(scratch_path(&f->scratch, "run/gone")), 0);
	assert_int_equal(turn(&f->sock), 3);
	check_silence(nameless);
	check_silence(gone);
	check_heard(other, "c");
	close(nameless);
	close(gone);
	close(other);
}

static void test_length_is_told(void **state)
{
	static const size_t sent[] = { 0, 1, CANDM_REQUEST_MAX, CANDM_REQUEST_MAX + 1, 60000 };
	struct fixture *f = *state;
	char *bytes = calloc(1, 60000);
	int fd;

	open_here(f);
	fd = make_client(f, "c");
	for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
		struct pollfd fds[CANDM_SOCK_FDS];
		struct candm_datagram d;
		size_t n = candm_sock_prepare(&f->sock, fds);
		size_t want = sent[i] < CANDM_REQUEST_MAX + 1 ? sent[i] : CANDM_REQUEST_MAX + 1;

		assert_int_equal(send(fd, bytes, sent[i], 0), (ssize_t)sent[i]);
		poll(fds, n, 0);
		candm_sock_dispatch(&f->sock, fds, n);
		assert_true(candm_sock_pop(&f->sock, &d));
		assert_int_equal(d.n, want);
		assert_int_equal(d.transport, CANDM_UNIX);
		assert_true(d.is_local);
		assert_false(candm_sock_pop(&f->sock, &d));
	}
	close(fd);
	free(bytes);
}

static void test_budget(void **state)
{
	struct fixture *f = *state;
	int sent = 0, answered = 0, fds[40];

	open_here(f);
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof name, "c%d", i);
		fds[i] = make_client(f, name);
	}
	for (int got = 1; got > 0;) {
		for (int i = 0; i < 400; i++)
			sent += send(fds[i % 40], "x", 1, 0) == 1;
		got = turn(&f->sock);
		assert_in_range(got, 0, CANDM_SOCK_BUDGET);
		answered += got;
		if (answered > 3 * CANDM_SOCK_BUDGET)
			break;
	}
	assert_true(sent >= answered);
	for (int i = 0; i < 40; i++)
		close(fds[i]);
}

static void test_dead_socket_is_replaced_and_a_living_one_is_not(void **state)
{
	struct fixture *f = *state;
	struct candm_sock second;
	int err = 0;

	open_here(f);
	candm_sock_init(&second);
	assert_int_equal(open_unix(f, &second, false, &err), CANDM_SOCK_TAKEN);
	assert_int_equal(candm_sock_prepare(&second, &(struct pollfd){ 0 }), 0);
	candm_sock_fini(&second);
	assert_true(scratch_exists(&f->scratch, "run/s"));
	/* As if killed: the path stays, nobody is behind it. */
	close(f->sock.fds[CANDM_UNIX]);
	f->sock.fds[CANDM_UNIX] = -1;
	f->sock.path[0] = '\0';
	assert_int_equal(open_unix(f, &second, false, &err), CANDM_SOCK_OPEN);
	candm_sock_fini(&second);
}

static void test_what_is_no_socket_is_left_alone(void **state)
{
	struct fixture *f = *state;
	int err = 0;

	assert_int_equal(mkdir(scratch_path(&f->scratch, "run"), 0770), 0);
	assert_int_equal(chmod(scratch_path(&f->scratch, "run"), 0770), 0);
	scratch_write_text(&f->scratch, "run/s", "mine");
	assert_int_equal(open_unix(f, &f->sock, false, &err), CANDM_SOCK_FAILED);
	assert_int_equal(err, -EEXIST);
	scratch_check_text(&f->scratch, "run/s", "mine");
}

static void test_folders(void **state)
{
	struct fixture *f = *state;
	const char *run;
	struct stat st;
	int err = 0;

	/* One that lets others in is not trusted, unless the socket keeps them out itself. */
	assert_int_equal(mkdir(scratch_path(&f->scratch, "run"), 0755), 0);
	run = scratch_path(&f->scratch, "run");
	assert_int_equal(chmod(run, 0755), 0);
	assert_int_equal(open_unix(f, &f->sock, false, &err), CANDM_SOCK_LOOSE);
	assert_int_equal(err, 0755);
	assert_int_equal(open_unix(f, &f->sock, true, &err), CANDM_SOCK_OPEN);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	candm_sock_fini(&f->sock);
	/* One that is narrower than chrony's is as good. */
	assert_int_equal(chmod(scratch_path(&f->scratch, "run"), 0700), 0);
	assert_int_equal(open_unix(f, &f->sock, false, &err), CANDM_SOCK_OPEN);
	candm_sock_fini(&f->sock);

	assert_int_equal(rmdir(scratch_path(&f->scratch, "run")), 0);
	scratch_write_text(&f->scratch, "run", "a file");
	assert_int_equal(open_unix(f, &f->sock, false, &err), CANDM_SOCK_FAILED);
	assert_int_equal(err, -ENOTDIR);
	assert_int_equal(unlink(scratch_path(&f->scratch, "run")), 0);
	assert_int_equal(symlink("/tmp", scratch_path(&f->scratch, "run")), 0);
	assert_int_equal(open_unix(f, &f->sock, false, &err), CANDM_SOCK_FAILED);
	assert_int_equal(err, -ENOTDIR);
}

static void test_folder_of_somebody_else(void **state)
{
	struct fixture *f = *state;
	const struct candm_sock_unix conf = { f->path, getuid() + 1, getgid(), false, getgid() };
	int err = 0;

	assert_int_equal(mkdir(scratch_path(&f->scratch, "run"), 0770), 0);
	assert_int_equal(candm_sock_open_unix(&f->sock, &conf, &err), CANDM_SOCK_FOREIGN);
	assert_int_equal(err, getuid());
}

static void test_path_too_long(void **state)
{
	struct fixture *f = *state;
	char path[200];
	const struct candm_sock_unix conf = { path, getuid(), getgid(), false, getgid() };
	int err = 0;

	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	assert_int_equal(candm_sock_open_unix(&f->sock, &conf, &err), CANDM_SOCK_FAILED);
	assert_int_equal(err, -ENAMETOOLONG);
}

/* The port that the kernel chose for the socket. */
static uint16_t port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address;
	socklen_t n = sizeof address;

	assert_int_equal(getsockname(fd, &address.any, &n), 0);
	return address.any.sa_family == AF_INET6 ? ntohs(address.in6.sin6_port)
						 : ntohs(address.in.sin_port);
}

static void check_udp(struct fixture *f, const struct candm_sock_udp *conf, int family,
		      const char *from_text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct pollfd fds[CANDM_SOCK_FDS];
	struct candm_datagram d;
	bool is_v6 = family == AF_INET6;
	const struct sockaddr *to = is_v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
	socklen_t size = is_v6 ? sizeof in6 : sizeof in;
	size_t n;
	int client = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(inet_pton(AF_INET, from_text, &in.sin_addr), is_v6 ? 0 : 1);
	in.sin_port = in6.sin6_port = htons(port_of(f->sock.fds[is_v6 ? CANDM_UDP6 : CANDM_UDP4]));
	assert_int_equal(connect(client, to, size), 0);
	assert_int_equal(send(client, "hello", 5, 0), 5);
	n = candm_sock_prepare(&f->sock, fds);
	assert_int_equal(poll(fds, n, 1000), 1);
	candm_sock_dispatch(&f->sock, fds, n);
	assert_true(candm_sock_pop(&f->sock, &d));
	assert_int_equal(d.n, 5);
	assert_true(d.is_local);
	assert_int_equal(d.sender.family, conf->address.family);
	candm_sock_reply(&f->sock, &d, (const uint8_t *)"there", 5);
	/* A connected client hears only whom it asked: the answer comes from that address. */
	check_heard(client, "there");
	close(client);
}

static void test_udp(void **state)
{
	struct fixture *f = *state;
	const struct candm_sock_udp loopback = { { CANDM_IPV4, { 127, 0, 0, 1 } }, 0, "" };
	const struct candm_sock_udp any = { { CANDM_IPV4, { 0 } }, 0, "" };

	assert_int_equal(candm_sock_open_udp(&f->sock, &loopback), 0);
	check_udp(f, &loopback, AF_INET, "127.0.0.1");
	candm_sock_fini(&f->sock);
	assert_int_equal(candm_sock_open_udp(&f->sock, &any), 0);
	check_udp(f, &any, AF_INET, "127.0.0.3");
}

static void test_udp6(void **state)
{
	struct fixture *f = *state;
	const struct candm_sock_udp loopback = { { CANDM_IPV6, { [15] = 1 } }, 0, "" };
	int r = candm_sock_open_udp(&f->sock, &loopback);

	if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)
		skip();
	assert_int_equal(r, 0);
	check_udp(f, &loopback, AF_INET6, "::1");
}

static void test_udp_port_in_use(void **state)
{
	struct fixture *f = *state;
	struct candm_sock_udp conf = { { CANDM_IPV4, { 127, 0, 0, 1 } }, 0, "" };
	struct candm_sock second;

	assert_int_equal(candm_sock_open_udp(&f->sock, &conf), 0);
	candm_sock_init(&second);
	conf.port = port_of(f->sock.fds[CANDM_UDP4]);
	assert_int_equal(candm_sock_open_udp(&second, &conf), -EADDRINUSE);
	assert_int_equal(candm_sock_prepare(&second, &(struct pollfd){ 0 }), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_question_and_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_clients_that_cannot_be_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_length_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_budget, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dead_socket_is_replaced_and_a_living_one_is_not,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_no_socket_is_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_folders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_folder_of_somebody_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_path_too_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_udp, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_udp6, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_udp_port_in_use, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("candm_sock", tests, NULL, NULL);
}
