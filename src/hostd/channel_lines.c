/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/channel_lines.h"

#include <stddef.h>

_Static_assert(offsetof(struct channels, backend) == 0, "a back end is embedded first");

static struct channels *channels_of(struct backend *b)
{
	return (struct channels *)b;
}

static int lend(struct backend *b, unsigned cid, uint32_t *ret)
{
	return channels_lend(channels_of(b), cid, ret);
}

static void move(struct backend *b, uint32_t line, unsigned cid)
{
	channels_move(channels_of(b), line, cid);
}

static void release(struct backend *b, uint32_t line)
{
	channels_release(channels_of(b), line);
}

static void wake(struct backend *b, uint32_t line, vt_mono now)
{
	channels_wake(channels_of(b), line, now);
}

struct lines channel_lines(struct channels *c)
{
	return (struct lines){
		.backend = &c->backend,
		.lend = lend,
		.move = move,
		.release = release,
		.wake = wake,
	};
}
