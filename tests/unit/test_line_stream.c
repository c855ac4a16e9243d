/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_line_stream.c - a conversation with a daemon, both ends in this program
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/line_stream.h"

struct world {
	char folder[64], path[96];
	int listener, peer;
	struct line_stream stream;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert_non_null(w);
	snprintf(w->folder, sizeof w->folder, "/tmp/vmtime-test-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof w->path, "%s/sock", w->folder);
	memcpy(address.sun_path, w->path, strlen(w->path));
	w->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(w->listener, 1), 0);
	w->peer = -1;
	line_stream_init(&w->stream);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	line_stream_fini(&w->stream);
	line_stream_fini(&w->stream);
	close(w->listener);
	if (w->peer >= 0)
		close(w->peer);
	unlink(w->path);
	rmdir(w->folder);
	free(w);
	return 0;
}

static void connect_both(struct world *w)
{
	int error = 7;

	assert_int_equal(line_stream_open(&w->stream, w->path, &error), LINE_CLIENT_ANSWERED);
	assert_int_equal(error, 7);
	w->peer = accept(w->listener, NULL, NULL);
	assert_true(w->peer >= 0);
}

static void say(struct world *w, const char *text, size_t length)
{
	assert_int_equal(send(w->peer, text, length, MSG_NOSIGNAL), (ssize_t)length);
}

/* What poll says at once, passed on. */
static enum line_client_outcome turn(struct world *w, int *reterr)
{
	struct pollfd fd;
	size_t n = line_stream_prepare(&w->stream, &fd);

	assert_int_equal(n, line_stream_is_open(&w->stream));
	assert_true(poll(&fd, n, 0) >= 0);
	return line_stream_dispatch(&w->stream, &fd, n, reterr);
}

static void check_line(struct world *w, const char *want)
{
	struct slice line = { NULL, 7 };

	if (!want) {
		assert_false(line_stream_pop(&w->stream, &line));
		assert_int_equal(line.n, 7);
		return;
	}
	assert_true(line_stream_pop(&w->stream, &line));
	assert_string_equal(line.p, want);
	assert_int_equal(line.n, strlen(want));
}

static void test_lines_both_ways(void **state)
{
	struct world *w = *state;
	char heard[64] = "";
	int error = 7;

	connect_both(w);
	assert_true(line_stream_send(&w->stream, slice_of("one")));
	assert_true(line_stream_send(&w->stream, slice_of("two")));
	assert_int_equal(turn(w, &error), LINE_CLIENT_ANSWERED);
	assert_int_equal(recv(w->peer, heard, sizeof heard, MSG_DONTWAIT), 8);
	assert_string_equal(heard, "one\ntwo\n");
	check_line(w, NULL);
	say(w, "a\n\nbb\nhal", 9);
	assert_int_equal(turn(w, &error), LINE_CLIENT_ANSWERED);
	check_line(w, "a");
	check_line(w, "");
	check_line(w, "bb");
	check_line(w, NULL);
	say(w, "f\n", 2);
	assert_int_equal(turn(w, &error), LINE_CLIENT_ANSWERED);
	check_line(w, "half");
	check_line(w, NULL);
	assert_int_equal(error, 7);
}

static void test_what_came_before_the_end(void **state)
{
	struct world *w = *state;
	int error = 7;

	connect_both(w);
	say(w, "last\nbroken", 11);
	close(w->peer);
	w->peer = -1;
	assert_int_equal(turn(w, &error), LINE_CLIENT_CLOSED);
	assert_int_equal(error, 0);
	assert_false(line_stream_is_open(&w->stream));
	assert_false(line_stream_send(&w->stream, slice_of("too late")));
	check_line(w, "last");
	check_line(w, NULL);
	/* The next conversation knows nothing of the last one. */
	connect_both(w);
	check_line(w, NULL);
}

static void test_nobody_there(void **state)
{
	struct world *w = *state;
	char long_path[200];
	int error = 7;

	close(w->listener);
	assert_int_equal(line_stream_open(&w->stream, w->path, &error), LINE_CLIENT_NO_DAEMON);
	assert_int_equal(error, -ECONNREFUSED);
	assert_int_equal(line_stream_open(&w->stream, "/nonexistent/x", &error),
	                 LINE_CLIENT_NO_DAEMON);
	assert_int_equal(error, -ENOENT);
	memset(long_path, 'x', sizeof long_path);
	long_path[sizeof long_path - 1] = '\0';
	assert_int_equal(line_stream_open(&w->stream, long_path, &error), LINE_CLIENT_FAILED);
	assert_int_equal(error, -ENAMETOOLONG);
	assert_false(line_stream_is_open(&w->stream));
	w->listener = dup(0);
}

static void test_a_full_backlog_is_no_wait(void **state)
{
	struct world *w = *state;
	struct line_stream more[8];
	int error = 7, refused = 0;

	for (size_t i = 0; i < 8; i++) {
		line_stream_init(&more[i]);
		if (line_stream_open(&more[i], w->path, &error) == LINE_CLIENT_TIMEOUT)
			refused++;
	}
	assert_true(refused > 0);
	for (size_t i = 0; i < 8; i++)
		line_stream_fini(&more[i]);
}

/* Whoever talks without end is hung up on; a line of the greatest length is not. */
static void test_too_much(void **state)
{
	struct world *w = *state;
	static char block[65536];
	int error = 7;
	enum line_client_outcome outcome = LINE_CLIENT_ANSWERED;
	size_t sent = 0;

	connect_both(w);
	memset(block, 'x', sizeof block);
	while (sent < LINE_CLIENT_REPLY_MAX) {
		say(w, block, sizeof block);
		sent += sizeof block;
		assert_int_equal(turn(w, &error), LINE_CLIENT_ANSWERED);
	}
	check_line(w, NULL);
	say(w, "\n", 1);
	assert_int_equal(turn(w, &error), LINE_CLIENT_ANSWERED);
	struct slice line;

	assert_true(line_stream_pop(&w->stream, &line));
	assert_int_equal(line.n, LINE_CLIENT_REPLY_MAX);
	for (sent = 0; outcome == LINE_CLIENT_ANSWERED && sent < 4u << 20; sent += sizeof block) {
		say(w, block, sizeof block);
		outcome = turn(w, &error);
	}
	assert_int_equal(outcome, LINE_CLIENT_TOO_LONG);
	assert_in_range(sent, LINE_CLIENT_REPLY_MAX, LINE_CLIENT_REPLY_MAX + 2 * sizeof block);
}

static void test_a_daemon_that_does_not_read(void **state)
{
	struct world *w = *state;
	char line[1000];
	size_t queued = 0;

	connect_both(w);
	memset(line, 'q', sizeof line);
	while (queued < 100 && line_stream_send(&w->stream, (struct slice){ line, sizeof line }))
		queued++;
	assert_int_equal(queued, LINE_STREAM_OUT_MAX / (sizeof line + 1));
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(test_lines_both_ways), WITH_WORLD(test_what_came_before_the_end),
		WITH_WORLD(test_nobody_there),    WITH_WORLD(test_a_full_backlog_is_no_wait),
		WITH_WORLD(test_too_much),        WITH_WORLD(test_a_daemon_that_does_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
