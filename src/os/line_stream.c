/* SPDX-License-Identifier: Apache-2.0 */
#include "os/line_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void hang_up(struct line_stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->out_used = 0;
}

static enum line_client_outcome end_with(struct line_stream *s, int error, int *reterr)
{
	hang_up(s);
	*reterr = -error;
	return line_client_outcome_of(error);
}

void line_stream_init(struct line_stream *s)
{
	*s = (struct line_stream){ .fd = -1 };
}

void line_stream_fini(struct line_stream *s)
{
	hang_up(s);
	free(s->in);
	line_stream_init(s);
}

enum line_client_outcome line_stream_open(struct line_stream *s, const char *path, int *reterr)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	line_stream_fini(s);
	if (strlen(path) >= sizeof address.sun_path)
		return end_with(s, ENAMETOOLONG, reterr);
	memcpy(address.sun_path, path, strlen(path));
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return end_with(s, errno, reterr);
	do
		r = connect(s->fd, (struct sockaddr *)&address, sizeof address);
	while (r < 0 && errno == EINTR);
	return r < 0 ? end_with(s, errno, reterr) : LINE_CLIENT_ANSWERED;
}

bool line_stream_is_open(const struct line_stream *s)
{
	return s->fd >= 0;
}

bool line_stream_send(struct line_stream *s, struct slice line)
{
	if (s->fd < 0 || line.n >= sizeof s->out - s->out_used)
		return false;
	memcpy(s->out + s->out_used, line.p, line.n);
	s->out_used += line.n;
	s->out[s->out_used++] = '\n';
	return true;
}

size_t line_stream_prepare(const struct line_stream *s, struct pollfd *ret)
{
	if (s->fd < 0)
		return 0;
	*ret = (struct pollfd){ .fd = s->fd, .events = POLLIN };
	if (s->out_used)
		ret->events |= POLLOUT;
	return 1;
}

/* 0, or an errno. */
static int send_some(struct line_stream *s)
{
	while (s->out_used) {
		ssize_t n = send(s->fd, s->out, s->out_used, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : errno;
		s->out_used -= (size_t)n;
		memmove(s->out, s->out + n, s->out_used);
	}
	return 0;
}

/* Moves what has not been popped to the front. */
static void forget_popped(struct line_stream *s)
{
	s->in_used -= s->in_taken;
	if (s->in_taken && s->in_used)
		memmove(s->in, s->in + s->in_taken, s->in_used);
	s->in_taken = 0;
}

/* Room for at least one more byte. */
static bool make_room(struct line_stream *s)
{
	size_t size = s->in_size ? s->in_size * 2 : 4096;
	char *larger;

	if (s->in_used < s->in_size)
		return true;
	larger = realloc(s->in, size);
	if (!larger)
		return false;
	s->in = larger;
	s->in_size = size;
	return true;
}

/* Only as much as there is room for in a line: whoever does not pop must not make us grow. */
static enum line_client_outcome receive_some(struct line_stream *s, int *reterr)
{
	forget_popped(s);
	for (;;) {
		ssize_t n;

		if (s->in_used > LINE_CLIENT_REPLY_MAX)
			break;
		if (!make_room(s))
			return end_with(s, ENOMEM, reterr);
		n = recv(s->fd, s->in + s->in_used, s->in_size - s->in_used, 0);
		if (n == 0) {
			(void)end_with(s, 0, reterr);
			return LINE_CLIENT_CLOSED;
		}
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != EINTR)
			return end_with(s, errno, reterr);
		if (n > 0)
			s->in_used += (size_t)n;
	}
	if (s->in_used <= LINE_CLIENT_REPLY_MAX || memchr(s->in, '\n', s->in_used))
		return LINE_CLIENT_ANSWERED;
	(void)end_with(s, 0, reterr);
	return LINE_CLIENT_TOO_LONG;
}

enum line_client_outcome line_stream_dispatch(struct line_stream *s, const struct pollfd *fds,
                                              size_t n, int *reterr)
{
	enum line_client_outcome outcome = LINE_CLIENT_ANSWERED;
	int error = 0;

	if (n == 0 || s->fd < 0 || !fds->revents)
		return LINE_CLIENT_ANSWERED;
	if (fds->revents & POLLOUT)
		error = send_some(s);
	/* A daemon that hung up on us may have said why. */
	if (fds->revents & ~POLLOUT)
		outcome = receive_some(s, reterr);
	if (outcome == LINE_CLIENT_ANSWERED && error)
		return end_with(s, error, reterr);
	return outcome;
}

bool line_stream_pop(struct line_stream *s, struct slice *ret)
{
	char *start, *end = NULL;

	if (s->in_used > s->in_taken) {
		start = s->in + s->in_taken;
		end = memchr(start, '\n', s->in_used - s->in_taken);
	}
	if (!end)
		return false;
	*end = '\0';
	*ret = (struct slice){ start, (size_t)(end - start) };
	s->in_taken += ret->n + 1;
	return true;
}
