/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_channels.c - the back end over vsock; a guest at CID n is the socket "n" of a scratch folder
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "guest_sockets.h"
#include "hostd/channels.h"
#include "hostd/host_instant.h"
#include "scratch.h"

#define NUDGE_1 "{\"v\":1,\"id\":1,\"cmd\":\"nudge\",\"reason\":\"pause\"}\n"

struct world {
	struct scratch *scratch;
	struct channels channels;
	struct played_socket guest;
	vt_mono now;
};

/* @root is the scratch folder.  No file there: no such guest; nobody listens: it has no vmtimed. */
static enum vsock_dial played_dial(const char *root, unsigned cid, unsigned port, int *ret_fd,
                                   int *reterr)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(port, 9532);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/%u", root, cid);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
		*ret_fd = fd;
		return VSOCK_DIAL_BEGUN;
	}
	*reterr = errno == ENOENT ? -EHOSTUNREACH : -ECONNRESET;
	close(fd);
	return VSOCK_DIAL_FAILED;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	if (!w || scratch_setup((void **)&w->scratch))
		return -1;
	w->guest.listener = w->guest.peer = -1;
	w->now = host_instant_now().mono;
	*state = w;
	if (channels_init(&w->channels, w->scratch->folder))
		return -1;
	w->channels.dial = played_dial;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	int r;

	channels_fini(&w->channels);
	channels_fini(&w->channels);
	played_end(&w->guest);
	r = scratch_teardown((void **)&w->scratch);
	free(w);
	return r;
}

static void pass(struct world *w, vt_span span)
{
	w->now = vt_mono_add(w->now, span);
	w->channels.backend.ops->dispatch(&w->channels.backend, w->now);
}

static void boot(struct world *w)
{
	played_listen(&w->guest, scratch_path(w->scratch, "5"));
}

static void begin(struct world *w, uint32_t line, enum work_kind kind, uint64_t number)
{
	const struct work work = { .kind = kind, .number = number, .timeout = VT_SEC(2),
		                   .reason = HOST_REASON_PAUSE };

	w->channels.backend.ops->begin(&w->channels.backend, line, &work);
}

static void check_no_sign(struct world *w)
{
	struct sign sign;

	assert_false(w->channels.backend.ops->pop_sign(&w->channels.backend, &sign));
}

static struct sign take_sign(struct world *w, enum sign_kind kind)
{
	struct sign sign;

	assert_true(w->channels.backend.ops->pop_sign(&w->channels.backend, &sign));
	assert_int_equal(sign.kind, kind);
	return sign;
}

static bool pop(struct world *w, struct work_outcome *o)
{
	check_no_sign(w);
	return w->channels.backend.ops->pop_outcome(&w->channels.backend, o);
}

static struct work_outcome take(struct world *w, enum work_result result)
{
	struct work_outcome o;

	assert_true(pop(w, &o));
	if (o.result != result)
		fail_msg("outcome %d instead of %d: %s", o.result, result, o.text);
	return o;
}

static uint32_t lend(struct world *w)
{
	uint32_t line;

	assert_int_equal(channels_lend(&w->channels, 5, &line), 0);
	return line;
}

static void test_a_nudge_is_sent_and_answered(void **state)
{
	struct world *w = *state;
	uint32_t line = lend(w);
	struct work_outcome o;

	boot(w);
	pass(w, VT_SEC(1));
	assert_false(played_accept(&w->guest)); /* nothing to say, no connection */
	begin(w, line, WORK_NUDGE, 41);
	pass(w, VT_NS(0));
	assert_true(played_accept(&w->guest));
	assert_string_equal(played_hear(&w->guest), NUDGE_1);
	assert_false(pop(w, &o));
	played_say(&w->guest, "{\"v\":1,\"id\":1,\"ok\":true,\"nudge\":{\"is_delayed\":true}}\n");
	pass(w, VT_NS(0));
	o = take(w, WORK_DONE);
	assert_int_equal(o.guest, line);
	assert_int_equal(o.number, 41);
	assert_true(o.was_sent && o.reply.is_delayed);
	assert_int_equal(o.agent, AGENT_VMTIMED);

	pass(w, VT_SEC(9));
	assert_false(played_is_gone(&w->guest));
	pass(w, VT_SEC(2));
	assert_true(played_is_gone(&w->guest)); /* its port is for somebody else now */
	assert_false(pop(w, &o));
}

