/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_VSOCK_H
#define OS_VSOCK_H

/*
 * vsock.h - a port that only this guest's host can reach
 *
 * vsock connects a guest with its host without a network.  The kernel writes the
 * sender's address itself, so it can be believed: CID 2 is the host, and a port
 * below 1024 was given by the host's kernel to somebody with CAP_NET_BIND_SERVICE.
 * Everybody else, the guest's own processes among them (CID 1), is not the host.
 *
 * Not every kernel has vsock, and a module may come late.  Asking for a socket
 * would make the kernel load that module, which is not ours to decide; so it is
 * looked for in /sys first.
 */

#include <stdbool.h>
#include <sys/socket.h>

#include "base/attr.h"

#define VSOCK_TEXT_MAX 64

enum vsock_outcome {
	VSOCK_LISTENS, /* *ret_fd is yours                        */
	VSOCK_MISSING, /* this kernel has none, for now           */
	VSOCK_FAILED,  /* *reterr is a negative errno             */
};

/* Listens on @port for whoever comes, without blocking.  @root: "" but in tests. */
enum vsock_outcome vsock_listen(const char *root, unsigned port, int *ret_fd, int *reterr) must_check;

enum vsock_dial {
	VSOCK_DIAL_BEGUN,   /* *ret_fd is yours; writable as soon as it is decided, see vsock_dialled */
	VSOCK_DIAL_MISSING, /* this kernel has none, for now                                          */
	VSOCK_DIAL_FAILED,  /* *reterr is a negative errno                                            */
};

/*
 * Begins to connect to @port of the guest @cid, from a privileged port (-EACCES where we may not have
 * one, -EADDRINUSE where there is none left), without waiting.  @root as above.
 */
enum vsock_dial vsock_dial(const char *root, unsigned cid, unsigned port, int *ret_fd,
                           int *reterr) must_check;

/* What has become of that: 0, it is connected, or a negative errno. */
int vsock_dialled(int fd) must_check;

/* Whether @peer is the host's own and privileged there. */
bool vsock_is_host(const struct sockaddr *peer, socklen_t length);

/* "CID 3 port 1023" for logs; any other address is "unknown".  Returns @to. */
const char *vsock_text(const struct sockaddr *peer, char to[VSOCK_TEXT_MAX]);

#endif
