/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/libvirt.h"

#include <errno.h>
#include <stdlib.h>

/*
 * In place of libvirt.c where the build has no libvirt: no guests, and the reason.
 */

static void dispatch(struct backend *b, vt_mono now)
{
	(void)b;
	(void)now;
}

static vt_mono deadline(const struct backend *b)
{
	(void)b;
	return VT_MONO_NEVER;
}

static bool pop_sign(struct backend *b, struct sign *ret)
{
	(void)b;
	(void)ret;
	return false;
}

static bool pop_outcome(struct backend *b, struct work_outcome *ret)
{
	(void)b;
	(void)ret;
	return false;
}

static void begin(struct backend *b, uint32_t guest, const struct work *work)
{
	(void)b;
	(void)guest;
	(void)work; /* it never told of a guest */
}

static void drop(struct backend *b, uint32_t guest)
{
	(void)b;
	(void)guest;
}

static const struct backend_ops OPS = {
	.dispatch = dispatch,
	.deadline = deadline,
	.pop_sign = pop_sign,
	.pop_outcome = pop_outcome,
	.begin = begin,
	.drop = drop,
};

int libvirt_open(const struct libvirt_settings *settings, struct backend **ret)
{
	struct backend *b = calloc(1, sizeof *b);

	(void)settings;
	if (!b)
		return -ENOMEM;
	*b = (struct backend){ .ops = &OPS, .name = "libvirt", .fd = -1,
	                       .trouble = "this vmtime-hostd was built without libvirt" };
	*ret = b;
	return 0;
}

struct backend *libvirt_close(struct backend *b)
{
	free(b);
	return NULL;
}
