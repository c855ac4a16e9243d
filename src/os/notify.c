/* SPDX-License-Identifier: Apache-2.0 */
#include "os/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STATUS_MAX 256

void notify_init(struct notify *n, const char *address)
{
	size_t length = address ? strlen(address) : 0;

	*n = NOTIFY_INIT;
	if ((length < 2) || (address[0] != '/' && address[0] != '@') ||
	    length >= sizeof n->address.sun_path)
		return;

	n->address.sun_family = AF_UNIX;
	memcpy(n->address.sun_path, address, length);
	/* An abstract name has no terminator: its length says where it ends. */
	n->address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (address[0] == '@')
		n->address.sun_path[0] = '\0';
	else
		n->address_length++;
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void notify_fini(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

static void tell(const struct notify *n, const char *text)
{
	if (n->fd >= 0)
		(void)sendto(n->fd, text, strlen(text), MSG_NOSIGNAL,
			     (const struct sockaddr *)&n->address, n->address_length);
}

/* Sends @state ("" or "NAME=value\n") and, where there is one, a status of one line. */
static void tell_with_status(const struct notify *n, const char *state, const char *status)
{
	char text[STATUS_MAX + 64];
	size_t used = strlen(state);

	memcpy(text, state, used + 1);
	if (status) {
		snprintf(text + used, sizeof text - used, "STATUS=%s", status);
		for (char *c = text + used; *c; c++)
			if (*c == '\n' || *c == '\r')
				*c = ' ';
	}
	tell(n, text);
}

void notify_ready(const struct notify *n, const char *status)
{
	tell_with_status(n, "READY=1\n", status);
}

void notify_status(const struct notify *n, const char *status)
{
	tell_with_status(n, "", status ? status : "");
}

void notify_reloading(const struct notify *n)
{
	char text[64];
	struct timespec now;

	if (n->fd < 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		 (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	tell(n, text);
}

void notify_stopping(const struct notify *n, const char *status)
{
	tell_with_status(n, "STOPPING=1\n", status);
}
