/* SPDX-License-Identifier: Apache-2.0 */
#include "os/clock_observed.h"

static struct clock_observed *of_port(struct clock_port *port)
{
	return (struct clock_observed *)(void *)port;
}

static int clock_observed_read(struct clock_port *port, struct clock_pair *ret)
{
	struct clock_observed *c = of_port(port);

	return c->under.port.ops->read(&c->under.port, ret);
}

static int clock_observed_steer(struct clock_port *port, vt_rate want, vt_rate *ret_got)
{
	struct clock_observed *c = of_port(port);

	c->steered = clock_linux_quantize(&c->under, want);
	*ret_got = c->steered;
	return 0;
}

static int clock_observed_step(struct clock_port *port, vt_span correction)
{
	struct clock_observed *c = of_port(port);

	c->stepped = vt_span_add(c->stepped, correction);
	c->steps++;
	return 0;
}

static int clock_observed_publish(struct clock_port *port, const struct clock_quality *quality)
{
	of_port(port)->quality = *quality;
	return 0;
}

static const struct clock_ops CLOCK_OBSERVED_OPS = {
	.read = clock_observed_read,
	.steer = clock_observed_steer,
	.step = clock_observed_step,
	.publish = clock_observed_publish,
};

int clock_observed_init(struct clock_observed *c, const struct os_calls *calls)
{
	struct clock_observed fresh = { .port = { .ops = &CLOCK_OBSERVED_OPS } };
	int r = clock_linux_init(&fresh.under, calls);

	if (r < 0)
		return r;
	fresh.port.max_rate = fresh.under.port.max_rate;
	fresh.steered = fresh.under.rate_at_start;
	*c = fresh;
	return 0;
}
