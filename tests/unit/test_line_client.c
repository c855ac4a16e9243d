/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "line_fixture.h"
#include "os/line_client.h"

/* Serves in a child what @answer says, for the client's tests. */
static pid_t serve_once(struct fixture *f, const char *answer, size_t length)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = -1;
		char request[64];

		while (fd < 0)
			fd = accept(f->server.fd, NULL, NULL);
		if (read(fd, request, sizeof request) > 0 && answer)
			while (length) {
				ssize_t n = send(fd, answer, length, MSG_NOSIGNAL);

				if (n <= 0)
					break;
				answer += n;
				length -= (size_t)n;
			}
		/* Without an answer: keeps the connection until the client has had enough. */
		if (!answer && read(fd, request, sizeof request) == 0)
			_exit(0);
		_exit(0);
	}
	return pid;
}

static enum line_client_outcome ask(struct fixture *f, const char *answer, size_t length,
				    vt_span timeout, char **ret)
{
	size_t n = 0;
	int error = -7;
	int flags = fcntl(f->server.fd, F_GETFL);
	pid_t pid;
	enum line_client_outcome outcome;

	assert_int_equal(fcntl(f->server.fd, F_SETFL, flags & ~O_NONBLOCK), 0);
	pid = serve_once(f, answer, length);
	outcome = line_client_ask(socket_path(f), slice_of("status"), timeout, ret, &n, &error);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	if (outcome == LINE_CLIENT_ANSWERED)
		assert_int_equal(n, strlen(*ret));
	return outcome;
}

static void test_client(void **state)
{
	struct fixture *f = *state;
	static char big[LINE_CLIENT_REPLY_MAX + 2];
	char mark;
	char *reply = &mark;

	assert_int_equal(ask(f, "{}\n", 3, VT_SEC(10), &reply), LINE_CLIENT_ANSWERED);
	assert_string_equal(reply, "{}");
	free(reply);

	memset(big, 'b', sizeof big);
	big[LINE_CLIENT_REPLY_MAX] = '\n';
	assert_int_equal(ask(f, big, LINE_CLIENT_REPLY_MAX + 1, VT_SEC(10), &reply),
			 LINE_CLIENT_ANSWERED);
	assert_int_equal(strlen(reply), LINE_CLIENT_REPLY_MAX);
	free(reply);

	reply = &mark;
	big[LINE_CLIENT_REPLY_MAX] = 'b';
	big[LINE_CLIENT_REPLY_MAX + 1] = '\n';
	assert_int_equal(ask(f, big, sizeof big, VT_SEC(10), &reply), LINE_CLIENT_TOO_LONG);
	assert_int_equal(ask(f, "half", 4, VT_SEC(10), &reply), LINE_CLIENT_CLOSED);
	assert_int_equal(ask(f, NULL, 0, VT_MS(20), &reply), LINE_CLIENT_TIMEOUT);
	assert_ptr_equal(reply, &mark);
}

static void test_client_without_daemon(void **state)
{
	struct fixture *f = *state;
	char mark;
	char *reply = &mark;
	size_t n = 77;
	int error;

	close(f->server.fd); /* the socket file stays, as after a kill */
	f->server.fd = -1;
	assert_int_equal(
		line_client_ask(socket_path(f), slice_of("x"), VT_SEC(1), &reply, &n, &error),
		LINE_CLIENT_NO_DAEMON);
	assert_int_equal(error, -ECONNREFUSED);
	assert_int_equal(
		line_client_ask("/none/such", slice_of("x"), VT_SEC(1), &reply, &n, &error),
		LINE_CLIENT_NO_DAEMON);
	assert_int_equal(error, -ENOENT);
	assert_ptr_equal(reply, &mark);
	assert_int_equal(n, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(test_client),
		WITH_SERVER(test_client_without_daemon),
	};

	return cmocka_run_group_tests_name("line_client", tests, NULL, NULL);
}
