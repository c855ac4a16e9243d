/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_UNIX_STREAM_H
#define OS_UNIX_STREAM_H

/*
 * unix_stream.h - a connection to somebody else's socket, if he is to be trusted
 *
 * Whoever may put a socket where a guest's is expected could play that guest.  So before
 * a byte is exchanged the socket's owner is looked at, and who listens there
 * (SO_PEERCRED): each must be root, ourselves, or the owner of the folder that the socket
 * stands in.  What is looked at is what is connected to: the socket is held by a
 * descriptor meanwhile, so nobody can exchange it in between, and its path may be longer
 * than an address of a socket has room for.
 *
 * Nothing here waits.
 */

#include <stddef.h>

#include "base/attr.h"

enum unix_stream_outcome {
	UNIX_STREAM_OPEN,    /* *ret_fd is yours; it does not block                     */
	UNIX_STREAM_MISSING, /* there is no such file                                   */
	UNIX_STREAM_NOBODY,  /* nobody listens there (any more)                         */
	UNIX_STREAM_BUSY,    /* too many wait there already: later                      */
	UNIX_STREAM_REFUSED, /* not a socket, or not to be trusted: the text says which  */
	UNIX_STREAM_FAILED,  /* the text says why                                       */
};

/*
 * Connects to @path.  *@ret_fd is written only for UNIX_STREAM_OPEN, @reterr_text (one sentence,
 * without the path) for every other outcome.
 */
enum unix_stream_outcome unix_stream_connect(const char *path, int *ret_fd, char *reterr_text,
                                             size_t text_size) must_check;

#endif
