/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "line_fixture.h"

static void test_question_and_answer(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	int fd = connect_client(f);

	assert_int_equal(stat(socket_path(f), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	assert_int_equal(turn(f), 0); /* accepts */
	assert_int_equal(line_server_count(&f->server), 1);
	say(fd, "one\n");
	assert_int_equal(turn(f), 1);
	check_heard(fd, "one\n");
	say(fd, "two\nth");
	assert_int_equal(turn(f), 1);
	say(fd, "ree\n\n");
	assert_int_equal(turn(f), 2);
	check_heard(fd, "two\nthree\n\n");
	close(fd);
	turn(f);
	assert_int_equal(line_server_count(&f->server), 0);
}

static void test_request_names_its_sender(void **state)
{
	struct fixture *f = *state;
	struct pollfd fds[LINE_SERVER_FDS];
	struct line_request request = { .client = 77 };
	int fd = connect_client(f);
	size_t n;

	turn(f);
	assert_false(line_server_pop(&f->server, &request));
	assert_int_equal(request.client, 77);
	say(fd, "who\n");
	n = line_server_prepare(&f->server, fds);
	poll(fds, n, 0);
	line_server_dispatch(&f->server, f->now, fds, n);
	assert_true(line_server_pop(&f->server, &request));
	assert_int_equal(request.uid, getuid());
	assert_int_equal(request.gid, getgid());
	assert_true(request.may_change); /* the configured group is ours */
	assert_true(slice_equals(request.line, "who"));
	/* To one that never was: no crash, no answer to somebody else. */
	line_server_reply(&f->server, request.client + 1, "x", 1);
	check_nothing_yet(fd);
	close(fd);
}

/* `printf 'x\n' | nc -N -U`: the end of input comes with the request. */
static void test_half_closed_client_gets_its_answers(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);

	say(fd, "one\ntwo\nincomplete");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	for (int i = 0; i < 4; i++)
		turn(f);
	check_heard(fd, "one\ntwo\n");
	check_hung_up(fd);
	assert_int_equal(line_server_count(&f->server), 0);
	close(fd);
}

static void test_overlong_line(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f), other = connect_client(f);
	char line[LINE_REQUEST_MAX + 2];

	turn(f);
	memset(line, 'x', sizeof line);
	line[LINE_REQUEST_MAX] = '\n';
	assert_int_equal(send(fd, line, LINE_REQUEST_MAX + 1, 0), LINE_REQUEST_MAX + 1);
	assert_int_equal(turn(f), 1); /* just fits */
	assert_int_equal(recv(fd, line, sizeof line, 0), LINE_REQUEST_MAX + 1);

	line[LINE_REQUEST_MAX] = 'x';
	assert_int_equal(send(fd, line, LINE_REQUEST_MAX + 1, 0), LINE_REQUEST_MAX + 1);
	assert_int_equal(turn(f), 0);
	check_heard(fd, TOO_LONG "\n");
	check_hung_up(fd);
	say(other, "still here\n");
	turn(f);
	check_heard(other, "still here\n");
	close(fd);
	close(other);
}

/* All of it is there before the client is let in, and read with it. */
static void test_overlong_line_at_the_door(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f), early = connect_client(f);
	char line[LINE_REQUEST_MAX + 1];

	memset(line, 'x', sizeof line);
	assert_int_equal(send(fd, line, sizeof line, 0), sizeof line);
	say(early, "early\n");
	assert_int_equal(turn(f), 1);
	check_heard(early, "early\n");
	check_heard(fd, TOO_LONG "\n");
	check_hung_up(fd);
	assert_int_equal(line_server_count(&f->server), 1);
	close(fd);
	close(early);
}

static void test_any_bytes_are_passed_on(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);
	const char garbage[] = "\0\x01\xff\xfe\r\x7f\n";
	char back[sizeof garbage];

	turn(f);
	assert_int_equal(send(fd, garbage, sizeof garbage - 1, 0), sizeof garbage - 1);
	assert_int_equal(turn(f), 1);
	assert_int_equal(recv(fd, back, sizeof back, 0), sizeof garbage - 1);
	assert_memory_equal(back, garbage, sizeof garbage - 1);
	close(fd);
}

