/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel is played here: it keeps what it is told as the real one does, limits included, and
 * notes the modes that were used.  This machine's clock is read by one test and set by none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "os/clock_linux.h"
#include "os/clock_read.h"

struct kernel {
	struct timex state;
	int leap_state;
	int64_t slew_left_us; /* adjtime's */
	int64_t stepped_ns;
	unsigned steps, writes;
	unsigned modes_used;
	int error;          /* of every call with modes */
	int64_t raw_ns;     /* CLOCK_MONOTONIC_RAW      */
	int64_t costs[64];  /* of the calls, in a ring  */
	unsigned gettimes;
	int gettime_error;
	int64_t bad_nsec;
};

static const struct kernel KERNEL = {
	.state = { .tick = 10000, .status = STA_UNSYNC, .maxerror = 16000000, .esterror = 16000000 },
	.leap_state = TIME_ERROR,
	.raw_ns = INT64_C(77000000000),
};

static void set_offset(struct kernel *k, const struct timex *t)
{
	assert_true(t->modes & ADJ_NANO);
	assert_in_range(t->time.tv_usec, 0, 999999999);
	k->stepped_ns += (int64_t)t->time.tv_sec * 1000000000 + t->time.tv_usec;
	k->steps++;
	/* As ntp_clear does. */
	k->state.status |= STA_UNSYNC;
	k->state.maxerror = k->state.esterror = 16000000;
	k->state.offset = 0;
	k->slew_left_us = 0;
}

static int fake_adjtimex(void *context, struct timex *t)
{
	struct kernel *k = context;

	if (t->modes == ADJ_OFFSET_SS_READ) {
		*t = k->state;
		t->offset = (long)k->slew_left_us;
		return k->leap_state;
	}
	if (t->modes && k->error)
		return -k->error;
	if (t->modes)
		k->writes++;
	k->modes_used |= t->modes;
	if (t->modes & ADJ_SETOFFSET)
		set_offset(k, t);
	if ((t->modes & ADJ_TICK) && (t->tick < 9000 || t->tick > 11000))
		return -EINVAL;
	if (t->modes & ADJ_TICK)
		k->state.tick = t->tick;
	if (t->modes & ADJ_FREQUENCY)
		k->state.freq = t->freq > 32768000 ? 32768000 : t->freq < -32768000 ? -32768000 : t->freq;
	if (t->modes & ADJ_STATUS)
		k->state.status = t->status;
	if (t->modes & ADJ_MAXERROR)
		k->state.maxerror = t->maxerror;
	if (t->modes & ADJ_ESTERROR)
		k->state.esterror = t->esterror;
	*t = k->state;
	return k->leap_state;
}

static int fake_gettime(void *context, clockid_t id, struct timespec *ret)
{
	struct kernel *k = context;

	if (k->gettime_error)
		return -k->gettime_error;
	k->raw_ns += k->costs[k->gettimes++ % COUNT(k->costs)];

	int64_t ns = k->raw_ns + (id == CLOCK_REALTIME ? INT64_C(1790000000000000000) : 0);

	assert_true(id == CLOCK_REALTIME || id == CLOCK_MONOTONIC_RAW);
	ret->tv_sec = ns / 1000000000;
	ret->tv_nsec = k->bad_nsec ? k->bad_nsec : ns % 1000000000;
	return 0;
}

struct bench {
	struct kernel kernel;
	struct os_calls calls;
	struct clock_linux clock;
};

static void bench_init(struct bench *b, const struct kernel *kernel)
{
	b->kernel = *kernel;
	b->calls = (struct os_calls){ &b->kernel, fake_gettime, NULL, fake_adjtimex };
	assert_int_equal(clock_linux_init(&b->clock, &b->calls), 0);
	assert_int_equal(b->kernel.writes, 0); /* it looked and did not touch */
}

static double steer_ppm(struct bench *b, double ppm)
{
	struct clock_port *port = &b->clock.port;
	vt_rate got;

	assert_int_equal(port->ops->steer(port, VT_PPM(ppm), &got), 0);
	return got.ppb / 1e3;
}

/* What the kernel's clock now does, by the kernel's own arithmetic: length of a second. */
static double kernel_ppm(const struct bench *b)
{
	double second_us = (double)b->kernel.state.tick * 100 + (double)b->kernel.state.freq / 65536;

	return second_us - 1e6;
}

