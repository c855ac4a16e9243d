/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_PLAYED_PTP_H
#define TESTS_UNIT_PLAYED_PTP_H

/*
 * played_ptp.h - a PTP device that is played
 *
 * Its clock, the system's clocks and what each call costs are numbers here, so
 * that every bracket that os/ptp reads can be held against the truth.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	/* Of the system's clocks: lopsided, so that no middle of a bracket is the truth by luck. */
	int64_t raw_cost_ns, real_cost_ns;
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
	.raw_cost_ns = 5,
	.real_cost_ns = 55,
	.cost_ns = 1000,
	.extended_ns = 200,
	.knows_clock_id = true,
};

static inline int fail_once(struct failing *f)
{
	if (!f->error || !f->times)
		return 0;
	if (f->times != ALWAYS)
		f->times--;
	return -f->error;
}

static inline int64_t real_of(const struct device *d, int64_t raw_ns)
{
	/* Relative to DEVICE's start, so that the double stays small. */
	double slewed = (double)(raw_ns - DEVICE.raw_ns) * d->real_rate;

	return d->real_ns + raw_ns + (int64_t)slewed;
}

static inline void count_call(struct device *d)
{
	d->calls++;
	if (d->calls == d->remote_back_at)
		d->remote_ns -= 1000000000;
	if (d->calls == d->real_step_at)
		d->real_ns += 1000000000;
}

static inline void touch_device(struct device *d)
{
	if (!d->clocksource_path)
		return;

	FILE *f = fopen(d->clocksource_path, "w");

	assert_non_null(f);
	fputs("tsc\n", f);
	fclose(f);
	d->clocksource_path = NULL;
}

static inline int fake_gettime(void *context, clockid_t id, struct timespec *ret)
{
	struct device *d = context;
	int64_t ns;
	int r;

	count_call(d);
	if (id == CLOCK_MONOTONIC_RAW) {
		ns = d->raw_ns;
		d->raw_ns += d->raw_cost_ns;
	} else if (id == CLOCK_REALTIME) {
		ns = real_of(d, d->raw_ns);
		d->raw_ns += d->real_cost_ns;
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

static inline void set_time(struct device *d, struct ptp_abi_time *t, int64_t ns)
{
	t->sec = ns / 1000000000;
	t->nsec = (uint32_t)(ns % 1000000000);
	if (d->calls == d->bad_nsec_at)
		t->nsec = 1000000000;
}

static inline void set_remote(struct device *d, struct ptp_abi_time *t)
{
	set_time(d, t, d->raw_ns + d->remote_ns);
	if (d->is_bad)
		t->nsec = UINT32_MAX;
}

static inline int fake_precise(struct device *d, struct ptp_abi_precise *p)
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

static inline int fake_extended(struct device *d, struct ptp_abi_extended *e)
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
		/* At the very beginning of its bracket, or at the very end. */
		int64_t into_ns = i % 2 ? d->extended_ns : 0;

		count_call(d);
		set_time(d, &e->samples[i].before, is_raw ? d->raw_ns : real_of(d, d->raw_ns));
		d->raw_ns += into_ns;
		set_remote(d, &e->samples[i].remote);
		d->raw_ns += d->extended_ns - into_ns;
		set_time(d, &e->samples[i].after, is_raw ? d->raw_ns : real_of(d, d->raw_ns));
	}
	e->n_samples = (uint32_t)((int)e->n_samples + d->extended_samples_off);
	return 0;
}

static inline int fake_ioctl(void *context, int fd, unsigned long request, void *argument)
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

static inline void bench_init(struct bench *b, struct clocksource *clocksource, bool nocrossts)
{
	b->device = DEVICE;
	b->calls = (struct os_calls){ &b->device, fake_gettime, fake_ioctl, NULL };
	ptp_init(&b->ptp, FD, &b->calls, clocksource, nocrossts);
}

/* Whatever was read must be true, and whatever was refused must leave no trace. */
static inline void check_truth(const struct bench *b)
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

static inline enum source_outcome bench_read(struct bench *b, unsigned wanted)
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

#endif