/* As many lines as the socket takes, every time: the other is answered within one turn. */
static void test_flood_does_not_starve_others(void **state)
{
	struct fixture *f = *state;
	int flood = connect_client(f), other = connect_client(f);
	char lines[4096], sink[8192];
	unsigned served = 0;

	for (size_t i = 0; i < sizeof lines; i += 2)
		memcpy(lines + i, "f\n", 2);
	turn(f);
	for (int i = 0; i < 200; i++) {
		while (send(flood, lines, sizeof lines, 0) > 0)
			;
		say(other, "other\n");
		served += turn(f) - 1;
		check_heard(other, "other\n");
		while (recv(flood, sink, sizeof sink, 0) > 0)
			;
		pass(f, VT_MS(25));
	}
	/* 5 s at the allowed rate, after the burst. */
	assert_in_range(served, 1, LINE_SERVER_BURST + 5 * LINE_SERVER_RATE);
	assert_int_equal(line_server_count(&f->server), 2);
	close(flood);
	close(other);
}

static void test_a_turn_serves_each_client_its_share(void **state)
{
	struct fixture *f = *state;
	int a = connect_client(f), b = connect_client(f);

	turn(f);
	say(a, "1\n2\n3\n4\n5\n6\n");
	say(b, "1\n");
	assert_int_equal(turn(f), LINE_SERVER_BUDGET + 1);
	/* The rest is not forgotten though nothing more comes. */
	assert_true(line_server_deadline(&f->server).ns <= f->now.ns);
	assert_int_equal(turn(f), 6 - LINE_SERVER_BUDGET);
	assert_true(line_server_deadline(&f->server).ns > f->now.ns);
	check_heard(a, "1\n2\n3\n4\n5\n6\n");
	close(a);
	close(b);
}

static void test_rate_is_a_pause_not_a_loss(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);
	unsigned served = 0;
	vt_span wait;

	turn(f);
	for (int i = 0; i < LINE_SERVER_BURST + 1; i++)
		say(fd, "x\n");
	for (int i = 0; i < LINE_SERVER_BURST; i++)
		served += turn(f);
	assert_int_equal(served, LINE_SERVER_BURST);
	wait = vt_mono_since(line_server_deadline(&f->server), f->now);
	assert_in_range(wait.ns, 1, 1000000000 / LINE_SERVER_RATE + 2);
	pass(f, wait);
	assert_int_equal(turn(f), 1);
	assert_int_equal(turn(f), 0);
	assert_int_equal(line_server_count(&f->server), 1);
	close(fd);
}

/* Asks for much and reads nothing: is not served any more, then dropped; memory stays bounded. */
static void test_stalled_client_is_dropped(void **state)
{
	struct fixture *f = *state;
	int stalled = connect_client(f), other = connect_client(f);
	char line[LINE_REQUEST_MAX + 1];
	unsigned served = 0;

	memset(line, 's', LINE_REQUEST_MAX);
	line[LINE_REQUEST_MAX] = '\n';
	turn(f);
	for (int i = 0; i < 1000; i++) {
		while (send(stalled, line, sizeof line, MSG_NOSIGNAL) > 0)
			;
		served += turn(f);
		pass(f, VT_MS(20));
		assert_true(f->server.clients[0].buffers.out_size <= 2 * LINE_REPLY_BACKLOG);
		assert_true(f->server.clients[1].buffers.out_size <= 2 * LINE_REPLY_BACKLOG);
	}
	assert_in_range(served, 1, 500);
	/* The other one is idle as well, but says something now and then. */
	say(other, "here\n");
	turn(f);
	check_heard(other, "here\n");
	pass(f, VT_SEC(15));
	turn(f);
	assert_int_equal(line_server_count(&f->server), 1);
	say(other, "here\n");
	turn(f);
	check_heard(other, "here\n");
	close(stalled);
	close(other);
}

