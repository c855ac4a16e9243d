/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_LINE_BUFFERS_H
#define OS_LINE_BUFFERS_H

/*
 * line_buffers.h - what has come from one client of a line server, and what is owed to it
 *
 * Both directions of one socket, which the caller owns and hands in.  Nothing
 * blocks.  Memory is kept only while there is something in it: for requests a
 * fixed LINE_REQUEST_MAX and a break, for replies as much as is owed, up to
 * LINE_REPLY_BACKLOG.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "base/units.h"

#define LINE_REQUEST_MAX     4096         /* bytes, without the line break */
#define LINE_REPLY_BACKLOG   (256 * 1024) /* bytes not yet taken by the client */

struct line_buffers {
	bool is_ended;   /* it will send nothing more */
	vt_mono moved;   /* when the latest byte came or went */
	char *in;        /* LINE_REQUEST_MAX + 1 bytes, or NULL */
	size_t in_used;
	size_t in_taken; /* popped already, at the front of it */
	char *out;       /* replies not yet taken, or NULL */
	size_t out_used;
	size_t out_sent;
	size_t out_size;
};

/* Frees what is kept; all zero afterwards. */
void line_buffers_fini(struct line_buffers *b);

/* A whole line has come and is not taken. */
bool line_buffers_has_line(const struct line_buffers *b);

/* More than a line may have, and no break in it. */
bool line_buffers_is_too_long(const struct line_buffers *b);

/* Takes the first line, without its break; there is one.  Valid until the next call with @b. */
struct slice line_buffers_take(struct line_buffers *b);

/* Something is still to be sent. */
bool line_buffers_owes(const struct line_buffers *b);

/* Reads from @fd what has come and fits.  False: the client is to be dropped. */
bool line_buffers_receive(struct line_buffers *b, int fd, vt_mono now);

/* Sends to @fd what is owed, as far as it takes that.  False: the client is gone. */
bool line_buffers_flush(struct line_buffers *b, int fd, vt_mono now);

/* Queues @text and a break, and sends what @fd takes.  False: the client is to be dropped. */
bool line_buffers_put(struct line_buffers *b, int fd, const char *text, size_t length, vt_mono now);

/* It may be long before more comes: nothing is kept for it. */
void line_buffers_rest(struct line_buffers *b);

#endif