static void test_init_tells_how_the_clock_runs(void **state)
{
	(void)state;
	struct kernel kernel = KERNEL;
	struct bench b;
	vt_rate rate;

	bench_init(&b, &kernel);
	assert_true(b.clock.was_unsynchronized);
	assert_false(b.clock.has_foreign_offset);
	assert_true(b.clock.rate_at_start.ppb == 0);
	assert_true(b.clock.port.max_rate.ppb == 1e8);

	kernel.state.status = STA_PLL;
	kernel.state.freq = -12 * 65536 - 32768;
	kernel.state.tick = 10002;
	kernel.state.offset = 12345;
	bench_init(&b, &kernel);
	assert_false(b.clock.was_unsynchronized);
	assert_true(b.clock.has_foreign_offset);
	assert_true(b.clock.rate_at_start.ppb == 187500);
	b.kernel.state.freq = 65536;
	assert_int_equal(clock_linux_rate(&b.clock, &rate), 0);
	assert_true(rate.ppb == 201000);
	assert_int_equal(b.kernel.writes, 0);
}

static void test_steer_is_exact_within_its_limits(void **state)
{
	(void)state;
	struct bench b;
	/* Fixed, so that a failure can be had again. */
	unsigned seed = 20261123;

	bench_init(&b, &KERNEL);
	for (int i = 0; i < 20000; i++) {
		/* All magnitudes, from a ppb to the limit. */
		double magnitude = pow(10, (double)rand_r(&seed) / RAND_MAX * 8 - 3);
		double want = rand_r(&seed) % 2 ? magnitude : -magnitude;
		double got = steer_ppm(&b, want);

		if (fabs(got - want) > 0.51 / 65536 + 1e-9 || fabs(got - kernel_ppm(&b)) > 1e-6)
			fail_msg("wanted %.9f ppm, got %.9f, kernel %.9f", want, got, kernel_ppm(&b));
		assert_in_range(b.kernel.state.tick, 9000, 11000);
		assert_true(labs(b.kernel.state.freq) <= 32768000);
	}
	assert_int_equal(b.kernel.modes_used, ADJ_FREQUENCY | ADJ_TICK);
}

static void test_steer_at_the_edges(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		double want, got;
		long tick;
	} cases[] = {
		{ "nothing",                    0,        0,       10000 },
		{ "frequency alone, just",      500,      500,     10000 },
		{ "frequency alone, negative", -500,     -500,     10000 },
		{ "a little more",              500.5,    500.5,   10005 },
		{ "the fastest",                100000,   100000,  11000 },
		{ "the slowest",               -100000,  -100000,   9000 },
		{ "faster than that",           1e9,      100000,  11000 },
		{ "slower than that",          -1e9,     -100000,   9000 },
		{ "without limit",              INFINITY, 100000,  11000 },
		{ "without limit, negative",   -INFINITY, -100000,  9000 },
		{ "not a number",               NAN,      0,       10000 },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bench b;

		bench_init(&b, &KERNEL);
		assert_true(fabs(clock_linux_quantize(&b.clock, VT_PPM(cases[i].want)).ppb / 1e3 -
		                 cases[i].got) < 1e-6);
		assert_int_equal(b.kernel.writes, 0);
		double got = steer_ppm(&b, cases[i].want);

		if (fabs(got - cases[i].got) > 1e-6 || b.kernel.state.tick != cases[i].tick)
			fail_msg("%s: %f ppm, tick %ld", cases[i].what, got, b.kernel.state.tick);
	}
}

static void test_tick_does_not_flap(void **state)
{
	(void)state;
	struct bench b;
	unsigned changes = 0;
	long tick = 10000;
	unsigned seed = 7;

	/* A rate that hovers by 40 ppm around a limit of the frequency. */
	bench_init(&b, &KERNEL);
	for (int i = 0; i < 1000; i++) {
		steer_ppm(&b, 500 + (double)(rand_r(&seed) % 80) - 40);
		changes += b.kernel.state.tick != tick;
		tick = b.kernel.state.tick;
	}
	assert_in_range(changes, 0, 1);

	/* And around what would be the border between two ticks. */
	steer_ppm(&b, 2050);
	tick = b.kernel.state.tick;
	for (int i = 0; i < 1000; i++) {
		steer_ppm(&b, 2050 + (double)(rand_r(&seed) % 400) - 200);
		assert_int_equal(b.kernel.state.tick, tick);
	}

	/* When the slew is over, so is the odd tick. */
	steer_ppm(&b, 20);
	assert_int_equal(b.kernel.state.tick, 10000);
}