static void test_too_much_owed_is_the_end(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);
	struct line_request request;
	struct pollfd fds[LINE_SERVER_FDS];
	static char text[64 * 1024];
	size_t n;

	memset(text, 'r', sizeof text);
	turn(f);
	say(fd, "subscribe\n");
	n = line_server_prepare(&f->server, fds);
	poll(fds, n, 0);
	line_server_dispatch(&f->server, f->now, fds, n);
	assert_true(line_server_pop(&f->server, &request));
	for (int i = 0; i < 100 && line_server_count(&f->server); i++)
		line_server_reply(&f->server, request.client, text, sizeof text);
	assert_int_equal(line_server_count(&f->server), 0);
	close(fd);
}

static void test_slow_reader_gets_everything(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);
	struct line_request request;
	struct pollfd fds[LINE_SERVER_FDS];
	static char text[200 * 1024];
	size_t n, heard = 0;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)('a' + i % 26);
	turn(f);
	say(fd, "much\n");
	n = line_server_prepare(&f->server, fds);
	poll(fds, n, 0);
	line_server_dispatch(&f->server, f->now, fds, n);
	assert_true(line_server_pop(&f->server, &request));
	line_server_reply(&f->server, request.client, text, sizeof text);
	for (int i = 0; i < 100000 && heard <= sizeof text; i++) {
		char part[1000];
		ssize_t got = recv(fd, part, sizeof part, 0);

		for (ssize_t j = 0; j < got && heard + (size_t)j < sizeof text; j++)
			assert_int_equal(part[j], text[heard + (size_t)j]);
		heard += got > 0 ? (size_t)got : 0;
		turn(f);
		pass(f, VT_MS(50));
	}
	assert_int_equal(heard, sizeof text + 1);
	close(fd);
}

static void test_idle_client_is_dropped(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);

	turn(f);
	assert_int_equal(vt_mono_since(line_server_deadline(&f->server), f->now).ns,
			 LINE_SERVER_IDLE.ns);
	pass(f, vt_span_sub(LINE_SERVER_IDLE, VT_NS(1)));
	turn(f);
	assert_int_equal(line_server_count(&f->server), 1);
	pass(f, VT_NS(1));
	turn(f);
	check_hung_up(fd);
	assert_int_equal(line_server_deadline(&f->server).ns, VT_MONO_NEVER.ns);
	close(fd);
}

/* One request of @fd's, popped and not yet answered. */
static uint32_t asked(struct fixture *f, int fd, const char *line)
{
	struct pollfd fds[LINE_SERVER_FDS];
	struct line_request request;
	size_t n;

	say(fd, line);
	n = line_server_prepare(&f->server, fds);
	assert_true(poll(fds, n, 0) >= 0);
	line_server_dispatch(&f->server, f->now, fds, n);
	assert_true(line_server_pop(&f->server, &request));
	return request.client;
}

static void test_a_reply_may_come_much_later_and_in_order(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);
	uint32_t client;

	turn(f);
	client = asked(f, fd, "wait\nnext\n");
	assert_true(line_server_hold(&f->server, client, LINE_HOLD_REPLY));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	/* Nothing is due, least of all the request behind it. */
	assert_int_equal(turn(f), 0);
	assert_int_equal(line_server_deadline(&f->server).ns, VT_MONO_NEVER.ns);
	pass(f, VT_SEC(3600));
	assert_int_equal(turn(f), 0);
	check_nothing_yet(fd);
	line_server_reply(&f->server, client, "done", 4);
	assert_true(line_server_deadline(&f->server).ns <= f->now.ns);
	assert_int_equal(turn(f), 1);
	check_heard(fd, "done\nnext\n");
	turn(f);
	check_hung_up(fd);
	close(fd);
}

