/* SPDX-License-Identifier: Apache-2.0 */
#include "os/clock_linux.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "os/clock_read.h"

/*
 * The tick is what the kernel adds to its clock USER_HZ times a second, in microseconds.  USER_HZ
 * is 100 on everything that runs KVM, whatever rate the kernel's own timer has.  The length of a
 * second is 100 ticks plus the frequency, so the two corrections add and do not multiply.
 */
#define TICK_NOMINAL      10000L
#define TICK_PPM          100.0
#define TICK_UNITS_MAX    1000L /* 9000 to 11000, beyond which the kernel says EINVAL */
#define FREQ_UNITS        65536.0 /* in a ppm */
#define FREQ_PPM_MAX      500.0   /* beyond which the kernel silently limits         */
#define RATE_PPM_MAX      100000.0
#define NOMINAL_AGAIN_PPM 400.0 /* see choose_tick */

#define ERROR_US_MAX INT64_C(16000000) /* the kernel's own idea of "no idea" */

/* How the kernel is set: the two parts of a rate. */
struct setting {
	long tick;
	long freq_scaled_ppm;
};

static double limit(double value, double most)
{
	return fmin(fmax(value, -most), most);
}

static vt_rate setting_rate(const struct setting *s)
{
	double ppm = (double)(s->tick - TICK_NOMINAL) * TICK_PPM;

	return VT_PPM(ppm + (double)s->freq_scaled_ppm / FREQ_UNITS);
}

/*
 * The coarse part.  The nominal tick is left only when the frequency does not reach, and taken
 * again only well within its reach; between other ticks the present one stays as long as it can.
 * So a rate that hovers at a limit moves only the frequency.
 */
static long choose_tick(long tick_now, double want_ppm)
{
	double reach = tick_now == TICK_NOMINAL ? FREQ_PPM_MAX : NOMINAL_AGAIN_PPM;
	double rest = want_ppm - (double)(tick_now - TICK_NOMINAL) * TICK_PPM;

	if (fabs(want_ppm) <= reach)
		return TICK_NOMINAL;
	if (fabs(rest) <= FREQ_PPM_MAX)
		return tick_now;
	return TICK_NOMINAL + lround(want_ppm / TICK_PPM);
}

static struct setting setting_for(long tick_now, vt_rate want)
{
	/* A rate that is not a number has no place in a clock: as if none were wanted. */
	double ppm = isnan(want.ppb) ? 0.0 : limit(want.ppb / 1e3, RATE_PPM_MAX);
	struct setting s = { .tick = choose_tick(tick_now, ppm) };
	double rest = ppm - (double)(s.tick - TICK_NOMINAL) * TICK_PPM;

	assert(labs(s.tick - TICK_NOMINAL) <= TICK_UNITS_MAX);
	s.freq_scaled_ppm = lround(limit(rest, FREQ_PPM_MAX) * FREQ_UNITS);
	return s;
}

static struct clock_linux *of_port(struct clock_port *port)
{
	return (struct clock_linux *)(void *)port;
}

static int adjust(struct clock_linux *c, struct timex *t)
{
	return c->calls->adjtimex(c->calls->context, t);
}

static int clock_linux_read(struct clock_port *port, struct clock_pair *ret)
{
	return clock_read_pair(of_port(port)->calls, ret);
}

static int apply(struct clock_linux *c, const struct setting *s, vt_rate *ret_got)
{
	struct timex t = {
		.modes = ADJ_FREQUENCY | ADJ_TICK,
		.freq = s->freq_scaled_ppm,
		.tick = s->tick,
	};
	int r = adjust(c, &t);

	if (r < 0)
		return r;
	/* The kernel answers with what it took, which may be less. */
	c->tick = t.tick;
	*ret_got = setting_rate(&(struct setting){ t.tick, t.freq });
	return 0;
}

static int clock_linux_steer(struct clock_port *port, vt_rate want, vt_rate *ret_got)
{
	struct clock_linux *c = of_port(port);
	struct setting s = setting_for(c->tick, want);

	return apply(c, &s, ret_got);
}

static int clock_linux_step(struct clock_port *port, vt_span correction)
{
	struct clock_linux *c = of_port(port);
	int64_t sec = correction.ns / INT64_C(1000000000);
	int64_t ns = correction.ns % INT64_C(1000000000);

	/* The kernel takes a fraction that is not negative: -0.1 s is -1 s and 0.9 s. */
	if (ns < 0) {
		sec -= 1;
		ns += INT64_C(1000000000);
	}

	struct timex t = { .modes = ADJ_SETOFFSET | ADJ_NANO };

	t.time.tv_sec = (time_t)sec;
	t.time.tv_usec = (suseconds_t)ns;
	int r = adjust(c, &t);

	return r < 0 ? r : 0;
}

/* Microseconds, rounded outwards and limited to what the kernel keeps. */
static long error_us(vt_span error)
{
	int64_t ns = vt_span_abs(error).ns;

	if (ns >= ERROR_US_MAX * 1000)
		return (long)ERROR_US_MAX;
	return (long)((ns + 999) / 1000);
}

