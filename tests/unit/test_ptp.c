/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that is played: its clock, the system's clocks and what each call costs are numbers
 * here, so that every bracket can be held against the truth.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/ptp.h"
#include "os/ptp_abi.h"

#define FD        7
#define ALWAYS    UINT_MAX
#define UNTOUCHED 0x5a

/* How a method fails: @error, for the next @times calls. */
struct failing {
	int error;
	unsigned times;
};

struct device {
	int64_t raw_ns;      /* CLOCK_MONOTONIC_RAW, which every call moves on */
	int64_t real_ns;     /* CLOCK_REALTIME at raw 0                        */
	double real_rate;    /* and its rate against RAW                       */
	int64_t remote_ns;   /* the device's clock - RAW                       */
	int64_t cost_ns;     /* of one reading of the device by clock_gettime  */
	int64_t extended_ns; /* and inside of EXTENDED                         */
	bool knows_clock_id; /* EXTENDED on CLOCK_MONOTONIC_RAW                */
	bool ignores_clock_id;
	struct failing precise, extended, basic;
	unsigned calls, precise_calls, extended_calls, basic_calls;

	bool is_bad; /* none of the device's times is a time */

	/* Odd values, once the call of that number is reached; 0: never. */
	unsigned remote_back_at;  /* the device's clock is set back by a second */
	unsigned real_step_at;    /* the system's is set forward by a second    */
	unsigned bad_nsec_at;
	int64_t precise_raw_off;  /* PRECISE's raw is wrong by this             */
	int extended_samples_off; /* and EXTENDED's count                       */
	const char *clocksource_path; /* is rewritten by the next device call   */
};

static const struct device DEVICE = {
	.raw_ns = INT64_C(5000000000000),
	.real_ns = INT64_C(1790000000000000000),
	.remote_ns = INT64_C(1790000000123456789),
	.cost_ns = 1000,
	.extended_ns = 200,
	.knows_clock_id = true,
};

static int fail_once(struct failing *f)
{
	if (!f->error || !f->times)
		return 0;
	if (f->times != ALWAYS)
		f->times--;
	return -f->error;
}

static int64_t real_of(const struct device *d, int64_t raw_ns)
{
	/* Relative to DEVICE's start, so that the double stays small. */
	double slewed = (double)(raw_ns - DEVICE.raw_ns) * d->real_rate;

	return d->real_ns + raw_ns + (int64_t)slewed;
}

static void count_call(struct device *d)
{
	d->calls++;
	if (d->calls == d->remote_back_at)
		d->remote_ns -= 1000000000;
	if (d->calls == d->real_step_at)
		d->real_ns += 1000000000;
}

static void touch_device(struct device *d)
{
	if (!d->clocksource_path)
		return;

	FILE *f = fopen(d->clocksource_path, "w");

	assert_non_null(f);
	fputs("tsc\n", f);
	fclose(f);
	d->clocksource_path = NULL;
}

static int fake_gettime(void *context, clockid_t id, struct timespec *ret)
{
	struct device *d = context;
	int64_t ns;
	int r;

	count_call(d);
	if (id == CLOCK_MONOTONIC_RAW) {
		d->raw_ns += 30;
		ns = d->raw_ns;
	} else if (id == CLOCK_REALTIME) {
		d->raw_ns += 30;
		ns = real_of(d, d->raw_ns);
	} else {
		assert_int_equal(id, PTP_ABI_CLOCK_ID(FD));
		d->basic_calls++;
		touch_device(d);
		r = fail_once(&d->basic);
		if (r < 0)
			return r;
		d->raw_ns += d->cost_ns / 2;
		ns = d->raw_ns + d->remote_ns;
		d->raw_ns += d->cost_ns / 2;
	}
	ret->tv_sec = ns / 1000000000;
	ret->tv_nsec = ns % 1000000000;
	if (d->calls == d->bad_nsec_at || (d->is_bad && id == PTP_ABI_CLOCK_ID(FD)))
		ret->tv_nsec = 1000000000;
	return 0;
}

