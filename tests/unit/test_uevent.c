/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "os/uevent.h"

/* What the kernel's driver sends. */
static const char EVENT[] = "change@/devices/LNXSYSTM:00/LNXSYBUS:00/QEMUVGID:00\0"
			    "ACTION=change\0DEVPATH=/devices/LNXSYSTM:00/LNXSYBUS:00/QEMUVGID:00\0"
			    "SUBSYSTEM=acpi\0NEW_VMGENID=1\0SEQNUM=1234";

static void test_the_word_is_found_and_nothing_else(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		const char *text;
		size_t length;
		bool want;
	} cases[] = {
#define TEXT(text) text, sizeof(text) - 1
		{ "the event",            EVENT, sizeof EVENT, true },
		{ "alone",                TEXT("change@/x\0NEW_VMGENID=1\0"), true },
		{ "without its end",      TEXT("change@/x\0NEW_VMGENID=1"), false },
		{ "another value",        TEXT("change@/x\0NEW_VMGENID=0\0"), false },
		{ "a longer value",       TEXT("change@/x\0NEW_VMGENID=10\0"), false },
		{ "a longer name",        TEXT("change@/x\0SYNTH_ARG_NEW_VMGENID=1\0"), false },
		{ "asked for by a write", TEXT("change@/x\0ACTION=change\0SYNTH_UUID=0\0"), false },
		{ "in the path",          TEXT("NEW_VMGENID=1\0ACTION=change\0"), false },
		{ "nothing",              TEXT(""), false },
		{ "one NUL",              TEXT("\0"), false },
		{ "NULs",                 TEXT("\0\0\0\0"), false },
		{ "no NUL",               TEXT("change@/devices/x"), false },
#undef TEXT
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++)
		if (uevent_tells_generation(cases[i].text, cases[i].length) != cases[i].want)
			fail_msg("%s", cases[i].what);
	/* Cut anywhere before the word's end, it is none. */
	size_t end = (size_t)((const char *)memmem(EVENT, sizeof EVENT, "SEQNUM", 6) - EVENT);

	for (size_t n = 0; n < sizeof EVENT; n++)
		assert_int_equal(uevent_tells_generation(EVENT, n), n >= end);
}

/* What the played socket gives next; @error < 0 instead of a message. */
static struct play {
	const char *text;
	size_t length;
	int error;
	unsigned left; /* messages, then EAGAIN */
	unsigned taken;
	uint32_t sender, groups;
	pid_t pid;
	uid_t uid;
	bool has_credentials, is_cut, is_unix;
} play;

static const struct play KERNEL = {
	.text = EVENT, .length = sizeof EVENT, .left = 1, .groups = 1, .has_credentials = true,
};

static void give_credentials(struct msghdr *message)
{
	struct ucred who = { .pid = play.pid, .uid = play.uid };
	struct cmsghdr *h = CMSG_FIRSTHDR(message);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_CREDENTIALS;
	h->cmsg_len = CMSG_LEN(sizeof who);
	memcpy(CMSG_DATA(h), &who, sizeof who);
}

static int play_receive(int fd, struct msghdr *message)
{
	struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_pid = play.sender,
				    .nl_groups = play.groups };

	(void)fd;
	if (play.left == 0)
		return -EAGAIN;
	play.left--;
	play.taken++;
	if (play.error)
		return play.error;
	assert_true(play.length <= message->msg_iov[0].iov_len);
	memcpy(message->msg_iov[0].iov_base, play.text, play.length);
	memcpy(message->msg_name, &name, sizeof name);
	if (play.is_unix)
		message->msg_namelen = 0;
	if (play.has_credentials)
		give_credentials(message);
	else
		message->msg_controllen = 0;
	message->msg_flags = play.is_cut ? MSG_TRUNC : 0;
	return (int)play.length;
}

static bool heard(struct uevent *u, vt_mono now)
{
	struct pollfd fd = { .fd = -1 };
	size_t n = uevent_prepare(u, now, &fd);

	if (n)
		fd.revents = POLLIN;
	return uevent_dispatch(u, now, &fd, n);
}

static void start(struct uevent *u)
{
	uevent_init(u);
	u->receive = play_receive;
	u->fd = dup(0);
	assert_true(u->fd >= 0);
}