static void test_a_stream_may_be_silent_and_ask(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);
	uint32_t client;

	turn(f);
	client = asked(f, fd, "follow\n");
	assert_true(line_server_hold(&f->server, client, LINE_HOLD_STREAM));
	pass(f, VT_SEC(3600));
	turn(f);
	assert_int_equal(line_server_deadline(&f->server).ns, VT_MONO_NEVER.ns);
	line_server_reply(&f->server, client, "one", 3);
	line_server_reply(&f->server, client, "two", 3);
	check_heard(fd, "one\ntwo\n");
	say(fd, "ask\n");
	assert_int_equal(turn(f), 1);
	check_heard(fd, "ask\n");
	assert_true(line_server_has(&f->server, client));
	close(fd);
	turn(f);
	assert_false(line_server_has(&f->server, client));
	assert_false(line_server_hold(&f->server, client, LINE_HOLD_STREAM));
	line_server_reply(&f->server, client, "three", 5);
}

/* libev tells a hang-up as something to be read, and tells nothing of who is not read. */
static void test_one_that_is_held_and_leaves_is_noticed_without_a_hangup(void **state)
{
	struct fixture *f = *state;
	static const enum line_hold holds[] = { LINE_HOLD_REPLY, LINE_HOLD_STREAM };

	for (size_t i = 0; i < COUNT(holds); i++) {
		int fd = connect_client(f);
		uint32_t client;

		turn(f);
		client = asked(f, fd, "wait\n");
		assert_true(line_server_hold(&f->server, client, holds[i]));
		f->server.clients[0].buffers.is_ended = true;
		line_server_dispatch(&f->server, f->now, NULL, 0);
		assert_true(line_server_has(&f->server, client));
		close(fd);
		line_server_dispatch(&f->server, f->now, NULL, 0);
		assert_false(line_server_has(&f->server, client));
	}
}

static void test_a_stream_that_is_not_read_is_dropped(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);
	static char text[8192];
	uint32_t client;
	int sent = 0;

	memset(text, 'e', sizeof text);
	turn(f);
	client = asked(f, fd, "follow\n");
	assert_true(line_server_hold(&f->server, client, LINE_HOLD_STREAM));
	/* Hours of silence before do not count. */
	pass(f, VT_SEC(7200));
	turn(f);
	while (!f->server.clients[0].buffers.out && sent++ < 1000)
		line_server_reply(&f->server, client, text, sizeof text);
	assert_non_null(f->server.clients[0].buffers.out);
	pass(f, vt_span_sub(LINE_SERVER_IDLE, VT_NS(1)));
	turn(f);
	assert_true(line_server_has(&f->server, client));
	pass(f, VT_NS(1));
	turn(f);
	assert_false(line_server_has(&f->server, client));
	close(fd);
}

static void test_the_held_are_limited(void **state)
{
	struct fixture *f = *state;
	const unsigned limit = getuid() == 0 ? LINE_SERVER_HELD : LINE_SERVER_HELD_PER_UID;
	uint32_t clients[LINE_SERVER_HELD + 1];
	int fds[LINE_SERVER_HELD + 1];

	for (unsigned i = 0; i < limit + 1; i++) {
		fds[i] = connect_client(f);
		turn(f);
		clients[i] = asked(f, fds[i], "follow\n");
		assert_int_equal(line_server_hold(&f->server, clients[i], LINE_HOLD_STREAM), i < limit);
	}
	/* Held already, it may be held otherwise; and who is let go makes room. */
	assert_true(line_server_hold(&f->server, clients[0], LINE_HOLD_REPLY));
	line_server_reply(&f->server, clients[0], "so", 2);
	assert_true(line_server_hold(&f->server, clients[limit], LINE_HOLD_STREAM));
	for (unsigned i = 0; i < limit + 1; i++)
		close(fds[i]);
}

static void test_clients_are_limited(void **state)
{
	struct fixture *f = *state;
	const unsigned limit = getuid() == 0 ? LINE_SERVER_CLIENTS : LINE_SERVER_PER_UID;
	int fds[LINE_SERVER_CLIENTS + 1];

	for (unsigned i = 0; i < limit + 1; i++) {
		fds[i] = connect_client(f);
		turn(f);
	}
	assert_int_equal(line_server_count(&f->server), limit);
	check_heard(fds[limit], BUSY "\n");
	check_hung_up(fds[limit]);
	close(fds[0]);
	turn(f);
	close(fds[limit]);
	fds[0] = connect_client(f);
	fds[limit] = -1;
	turn(f);
	say(fds[0], "in\n");
	turn(f);
	check_heard(fds[0], "in\n");
	for (unsigned i = 0; i < limit; i++)
		close(fds[i]);
}

