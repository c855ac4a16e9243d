/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_WEB_H
#define HOSTD_WEB_H

/*
 * web.h - the daemon's HTTP, from its settings
 *
 * Settings that may not be served (another address without TLS and a token, a key that
 * cannot be read) are an error of the configuration: the daemon does not start, a reload
 * changes nothing.  A port that is taken is not: guests' clocks matter more than the page, so
 * it is told once and tried again.
 */

#include <stdbool.h>

#include "base/attr.h"
#include "hostd/http.h"
#include "hostd/settings.h"

struct web {
	struct http *http; /* NULL: not served     */
	vt_mono try_at;    /* when it is tried next */
	int told;          /* why it could not be had the last time */
};

/* Makes @w safe for every other call. */
void web_init(struct web *w);

/* Whether HTTP can be served as @settings say.  0, or -errno after the reason was logged. */
int web_check(const struct settings *settings) must_check;

/* Serves @fleet, which is borrowed, as @settings say, or tries again later. */
void web_open(struct web *w, const struct settings *settings, const struct fleet *fleet,
              vt_mono now);
void web_close(struct web *w);

/* To be watched for reading; -1: nothing. */
int web_fd(const struct web *w);
vt_mono web_deadline(const struct web *w, vt_mono now);
void web_dispatch(struct web *w, const struct settings *settings, const struct fleet *fleet,
                  struct host_instant now);

#endif