static void set_time(struct device *d, struct ptp_abi_time *t, int64_t ns)
{
	t->sec = ns / 1000000000;
	t->nsec = (uint32_t)(ns % 1000000000);
	if (d->calls == d->bad_nsec_at)
		t->nsec = 1000000000;
}

static void set_remote(struct device *d, struct ptp_abi_time *t)
{
	set_time(d, t, d->raw_ns + d->remote_ns);
	if (d->is_bad)
		t->nsec = UINT32_MAX;
}

static int fake_precise(struct device *d, struct ptp_abi_precise *p)
{
	d->precise_calls++;
	int r = fail_once(&d->precise);

	if (r < 0)
		return r;
	d->raw_ns += 1500;
	set_remote(d, &p->remote);
	set_time(d, &p->raw, d->raw_ns + d->precise_raw_off);
	set_time(d, &p->realtime, real_of(d, d->raw_ns));
	return 0;
}

static int fake_extended(struct device *d, struct ptp_abi_extended *e)
{
	d->extended_calls++;
	int r = fail_once(&d->extended);

	if (r < 0)
		return r;
	assert_true(e->n_samples >= 1 && e->n_samples <= PTP_ABI_SAMPLES);
	if (e->clock_id != CLOCK_REALTIME && !d->knows_clock_id && !d->ignores_clock_id)
		return -EINVAL;

	bool is_raw = e->clock_id == CLOCK_MONOTONIC_RAW && d->knows_clock_id;

	for (unsigned i = 0; i < e->n_samples; i++) {
		count_call(d);
		set_time(d, &e->samples[i].before, is_raw ? d->raw_ns : real_of(d, d->raw_ns));
		d->raw_ns += d->extended_ns / 2;
		set_remote(d, &e->samples[i].remote);
		d->raw_ns += d->extended_ns / 2;
		set_time(d, &e->samples[i].after, is_raw ? d->raw_ns : real_of(d, d->raw_ns));
	}
	e->n_samples = (uint32_t)((int)e->n_samples + d->extended_samples_off);
	return 0;
}

static int fake_ioctl(void *context, int fd, unsigned long request, void *argument)
{
	struct device *d = context;

	assert_int_equal(fd, FD);
	count_call(d);
	touch_device(d);
	if (request == PTP_ABI_PRECISE)
		return fake_precise(d, argument);
	if (request == PTP_ABI_EXTENDED)
		return fake_extended(d, argument);
	fail_msg("unexpected ioctl %lx", request);
	return -ENOTTY;
}

/* Everything that a test has: the device, the calls that lead to it, the source. */
struct bench {
	struct device device;
	struct os_calls calls;
	struct ptp ptp;
	struct burst burst;
};

static void bench_init(struct bench *b, struct clocksource *clocksource, bool nocrossts)
{
	b->device = DEVICE;
	b->calls = (struct os_calls){ &b->device, fake_gettime, fake_ioctl, NULL };
	ptp_init(&b->ptp, FD, &b->calls, clocksource, nocrossts);
}

/* Whatever was read must be true, and whatever was refused must leave no trace. */
static void check_truth(const struct bench *b)
{
	const struct device *d = &b->device;
	const struct clock_pair *pair = &b->burst.pair;
	int64_t shown = real_of(d, pair->raw.ns);

	assert_in_range(b->burst.n, 1, BURST_MAX);
	for (unsigned i = 0; i < b->burst.n; i++) {
		const struct bracket *k = &b->burst.brackets[i];
		int64_t when = k->remote.ns - d->remote_ns;

		assert_true(k->before.ns <= when && when <= k->after.ns);
	}
	assert_true(llabs(pair->local.ns - shown) <= pair->radius.ns);
}

static enum source_outcome bench_read(struct bench *b, unsigned wanted)
{
	memset(&b->burst, UNTOUCHED, sizeof b->burst);

	enum source_outcome outcome = b->ptp.port.ops->read(&b->ptp.port, wanted, &b->burst);

