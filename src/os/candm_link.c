/* SPDX-License-Identifier: Apache-2.0 */
#include "os/candm_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Datagrams that are no answer of ours: a few are thrown away at a time. */
#define STRAYS_MAX 8

int candm_link_open_udp(struct candm_link *c, unsigned port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	/* Connected: answers of others are not taken, and that nobody listens is heard. */
	if (connect(fd, (const struct sockaddr *)&to, sizeof to) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*c = (struct candm_link){ .fd = fd };
	return 0;
}

/* The address of @name in @folder.  False: it is too long. */
static bool make_address(const char *folder, const char *name, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return (size_t)snprintf(ret->sun_path, sizeof ret->sun_path, "%s/%s", folder, name) <
	       sizeof ret->sun_path;
}

static int bind_and_connect(int fd, const struct sockaddr_un *own, const struct sockaddr_un *to)
{
	/* One that a killed run of ours left; the folder is root's and chronyd's alone. */
	(void)unlink(own->sun_path);
	/* chronyd has given up root by now and must be able to write to it. */
	if (fchmod(fd, 0666) < 0 || bind(fd, (const struct sockaddr *)own, sizeof *own) < 0)
		return -errno;
	if (chmod(own->sun_path, 0666) < 0 ||
	    connect(fd, (const struct sockaddr *)to, sizeof *to) < 0) {
		int r = -errno;

		(void)unlink(own->sun_path);
		return r;
	}
	return 0;
}

int candm_link_open_unix(struct candm_link *c, const char *folder)
{
	struct sockaddr_un own, to;
	int fd, r;

	if (!make_address(folder, "vmtime-hostd.sock", &own) ||
	    !make_address(folder, "chronyd.sock", &to))
		return -ENAMETOOLONG;
	if (access(to.sun_path, F_OK) < 0)
		return -errno;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = bind_and_connect(fd, &own, &to);
	if (r < 0) {
		close(fd);
		return r;
	}
	*c = (struct candm_link){ .fd = fd };
	memcpy(c->path, own.sun_path, sizeof c->path);
	return 0;
}

int candm_link_ask(struct candm_link *c, enum candm_command command)
{
	uint8_t bytes[CANDM_REQUEST_ANY];
	struct candm_request request = { .command = (uint16_t)command };
	size_t n;

	/* Nobody can have an answer ready to a number that he does not know. */
	if (getrandom(&request.sequence, sizeof request.sequence, GRND_NONBLOCK) < 0)
		return -errno;
	n = candm_encode_request(&request, bytes);
	if (send(c->fd, bytes, n, MSG_NOSIGNAL) < 0)
		return -errno;
	c->command = (uint16_t)command;
	c->sequence = request.sequence;
	return 0;
}

enum candm_link_outcome candm_link_take(struct candm_link *c, struct candm_reply *ret)
{
	uint8_t bytes[CANDM_REPLY_MAX + 8];

	for (unsigned i = 0; i < STRAYS_MAX; i++) {
		ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? CANDM_LINK_WAITS
			                                         : CANDM_LINK_NOBODY;
		switch (candm_decode_reply(bytes, (size_t)n, c->command, c->sequence, ret)) {
		case CANDM_ANSWERED: return CANDM_LINK_ANSWERED;
		case CANDM_FOREIGN: break;
		case CANDM_BROKEN: return CANDM_LINK_NOBODY;
		}
	}
	return CANDM_LINK_WAITS;
}

void candm_link_close(struct candm_link *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (*c->path)
		(void)unlink(c->path);
	*c = CANDM_LINK_INIT;
}
