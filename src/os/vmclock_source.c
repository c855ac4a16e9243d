/* SPDX-License-Identifier: Apache-2.0 */
#include "os/vmclock_source.h"

#include <errno.h>
#include <string.h>

#include "os/clock_read.h"
#include "os/counter.h"

/*
 * One bracket: CLOCK_MONOTONIC_RAW, the counter, CLOCK_MONOTONIC_RAW, widened by the page's error.
 */
static int read_bracket(const struct vmclock_source *s, const struct vmclock_page *page,
                        struct bracket *ret)
{
	struct timespec before, after;
	struct bracket b;
	vt_span radius;
	uint64_t count;
	int r = s->calls->gettime(s->calls->context, CLOCK_MONOTONIC_RAW, &before);

	if (r < 0)
		return r;
	count = s->read_counter();
	r = s->calls->gettime(s->calls->context, CLOCK_MONOTONIC_RAW, &after);
	if (r < 0)
		return r;
	if (!clock_to_ns(&before, &b.before.ns) || !clock_to_ns(&after, &b.after.ns))
		return -EPROTO;
	/*
	 * A count from before the page's own: the two are of different worlds, for a moment or for
	 * good.
	 */
	if (b.after.ns < b.before.ns || !vmclock_time_at(page, count, &b.remote, &radius))
		return -EAGAIN;
	b.before = vt_mono_add(b.before, VT_NS(-radius.ns));
	b.after = vt_mono_add(b.after, radius);
	*ret = b;
	return 0;
}

static int read_burst(struct vmclock_source *s, const struct vmclock_page *page, unsigned wanted,
                      struct burst *ret)
{
	int r = 0;

	while (ret->n < wanted && r == 0) {
		r = read_bracket(s, page, &ret->brackets[ret->n]);
		if (r == 0)
			ret->n++;
	}
	if (r == 0)
		r = clock_read_pair(s->calls, &ret->pair);
	/* What was read while the host wrote is of two worlds. */
	if (r == 0 && !vmclock_device_is_still(s->device, ret->pair.raw, page))
		r = -EAGAIN;
	return r;
}

/* 0, or why there is no clock: -errno. */
static int read_page(struct vmclock_source *s, struct vmclock_page *ret)
{
	vt_mono now;
	int r = clock_read_ns(s->calls, CLOCK_MONOTONIC_RAW, &now.ns);

	if (r == 0)
		r = vmclock_device_fetch(s->device, now, ret);
	if (r < 0)
		return r;
	s->fitness = vmclock_as_clock(ret, s->counter);
	s->has_tai_offset = ret->has_tai_offset;
	s->utc_minus_tai = ret->utc_minus_tai;
	switch (s->fitness) {
	case VMCLOCK_CLOCK:
		s->is_counter_trusted = counter_is_trusted(s->root, s->clocksource->name);
		return s->is_counter_trusted ? 0 : -EOPNOTSUPP;
	case VMCLOCK_WITHOUT_TIME:
		return -ENODEV;
	case VMCLOCK_LEAPING:
		return -EAGAIN;
	case VMCLOCK_OTHER_COUNTER:
	case VMCLOCK_NOT_UTC:
	case VMCLOCK_NOT_TRUSTED:
	case VMCLOCK_WITHOUT_ERROR:
	case VMCLOCK_IMPOSSIBLE:
		return -EOPNOTSUPP;
	}
	return -EOPNOTSUPP;
}

static enum source_outcome outcome_of(int r)
{
	switch (-r) {
	case EAGAIN:
	case EINTR:
	case ETIMEDOUT:
		return SOURCE_BUSY;
	case ENODEV:
		return SOURCE_MISSING;
	case EOPNOTSUPP:
		return SOURCE_REFUSED;
	default:
		return SOURCE_BROKEN;
	}
}

static enum source_outcome vmclock_read(struct source_port *port, unsigned wanted,
                                        struct burst *ret)
{
	struct vmclock_source *s = (struct vmclock_source *)(void *)port;
	struct burst b = { .method = METHOD_VMCLOCK };
	struct vmclock_page page;
	int r;

	if (wanted < 1)
		wanted = 1;
	if (wanted > BURST_MAX)
		wanted = BURST_MAX;
	(void)clocksource_check(s->clocksource);
	b.epoch = s->clocksource->epoch;
	r = read_page(s, &page);
	if (r == 0)
		r = read_burst(s, &page, wanted, &b);
	if (r < 0) {
		port->error = -r;
		return outcome_of(r);
	}
	*ret = b;
	return SOURCE_READ;
}

static const struct source_ops VMCLOCK_OPS = { .read = vmclock_read };

void vmclock_source_init(struct vmclock_source *s, struct vmclock_device *device,
                         struct clocksource *clocksource, const struct os_calls *calls)
{
	*s = (struct vmclock_source){
		.port = { .ops = &VMCLOCK_OPS },
		.device = device,
		.clocksource = clocksource,
		.calls = calls ? calls : &OS_CALLS,
		.root = "",
		.counter = counter_kind(),
		.read_counter = counter_read,
		.fitness = VMCLOCK_WITHOUT_TIME,
	};
}

const char *vmclock_source_explain(const struct vmclock_source *s)
{
	if (s->device->fd < 0)
		return "is not there";
	if (s->fitness == VMCLOCK_CLOCK && !s->is_counter_trusted)
		return "tells the time by a counter that the kernel itself does not rely on";
	return vmclock_explain_clock(s->fitness);
}