static void test_what_a_vmtimed_cannot_do(void **state)
{
	struct world *w = *state;
	uint32_t line = lend(w);

	for (unsigned i = 0; i < 3; i++) {
		static const enum work_kind KINDS[] = { WORK_GET_TIME, WORK_SET_TIME, WORK_RESET_RTC };

		begin(w, line, KINDS[i], i);
		assert_false(take(w, WORK_UNSUPPORTED).was_sent);
	}
	begin(w, 99, WORK_NUDGE, 7);
	assert_int_equal(take(w, WORK_LOST).guest, 99);
	channels_release(&w->channels, line);
	begin(w, line, WORK_NUDGE, 8);
	assert_int_equal(take(w, WORK_LOST).number, 8);
}

static void test_a_guest_that_wakes_is_tried_each_millisecond(void **state)
{
	struct world *w = *state;
	uint32_t line = lend(w);
	struct work_outcome o;

	begin(w, line, WORK_NUDGE, 1);
	take(w, WORK_LOST); /* no wake, no patience */

	channels_wake(&w->channels, line, w->now);
	begin(w, line, WORK_NUDGE, 2);
	for (unsigned i = 0; i < 500; i++)
		pass(w, VT_MS(1));
	assert_false(pop(w, &o));
	boot(w);
	pass(w, VT_MS(1));
	pass(w, VT_NS(0));
	assert_true(played_accept(&w->guest));
	assert_string_equal(played_hear(&w->guest),
	                    "{\"v\":1,\"id\":2,\"cmd\":\"nudge\",\"reason\":\"pause\"}\n");
}

static void test_patience_ends_after_a_second(void **state)
{
	struct world *w = *state;
	uint32_t line = lend(w);
	struct work_outcome o;

	channels_wake(&w->channels, line, w->now);
	begin(w, line, WORK_NUDGE, 1);
	pass(w, VT_MS(990));
	assert_false(pop(w, &o));
	pass(w, VT_MS(20));
	take(w, WORK_LOST);

	/* A guest that has no vmtimed says so: nothing to wait for. */
	boot(w);
	close(w->guest.listener);
	channels_wake(&w->channels, line, w->now);
	begin(w, line, WORK_NUDGE, 2);
	take(w, WORK_LOST);
	w->guest.listener = -1;
}

static void test_a_connection_from_before_the_pause_is_not_used(void **state)
{
	struct world *w = *state;
	uint32_t line = lend(w);

	boot(w);
	begin(w, line, WORK_NUDGE, 1);
	pass(w, VT_NS(0));
	assert_true(played_accept(&w->guest));
	channels_wake(&w->channels, line, w->now);
	assert_string_equal(played_hear(&w->guest), NUDGE_1);
	/* The guest's vsock may not run yet: it would never hear that this one ended. */
	pass(w, VT_NS(0));
	assert_false(played_is_gone(&w->guest));
	begin(w, line, WORK_NUDGE, 2);
	pass(w, VT_NS(0));
	assert_true(played_is_gone(&w->guest));
}

static void test_an_answer_that_comes_too_late_is_nobodys(void **state)
{
	struct world *w = *state;
	uint32_t line = lend(w);
	struct work_outcome o;

	boot(w);
	begin(w, line, WORK_STATUS, 1);
	pass(w, VT_NS(0));
	assert_true(played_accept(&w->guest));
	w->channels.backend.ops->drop(&w->channels.backend, line);
	begin(w, line, WORK_STATUS, 2);
	pass(w, VT_NS(0));
	(void)send(w->guest.peer, "{}\n", 3, MSG_NOSIGNAL);
	assert_true(played_accept(&w->guest));
	played_say(&w->guest, "{\"v\":1,\"id\":2,\"ok\":true,\"status\":{\"state\":\"ok\"}}\n");
	pass(w, VT_NS(0));
	o = take(w, WORK_DONE);
	assert_int_equal(o.number, 2);
	assert_int_equal(o.reply.state, REPORT_OK);

	begin(w, line, WORK_STATUS, 3);
	pass(w, VT_SEC(3));
	take(w, WORK_TIMED_OUT);
	assert_false(pop(w, &o));
}