	if (outcome == SOURCE_READ) {
		check_truth(b);
	} else {
		for (size_t i = 0; i < sizeof b->burst; i++)
			assert_int_equal(((unsigned char *)&b->burst)[i], UNTOUCHED);
		assert_true(b->ptp.port.error > 0);
	}
	return outcome;
}

static void test_best_method_that_works(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		bool nocrossts;
		int precise, extended, basic;
		bool knows_clock_id;
		enum method want;
	} cases[] = {
		{ "all work",                false, 0,          0,          0,          true,  METHOD_PRECISE  },
		{ "nocrossts",               true,  0,          0,          0,          true,  METHOD_EXTENDED },
		{ "ptp_kvm on kvm-clock",    false, 0,          EOPNOTSUPP, 0,          true,  METHOD_PRECISE  },
		{ "ptp_kvm on tsc",          false, ENODEV,     EOPNOTSUPP, 0,          true,  METHOD_BASIC    },
		{ "an old kernel",           false, ENOTTY,     ENOTTY,     0,          false, METHOD_BASIC    },
		{ "a NIC, new kernel",       false, EOPNOTSUPP, 0,          0,          true,  METHOD_EXTENDED },
		{ "no clock id by fd",       false, EOPNOTSUPP, 0,          EINVAL,     true,  METHOD_EXTENDED },
		{ "nor by EXTENDED",         false, EOPNOTSUPP, 0,          EINVAL,     false, METHOD_EXTENDED },
		{ "odd errno above",         false, EIO,        EFAULT,     0,          true,  METHOD_BASIC    },
		{ "only precise",            false, 0,          ENODEV,     ENODEV,     true,  METHOD_PRECISE  },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bench b;

		bench_init(&b, NULL, cases[i].nocrossts);
		b.device.precise = (struct failing){ cases[i].precise, ALWAYS };
		b.device.extended = (struct failing){ cases[i].extended, ALWAYS };
		b.device.basic = (struct failing){ cases[i].basic, ALWAYS };
		b.device.knows_clock_id = cases[i].knows_clock_id;
		for (int again = 0; again < 3; again++) {
			if (bench_read(&b, 5) != SOURCE_READ)
				fail_msg("%s: not read, errno %d", cases[i].what, b.ptp.port.error);
			if (b.burst.method != cases[i].want)
				fail_msg("%s: by %s", cases[i].what, ptp_method_name(b.burst.method));
		}
		if (cases[i].nocrossts)
			assert_int_equal(b.device.precise_calls, 0);
		assert_int_equal(b.burst.n, cases[i].want == METHOD_PRECISE ? 1 : 5);
		assert_int_equal(b.burst.epoch, 0);
	}
}

static void test_precise_is_exact(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, false);
	assert_int_equal(bench_read(&b, 25), SOURCE_READ);
	assert_int_equal(b.burst.n, 1);
	assert_int_equal(b.burst.brackets[0].before.ns, b.burst.brackets[0].after.ns);
	assert_int_equal(b.burst.pair.raw.ns, b.burst.brackets[0].before.ns);
	assert_int_equal(b.burst.pair.radius.ns, 0);
	assert_int_equal(b.burst.pair.local.ns, real_of(&b.device, b.burst.pair.raw.ns));
}

static void test_outcome_of_an_errno_that_all_methods_give(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		int error;
		enum source_outcome want;
	} cases[] = {
		{ EBUSY,      SOURCE_BUSY    }, { EAGAIN,     SOURCE_BUSY    }, { EINTR,  SOURCE_BUSY    },
		{ ENODEV,     SOURCE_MISSING }, { ENXIO,      SOURCE_MISSING }, { ENOENT, SOURCE_MISSING },
		{ EOPNOTSUPP, SOURCE_REFUSED },
		{ EACCES,     SOURCE_DENIED  }, { EPERM,      SOURCE_DENIED  },
		{ EINVAL,     SOURCE_BROKEN  }, { EIO,        SOURCE_BROKEN  }, { ENOTTY, SOURCE_BROKEN  },
		{ EFAULT,     SOURCE_BROKEN  }, { EBADF,      SOURCE_BROKEN  }, { ETIMEDOUT, SOURCE_BROKEN },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct failing f = { cases[i].error, ALWAYS };
		struct bench b;

		bench_init(&b, NULL, false);
		b.device.precise = b.device.extended = b.device.basic = f;
		for (int again = 0; again < 3; again++) {
			enum source_outcome got = bench_read(&b, 5);

			if (got != cases[i].want)
				fail_msg("%s: got %d", strerror(cases[i].error), got);
			assert_int_equal(b.ptp.port.error, cases[i].error);
		}
		assert_true(b.device.calls < 300); /* bounded: it never blocks */
		b.device.precise.times = 0;
		assert_int_equal(bench_read(&b, 5), SOURCE_READ); /* and it recovers */
		assert_int_equal(b.burst.method, METHOD_PRECISE);
	}
}