static int clock_linux_publish(struct clock_port *port, const struct clock_quality *quality)
{
	struct clock_linux *c = of_port(port);
	struct timex now = { .modes = 0 };
	int r = adjust(c, &now);

	if (r < 0)
		return r;

	/*
	 * An announced leap second stays announced: the kernel inserts it, and whoever announced
	 * it was not us.  Once it is over (TIME_WAIT) the kernel waits for the bits to be cleared.
	 */
	int leap = r == TIME_WAIT ? 0 : now.status & (STA_INS | STA_DEL);
	struct timex t = {
		.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR,
		.status = leap | (quality->is_synchronized ? 0 : STA_UNSYNC),
		.maxerror = error_us(quality->max_error),
		.esterror = error_us(quality->est_error),
	};

	r = adjust(c, &t);
	return r < 0 ? r : 0;
}

static const struct clock_ops CLOCK_LINUX_OPS = {
	.read = clock_linux_read,
	.steer = clock_linux_steer,
	.step = clock_linux_step,
	.publish = clock_linux_publish,
};

int clock_linux_init(struct clock_linux *c, const struct os_calls *calls)
{
	struct clock_linux fresh = {
		.port = { .ops = &CLOCK_LINUX_OPS, .max_rate = VT_PPM(RATE_PPM_MAX) },
		.calls = calls ? calls : &OS_CALLS,
	};
	struct timex t = { .modes = 0 };
	int r = adjust(&fresh, &t);

	if (r < 0)
		return r;
	fresh.tick = t.tick;
	fresh.rate_at_start = setting_rate(&(struct setting){ t.tick, t.freq });
	fresh.was_unsynchronized = t.status & STA_UNSYNC;
	fresh.has_foreign_offset = t.offset != 0;
	*c = fresh;
	return 0;
}

int clock_linux_rate(struct clock_linux *c, vt_rate *ret)
{
	struct timex t = { .modes = 0 };
	int r = adjust(c, &t);

	if (r < 0)
		return r;
	c->tick = t.tick;
	*ret = setting_rate(&(struct setting){ t.tick, t.freq });
	return 0;
}

vt_rate clock_linux_quantize(const struct clock_linux *c, vt_rate want)
{
	struct setting s = setting_for(c->tick, want);

	return setting_rate(&s);
}

/* Ends the kernel's phase loop, should it run; our own status bits are written by publish. */
static int leave_phase_loop(struct clock_linux *c, const struct timex *now)
{
	const int loop = STA_PLL | STA_FLL | STA_PPSFREQ | STA_PPSTIME | STA_FREQHOLD;

	if (!(now->status & loop))
		return 0;

	struct timex t = {
		.modes = ADJ_STATUS,
		.status = STA_UNSYNC | (now->status & (STA_INS | STA_DEL)),
	};
	int r = adjust(c, &t);

	return r < 0 ? r : 0;
}

int clock_linux_take_over(struct clock_linux *c)
{
	struct timex now = { .modes = 0 };
	struct timex slew = { .modes = ADJ_OFFSET_SS_READ };
	int r = adjust(c, &now);

	if (r < 0)
		return r;
	/* adjtime(3)'s rest; a kernel or a sandbox that does not tell has none for us. */
	if (adjust(c, &slew) < 0)
		slew.offset = 0;
	r = leave_phase_loop(c, &now);
	if (r < 0)
		return r;
	if (now.offset == 0 && slew.offset == 0)
		return 0;

	/* A step of nothing: the clock stays, and the kernel forgets what it was working off. */
	r = clock_linux_step(&c->port, VT_NS(0));
	if (r == 0)
		c->has_foreign_offset = false;
	return r;
}

int clock_linux_is_synchronized(const struct clock_linux *c, bool *ret)
{
	struct timex t = { .modes = 0 };
	int r = c->calls->adjtimex(c->calls->context, &t);

	if (r < 0)
		return r;
	*ret = !(t.status & STA_UNSYNC);
	return 0;
}

int clock_linux_leap(const struct clock_linux *c, int *ret)
{
	struct timex t = { .modes = 0 };
	int r = c->calls->adjtimex(c->calls->context, &t);

	switch (r) {
	case TIME_OK:
		*ret = 0;
		return 0;
	case TIME_INS:
		*ret = 1;
		return 0;
	case TIME_DEL:
		*ret = -1;
		return 0;
	default:
		return r < 0 ? r : -EAGAIN;
	}
}

int clock_linux_restore(struct clock_linux *c, vt_rate keep)
{
	double ppm = isnan(keep.ppb) ? 0.0 : limit(keep.ppb / 1e3, FREQ_PPM_MAX);
	struct setting s = { TICK_NOMINAL, lround(ppm * FREQ_UNITS) };
	vt_rate got;

	return apply(c, &s, &got);
}
