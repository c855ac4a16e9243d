/* SPDX-License-Identifier: Apache-2.0 */
/* The two doors of core, with a world behind them instead of a kernel. */
#include <assert.h>
#include <errno.h>
#include <math.h>

#include "sim/world.h"

#define READ_COST VT_US(2) /* a device is asked and answers */

/* The kernel's frequency is a number of 2^-16 ppm, and its tick one of 100 ppm: a multiple. */
#define KERNEL_PPB (1e3 / 65536)

/* Brackets in a burst. */
#define BRACKETS 5

static vt_real shown(const struct world_time *t)
{
	return (vt_real){ t->ns };
}

/* Whatever is done may be interrupted. */
static void spend(struct world *w, vt_span cost)
{
	world_advance(w, vt_mono_add(w->now, cost));
	if (w->stolen_until.ns > w->now.ns)
		world_advance(w, w->stolen_until);
}

/* What the device shows at this very instant. */
static vt_real remote_now(struct world_source *s)
{
	struct world *w = s->world;
	vt_real remote = vt_real_add(shown(&w->reference), s->offset);

	if (s->noise_ns > 0)
		remote = vt_real_add(remote, vt_span_from_ns(s->noise_ns * world_gaussian(w)));
	if (s->reads % 2)
		remote = vt_real_add(remote, s->flip);
	if (s->outliers > 0 && world_uniform(w) < s->outliers) {
		double size = (double)s->outlier.ns * (0.5 + world_uniform(w) / 2);

		remote = vt_real_add(remote, vt_span_from_ns(world_uniform(w) < 0.5 ? size : -size));
	}
	return remote;
}

static struct bracket take_bracket(struct world_source *s, vt_span width)
{
	struct world *w = s->world;
	double place = s->is_asymmetry_random ? world_uniform(w) : s->asymmetry;
	vt_span before = vt_span_from_ns((double)width.ns * place);
	struct bracket b = { .before = w->now };

	spend(w, before);
	b.remote = remote_now(s);
	spend(w, vt_span_sub(width, before));
	b.after = w->now;
	return b;
}

/* Both clocks are shown by one counter value: nothing can come between. */
static void take_precise(struct world_source *s, struct burst *ret)
{
	ret->method = METHOD_PRECISE;
	ret->brackets[ret->n++] = (struct bracket){
		.before = s->world->now, .after = s->world->now, .remote = remote_now(s)
	};
}

static void take_burst(struct world_source *s, unsigned wanted, struct burst *ret)
{
	ret->method = METHOD_EXTENDED;
	while (ret->n < wanted && ret->n < BRACKETS) {
		double wider = 1 + s->spread * world_uniform(s->world);

		ret->brackets[ret->n++] =
			take_bracket(s, vt_span_from_ns((double)s->width.ns * wider));
	}
}

static enum source_outcome read_source(struct source_port *port, unsigned wanted, struct burst *ret)
{
	struct world_source *s = (struct world_source *)port;
	struct world *w = s->world;
	enum source_outcome outcome = s->outcome;

	if (outcome == SOURCE_READ && s->losses > 0 && world_uniform(w) < s->losses)
		outcome = SOURCE_BUSY;
	s->reads++;
	world_note_read(w, s, outcome);
	spend(w, READ_COST);
	port->error = outcome == SOURCE_READ ? 0 : EIO;
	if (outcome != SOURCE_READ)
		return outcome;

	*ret = (struct burst){ .epoch = w->epoch };
	ret->pair = (struct clock_pair){ .raw = w->now, .local = shown(&w->local) };
	if (s->width.ns == 0)
		take_precise(s, ret);
	else
		take_burst(s, wanted, ret);
	if (s->stuck_raw.ns)
		ret->brackets[0].before = ret->brackets[0].after = s->stuck_raw;
	return SOURCE_READ;
}

static int read_clock(struct clock_port *port, struct clock_pair *ret)
{
	struct world_clock *c = (struct world_clock *)port;

	spend(c->world, c->cost);
	if (c->read_error)
		return -c->read_error;
	*ret = (struct clock_pair){ .raw = c->world->now, .local = shown(&c->world->local) };
	return 0;
}

static int steer_clock(struct clock_port *port, vt_rate want, vt_rate *ret_got)
{
	struct world_clock *c = (struct world_clock *)port;
	double limited = fmax(-port->max_rate.ppb, fmin(port->max_rate.ppb, want.ppb));

	spend(c->world, c->cost);
	assert(isfinite(want.ppb));
	c->steers++;
	if (c->steer_error)
		return -c->steer_error;
	c->rate.ppb = round(limited / KERNEL_PPB) * KERNEL_PPB;
	c->fastest.ppb = fmax(c->fastest.ppb, fabs(c->rate.ppb));
	*ret_got = c->rate;
	return 0;
}

static int step_clock(struct clock_port *port, vt_span correction)
{
	struct world_clock *c = (struct world_clock *)port;

	spend(c->world, c->cost);
	if (c->step_error)
		return -c->step_error;
	c->steps++;
	c->world->local.ns += correction.ns;
	return 0;
}

static int publish_clock(struct clock_port *port, const struct clock_quality *quality)
{
	struct world_clock *c = (struct world_clock *)port;

	c->publishes++;
	c->quality = *quality;
	return 0;
}

static const struct source_ops SOURCE_OPS = { .read = read_source };
static const struct clock_ops CLOCK_OPS = {
	.read = read_clock,
	.steer = steer_clock,
	.step = step_clock,
	.publish = publish_clock,
};

void world_open_doors(struct world *w)
{
	w->clock = (struct world_clock){
		.port = { .ops = &CLOCK_OPS, .max_rate = VT_PPM(100000) },
		.world = w,
		.cost = VT_NS(500),
	};
	for (int i = 0; i < WORLD_SOURCES; i++)
		w->sources[i] = (struct world_source){ .port.ops = &SOURCE_OPS,
		                                       .world = w,
		                                       .spread = 2 };
}
