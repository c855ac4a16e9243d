/* SPDX-License-Identifier: Apache-2.0 */
#include "os/line_client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* One exchange; until is on CLOCK_MONOTONIC_RAW. */
struct exchange {
	int fd;
	vt_mono until;
	char *reply;
	size_t used, size;
	int error; /* of the system call that failed */
};

static vt_mono mono_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (vt_mono){ (int64_t)now.tv_sec * 1000000000 + now.tv_nsec };
}

/* Waits until @events are possible.  False: time is up. */
static bool wait_for(struct exchange *x, short events)
{
	struct pollfd fd = { .fd = x->fd, .events = events };

	for (;;) {
		int64_t left_ns = vt_mono_since(x->until, mono_now()).ns;
		int64_t left_ms = left_ns / 1000000 + 1;
		int r;

		if (left_ns <= 0)
			return false;
		r = poll(&fd, 1, left_ms < 60000 ? (int)left_ms : 60000);
		if (r > 0)
			return true;
	}
}

enum line_client_outcome line_client_outcome_of(int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED: return LINE_CLIENT_NO_DAEMON;
	case EACCES:
	case EPERM: return LINE_CLIENT_DENIED;
	case EPIPE:
	case ECONNRESET: return LINE_CLIENT_CLOSED;
	/* connect(2) of a Unix socket: its backlog is full. */
	case EAGAIN: return LINE_CLIENT_TIMEOUT;
	default: return LINE_CLIENT_FAILED;
	}
}

static enum line_client_outcome failed(struct exchange *x, int error)
{
	x->error = -error;
	return line_client_outcome_of(error);
}

static enum line_client_outcome connect_to(struct exchange *x, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof address.sun_path)
		return failed(x, ENAMETOOLONG);
	memcpy(address.sun_path, path, strlen(path));
	x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd < 0)
		return failed(x, errno);

	/* A full backlog gives EAGAIN at once; polling would not wait for room in it. */
	while (connect(x->fd, (struct sockaddr *)&address, sizeof address) < 0) {
		struct timespec pause = { .tv_nsec = 5000000 };

		if (errno != EAGAIN && errno != EINTR)
			return failed(x, errno);
		if (mono_now().ns >= x->until.ns)
			return LINE_CLIENT_TIMEOUT;
		nanosleep(&pause, NULL);
	}
	return LINE_CLIENT_ANSWERED;
}

static enum line_client_outcome send_all(struct exchange *x, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = send(x->fd, text, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN && !wait_for(x, POLLOUT))
			return LINE_CLIENT_TIMEOUT;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return failed(x, errno);
		if (n > 0) {
			text += n;
			length -= (size_t)n;
		}
	}
	return LINE_CLIENT_ANSWERED;
}

/* Room for at least one more byte and a terminator. */
static bool make_room(struct exchange *x)
{
	char *larger;

	if (x->used + 2 <= x->size)
		return true;
	larger = realloc(x->reply, x->size ? x->size * 2 : 4096);
	if (!larger)
		return false;
	x->reply = larger;
	x->size = x->size ? x->size * 2 : 4096;
	return true;
}

static enum line_client_outcome receive_line(struct exchange *x)
{
	for (;;) {
		char *end;
		ssize_t n;

		if (x->used > LINE_CLIENT_REPLY_MAX)
			return LINE_CLIENT_TOO_LONG;
		if (!make_room(x))
			return failed(x, ENOMEM);
		n = recv(x->fd, x->reply + x->used, x->size - x->used - 1, 0);
		if (n == 0)
			return LINE_CLIENT_CLOSED;
		if (n < 0 && errno == EAGAIN && !wait_for(x, POLLIN))
			return LINE_CLIENT_TIMEOUT;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return failed(x, errno);
		if (n < 0)
			continue;
		end = memchr(x->reply + x->used, '\n', (size_t)n);
		x->used += (size_t)n;
		if (!end)
			continue;
		*end = '\0';
		x->used = (size_t)(end - x->reply);
		return x->used > LINE_CLIENT_REPLY_MAX ? LINE_CLIENT_TOO_LONG
						       : LINE_CLIENT_ANSWERED;
	}
}

enum line_client_outcome line_client_ask(const char *path, struct slice request, vt_span timeout,
					 char **ret, size_t *ret_length, int *reterr)
{
	struct exchange x = { .fd = -1, .until = vt_mono_add(mono_now(), timeout) };
	enum line_client_outcome outcome, sent;

	outcome = connect_to(&x, path);
	if (outcome == LINE_CLIENT_ANSWERED) {
		sent = send_all(&x, request.p, request.n);
		if (sent == LINE_CLIENT_ANSWERED)
			sent = send_all(&x, "\n", 1);
		/* A server that hangs up on us may have said why. */
		outcome = sent == LINE_CLIENT_ANSWERED || sent == LINE_CLIENT_CLOSED
				  ? receive_line(&x)
				  : sent;
	}
	if (x.fd >= 0)
		close(x.fd);
	if (outcome != LINE_CLIENT_ANSWERED) {
		free(x.reply);
		*reterr = x.error;
		return outcome;
	}
	*ret = x.reply;
	*ret_length = x.used;
	return LINE_CLIENT_ANSWERED;
}
