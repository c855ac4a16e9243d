/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_LINE_CLIENT_H
#define OS_LINE_CLIENT_H

/*
 * line_client.h - ask the daemon one question
 *
 * One connection, one line there, one line back, with a limit on time and size.
 * For the command line: it blocks.
 */

#include <stddef.h>

#include "base/attr.h"
#include "base/slice.h"
#include "base/units.h"

#define LINE_CLIENT_REPLY_MAX (1024 * 1024)

enum line_client_outcome {
	LINE_CLIENT_ANSWERED,
	LINE_CLIENT_NO_DAEMON, /* no such socket, or nobody listens to it      */
	LINE_CLIENT_DENIED,    /* we may not connect                           */
	LINE_CLIENT_TIMEOUT,   /* it did not answer in time                    */
	LINE_CLIENT_CLOSED,    /* it hung up before the end of a line          */
	LINE_CLIENT_TOO_LONG,  /* the reply exceeds LINE_CLIENT_REPLY_MAX      */
	LINE_CLIENT_FAILED,    /* anything else: *reterr is a negative errno   */
};

/* What the errno of connect, send or receive on such a socket comes to; never ANSWERED. */
enum line_client_outcome line_client_outcome_of(int error);

/*
 * Sends @request (without a line break) to the socket @path.  For LINE_CLIENT_ANSWERED *@ret is the
 * reply without its break, terminated, the caller's to free; otherwise untouched.  *@reterr is
 * written for every outcome but ANSWERED (0 where no system call failed).
 */
enum line_client_outcome line_client_ask(const char *path, struct slice request, vt_span timeout,
					 char **ret, size_t *ret_length, int *reterr) must_check;

#endif
