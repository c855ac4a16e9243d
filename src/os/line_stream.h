/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_LINE_STREAM_H
#define OS_LINE_STREAM_H

/*
 * line_stream.h - a conversation with the daemon that waits for nothing
 *
 * line_client.h asks one question and blocks.  A screen that must go on obeying
 * keys, and whoever follows events, hold one connection instead and take lines
 * from it as they come:
 *
 *     line_stream_open(&stream, path, &error);
 *     line_stream_send(&stream, request);
 *     n = line_stream_prepare(&stream, &fd);
 *     ... poll(&fd, n, ...) ...
 *     outcome = line_stream_dispatch(&stream, &fd, n);
 *     while (line_stream_pop(&stream, &line))
 *             ...
 *
 * Limits on time are the caller's.  When the connection ends, the lines that had
 * arrived can still be popped.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/slice.h"
#include "os/line_client.h"

#define LINE_STREAM_OUT_MAX 8192 /* bytes of requests not yet taken by the daemon */

struct line_stream {
	int fd; /* -1: closed                                 */
	char out[LINE_STREAM_OUT_MAX];
	size_t out_used;
	char *in;                          /* NULL, or in_size bytes                     */
	size_t in_used, in_size, in_taken; /* in_taken: popped already, at the front of it */
};

/* Makes @s safe for every other call; opens nothing. */
void line_stream_init(struct line_stream *s);

/* Closes, and forgets lines not yet popped.  Safe after init, and twice. */
void line_stream_fini(struct line_stream *s);

/*
 * Connects to the socket @path; a connection that was open is closed first.  LINE_CLIENT_ANSWERED:
 * open.  LINE_CLIENT_TIMEOUT: the daemon has too many clients waiting, try again later.  *@reterr
 * is written for every outcome but ANSWERED: 0 or a negative errno.
 */
enum line_client_outcome line_stream_open(struct line_stream *s, const char *path,
                                          int *reterr) must_check;

bool line_stream_is_open(const struct line_stream *s);

/* Queues @line and a line break.  False, and nothing queued: closed, or no room for it now. */
bool line_stream_send(struct line_stream *s, struct slice line) must_check;

/* Fills in what to wait for; returns 0 or 1, how many of @ret are in use. */
size_t line_stream_prepare(const struct line_stream *s, struct pollfd *ret);

/*
 * Moves what can be moved.  LINE_CLIENT_ANSWERED: the connection stands.  Anything else: it ended
 * and is closed; *@reterr as for open.  @n 0: nothing is done.
 */
enum line_client_outcome line_stream_dispatch(struct line_stream *s, const struct pollfd *fds,
                                              size_t n, int *reterr) must_check;

/* Takes the next line, without its break and terminated; valid until the next call with @s. */
bool line_stream_pop(struct line_stream *s, struct slice *ret);

#endif
