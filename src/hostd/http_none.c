/* SPDX-License-Identifier: Apache-2.0 */
/* A build without libmicrohttpd. */
#include "hostd/http.h"

#include <errno.h>
#include <stdio.h>

int http_open(const struct http_conf *conf, const struct fleet *fleet, struct http **ret,
              char *reterr, size_t size)
{
	(void)fleet;
	(void)ret;
	if (!http_conf_check(conf, reterr, size))
		return -EINVAL;
	snprintf(reterr, size,
	         "http: no page and no metrics: vmtime-hostd was built without "
	         "libmicrohttpd");
	return -EOPNOTSUPP;
}

struct http *http_close(struct http *h)
{
	(void)h;
	return NULL;
}

int http_fd(const struct http *h)
{
	(void)h;
	return -1;
}

vt_mono http_deadline(const struct http *h, vt_mono now)
{
	(void)h;
	(void)now;
	return VT_MONO_NEVER;
}

void http_dispatch(struct http *h, struct host_instant now)
{
	(void)h;
	(void)now;
}

unsigned http_port(const struct http *h)
{
	(void)h;
	return 0;
}
