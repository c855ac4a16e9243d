/* SPDX-License-Identifier: Apache-2.0 */
#include "os/line_buffers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define OUT_FIRST 4096

void line_buffers_fini(struct line_buffers *b)
{
	free(b->in);
	free(b->out);
	*b = (struct line_buffers){ 0 };
}

/* The first line that waits in `in`, or what there is of it. */
static size_t line_length(const struct line_buffers *b, bool *ret_found)
{
	const char *from = b->in ? b->in + b->in_taken : NULL;
	const char *end = from ? memchr(from, '\n', b->in_used - b->in_taken) : NULL;

	*ret_found = end != NULL;
	return end ? (size_t)(end - from) : b->in_used - b->in_taken;
}

bool line_buffers_has_line(const struct line_buffers *b)
{
	bool found;

	(void)line_length(b, &found);
	return found;
}

bool line_buffers_is_too_long(const struct line_buffers *b)
{
	return b->in && !line_buffers_has_line(b) && b->in_used - b->in_taken > LINE_REQUEST_MAX;
}

struct slice line_buffers_take(struct line_buffers *b)
{
	bool found;
	struct slice line = { b->in + b->in_taken, line_length(b, &found) };

	b->in_taken += line.n + 1;
	return line;
}

bool line_buffers_owes(const struct line_buffers *b)
{
	return b->out_used > b->out_sent;
}

bool line_buffers_flush(struct line_buffers *b, int fd, vt_mono now)
{
	while (line_buffers_owes(b)) {
		ssize_t n = send(fd, b->out + b->out_sent, b->out_used - b->out_sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		b->out_sent += (size_t)n;
		b->moved = now;
	}
	/* Most of the time nothing is owed, so nothing is kept. */
	free(b->out);
	b->out = NULL;
	b->out_used = b->out_sent = b->out_size = 0;
	return true;
}

/* Makes room for @more bytes behind what is owed.  False: too much, or no memory. */
static bool make_room(struct line_buffers *b, size_t more)
{
	size_t owed = b->out_used - b->out_sent;
	size_t size = b->out_size ? b->out_size : OUT_FIRST;
	char *larger;

	if (more > LINE_REPLY_BACKLOG || owed > LINE_REPLY_BACKLOG - more)
		return false;
	if (b->out_sent) {
		memmove(b->out, b->out + b->out_sent, owed);
		b->out_used = owed;
		b->out_sent = 0;
	}
	while (size < owed + more)
		size *= 2;
	if (size == b->out_size)
		return true;
	larger = realloc(b->out, size);
	if (!larger)
		return false;
	b->out = larger;
	b->out_size = size;
	return true;
}

bool line_buffers_put(struct line_buffers *b, int fd, const char *text, size_t length, vt_mono now)
{
	if (!make_room(b, length + 1))
		return false;
	/* Its time to take it begins now, however long there was nothing to take. */
	if (!line_buffers_owes(b))
		b->moved = now;
	memcpy(b->out + b->out_used, text, length);
	b->out[b->out_used + length] = '\n';
	b->out_used += length + 1;
	return line_buffers_flush(b, fd, now);
}

/* Moves what has not been popped to the front. */
static void compact(struct line_buffers *b)
{
	if (!b->in || !b->in_taken)
		return;
	memmove(b->in, b->in + b->in_taken, b->in_used - b->in_taken);
	b->in_used -= b->in_taken;
	b->in_taken = 0;
}

bool line_buffers_receive(struct line_buffers *b, int fd, vt_mono now)
{
	ssize_t n;

	if (!b->in)
		b->in = malloc(LINE_REQUEST_MAX + 1);
	if (!b->in)
		return false;
	compact(b);
	n = recv(fd, b->in + b->in_used, LINE_REQUEST_MAX + 1 - b->in_used, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0) {
		b->is_ended = true;
		return true;
	}
	b->in_used += (size_t)n;
	b->moved = now;
	return true;
}

void line_buffers_rest(struct line_buffers *b)
{
	compact(b);
	if (b->in && b->in_used == 0) {
		free(b->in);
		b->in = NULL;
	}
}
