/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_LINES_H
#define HOSTD_LINES_H

/*
 * lines.h - the host's channel to guests that another back end has
 *
 * Where a guest's address on vsock is known, its vmtimed is nudged and asked through a line that
 * is lent for it: channels.h in vmtime-hostd, a played one in tests.  The line is a guest of
 * @backend in all but signs: work is begun under its number, outcomes come under it.
 */

#include "hostd/backend.h"

struct lines {
	struct backend *backend; /* one of the fleet's */

	/* 0 and a number, or -errno. */
	int (*lend)(struct backend *b, unsigned cid, uint32_t *ret);
	void (*move)(struct backend *b, uint32_t line, unsigned cid);
	void (*release)(struct backend *b, uint32_t line);

	/* The guest has just begun to run: what was connected before is worth nothing. */
	void (*wake)(struct backend *b, uint32_t line, vt_mono now);
};

#endif
