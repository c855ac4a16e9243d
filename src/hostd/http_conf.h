/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_HTTP_CONF_H
#define HOSTD_HTTP_CONF_H

/*
 * http_conf.h - where HTTP is served, and who may read
 *
 * On loopback whoever can connect may read, as with `virsh list`.  Anywhere else the
 * answers say which guests run here, so there nothing is served without TLS and a
 * secret.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/attr.h"

#define HTTP_TOKEN_MIN 16 /* characters: a shorter secret is guessed */
#define HTTP_TOKEN_MAX 256

/* Borrowed texts; NULL or "": not given. */
struct http_conf {
	struct address address;
	uint16_t port;           /* 0: any that is free, for tests    */
	const char *certificate; /* paths of PEM files                */
	const char *key;
	const char *token_file;
};

/* Whether only this machine can reach it. */
bool http_conf_is_loopback(const struct http_conf *conf);

/*
 * Whether @conf may be served like this.  False with one sentence in @reterr that names what is
 * missing.
 */
bool http_conf_check(const struct http_conf *conf, char *reterr, size_t size) must_check;

/*
 * Whether a request with this header Host came to us by our own name.  A page of another site can
 * have its name lead to 127.0.0.1 and then read what is served there; its requests name it.
 * @host NULL: the client named none, as only simple ones do.
 */
bool http_host_is_local(const char *host);

/* Whether @given is the secret, in a time that does not tell how much of it is right. */
bool http_token_matches(const char *token, const char *given, size_t n);

#endif
