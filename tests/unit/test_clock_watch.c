/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/clock_watch.h"

/* Clocks that are played: each reading takes its time. */
struct clocks {
	int64_t mono_ns;
	int64_t slept_ns; /* CLOCK_BOOTTIME - CLOCK_MONOTONIC */
	int64_t cost_ns;
	unsigned interrupted; /* so many of the next readings take 100 ms */
	int error;
};

static int play_gettime(void *context, clockid_t id, struct timespec *ret)
{
	struct clocks *c = context;

	if (c->error)
		return -c->error;
	c->mono_ns += c->interrupted ? INT64_C(100000000) : c->cost_ns;
	c->interrupted -= c->interrupted > 0;

	int64_t ns = c->mono_ns + (id == CLOCK_BOOTTIME ? c->slept_ns : 0);

	assert_true(id == CLOCK_BOOTTIME || id == CLOCK_MONOTONIC);
	*ret = (struct timespec){ ns / 1000000000, ns % 1000000000 };
	return 0;
}

static void watch(struct clock_watch *w, struct os_calls *calls, struct clocks *c)
{
	*c = (struct clocks){ .mono_ns = INT64_C(7000000000000), .cost_ns = 50 };
	*calls = (struct os_calls){ .context = c, .gettime = play_gettime };
	clock_watch_init(w, calls);
	w->is_blind = false; /* open would find that this is not the kernel's time */
}

static void test_sleep_is_seen_with_its_length(void **state)
{
	(void)state;
	struct os_calls calls;
	struct clock_watch w;
	struct clocks c;
	vt_span length = VT_NS(-7);

	watch(&w, &calls, &c);
	c.slept_ns = INT64_C(3600000000000); /* before our time */
	assert_false(clock_watch_slept(&w, &length));
	for (int i = 0; i < 1000; i++) {
		c.mono_ns += 60000000000;
		assert_false(clock_watch_slept(&w, &length));
	}
	assert_int_equal(length.ns, -7); /* output untouched on refusal */
	c.slept_ns += INT64_C(12345678901);
	assert_true(clock_watch_slept(&w, &length));
	assert_in_range(length.ns, INT64_C(12345678801), INT64_C(12345679001));
	assert_false(clock_watch_slept(&w, &length)); /* told once */
	c.slept_ns += 11000000;
	assert_true(clock_watch_slept(&w, &length));
	c.slept_ns += 9000000; /* no machine sleeps so shortly */
	assert_false(clock_watch_slept(&w, &length));
	c.slept_ns -= 5000000000; /* nor backwards */
	assert_false(clock_watch_slept(&w, &length));
}

static void test_an_interrupted_look_is_no_sleep(void **state)
{
	(void)state;
	struct os_calls calls;
	struct clock_watch w;
	struct clocks c;
	vt_span length;

	watch(&w, &calls, &c);
	assert_false(clock_watch_slept(&w, &length));
	for (unsigned interrupted = 0; interrupted <= 9; interrupted++) {
		c.interrupted = interrupted;
		assert_false(clock_watch_slept(&w, &length));
	}
	/* A sleep during such a look is seen by the next one. */
	c.interrupted = 9;
	c.slept_ns += 5000000000;
	assert_false(clock_watch_slept(&w, &length));
	assert_true(clock_watch_slept(&w, &length));
	c.error = EINVAL;
	assert_false(clock_watch_slept(&w, &length));
}

static void test_a_clock_that_is_not_the_kernels_is_not_watched(void **state)
{
	(void)state;
	struct os_calls calls;
	struct clock_watch w;
	struct clocks c;
	vt_span length;
	struct pollfd fd;

	watch(&w, &calls, &c);
	clock_watch_init(&w, &calls);
	clock_watch_open(&w);
	assert_int_equal(w.fd, -1);
	assert_int_equal(clock_watch_prepare(&w, (vt_mono){ 0 }, &fd), 0);
	c.slept_ns += 5000000000;
	assert_false(clock_watch_slept(&w, &length));
	clock_watch_forgive(&w);
	clock_watch_fini(&w);
	clock_watch_fini(&w);
}

/* The kernel's own.  Nobody sets this machine's clock, so nothing is told; that it would be told is
 * the system tests' to show, where the clock is played. */
static void test_nothing_is_told_while_nobody_sets_the_clock(void **state)
{
	(void)state;
	struct clock_watch w;
	struct pollfd fd;
	vt_span length;

	clock_watch_init(&w, NULL);
	clock_watch_open(&w);
	if (w.fd < 0) {
		print_message("skip: no timer of that kind here\n");
		skip();
	}
	assert_int_equal(clock_watch_prepare(&w, (vt_mono){ 0 }, &fd), 1);
	assert_int_equal(poll(&fd, 1, 0), 0);
	fd.revents = POLLIN; /* somebody errs: it does not wait either */
	assert_false(clock_watch_dispatch(&w, (vt_mono){ 0 }, &fd, 1));
	assert_false(clock_watch_dispatch(&w, (vt_mono){ 0 }, NULL, 0));
	clock_watch_forgive(&w);
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_true(w.fd >= 0);
	assert_false(clock_watch_slept(&w, &length));
	clock_watch_fini(&w);
	assert_int_equal(w.fd, -1);
}

/* An fd that is ready all the time wakes us a few times, then twice a second. */
static void test_wake_ups_are_limited(void **state)
{
	(void)state;
	struct os_calls calls;
	struct clock_watch w;
	struct clocks c;
	unsigned waits = 0;

	watch(&w, &calls, &c);
	w.fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_true(w.fd >= 0);
	for (int64_t ms = 0; ms < 10000; ms++) {
		struct pollfd fd = { .fd = -1 };
		size_t n = clock_watch_prepare(&w, (vt_mono){ ms * 1000000 }, &fd);

		waits += n == 1;
		fd.revents = POLLIN;
		/* Expired, and not to be armed again: closed. */
		(void)clock_watch_dispatch(&w, (vt_mono){ ms * 1000000 }, &fd, n);
		if (w.fd < 0)
			w.fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	}
	assert_in_range(waits, 25, 29);
	clock_watch_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sleep_is_seen_with_its_length),
		cmocka_unit_test(test_an_interrupted_look_is_no_sleep),
		cmocka_unit_test(test_a_clock_that_is_not_the_kernels_is_not_watched),
		cmocka_unit_test(test_nothing_is_told_while_nobody_sets_the_clock),
		cmocka_unit_test(test_wake_ups_are_limited),
	};

	return cmocka_run_group_tests_name("clock_watch", tests, NULL, NULL);
}
