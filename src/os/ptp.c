/* SPDX-License-Identifier: Apache-2.0 */
#include "os/ptp.h"

#include <errno.h>
#include <string.h>

#include "os/clock_read.h"
#include "os/ptp_abi.h"

#define BUSY_RETRIES   3
#define BUSY_PATIENCE  8    /* readings in a row, then the method is doubted        */
#define EINTR_RETRIES  8    /* no signal storm keeps us here                        */
#define LOWER_READINGS 1024 /* by a lesser method, before the best is tried again   */

/* Hardware may have taken its time stamp a little before it was asked for. */
#define PRECISE_SLACK VT_MS(10)

static bool is_busy(int r)
{
	return r == -EBUSY || r == -EAGAIN || r == -EINTR;
}

/* An ioctl, repeated while the clock is busy. */
static int ask(const struct ptp *p, unsigned long request, void *argument)
{
	unsigned interrupted = 0;
	unsigned busy = 0;

	for (;;) {
		int r = p->calls->ioctl(p->calls->context, p->fd, request, argument);

		if (r >= 0)
			return 0;
		if (r == -EINTR && interrupted++ < EINTR_RETRIES)
			continue;
		if ((r == -EBUSY || r == -EAGAIN) && busy++ < BUSY_RETRIES)
			continue;
		return r;
	}
}

static int to_ns(const struct ptp_abi_time *t, int64_t *ret_ns)
{
	if (t->nsec > 999999999)
		return -EPROTO;

	struct timespec ts = { .tv_sec = (time_t)t->sec, .tv_nsec = (long)t->nsec };

	return clock_to_ns(&ts, ret_ns) ? 0 : -EPROTO;
}

/* A clock that goes back while we read it is being set: what was read is of two worlds. */
static int check_order(const struct burst *b)
{
	for (unsigned i = 1; i < b->n; i++)
		if (b->brackets[i].remote.ns < b->brackets[i - 1].remote.ns)
			return -EAGAIN;
	return 0;
}

static int read_precise(struct ptp *p, struct burst *ret)
{
	struct ptp_abi_precise precise;
	struct bracket *b = &ret->brackets[0];
	struct bracket call;

	memset(&precise, 0, sizeof precise);
	int r = clock_read_ns(p->calls, CLOCK_MONOTONIC_RAW, &call.before.ns);

	if (r < 0)
		return r;
	r = ask(p, PTP_ABI_PRECISE, &precise);
	if (r < 0)
		return r;
	r = clock_read_ns(p->calls, CLOCK_MONOTONIC_RAW, &call.after.ns);
	if (r < 0)
		return r;
	if (to_ns(&precise.remote, &b->remote.ns) < 0 || to_ns(&precise.raw, &b->before.ns) < 0 ||
	    to_ns(&precise.realtime, &ret->pair.local.ns) < 0)
		return -EPROTO;
	/* Far outside of the call it is not CLOCK_MONOTONIC_RAW, whatever its name (emulators). */
	if (vt_mono_since(b->before, call.before).ns < -PRECISE_SLACK.ns ||
	    vt_mono_since(b->before, call.after).ns > PRECISE_SLACK.ns)
		return -EPROTO;
	b->after = b->before;
	ret->pair.raw = b->before;
	ret->pair.radius = VT_NS(0);
	ret->method = METHOD_PRECISE;
	/* One is as good as many: they differ by less than a nanosecond. */
	ret->n = 1;
	return 0;
}

/* CLOCK_REALTIME to CLOCK_MONOTONIC_RAW, between two pairs that were taken around. */
struct bridge {
	struct clock_pair from, to;
	vt_span radius; /* how far a translated instant can be wrong */
};

/* -EAGAIN: the system clock was stepped in between. */
static int bridge_init(struct bridge *bridge, const struct clock_pair *from,
                       const struct clock_pair *to)
{
	vt_span raw = vt_mono_since(to->raw, from->raw);
	vt_span real = vt_real_since(to->local, from->local);
	vt_span wide = vt_span_max(from->radius, to->radius);

	/* The fastest slew is a tenth; an eighth and both radii are beyond doubt. */
	if (raw.ns <= 0 || real.ns <= 0 ||
	    vt_span_abs(vt_span_sub(raw, real)).ns > raw.ns / 8 + 2 * wide.ns)
		return -EAGAIN;
	/* The radius is on CLOCK_REALTIME; an eighth covers its slew here too. */
	*bridge = (struct bridge){ *from, *to, VT_NS(wide.ns + wide.ns / 8 + 1) };
	return 0;
}

static int bridge_raw(const struct bridge *b, int64_t real_ns, vt_mono *ret)
{
	vt_span raw = vt_mono_since(b->to.raw, b->from.raw);
	vt_span real = vt_real_since(b->to.local, b->from.local);
	vt_span into = vt_real_since((vt_real){ real_ns }, b->from.local);

	if (into.ns < -b->radius.ns || into.ns > vt_span_add(real, b->radius).ns)
		return -EAGAIN;
	/* As a difference to @into, which is small, so that a double loses nothing. */
	double stretch = (double)(raw.ns - real.ns) / (double)real.ns;

	*ret = vt_mono_add(b->from.raw, into);
	*ret = vt_mono_add(*ret, vt_span_from_ns((double)into.ns * stretch));
	return 0;
}