static void test_precise_enodev_is_no_missing_device(void **state)
{
	(void)state;
	struct bench b;

	/* What a migration to a host without a TSC clocksource gives on clocksource=tsc. */
	bench_init(&b, NULL, false);
	b.device.precise = (struct failing){ ENODEV, ALWAYS };
	b.device.extended = b.device.basic = (struct failing){ EOPNOTSUPP, ALWAYS };
	assert_int_equal(bench_read(&b, 5), SOURCE_REFUSED);
	assert_int_equal(b.ptp.port.error, EOPNOTSUPP);
}

static void test_every_method_may_fail_while_in_use(void **state)
{
	(void)state;
	static const int errors[] = { ENODEV, EOPNOTSUPP, EIO, EINVAL, EPERM };

	for (size_t i = 0; i < COUNT(errors); i++) {
		const struct failing f = { errors[i], ALWAYS };
		struct bench b;

		bench_init(&b, NULL, false);
		assert_int_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.burst.method, METHOD_PRECISE);
		b.device.precise = f;
		assert_int_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.burst.method, METHOD_EXTENDED);
		b.device.extended = f;
		assert_int_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.burst.method, METHOD_BASIC);
		b.device.basic = f;
		assert_int_not_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.ptp.port.error, errors[i]);
		b.device.extended.times = 0;
		assert_int_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.burst.method, METHOD_EXTENDED);
	}
}

static void test_busy_is_retried_three_times(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, false);
	b.device.precise = (struct failing){ EBUSY, 3 };
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_PRECISE);
	assert_int_equal(b.device.precise_calls, 4);

	/* A method that is known to work is waited for. */
	b.device.precise = (struct failing){ EBUSY, 4 };
	assert_int_equal(bench_read(&b, 1), SOURCE_BUSY);
	assert_int_equal(b.ptp.port.error, EBUSY);
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_PRECISE);
}

static void test_busy_at_first_does_not_demote_for_good(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, false);
	b.device.precise = (struct failing){ EBUSY, 4 };
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_PRECISE);
}

static void test_busy_for_ever_gives_way_to_a_lower_method(void **state)
{
	(void)state;
	struct bench b;
	unsigned busy = 0;

	bench_init(&b, NULL, false);
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	b.device.precise = (struct failing){ EBUSY, ALWAYS };
	while (bench_read(&b, 1) == SOURCE_BUSY)
		assert_true(++busy < 20);
	assert_true(busy >= 3);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);
}

static void test_a_better_method_that_comes_back_is_found(void **state)
{
	(void)state;
	struct bench b;
	unsigned readings = 0;

	bench_init(&b, NULL, false);
	b.device.precise = (struct failing){ ENODEV, ALWAYS };
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	b.device.precise.times = 0;
	do {
		assert_int_equal(bench_read(&b, 1), SOURCE_READ);
		assert_true(++readings < 2000);
	} while (b.burst.method != METHOD_PRECISE);
	assert_true(readings > 100); /* but it does not cost every reading */
}

