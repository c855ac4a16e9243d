/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_GUEST_SOCKETS_H
#define TESTS_GUEST_SOCKETS_H

/*
 * guest_sockets.h - the other end of a guest's sockets, played line by line by a test
 *
 * Everything is in one process and nothing waits: the
 * program under test is dispatched between two lines.  Needs cmocka.h before it.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct played_socket {
	int listener, peer; /* -1: none */
	char path[128];
	char heard[8192]; /* the latest portion that was sent to us */
};

static inline void played_listen(struct played_socket *s, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*s = (struct played_socket){ .peer = -1 };
	assert_true(strlen(path) < sizeof address.sun_path);
	memcpy(s->path, path, strlen(path) + 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(s->listener, 4), 0);
}

static inline void played_hang_up(struct played_socket *s)
{
	if (s->peer >= 0)
		close(s->peer);
	s->peer = -1;
}

/* The socket's file goes as well. */
static inline void played_end(struct played_socket *s)
{
	played_hang_up(s);
	if (s->listener >= 0) {
		close(s->listener);
		unlink(s->path);
	}
	s->listener = -1;
}

/* Whether somebody has connected. */
static inline bool played_accept(struct played_socket *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return false;
	played_hang_up(s);
	s->peer = fd;
	return true;
}

static inline void played_say_bytes(struct played_socket *s, const char *bytes, size_t n)
{
	assert_int_equal(send(s->peer, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

static inline void played_say(struct played_socket *s, const char *text)
{
	played_say_bytes(s, text, strlen(text));
}

/* All that has been sent to us since; valid until the next call. */
static inline const char *played_hear(struct played_socket *s)
{
	ssize_t n = recv(s->peer, s->heard, sizeof s->heard - 1, 0);

	s->heard[n > 0 ? n : 0] = '\0';
	return s->heard;
}

static inline bool played_is_gone(struct played_socket *s)
{
	char byte;

	return recv(s->peer, &byte, 1, 0) == 0;
}

#endif
