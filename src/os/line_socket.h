/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_LINE_SOCKET_H
#define OS_LINE_SOCKET_H

/*
 * line_socket.h - a listening socket in the file system, made once among daemons
 */

#include <sys/types.h>

#include "base/attr.h"

#define LINE_SOCKET_BACKLOG 32 /* connections that nobody has accepted yet */

/*
 * Listens at @path, in a folder that is made where it is missing (0755), both owned by @uid and @gid.
 * Everybody may connect.  A socket that a dead daemon left is replaced; nothing else is.  0 and a
 * non-blocking *@ret_fd, -EADDRINUSE where somebody listens there, or -errno.
 */
int line_socket_open(const char *path, uid_t uid, gid_t gid, int *ret_fd) must_check;

#endif