static void test_steer_reports_what_the_kernel_took(void **state)
{
	(void)state;
	struct bench b;
	vt_rate got = { -7 };

	bench_init(&b, &KERNEL);
	b.kernel.error = EPERM;
	assert_int_equal(b.clock.port.ops->steer(&b.clock.port, VT_PPM(1), &got), -EPERM);
	assert_true(got.ppb == -7);
	assert_int_equal(b.kernel.state.freq, 0);
}

static void test_step_is_added_to_the_clock(void **state)
{
	(void)state;
	static const int64_t steps[] = { 0, 1, -1, 999999999, -999999999, 1000000000, -1000000000,
		                         -1500000000, 1500000000, INT64_C(3600123456789),
		                         INT64_C(-3600123456789), INT64_C(1790000000123456789),
		                         INT64_C(-1790000000123456789) };

	for (size_t i = 0; i < COUNT(steps); i++) {
		struct bench b;

		bench_init(&b, &KERNEL);
		assert_int_equal(b.clock.port.ops->step(&b.clock.port, VT_NS(steps[i])), 0);
		assert_int_equal(b.kernel.stepped_ns, steps[i]);
		assert_int_equal(b.kernel.modes_used, ADJ_SETOFFSET | ADJ_NANO);
		b.kernel.error = EPERM;
		assert_int_equal(b.clock.port.ops->step(&b.clock.port, VT_NS(5)), -EPERM);
	}
}

static void test_publish(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		bool is_synchronized;
		int64_t max_ns, est_ns;
		int status_before, leap_state;
		int status;
		long max_us, est_us;
	} cases[] = {
		{ "in sync",            true,  1500,  1,    STA_UNSYNC, TIME_ERROR, 0,                    2, 1 },
		{ "out of sync",        false, 1000,  1000, 0,          TIME_OK,    STA_UNSYNC,           1, 1 },
		{ "nothing is exact",   true,  0,     0,    0,          TIME_OK,    0,                    0, 0 },
		{ "outwards",           true,  1001,  999,  0,          TIME_OK,    0,                    2, 1 },
		{ "a leap second kept", true,  1000,  1000, STA_INS | STA_UNSYNC, TIME_INS, STA_INS,      1, 1 },
		{ "one less, kept",     false, 1000,  1000, STA_DEL,    TIME_DEL,   STA_DEL | STA_UNSYNC, 1, 1 },
		{ "while it happens",   true,  1000,  1000, STA_INS,    TIME_OOP,   STA_INS,              1, 1 },
		{ "and over",           true,  1000,  1000, STA_INS,    TIME_WAIT,  0,                    1, 1 },
		{ "a foreign loop",     true,  1000,  1000, STA_PLL | STA_FREQHOLD | STA_NANO, TIME_OK, 0, 1, 1 },
		{ "without limit",      false, INT64_MAX, INT64_MAX, 0, TIME_OK, STA_UNSYNC,
		  16000000, 16000000 },
		{ "negative is wrong",  true,  -1500, INT64_MIN, 0,     TIME_OK, 0,
		  2, 16000000 },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct clock_quality quality = { cases[i].is_synchronized, VT_NS(cases[i].max_ns),
			                         VT_NS(cases[i].est_ns) };
		struct bench b;

		bench_init(&b, &KERNEL);
		b.kernel.state.status = cases[i].status_before;
		b.kernel.leap_state = cases[i].leap_state;
		assert_int_equal(b.clock.port.ops->publish(&b.clock.port, &quality), 0);
		if (b.kernel.state.status != cases[i].status ||
		    b.kernel.state.maxerror != cases[i].max_us ||
		    b.kernel.state.esterror != cases[i].est_us)
			fail_msg("%s: status 0x%x, %ld, %ld", cases[i].what,
			         (unsigned)b.kernel.state.status, b.kernel.state.maxerror,
			         b.kernel.state.esterror);
		assert_int_equal(b.kernel.modes_used, ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR);
		b.kernel.error = EPERM;
		assert_int_equal(b.clock.port.ops->publish(&b.clock.port, &quality), -EPERM);
	}
}