static void test_interrupted_calls_are_repeated(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, false);
	b.device.precise = (struct failing){ EINTR, 5 };
	assert_int_equal(bench_read(&b, 1), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_PRECISE);

	bench_init(&b, NULL, true);
	b.device.extended = (struct failing){ EOPNOTSUPP, ALWAYS };
	b.device.basic = (struct failing){ EINTR, 2 };
	assert_int_equal(bench_read(&b, 4), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_BASIC);
	assert_int_equal(b.burst.n, 4);
}

static void test_extended_on_realtime_is_translated(void **state)
{
	(void)state;
	static const double rates[] = { 0, 1e-6, -500e-6, 0.1, -0.1 };

	for (size_t i = 0; i < COUNT(rates); i++) {
		struct bench b;

		bench_init(&b, NULL, true);
		b.device.knows_clock_id = false;
		b.device.real_rate = rates[i];
		assert_int_equal(bench_read(&b, 25), SOURCE_READ); /* check_truth does the rest */
		assert_int_equal(b.burst.method, METHOD_EXTENDED);
		for (unsigned k = 0; k < b.burst.n; k++) {
			struct bracket *x = &b.burst.brackets[k];

			/* Wider than the kernel's own bracket by the pairs, and not by more. */
			assert_true(x->after.ns - x->before.ns > b.device.extended_ns);
			assert_true(x->after.ns - x->before.ns < b.device.extended_ns + 200);
		}
	}
}

static void test_kernel_that_ignores_the_clock_id_is_caught(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, true);
	b.device.knows_clock_id = false;
	b.device.ignores_clock_id = true;
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);
}

static void test_basic_where_it_is_narrower(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, true);
	b.device.extended_ns = 5000;
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_BASIC);
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_BASIC);
	assert_int_equal(b.device.extended_calls, 1); /* found out once, not each time */
}

static void test_number_of_brackets(void **state)
{
	(void)state;
	static const unsigned wanted[] = { 0, 1, 7, 25, 26, 1000, UINT_MAX };
	static const unsigned got[] = { 1, 1, 7, 25, 25, 25, 25 };

	for (size_t i = 0; i < COUNT(wanted); i++) {
		struct bench b;

		for (int with_extended = 0; with_extended < 2; with_extended++) {
			bench_init(&b, NULL, true);
			if (!with_extended)
				b.device.extended = (struct failing){ EOPNOTSUPP, ALWAYS };
			assert_int_equal(bench_read(&b, wanted[i]), SOURCE_READ);
			assert_int_equal(b.burst.n, got[i]);
		}
	}
}

/* Runs one reading by @method with an odd value at each of its calls in turn. */
static void disturb(enum method method, bool knows_clock_id, size_t field, enum source_outcome want)
{
	unsigned outcomes[SOURCE_BROKEN + 1] = { 0 };

	for (unsigned at = 1; at < 40; at++) {
		struct bench b;
		bool is_precise = method == METHOD_PRECISE;

		bench_init(&b, NULL, !is_precise);
		b.device.knows_clock_id = knows_clock_id;
		if (method == METHOD_BASIC)
			b.device.extended = (struct failing){ EOPNOTSUPP, ALWAYS };
		if (method == METHOD_EXTENDED || is_precise)
			b.device.basic = (struct failing){ EINVAL, ALWAYS };
		assert_int_equal(bench_read(&b, 4), SOURCE_READ);
		assert_int_equal(b.burst.method, method);
		b.device.precise = (struct failing){ is_precise ? 0 : ENODEV, ALWAYS };
		unsigned number = b.device.calls + at;
		memcpy((char *)&b.device + field, &number, sizeof number);

		enum source_outcome got;

		memset(&b.burst, UNTOUCHED, sizeof b.burst);
		got = b.ptp.port.ops->read(&b.ptp.port, 4, &b.burst);
		outcomes[got]++;
		if (got != SOURCE_READ)
			assert_int_equal(((unsigned char *)&b.burst)[0], UNTOUCHED);
		else
			for (unsigned i = 1; i < b.burst.n; i++)
				assert_true(b.burst.brackets[i].remote.ns >=
				            b.burst.brackets[i - 1].remote.ns);
	}
	/* It must have hit, and when it hits it is either refused as said or worked around. */
	assert_true(outcomes[want] >= 1);
	for (unsigned i = 0; i <= SOURCE_BROKEN; i++)
		if (i != SOURCE_READ && i != want)
			assert_int_equal(outcomes[i], 0);
}

