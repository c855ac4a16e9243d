/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_HTTP_SECRETS_H
#define HOSTD_HTTP_SECRETS_H

/*
 * http_secrets.h - the certificate, its key and the token
 *
 * Read once, at the start, and kept in memory: a daemon that has dropped its rights cannot
 * read them again.  A reload of the daemon reads them anew.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "hostd/http_conf.h"

struct http_secrets {
	char *certificate, *key;        /* PEM; NULL: no TLS */
	char token[HTTP_TOKEN_MAX + 1]; /* "": none          */
};

/*
 * Reads the files that @conf names.  0 and @ret for http_secrets_fini(); or -errno, one sentence
 * in @reterr, and *@ret empty.  A token that others can read, or that is short, is refused.
 */
int http_secrets_load(const struct http_conf *conf, struct http_secrets *ret, char *reterr,
                      size_t size) must_check;

/* Leaves no secret in memory. */
void http_secrets_fini(struct http_secrets *s);

/*
 * Whether @header, a request's Authorization, names the token: "Bearer TOKEN", or "Basic" with the
 * token as the password of any user, which is what a browser asks a person for.  Without a token
 * everybody is allowed.  @header NULL: there is none.
 */
bool http_secrets_allow(const struct http_secrets *s, const char *header);

#endif