static void test_take_over_drops_what_another_left(void **state)
{
	(void)state;
	struct kernel kernel = KERNEL;
	struct bench b;

	/* Nothing there: nothing is set. */
	bench_init(&b, &kernel);
	assert_int_equal(clock_linux_take_over(&b.clock), 0);
	assert_int_equal(b.kernel.writes, 0);

	/* A phase loop with some of its way still to go. */
	kernel.state.status = STA_PLL | STA_INS;
	kernel.state.offset = 250000;
	kernel.state.freq = 4711;
	bench_init(&b, &kernel);
	assert_int_equal(clock_linux_take_over(&b.clock), 0);
	assert_int_equal(b.kernel.state.status, STA_UNSYNC | STA_INS);
	assert_int_equal(b.kernel.state.offset, 0);
	assert_int_equal(b.kernel.state.freq, 4711);
	assert_int_equal(b.kernel.stepped_ns, 0);
	assert_false(b.clock.has_foreign_offset);

	/* An old slew by adjtime(3). */
	kernel = KERNEL;
	kernel.slew_left_us = -400000;
	bench_init(&b, &kernel);
	assert_int_equal(clock_linux_take_over(&b.clock), 0);
	assert_int_equal(b.kernel.slew_left_us, 0);
	assert_int_equal(b.kernel.stepped_ns, 0);

	bench_init(&b, &kernel);
	b.kernel.error = EPERM;
	assert_int_equal(clock_linux_take_over(&b.clock), -EPERM);
	assert_int_equal(b.kernel.slew_left_us, -400000);
}

static void test_restore_ends_a_slew_and_keeps_the_frequency(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, &KERNEL);
	steer_ppm(&b, 80000);
	assert_int_equal(clock_linux_restore(&b.clock, VT_PPM(-12.5)), 0);
	assert_int_equal(b.kernel.state.tick, 10000);
	assert_true(kernel_ppm(&b) == -12.5);
	assert_int_equal(clock_linux_restore(&b.clock, VT_PPM(9999)), 0);
	assert_true(kernel_ppm(&b) == 500);
	assert_int_equal(clock_linux_restore(&b.clock, VT_PPM(NAN)), 0);
	assert_true(kernel_ppm(&b) == 0);
	b.kernel.error = EPERM;
	assert_int_equal(clock_linux_restore(&b.clock, VT_PPM(0)), -EPERM);
}

static void test_read_keeps_the_narrowest_pair(void **state)
{
	(void)state;
	struct clock_pair pair;
	struct bench b;

	bench_init(&b, &KERNEL);
	for (size_t i = 0; i < COUNT(b.kernel.costs); i++)
		b.kernel.costs[i] = 5000;
	/* The third of the tries is not interrupted. */
	b.kernel.costs[7] = 20;
	b.kernel.costs[8] = 25;
	assert_int_equal(b.clock.port.ops->read(&b.clock.port, &pair), 0);
	assert_int_equal(pair.radius.ns, 24); /* half of 45, upwards, and the last digit */
	assert_true(llabs(pair.local.ns - INT64_C(1790000000000000000) - pair.raw.ns) <=
	            pair.radius.ns);
}

static void test_read_refuses(void **state)
{
	(void)state;
	struct clock_pair pair = { { -7 }, { -7 }, { -7 } };
	struct bench b;

	bench_init(&b, &KERNEL);
	b.kernel.gettime_error = EINVAL;
	assert_int_equal(b.clock.port.ops->read(&b.clock.port, &pair), -EINVAL);
	b.kernel.gettime_error = 0;
	b.kernel.bad_nsec = 1000000000;
	assert_int_equal(b.clock.port.ops->read(&b.clock.port, &pair), -EPROTO);
	b.kernel.bad_nsec = -1;
	assert_int_equal(b.clock.port.ops->read(&b.clock.port, &pair), -EPROTO);
	b.kernel.bad_nsec = 0;
	for (size_t i = 0; i < COUNT(b.kernel.costs); i++)
		b.kernel.costs[i] = -1;
	assert_int_equal(b.clock.port.ops->read(&b.clock.port, &pair), -EAGAIN);
	assert_int_equal(pair.raw.ns, -7);
	assert_int_equal(pair.local.ns, -7);
	assert_int_equal(pair.radius.ns, -7);

	/* One try that goes backwards is no reason to give up. */
	for (size_t i = 0; i < COUNT(b.kernel.costs); i++)
		b.kernel.costs[i] = 30;
	b.kernel.costs[(b.kernel.gettimes + 1) % COUNT(b.kernel.costs)] = -500;
	assert_int_equal(b.clock.port.ops->read(&b.clock.port, &pair), 0);
	assert_int_equal(pair.radius.ns, 31);
}