static int translate(const struct ptp_abi_extended *e, const struct bridge *bridge,
                     struct burst *ret)
{
	for (unsigned i = 0; i < e->n_samples; i++) {
		struct bracket *b = &ret->brackets[i];
		int64_t before, after;

		if (to_ns(&e->samples[i].before, &before) < 0 ||
		    to_ns(&e->samples[i].remote, &b->remote.ns) < 0 ||
		    to_ns(&e->samples[i].after, &after) < 0)
			return -EPROTO;
		if (after < before || bridge_raw(bridge, before, &b->before) < 0 ||
		    bridge_raw(bridge, after, &b->after) < 0)
			return -EAGAIN;
		b->before = vt_mono_add(b->before, VT_NS(-bridge->radius.ns));
		b->after = vt_mono_add(b->after, bridge->radius);
	}
	return 0;
}

/* -EPROTO also for brackets outside the call: not CLOCK_MONOTONIC_RAW's, whatever was asked. */
static int copy(const struct ptp_abi_extended *e, const struct clock_pair *from,
                const struct clock_pair *to, struct burst *ret)
{
	for (unsigned i = 0; i < e->n_samples; i++) {
		struct bracket *b = &ret->brackets[i];

		if (to_ns(&e->samples[i].before, &b->before.ns) < 0 ||
		    to_ns(&e->samples[i].remote, &b->remote.ns) < 0 ||
		    to_ns(&e->samples[i].after, &b->after.ns) < 0)
			return -EPROTO;
		if (b->before.ns < from->raw.ns || b->after.ns > to->raw.ns)
			return -EPROTO;
		if (b->after.ns < b->before.ns)
			return -EAGAIN;
	}
	return 0;
}

static int read_extended_on(struct ptp *p, clockid_t id, unsigned wanted, struct burst *ret)
{
	struct ptp_abi_extended extended;
	struct clock_pair from, to;

	int r = clock_read_pair(p->calls, &from);

	if (r < 0)
		return r;
	memset(&extended, 0, sizeof extended);
	extended.n_samples = wanted;
	extended.clock_id = id;
	r = ask(p, PTP_ABI_EXTENDED, &extended);
	if (r < 0)
		return r;
	r = clock_read_pair(p->calls, &to);
	if (r < 0)
		return r;
	if (extended.n_samples == 0 || extended.n_samples > wanted)
		return -EPROTO;

	if (id == CLOCK_MONOTONIC_RAW) {
		r = copy(&extended, &from, &to, ret);
	} else {
		struct bridge bridge;

		r = bridge_init(&bridge, &from, &to);
		if (r == 0)
			r = translate(&extended, &bridge, ret);
	}
	if (r < 0)
		return r;
	ret->n = extended.n_samples;
	ret->pair = to;
	ret->method = METHOD_EXTENDED;
	return check_order(ret);
}

static int read_extended(struct ptp *p, unsigned wanted, struct burst *ret)
{
	if (p->has_raw_extended) {
		int r = read_extended_on(p, CLOCK_MONOTONIC_RAW, wanted, ret);

		/* An older kernel refuses the clock id; one that ignored it would be caught too. */
		if (r != -EINVAL && r != -EPROTO)
			return r;
		p->has_raw_extended = false;
	}
	return read_extended_on(p, CLOCK_REALTIME, wanted, ret);
}

/* One bracket, repeated while the clock is busy. */
static int read_bracket(const struct ptp *p, struct bracket *ret)
{
	int r = 0;

	for (unsigned i = 0; i <= BUSY_RETRIES; i++) {
		r = clock_read_bracket(p->calls, PTP_ABI_CLOCK_ID(p->fd), ret);
		if (!is_busy(r))
			return r;
	}
	return r;
}

static int read_basic(struct ptp *p, unsigned wanted, struct burst *ret)
{
	ret->n = 0;
	while (ret->n < wanted) {
		int r = read_bracket(p, &ret->brackets[ret->n]);

		if (is_busy(r) && ret->n > 0)
			break;
		if (r < 0)
			return r;
		ret->n++;
	}
	ret->method = METHOD_BASIC;

	int r = clock_read_pair(p->calls, &ret->pair);

	return r < 0 ? r : check_order(ret);
}

static int read_by(struct ptp *p, enum method method, unsigned wanted, struct burst *ret)
{
	switch (method) {
	case METHOD_PRECISE:
		return read_precise(p, ret);
	case METHOD_EXTENDED:
		return read_extended(p, wanted, ret);
	case METHOD_BASIC:
		return read_basic(p, wanted, ret);
	case METHOD_VMCLOCK:
	case METHOD_NONE:
		break;
	}
	return -EOPNOTSUPP;
}