static void test_remote_clock_set_back_within_a_burst(void **state)
{
	(void)state;
	disturb(METHOD_BASIC, true, offsetof(struct device, remote_back_at), SOURCE_BUSY);
	disturb(METHOD_EXTENDED, true, offsetof(struct device, remote_back_at), SOURCE_BUSY);
	disturb(METHOD_EXTENDED, false, offsetof(struct device, remote_back_at), SOURCE_BUSY);
}

static void test_system_clock_stepped_within_a_call(void **state)
{
	(void)state;
	disturb(METHOD_EXTENDED, false, offsetof(struct device, real_step_at), SOURCE_BUSY);
}

static void test_times_that_are_none(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, false);
	b.device.is_bad = true;
	assert_int_equal(bench_read(&b, 5), SOURCE_BROKEN);
	assert_int_equal(b.ptp.port.error, EPROTO);

	/* Once only: it is worked around, whichever of the calls it hits. */
	for (unsigned at = 1; at < 40; at++) {
		bench_init(&b, NULL, at % 2);
		assert_int_equal(bench_read(&b, 4), SOURCE_READ);
		b.device.bad_nsec_at = b.device.calls + at;
		assert_int_equal(bench_read(&b, 4), SOURCE_READ);
	}
}

static void test_precise_that_makes_no_sense_is_not_used(void **state)
{
	(void)state;
	static const int64_t off[] = { 20000000, -20000000, INT64_C(1790000000000000000) };
	struct bench b;

	for (size_t i = 0; i < COUNT(off); i++) {
		bench_init(&b, NULL, false);
		b.device.precise_raw_off = off[i];
		assert_int_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.burst.method, METHOD_EXTENDED);
	}
	bench_init(&b, NULL, false);
	b.device.bad_nsec_at = 2; /* the ioctl, after one look at RAW */
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);
}

static void test_extended_that_makes_no_sense_is_not_used(void **state)
{
	(void)state;
	static const int off[] = { -5, 1, 1000000 };

	for (size_t i = 0; i < COUNT(off); i++) {
		struct bench b;

		bench_init(&b, NULL, true);
		b.device.extended_samples_off = off[i];
		assert_int_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.burst.method, METHOD_BASIC);
	}
}

/* RAW cannot go back, yet a virtual machine has been seen to do what it cannot. */
static void test_raw_clock_that_goes_backwards(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, true);
	b.device.extended = (struct failing){ EOPNOTSUPP, ALWAYS };
	b.device.cost_ns = -2000;
	assert_int_equal(bench_read(&b, 5), SOURCE_BUSY);
}

static void test_no_device_and_then_one(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, false);
	ptp_attach(&b.ptp, -1);
	assert_int_equal(bench_read(&b, 5), SOURCE_MISSING);
	assert_int_equal(b.ptp.port.error, ENODEV);
	assert_int_equal(b.device.calls, 0);
	ptp_attach(&b.ptp, FD);
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);

	/* The same number may be another clock: what was known of the former is forgotten. */
	b.device.precise = (struct failing){ EOPNOTSUPP, 2 };
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);
	ptp_attach(&b.ptp, FD);
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_PRECISE);
}