static void test_only_the_kernel_is_believed(void **state)
{
	(void)state;
	struct uevent u;

	start(&u);
	play = KERNEL;
	assert_true(heard(&u, (vt_mono){ 1 }));
	assert_false(heard(&u, (vt_mono){ 2 }));

	play = KERNEL, play.sender = 4242;          /* a program's socket          */
	assert_false(heard(&u, (vt_mono){ 3 }));
	play = KERNEL, play.groups = 2;             /* udev's group                */
	assert_false(heard(&u, (vt_mono){ 4 }));
	play = KERNEL, play.groups = 0;             /* sent to us alone            */
	assert_false(heard(&u, (vt_mono){ 5 }));
	play = KERNEL, play.uid = 1000;
	assert_false(heard(&u, (vt_mono){ 6 }));
	play = KERNEL, play.pid = 77;
	assert_false(heard(&u, (vt_mono){ 7 }));
	play = KERNEL, play.has_credentials = false;
	assert_false(heard(&u, (vt_mono){ 8 }));
	play = KERNEL, play.is_cut = true;
	assert_false(heard(&u, (vt_mono){ 9 }));
	play = KERNEL, play.is_unix = true;
	assert_false(heard(&u, (vt_mono){ 10 }));
	play = KERNEL;
	assert_true(heard(&u, (vt_mono){ 11 }));
	uevent_fini(&u);
	uevent_fini(&u);
}

static void test_a_flood_is_taken_in_portions(void **state)
{
	(void)state;
	struct uevent u;
	unsigned turns = 0, hits = 0;

	start(&u);
	play = KERNEL;
	play.left = 1000000;
	assert_true(heard(&u, (vt_mono){ 0 }));
	assert_int_equal(play.taken, 32);
	for (int64_t ms = 1; ms <= 1000; ms++, turns++)
		hits += heard(&u, (vt_mono){ ms * 1000000 });
	assert_in_range(play.taken, 64, 64 + 200);
	assert_true(hits > 0);
	/* Lost ones are no reason to stop. */
	play = KERNEL;
	play.left = 5;
	play.error = -ENOBUFS;
	assert_false(heard(&u, (vt_mono){ INT64_C(9000000000) }));
	assert_int_equal(play.taken, 5);
	play = KERNEL;
	assert_true(heard(&u, (vt_mono){ INT64_C(9100000000) }));
	/* A socket that broke is closed, and not waited for any more. */
	play = KERNEL;
	play.left = 5;
	play.error = -ENOTCONN;
	assert_false(heard(&u, (vt_mono){ INT64_C(9200000000) }));
	assert_int_equal(u.fd, -1);
	uevent_fini(&u);
}

/* On the real socket: what a program sends there, even root's, is not the kernel's. */
static void test_a_program_cannot_pretend(void **state)
{
	(void)state;
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	struct uevent u;
	struct pollfd fd;
	int sender;

	uevent_init(&u);
	if (uevent_open(&u) < 0) {
		print_message("skip: there is no such socket here\n");
		skip();
	}
	assert_int_equal(uevent_prepare(&u, (vt_mono){ 0 }, &fd), 1);
	assert_int_equal(fd.fd, u.fd);
	sender = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	assert_true(sender >= 0);
	struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	socklen_t size = sizeof own;

	/*
	 * To the socket itself, which needs no right: the harder case, the group, is played above.
	 */
	assert_int_equal(getsockname(u.fd, (struct sockaddr *)&own, &size), 0);
	to = own;
	to.nl_groups = 0;
	if (sendto(sender, EVENT, sizeof EVENT, 0, (struct sockaddr *)&to, sizeof to) < 0)
		print_message("note: the kernel refuses to carry it: %s\n", strerror(errno));
	fd.revents = POLLIN;
	assert_false(uevent_dispatch(&u, (vt_mono){ 0 }, &fd, 1));
	assert_true(u.fd >= 0);
	close(sender);
	uevent_fini(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_word_is_found_and_nothing_else),
		cmocka_unit_test(test_only_the_kernel_is_believed),
		cmocka_unit_test(test_a_flood_is_taken_in_portions),
		cmocka_unit_test(test_a_program_cannot_pretend),
	};

	return cmocka_run_group_tests_name("uevent", tests, NULL, NULL);
}
