/* SPDX-License-Identifier: Apache-2.0 */
#include "os/calls.h"

#include <errno.h>
#include <sys/ioctl.h>

static int call_gettime(void *context, clockid_t id, struct timespec *ret)
{
	(void)context;
	return clock_gettime(id, ret) < 0 ? -errno : 0;
}

static int call_ioctl(void *context, int fd, unsigned long request, void *argument)
{
	(void)context;
	int r = ioctl(fd, request, argument);

	return r < 0 ? -errno : r;
}

static int call_adjtimex(void *context, struct timex *t)
{
	(void)context;
	int r = adjtimex(t);

	return r < 0 ? -errno : r;
}

const struct os_calls OS_CALLS = {
	.gettime = call_gettime,
	.ioctl = call_ioctl,
	.adjtimex = call_adjtimex,
};