static void test_gone_client_costs_nothing(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f);

	turn(f);
	say(fd, "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
	close(fd);
	/* What is left to do with it is done at once, not when it would have been idle. */
	for (int i = 0; i < 4 && line_server_count(&f->server); i++) {
		turn(f);
		if (line_server_count(&f->server))
			assert_true(line_server_deadline(&f->server).ns <= f->now.ns);
	}
	assert_int_equal(line_server_count(&f->server), 0);
	assert_int_equal(line_server_deadline(&f->server).ns, VT_MONO_NEVER.ns);
}

static void test_second_daemon_is_refused_and_a_dead_ones_socket_replaced(void **state)
{
	struct fixture *f = *state;
	struct line_server second;
	int error = -7;
	pid_t pid;
	int status;

	line_server_init(&second);
	assert_int_equal(open_server(f, &second, &error), LINE_SERVER_TAKEN);
	assert_int_equal(second.fd, -1);
	assert_int_equal(error, -7);
	line_server_fini(&second);

	line_server_fini(&f->server);
	line_server_fini(&f->server);
	assert_false(scratch_exists(&f->scratch, "run/sock"));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		line_server_init(&second);
		_exit((int)open_server(f, &second, &error)); /* and leaves the socket behind */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, LINE_SERVER_OPEN);
	assert_true(scratch_exists(&f->scratch, "run/sock"));
	assert_int_equal(open_server(f, &f->server, &error), LINE_SERVER_OPEN);
}

static void test_what_is_no_socket_is_not_replaced(void **state)
{
	struct fixture *f = *state;
	struct line_server server;
	int error = 0;

	line_server_fini(&f->server);
	scratch_write_text(&f->scratch, "run/sock", "precious");
	line_server_init(&server);
	assert_int_equal(open_server(f, &server, &error), LINE_SERVER_FAILED);
	assert_int_equal(error, -EEXIST);
	scratch_check_text(&f->scratch, "run/sock", "precious");
	assert_int_equal(server.fd, -1);
	assert_int_equal(line_server_prepare(&server, (struct pollfd[LINE_SERVER_FDS]){ 0 }), 0);
	assert_int_equal(line_server_deadline(&server).ns, VT_MONO_NEVER.ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(test_question_and_answer),
		WITH_SERVER(test_request_names_its_sender),
		WITH_SERVER(test_half_closed_client_gets_its_answers),
		WITH_SERVER(test_overlong_line),
		WITH_SERVER(test_overlong_line_at_the_door),
		WITH_SERVER(test_any_bytes_are_passed_on),
		WITH_SERVER(test_flood_does_not_starve_others),
		WITH_SERVER(test_a_turn_serves_each_client_its_share),
		WITH_SERVER(test_rate_is_a_pause_not_a_loss),
		WITH_SERVER(test_stalled_client_is_dropped),
		WITH_SERVER(test_too_much_owed_is_the_end),
		WITH_SERVER(test_slow_reader_gets_everything),
		WITH_SERVER(test_idle_client_is_dropped),
		WITH_SERVER(test_a_reply_may_come_much_later_and_in_order),
		WITH_SERVER(test_a_stream_may_be_silent_and_ask),
		WITH_SERVER(test_one_that_is_held_and_leaves_is_noticed_without_a_hangup),
		WITH_SERVER(test_a_stream_that_is_not_read_is_dropped),
		WITH_SERVER(test_the_held_are_limited),
		WITH_SERVER(test_clients_are_limited),
		WITH_SERVER(test_gone_client_costs_nothing),
		WITH_SERVER(test_second_daemon_is_refused_and_a_dead_ones_socket_replaced),
		WITH_SERVER(test_what_is_no_socket_is_not_replaced),
	};

	return cmocka_run_group_tests_name("line_server", tests, NULL, NULL);
}
