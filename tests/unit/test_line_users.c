/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include <grp.h>
#include <sys/wait.h>

#include "line_fixture.h"

/* In a child, so that the test itself stays who it is: connects as @uid until it is refused. */
static int count_as(struct fixture *f, uid_t uid, int go, int report)
{
	unsigned char n = 0;
	char byte;

	if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		return 1;
	for (; n < LINE_SERVER_CLIENTS; n++)
		connect_client(f);
	if (write(report, &n, 1) != 1)
		return 1;
	return read(go, &byte, 1) == 0 ? 0 : 1;
}

/* One user, then others: none of them can take what is kept for root, nor root's group. */
static void test_no_user_can_shut_out_others(void **state)
{
	struct fixture *f = *state;
	const uid_t users[] = { 61001, 61002, 61003, 61004 };
	const unsigned all = LINE_SERVER_CLIENTS - LINE_SERVER_FOR_ROOT;
	unsigned want[] = { LINE_SERVER_PER_UID, 2 * LINE_SERVER_PER_UID, 3 * LINE_SERVER_PER_UID, all };
	int go[2], report[2], status, fd;
	unsigned char n;

	assert_int_equal(chmod(f->scratch.folder, 0755), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	assert_int_equal(pipe2(report, O_CLOEXEC), 0);
	for (size_t i = 0; i < COUNT(users); i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			close(go[1]);
			_exit(count_as(f, users[i], go[0], report[1]));
		}
		assert_int_equal(read(report[0], &n, 1), 1);
		for (int j = 0; j < 5; j++)
			turn(f);
		assert_int_equal(line_server_count(&f->server), want[i]);
	}
	for (size_t i = 0; i < LINE_SERVER_CLIENTS; i++)
		assert_false(f->server.clients[i].fd >= 0 && f->server.clients[i].may_change);
	fd = connect_client(f);
	turn(f);
	say(fd, "root\n");
	turn(f);
	check_heard(fd, "root\n");
	close(fd);
	close(go[1]);
	for (size_t i = 0; i < COUNT(users); i++)
		assert_true(wait(&status) > 0 && status == 0);
}

/* Membership in the group comes with `usermod -aG`: as a supplementary one. */
static void test_supplementary_group_may_change(void **state)
{
	struct fixture *f = *state;
	const gid_t groups[] = { 61010, 61011 };
	int status;
	bool may_change;
	pid_t pid;

	assert_int_equal(chmod(f->scratch.folder, 0755), 0);
	f->server.conf.gid = 61011;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgroups(COUNT(groups), groups) < 0 || setresgid(61001, 61001, 61001) < 0 ||
		    setresuid(61001, 61001, 61001) < 0)
			_exit(1);
		connect_client(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* The credentials are those of the moment of connect. */
	struct pollfd fds[LINE_SERVER_FDS];
	size_t n = line_server_prepare(&f->server, fds);

	poll(fds, n, 0);
	line_server_dispatch(&f->server, f->now, fds, n);
	assert_int_equal(f->server.clients[0].uid, 61001);
	may_change = f->server.clients[0].may_change;
	assert_true(may_change);
}

int main(void)
{
	if (geteuid() != 0) {
		printf("skipped: becoming other users takes root\n");
		return 77;
	}

	const struct CMUnitTest tests[] = {
		WITH_SERVER(test_no_user_can_shut_out_others),
		WITH_SERVER(test_supplementary_group_may_change),
	};

	return cmocka_run_group_tests_name("line_users", tests, NULL, NULL);
}
