/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_FRAMES_H
#define PROTO_FRAMES_H

/*
 * frames.h - lines out of a stream of bytes that a stranger sends
 *
 * QEMU's monitor ends its lines with CR LF, its guest agent with LF; the agent sends a
 * byte 0xFF as well, which is no UTF-8 and says "forget what I was saying".  Bytes come
 * in any portions.  At most FRAMES_MAX of them are ever kept: a line that grows beyond
 * that is told once and thrown away to its end, whether that comes after one byte or
 * after 100 MB or never.
 *
 * A line that stands whole in the input is handed on where it is.  Only what is left over is
 * copied, so that a thousand quiet connections keep nothing.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

#define FRAMES_MAX 65536 /* bytes of one line, without its end */

enum frame_kind {
	FRAME_NONE,     /* the input is used up                                           */
	FRAME_LINE,     /* *ret is a line without its end; it may be empty                 */
	FRAME_MARK,     /* a byte 0xFF: what came before it, since the latest line, is void */
	FRAME_TOO_LONG, /* a line is longer than FRAMES_MAX, and is being thrown away       */
};

struct frames {
	char *kept; /* NULL: nothing */
	size_t used, size;
	bool is_taken;    /* what is kept was handed out: it is forgotten at the next call */
	bool is_skipping; /* up to the line's end */
};

/* Makes @f safe for every other call; allocates nothing. */
void frames_init(struct frames *f);

/* Forgets all.  Safe after init, and twice. */
void frames_fini(struct frames *f);

/*
 * Takes the next frame off *@input, and the bytes that belong to it.  *@ret is written for FRAME_LINE
 * only, and valid until the next call with @f or until the input's bytes go.  Where memory is
 * short a line is thrown away as if it were too long.
 */
enum frame_kind frames_next(struct frames *f, struct slice *input, struct slice *ret);

#endif
