/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_API_H
#define HOSTD_API_H

/*
 * api.h - what can be asked over HTTP, and the text of the answers
 *
 * docs/protocol/http.md has every byte.  Nothing here knows of connections, so that the
 * answers can be tested and measured without any.
 */

#include "base/attr.h"
#include "hostd/fleet.h"

enum api_kind {
	API_METRICS, /* /metrics                       */
	API_GUESTS,  /* /api/guests                    */
	API_HOST,    /* /api/host                      */
	API_HISTORY, /* /api/history                   */
	API_KINDS,   /* how many there are             */
};

/* A question.  Borrowed texts; NULL: not said. */
struct api_query {
	enum api_kind kind;
	const char *guest, *backend; /* API_HISTORY of one guest ...                */
	const char *since;           /* ... or of all, only what is later than this */
};

/* Whether @path asks for one of them.  False, and *@ret untouched: it does not. */
bool api_find(const char *path, enum api_kind *ret) must_check;

/* What the answer is: "application/json". */
const char *api_type(enum api_kind kind);

/*
 * The answer, which is the caller's to free(), with a NUL behind its @ret_n bytes.  0; -ENOENT:
 * there is no such guest; -EINVAL: @since is no number; -ENOMEM.  Outputs are written only on
 * success.
 * @host_name: what this machine calls itself.
 */
int api_answer(const struct fleet *fleet, const struct api_query *query, const char *host_name,
               struct host_instant now, char **ret, size_t *ret_n) must_check;

#endif
