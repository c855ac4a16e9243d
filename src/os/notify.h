/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_NOTIFY_H
#define OS_NOTIFY_H

/*
 * notify.h - tell the service manager how we are (sd_notify's protocol)
 *
 * Datagrams to the socket that $NOTIFY_SOCKET names.  Nobody there, or nobody
 * listening, is no error: a daemon must not depend on who started it.  Never
 * blocks.
 */

#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd; /* -1: nobody asked */
	struct sockaddr_un address;
	socklen_t address_length;
};

#define NOTIFY_INIT ((struct notify){ .fd = -1 })

/* @address is $NOTIFY_SOCKET: a path, "@NAME" for an abstract one, NULL or "" for nobody. */
void notify_init(struct notify *n, const char *address);
void notify_fini(struct notify *n);

/* @status is one line for people, or NULL; line breaks in it become blanks. */
void notify_ready(const struct notify *n, const char *status);
void notify_status(const struct notify *n, const char *status);
void notify_reloading(const struct notify *n); /* followed by notify_ready */
void notify_stopping(const struct notify *n, const char *status);

#endif
