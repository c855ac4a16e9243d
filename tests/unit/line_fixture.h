/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_LINE_FIXTURE_H
#define TESTS_LINE_FIXTURE_H

/*
 * line_fixture.h - a line server in a scratch folder, with a clock that we turn
 *
 * Needs cmocka.h before it.
 */

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/attr.h"
#include "os/line_server.h"
#include "scratch.h"

#define BUSY     "busy"
#define TOO_LONG "too long"

struct fixture {
	struct scratch scratch; /* first, so that scratch's functions work on the state */
	struct line_server server;
	vt_mono now;
};

static const char *socket_path(struct fixture *f)
{
	return scratch_path(&f->scratch, "run/sock");
}

static inline enum line_server_outcome open_server(struct fixture *f, struct line_server *server,
						   int *error)
{
	struct line_server_conf conf = {
		.path = socket_path(f),
		.uid = geteuid(),
		.gid = getegid(),
		.busy_reply = BUSY,
		.too_long_reply = TOO_LONG,
	};

	return line_server_open(server, &conf, f->now, error);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	int error;

	if (!f)
		return -1;
	snprintf(f->scratch.folder, sizeof f->scratch.folder, "/tmp/vmtime-test-XXXXXX");
	*state = f;
	if (!mkdtemp(f->scratch.folder))
		return -1;
	f->now = (vt_mono){ 1000000000 };
	line_server_init(&f->server);
	return open_server(f, &f->server, &error) == LINE_SERVER_OPEN ? 0 : -1;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	line_server_fini(&f->server);
	return scratch_teardown(state);
}

static inline int connect_client(struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_in_range(strlen(socket_path(f)), 1, sizeof address.sun_path - 1);
	memcpy(address.sun_path, socket_path(f), strlen(socket_path(f)) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

/* What poll says at once, passed on.  Returns how many requests came, each answered by itself. */
static inline unsigned turn(struct fixture *f)
{
	struct pollfd fds[LINE_SERVER_FDS];
	struct line_request request;
	unsigned served = 0;
	size_t n = line_server_prepare(&f->server, fds);

	assert_in_range(n, 0, LINE_SERVER_FDS);
	assert_true(poll(fds, n, 0) >= 0);
	line_server_dispatch(&f->server, f->now, fds, n);
	while (line_server_pop(&f->server, &request)) {
		char copy[LINE_REQUEST_MAX];

		memcpy(copy, request.line.p, request.line.n);
		line_server_reply(&f->server, request.client, copy, request.line.n);
		served++;
	}
	return served;
}

static inline void pass(struct fixture *f, vt_span span)
{
	f->now = vt_mono_add(f->now, span);
}

static inline void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What has come so far, all of it. */
static inline void check_heard(int fd, const char *want)
{
	char text[8192];
	ssize_t n = recv(fd, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	assert_string_equal(text, want);
}

static inline void check_hung_up(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

static inline void check_nothing_yet(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