/* A tree with nothing but the file that names the clocksource. */
static void clocksource_tree(char root[64], char path[256])
{
	static const char *const dirs[] = { "/sys", "/sys/devices", "/sys/devices/system",
		                            "/sys/devices/system/clocksource",
		                            "/sys/devices/system/clocksource/clocksource0" };

	strcpy(root, "/tmp/vmtime-test-ptp-XXXXXX");
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < COUNT(dirs); i++) {
		snprintf(path, 256, "%s%s", root, dirs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	snprintf(path, 256, "%s%s/current_clocksource", root, dirs[COUNT(dirs) - 1]);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("kvm-clock\n", f);
	fclose(f);
}

static void remove_tree(char *path, const char *root)
{
	unlink(path);
	for (char *slash; strlen(path) > strlen(root) && (slash = strrchr(path, '/'));) {
		*slash = '\0';
		rmdir(path);
	}
}

static void test_clocksource_change_probes_again_in_a_new_epoch(void **state)
{
	(void)state;
	struct clocksource clocksource;
	char root[64], path[256];
	struct bench b;

	clocksource_tree(root, path);
	clocksource_init(&clocksource, root);
	bench_init(&b, &clocksource, false);
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.epoch, 0);

	/* While the device is read: half of the burst is of another counter. */
	b.device.clocksource_path = path;
	assert_int_equal(bench_read(&b, 5), SOURCE_BUSY);
	b.device.precise = (struct failing){ ENODEV, ALWAYS };
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.epoch, 1);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);

	/* Between two readings: the better method is tried once more. */
	b.device.precise.times = 0;
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("kvm-clock\n", f);
	fclose(f);
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.epoch, 2);
	assert_int_equal(b.burst.method, METHOD_PRECISE);

	clocksource_fini(&clocksource);
	remove_tree(path, root);
}

static void test_a_failing_reading_across_a_change_tells_its_own_errno(void **state)
{
	(void)state;
	struct clocksource clocksource;
	char root[64], path[256];
	struct bench b;

	clocksource_tree(root, path);
	clocksource_init(&clocksource, root);
	bench_init(&b, &clocksource, false);
	b.device.precise = b.device.extended = b.device.basic = (struct failing){ ENODEV, ALWAYS };
	b.device.clocksource_path = path;
	assert_int_equal(bench_read(&b, 5), SOURCE_MISSING);
	clocksource_fini(&clocksource);
	remove_tree(path, root);
}

static void test_names_of_the_methods(void **state)
{
	(void)state;
	assert_string_equal(ptp_method_name(METHOD_NONE), "none");
	assert_string_equal(ptp_method_name(METHOD_PRECISE), "precise");
	assert_string_equal(ptp_method_name(METHOD_EXTENDED), "extended");
	assert_string_equal(ptp_method_name(METHOD_BASIC), "basic");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_best_method_that_works),
		cmocka_unit_test(test_precise_is_exact),
		cmocka_unit_test(test_outcome_of_an_errno_that_all_methods_give),
		cmocka_unit_test(test_precise_enodev_is_no_missing_device),
		cmocka_unit_test(test_every_method_may_fail_while_in_use),
		cmocka_unit_test(test_busy_is_retried_three_times),
		cmocka_unit_test(test_busy_at_first_does_not_demote_for_good),
		cmocka_unit_test(test_busy_for_ever_gives_way_to_a_lower_method),
		cmocka_unit_test(test_a_better_method_that_comes_back_is_found),
		cmocka_unit_test(test_interrupted_calls_are_repeated),
		cmocka_unit_test(test_extended_on_realtime_is_translated),
		cmocka_unit_test(test_kernel_that_ignores_the_clock_id_is_caught),
		cmocka_unit_test(test_basic_where_it_is_narrower),
		cmocka_unit_test(test_number_of_brackets),
		cmocka_unit_test(test_remote_clock_set_back_within_a_burst),
		cmocka_unit_test(test_system_clock_stepped_within_a_call),
		cmocka_unit_test(test_times_that_are_none),
		cmocka_unit_test(test_precise_that_makes_no_sense_is_not_used),
		cmocka_unit_test(test_extended_that_makes_no_sense_is_not_used),
		cmocka_unit_test(test_raw_clock_that_goes_backwards),
		cmocka_unit_test(test_no_device_and_then_one),
		cmocka_unit_test(test_clocksource_change_probes_again_in_a_new_epoch),
		cmocka_unit_test(test_a_failing_reading_across_a_change_tells_its_own_errno),
		cmocka_unit_test(test_names_of_the_methods),
	};

	return cmocka_run_group_tests_name("ptp", tests, NULL, NULL);
}
