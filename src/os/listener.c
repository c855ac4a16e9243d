/* SPDX-License-Identifier: Apache-2.0 */
#include "os/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128

union endpoint {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

static socklen_t endpoint_fill(union endpoint *e, const struct address *address, uint16_t port)
{
	memset(e, 0, sizeof *e);
	if (address->family == ADDRESS_IPV6) {
		e->ipv6.sin6_family = AF_INET6;
		e->ipv6.sin6_port = htons(port);
		memcpy(&e->ipv6.sin6_addr, address->bytes, sizeof e->ipv6.sin6_addr);
		return sizeof e->ipv6;
	}
	e->ipv4.sin_family = AF_INET;
	e->ipv4.sin_port = htons(port);
	memcpy(&e->ipv4.sin_addr, address->bytes, sizeof e->ipv4.sin_addr);
	return sizeof e->ipv4;
}

static int take_port(int fd, const union endpoint *e, socklen_t length)
{
	const int on = 1;

	/* Connections of a server that ended a moment ago do not keep its port from the next one.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
		return -errno;
	if (e->any.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
		return -errno;
	if (bind(fd, &e->any, length) != 0 || listen(fd, BACKLOG) != 0)
		return -errno;
	return 0;
}

int listener_open(const struct address *address, uint16_t port, int *ret_fd)
{
	union endpoint e;
	const socklen_t length = endpoint_fill(&e, address, port);
	const int fd = socket(e.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = take_port(fd, &e, length);
	if (r) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

uint16_t listener_port(int fd)
{
	union endpoint e = { .any.sa_family = AF_UNSPEC };
	socklen_t length = sizeof e;

	if (getsockname(fd, &e.any, &length) != 0)
		return 0;
	switch (e.any.sa_family) {
	case AF_INET: return ntohs(e.ipv4.sin_port);
	case AF_INET6: return ntohs(e.ipv6.sin6_port);
	default: return 0;
	}
}
