/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_HTTP_H
#define HOSTD_HTTP_H

/*
 * http.h - the page, its API and the metrics over HTTP
 *
 * libmicrohttpd without a thread of its own: to the loop it is one fd, a deadline and a
 * dispatch, as every component.  It reads the fleet while it is dispatched and changes
 * nothing: GET and HEAD are all there is, and there is no folder that a path could leave.
 *
 * What a stranger can do is limited: connections and how long each may take
 * (http_slots.h), the size of a request's headers, what is kept for slow readers.
 *
 * A build without libmicrohttpd has the same functions; http_open() says that it is missing.
 */

#include <stddef.h>

#include "base/attr.h"
#include "hostd/fleet.h"
#include "hostd/http_conf.h"

struct http;

/*
 * Serves @fleet, which is borrowed and must outlive it, as @conf says, which is not needed
 * afterwards.  For the start, as root: the key and the token are files of root's.  0 and *@ret for
 * http_close(); or -errno with one sentence in @reterr: -EINVAL where @conf may not be served like
 * this, -EOPNOTSUPP where this build has no HTTP.
 */
int http_open(const struct http_conf *conf, const struct fleet *fleet, struct http **ret,
              char *reterr, size_t size) must_check;

/* NULL is allowed; returns NULL. */
struct http *http_close(struct http *h);

/* To be watched for reading, for as long as @h is open. */
int http_fd(const struct http *h);

/* When to dispatch though the fd is not readable. */
vt_mono http_deadline(const struct http *h, vt_mono now);

void http_dispatch(struct http *h, struct host_instant now);

/* The port that it is served on, for a conf that said any. */
unsigned http_port(const struct http *h);

#endif