static void test_leap_second_to_come(void **state)
{
	(void)state;
	static const struct {
		int leap_state, status, want; /* -7: not told */
	} cases[] = {
		{ TIME_OK, 0, 0 },
		{ TIME_INS, STA_INS, 1 },
		{ TIME_DEL, STA_DEL, -1 },
		/* It is being done, it is over, or the kernel hides it while it is unsynchronised. */
		{ TIME_OOP, STA_INS, -7 },
		{ TIME_WAIT, STA_INS, -7 },
		{ TIME_ERROR, STA_UNSYNC | STA_INS, -7 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct kernel kernel = KERNEL;
		struct bench b;
		int leap = -7;

		kernel.leap_state = cases[i].leap_state;
		kernel.state.status = cases[i].status;
		bench_init(&b, &kernel);
		assert_int_equal(clock_linux_leap(&b.clock, &leap), cases[i].want == -7 ? -EAGAIN : 0);
		assert_int_equal(leap, cases[i].want);
		assert_int_equal(b.kernel.writes, 0);
	}
}

static void test_to_ns(void **state)
{
	(void)state;
	int64_t ns = -7;

	assert_true(clock_to_ns(&(struct timespec){ 1, 5 }, &ns));
	assert_int_equal(ns, 1000000005);
	assert_true(clock_to_ns(&(struct timespec){ -1, 5 }, &ns));
	assert_int_equal(ns, -999999995);
	ns = -7;
	assert_false(clock_to_ns(&(struct timespec){ 1, 1000000000 }, &ns));
	assert_false(clock_to_ns(&(struct timespec){ 1, -1 }, &ns));
	assert_false(clock_to_ns(&(struct timespec){ INT64_MAX / 1000000000 + 1, 0 }, &ns));
	assert_false(clock_to_ns(&(struct timespec){ INT64_MIN / 1000000000 - 1, 0 }, &ns));
	assert_int_equal(ns, -7);
}

/* The real kernel, looked at: pairs that do not go back, and a bound that holds between them. */
static void test_this_machine_read_only(void **state)
{
	(void)state;
	struct clock_linux clock;
	struct clock_pair first, next;

	assert_int_equal(clock_linux_init(&clock, NULL), 0);
	assert_true(fabs(clock.rate_at_start.ppb) <= 1.01e8);
	assert_int_equal(clock.port.ops->read(&clock.port, &first), 0);
	assert_true(first.radius.ns > 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(clock.port.ops->read(&clock.port, &next), 0);
		assert_true(vt_mono_since(next.raw, first.raw).ns > 0);
	}
}

static void test_leap_as_the_kernel_tells(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		int leap_state, status;
		int want, seconds;
	} cases[] = {
		{ "none",                   TIME_OK,    0,                    0,       0 },
		{ "to be inserted",         TIME_INS,   STA_INS,              0,       1 },
		{ "to be left out",         TIME_DEL,   STA_DEL,              0,       -1 },
		{ "going on",               TIME_OOP,   STA_INS,              -EAGAIN, 7 },
		{ "over, and not cleared",  TIME_WAIT,  STA_INS,              -EAGAIN, 7 },
		{ "not told while unsynchronised", TIME_ERROR, STA_INS | STA_UNSYNC, -EAGAIN, 7 },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bench b;
		int seconds = 7;

		bench_init(&b, &KERNEL);
		b.kernel.state.status = cases[i].status;
		b.kernel.leap_state = cases[i].leap_state;
		if (clock_linux_leap(&b.clock, &seconds) != cases[i].want ||
		    seconds != cases[i].seconds)
			fail_msg("%s: %d", cases[i].what, seconds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leap_as_the_kernel_tells),
		cmocka_unit_test(test_init_tells_how_the_clock_runs),
		cmocka_unit_test(test_steer_is_exact_within_its_limits),
		cmocka_unit_test(test_steer_at_the_edges),
		cmocka_unit_test(test_tick_does_not_flap),
		cmocka_unit_test(test_steer_reports_what_the_kernel_took),
		cmocka_unit_test(test_step_is_added_to_the_clock),
		cmocka_unit_test(test_publish),
		cmocka_unit_test(test_take_over_drops_what_another_left),
		cmocka_unit_test(test_restore_ends_a_slew_and_keeps_the_frequency),
		cmocka_unit_test(test_read_keeps_the_narrowest_pair),
		cmocka_unit_test(test_read_refuses),
		cmocka_unit_test(test_leap_second_to_come),
		cmocka_unit_test(test_to_ns),
		cmocka_unit_test(test_this_machine_read_only),
	};

	return cmocka_run_group_tests_name("clock_linux", tests, NULL, NULL);
}