static vt_span narrowest(const struct burst *b)
{
	vt_span best = VT_SPAN_MAX;

	for (unsigned i = 0; i < b->n; i++)
		best = vt_span_min(best, vt_mono_since(b->brackets[i].after, b->brackets[i].before));
	return best;
}

/* Extended or basic, whichever is narrower; basic's errno where neither works. */
static int read_bracketed(struct ptp *p, unsigned wanted, bool *ret_was_busy, struct burst *ret)
{
	struct burst basic;
	int r_extended = read_extended(p, wanted, ret);
	int r_basic = read_basic(p, wanted, &basic);

	*ret_was_busy = is_busy(r_extended);
	if (r_extended == 0 && (r_basic < 0 || narrowest(ret).ns <= narrowest(&basic).ns))
		return 0;
	if (r_basic == 0)
		*ret = basic;
	/*
	 * Every PTP clock has basic, and what it says is the truth about the clock: a device that
	 * is gone, a host that refuses.  The others may merely not exist here (ptp_kvm's precise
	 * is ENODEV on another clocksource than kvm-clock).
	 */
	return r_basic;
}

/* Tries from the top, and stays with what works unless a better method was only busy. */
static int find_method(struct ptp *p, unsigned wanted, struct burst *ret)
{
	bool precise_busy = false, extended_busy = false;

	p->has_raw_extended = true;
	p->method = METHOD_NONE;
	p->busy = 0;
	p->lower_readings = 0;
	if (!p->nocrossts) {
		int r = read_precise(p, ret);

		if (r == 0) {
			p->method = METHOD_PRECISE;
			return 0;
		}
		precise_busy = is_busy(r);
	}

	int r = read_bracketed(p, wanted, &extended_busy, ret);

	if (r == 0 && !precise_busy && !extended_busy)
		p->method = ret->method;
	return r;
}

static int read_any(struct ptp *p, unsigned wanted, struct burst *ret)
{
	if (p->method == METHOD_NONE || p->lower_readings >= LOWER_READINGS)
		return find_method(p, wanted, ret);
	if (p->method != METHOD_PRECISE)
		p->lower_readings++;

	int r = read_by(p, p->method, wanted, ret);

	if (r == 0) {
		p->busy = 0;
		return 0;
	}
	if (is_busy(r) && ++p->busy < BUSY_PATIENCE)
		return r;
	return find_method(p, wanted, ret);
}

/* True where what was known of the clock's methods, or was just read, no longer holds. */
static bool has_new_clocksource(struct ptp *p)
{
	if (!p->clocksource)
		return false;
	clocksource_check(p->clocksource);
	if (p->clocksource->epoch == p->epoch)
		return false;
	p->epoch = p->clocksource->epoch;
	p->method = METHOD_NONE;
	return true;
}

static enum source_outcome outcome_of(int r)
{
	switch (-r) {
	case EBUSY:
	case EAGAIN:
	case EINTR:
		return SOURCE_BUSY;
	case ENODEV:
	case ENXIO:
	case ENOENT:
		return SOURCE_MISSING;
	case EOPNOTSUPP:
		return SOURCE_REFUSED;
	case EACCES:
	case EPERM:
		return SOURCE_DENIED;
	default:
		return SOURCE_BROKEN;
	}
}

static enum source_outcome ptp_read(struct source_port *port, unsigned wanted, struct burst *ret)
{
	struct ptp *p = (struct ptp *)(void *)port;
	struct burst b = { 0 };
	int r = -ENODEV;

	if (wanted < 1)
		wanted = 1;
	if (wanted > BURST_MAX)
		wanted = BURST_MAX;
	has_new_clocksource(p);
	if (p->fd >= 0)
		r = read_any(p, wanted, &b);
	if (has_new_clocksource(p) && r == 0)
		r = -EAGAIN;
	if (r < 0) {
		port->error = -r;
		return outcome_of(r);
	}
	b.epoch = p->epoch;
	*ret = b;
	return SOURCE_READ;
}

static const struct source_ops PTP_OPS = { .read = ptp_read };

_Static_assert(BURST_MAX <= PTP_ABI_SAMPLES, "a burst is one call");

void ptp_init(struct ptp *p, int fd, const struct os_calls *calls, struct clocksource *clocksource,
              bool nocrossts)
{
	*p = (struct ptp){
		.port = { .ops = &PTP_OPS },
		.fd = fd,
		.nocrossts = nocrossts,
		.calls = calls ? calls : &OS_CALLS,
		.clocksource = clocksource,
		.epoch = clocksource ? clocksource->epoch : 0,
	};
}

void ptp_attach(struct ptp *p, int fd)
{
	p->fd = fd;
	p->method = METHOD_NONE;
	p->busy = 0;
}

const char *ptp_method_name(enum method method)
{
	switch (method) {
	case METHOD_NONE:
		return "none";
	case METHOD_PRECISE:
		return "precise";
	case METHOD_EXTENDED:
		return "extended";
	case METHOD_BASIC:
		return "basic";
	case METHOD_VMCLOCK:
		return "vmclock";
	}
	return "none";
}
