/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch/terminal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LEAVE_MS 200

/* The second screen, no cursor, no new line after the last column, blank. */
static const char ENTER[] = "\033[?1049h\033[?25l\033[?7l\033[0m\033[2J";

/* A console without a second screen is left blank, with the cursor at its foot. */
static const char LEAVE[] = "\033[0m\033[2J\033[999;1H\033[?7h\033[?25h\033[?1049l";

/* The same terminal as standard output's, but a file of our own. */
static int open_again(void)
{
	static const int flags = O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
	const char *name = ttyname(STDOUT_FILENO);
	int fd = open("/proc/self/fd/1", flags);

	if (fd < 0 && name)
		fd = open(name, flags);
	/* After su(1) it is somebody else's, and only by this name still ours. */
	if (fd < 0 && tcgetpgrp(STDOUT_FILENO) >= 0)
		fd = open("/dev/tty", flags);
	return fd < 0 ? -errno : fd;
}

int terminal_open(struct terminal *t, size_t frame)
{
	int r;

	*t = (struct terminal){ .in = isatty(STDIN_FILENO) ? STDIN_FILENO : -1, .out = -1 };
	r = open_again();
	if (r < 0)
		return r;
	t->out = r;
	r = tcgetattr(t->in >= 0 ? t->in : t->out, &t->before) < 0 ? -errno : 0;
	if (r == 0)
		r = terminal_reserve(t, frame);
	if (r < 0)
		terminal_close(t);
	return r;
}

void terminal_close(struct terminal *t)
{
	terminal_leave(t);
	if (t->out >= 0)
		close(t->out);
	t->out = -1;
	free(t->bytes);
	t->bytes = NULL;
	t->size = t->used = t->sent = 0;
}

int terminal_reserve(struct terminal *t, size_t frame)
{
	char *larger;

	if (frame < sizeof ENTER)
		frame = sizeof ENTER;
	if (frame <= t->size)
		return 0;
	larger = realloc(t->bytes, frame);
	if (!larger)
		return -ENOMEM;
	t->bytes = larger;
	t->size = frame;
	return 0;
}

static int mode_fd(const struct terminal *t)
{
	return t->in >= 0 ? t->in : t->out;
}

int terminal_enter(struct terminal *t)
{
	struct termios raw = t->before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(mode_fd(t), TCSANOW, &raw) < 0)
		return -errno;
	t->is_entered = true;
	/* What was not sent yet was meant for a screen that is not there any more. */
	memcpy(t->bytes, ENTER, sizeof ENTER - 1);
	t->used = sizeof ENTER - 1;
	t->sent = 0;
	return terminal_flush(t);
}

/* Everything, or as much as it takes until @ms have passed. */
static bool send_within(int fd, const char *bytes, size_t length, int ms)
{
	while (length > 0) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };
		ssize_t n = write(fd, bytes, length);

		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
			return false;
		} else if (poll(&p, 1, ms) == 0) {
			return false;
		}
	}
	return true;
}

void terminal_leave(struct terminal *t)
{
	if (!t->is_entered)
		return;
	t->is_entered = false;
	/* The rest of a frame is of no use; the sequence begins with what ends any half of one. */
	t->used = t->sent = 0;
	if (!send_within(t->out, LEAVE, sizeof LEAVE - 1, LEAVE_MS)) {
		/* It takes nothing.  What it still holds is ours, and stands before this. */
		tcflow(t->out, TCOON);
		tcflush(t->out, TCOFLUSH);
		(void)send_within(t->out, LEAVE, sizeof LEAVE - 1, 0);
	}
	tcsetattr(mode_fd(t), TCSANOW, &t->before);
}

void terminal_size(const struct terminal *t, int *ret_columns, int *ret_rows)
{
	struct winsize size = { 0 };
	const bool is_known = ioctl(t->out, TIOCGWINSZ, &size) == 0;

	*ret_columns = is_known && size.ws_col ? size.ws_col : 80;
	*ret_rows = is_known && size.ws_row ? size.ws_row : 24;
}

bool terminal_is_busy(const struct terminal *t)
{
	return t->sent < t->used;
}

char *terminal_frame(struct terminal *t, size_t *ret_size)
{
	assert(!terminal_is_busy(t));
	*ret_size = t->size;
	return t->bytes;
}

void terminal_send(struct terminal *t, size_t length)
{
	assert(!terminal_is_busy(t) && length <= t->size);
	t->used = length;
	t->sent = 0;
}

int terminal_flush(struct terminal *t)
{
	while (t->sent < t->used) {
		ssize_t n = write(t->out, t->bytes + t->sent, t->used - t->sent);

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			t->sent += (size_t)n;
	}
	return 0;
}

int terminal_key(const struct terminal *t)
{
	unsigned char key;
	ssize_t n;

	if (t->in < 0)
		return 0;
	n = read(t->in, &key, 1);
	if (n == 1)
		return key;
	return n < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0;
}