static void test_what_is_no_answer(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *said;
		enum work_result want;
	} CASES[] = {
		{ "{\"v\":1,\"ok\":false,\"error\":{\"code\":\"busy\",\"text\":\"four\"}}\n", WORK_REFUSED },
		{ "{\"v\":1,\"id\":2,\"ok\":false,\"error\":{\"code\":\"unknown-command\",\"text\":\"x\"}}\n",
		  WORK_UNSUPPORTED },
		{ "{\"v\":1,\"id\":9,\"ok\":true,\"status\":{\"state\":\"ok\"}}\n", WORK_GARBAGE },
		{ "{\"v\":1,\"id\":4,\"ok\":true,\"status\":{\"state\":\"fine\"}}\n", WORK_GARBAGE },
		{ "garbage\n", WORK_GARBAGE },
		{ "\xff\n", WORK_LOST },
	};
	uint32_t line = lend(w);

	boot(w);
	for (unsigned i = 0; i < COUNT(CASES); i++) {
		begin(w, line, WORK_STATUS, i);
		pass(w, VT_NS(0));
		(void)played_accept(&w->guest);
		played_say(&w->guest, CASES[i].said);
		pass(w, VT_NS(0));
		assert_int_equal(take(w, CASES[i].want).number, i);
	}
}

static void test_a_flood_ends_the_connection(void **state)
{
	struct world *w = *state;
	uint32_t line = lend(w);
	struct work_outcome o = { .number = 0 };
	char flood[4096];

	memset(flood, 'x', sizeof flood);
	boot(w);
	begin(w, line, WORK_STATUS, 1);
	pass(w, VT_NS(0));
	assert_true(played_accept(&w->guest));
	for (unsigned i = 0; i < 100 && !pop(w, &o); i++) {
		(void)send(w->guest.peer, flood, sizeof flood, MSG_NOSIGNAL);
		pass(w, VT_NS(0));
	}
	assert_int_equal(o.result, WORK_LOST);
	assert_int_equal(o.number, 1);
}

static void test_a_guest_of_our_own_is_watched(void **state)
{
	struct world *w = *state;
	uint32_t guest;

	assert_int_equal(channels_add(&w->channels, "tiny", 5, &guest), 0);
	pass(w, VT_NS(0));
	assert_string_equal(take_sign(w, SIGN_APPEARED).name, "tiny");
	check_no_sign(w);
	boot(w);
	pass(w, VT_SEC(1));
	pass(w, VT_NS(0));
	take_sign(w, SIGN_RUNNING);
	assert_true(played_accept(&w->guest));
	assert_string_equal(played_hear(&w->guest), "");
	pass(w, VT_SEC(21));
	assert_string_equal(played_hear(&w->guest), "{\"v\":1,\"id\":1,\"cmd\":\"status\"}\n");
	played_say(&w->guest, "{\"v\":1,\"id\":1,\"ok\":true,\"status\":{\"state\":\"ok\"}}\n");
	pass(w, VT_NS(0));
	check_no_sign(w);

	/* It does not answer the next one: it may be paused. */
	pass(w, VT_SEC(21));
	played_end(&w->guest);
	pass(w, VT_SEC(6));
	check_no_sign(w);
	pass(w, VT_SEC(6));
	take_sign(w, SIGN_STOPPED);
	boot(w);
	pass(w, VT_SEC(2));
	pass(w, VT_NS(0));
	take_sign(w, SIGN_RUNNING);
	check_no_sign(w);
}

static enum vsock_dial dial_without_vsock(const char *root, unsigned cid, unsigned port, int *ret_fd,
                                          int *reterr)
{
	(void)root, (void)cid, (void)port, (void)ret_fd, (void)reterr;
	return VSOCK_DIAL_MISSING;
}

static void test_a_kernel_without_vsock_is_told(void **state)
{
	struct world *w = *state;
	uint32_t guest;

	w->channels.dial = dial_without_vsock;
	assert_int_equal(channels_add(&w->channels, "tiny", 5, &guest), 0);
	assert_string_equal(w->channels.backend.trouble, "");
	pass(w, VT_SEC(1));
	assert_non_null(strstr(w->channels.backend.trouble, "no vsock"));
	w->channels.dial = played_dial; /* the module was loaded */
	pass(w, VT_SEC(2));
	assert_string_equal(w->channels.backend.trouble, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_nudge_is_sent_and_answered),
		TEST(test_what_a_vmtimed_cannot_do),
		TEST(test_a_guest_that_wakes_is_tried_each_millisecond),
		TEST(test_patience_ends_after_a_second),
		TEST(test_a_connection_from_before_the_pause_is_not_used),
		TEST(test_an_answer_that_comes_too_late_is_nobodys),
		TEST(test_what_is_no_answer),
		TEST(test_a_flood_ends_the_connection),
		TEST(test_a_guest_of_our_own_is_watched),
		TEST(test_a_kernel_without_vsock_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
