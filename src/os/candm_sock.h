/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_CANDM_SOCK_H
#define OS_CANDM_SOCK_H

/*
 * candm_sock.h - the sockets that chronyc asks through
 *
 * One unix datagram socket, whose folder says who may come, and one UDP socket
 * for each family.  A component without callbacks:
 *
 *     n = candm_sock_prepare(&s, fds);
 *     ... poll ...
 *     candm_sock_dispatch(&s, fds, n);
 *     while (candm_sock_pop(&s, &datagram))
 *             candm_sock_reply(&s, &datagram, bytes, length);
 *
 * The sockets are read in turn, and at most CANDM_SOCK_BUDGET datagrams a dispatch,
 * so a flood on one does not shut out the others, nor keeps the caller from its
 * clocks.  Nothing blocks and nothing is allocated: what is not read in time the
 * kernel drops, and chronyc asks again.
 *
 * A unix client is answered at the path that it has bound; one that has none, or whose path has
 * gone, is not answered.
 */

#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/attr.h"
#include "wire/candm.h"

#define CANDM_SOCK_FDS    3
#define CANDM_SOCK_BUDGET 64

enum candm_transport {
	CANDM_UNIX,
	CANDM_UDP4,
	CANDM_UDP6,
};

struct candm_sock {
	int fds[CANDM_SOCK_FDS]; /* by transport; -1: closed */
	bool is_readable[CANDM_SOCK_FDS];
	unsigned turn, budget;
	char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* of the unix socket; "": closed */
	uint8_t bytes[CANDM_REQUEST_MAX + 1];
};

struct candm_datagram {
	enum candm_transport transport;
	const uint8_t *bytes; /* valid until the next call with this component */
	size_t n;             /* one more than a request may have stands for anything longer */
	struct candm_address sender; /* UDP: where it came from; else unspecified */
	bool is_local;               /* unix, or UDP from a loopback address      */
	/* For the reply. */
	union {
		struct sockaddr any;
		struct sockaddr_un unix_path;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} from;
	socklen_t from_length;
	struct candm_address to; /* UDP: the address it was sent to */
	unsigned interface;
};

struct candm_sock_unix {
	const char *path;
	uid_t uid; /* who owns the folder and the socket */
	gid_t gid;
	bool is_open_folder; /* the folder keeps nobody out, so the socket has to: 0660 */
	gid_t guests;        /* the group of a folder that is made; may be @gid         */
};

struct candm_sock_udp {
	struct candm_address address; /* IPv4 or IPv6 */
	uint16_t port;
	const char *device; /* only datagrams through this interface; "": any */
};

enum candm_sock_outcome {
	CANDM_SOCK_OPEN,
	CANDM_SOCK_TAKEN,   /* somebody answers at the path already           */
	CANDM_SOCK_FOREIGN, /* its folder belongs to *reterr, a uid           */
	CANDM_SOCK_LOOSE,   /* its folder lets others in: *reterr is its mode */
	CANDM_SOCK_FAILED,  /* *reterr is a negative errno                    */
};

/* Makes @s safe for every other call. */
void candm_sock_init(struct candm_sock *s);

/*
 * Binds the unix socket, replacing one that a dead daemon left.  Its folder is made where it is
 * missing (0770, the owner, the guests); one that is there must belong to the owner, let nobody in
 * but owner and group, and have one of the two groups, unless is_open_folder.
 */
enum candm_sock_outcome candm_sock_open_unix(struct candm_sock *s,
					     const struct candm_sock_unix *conf, int *reterr);

/* Binds the socket of the address's family.  0 or -errno. */
int candm_sock_open_udp(struct candm_sock *s, const struct candm_sock_udp *conf) must_check;

/* Closes all, removes the unix socket as far as we still may.  Safe after init, and twice. */
void candm_sock_fini(struct candm_sock *s);

/* Fills in what to wait for; returns how many of the CANDM_SOCK_FDS are in use. */
size_t candm_sock_prepare(const struct candm_sock *s, struct pollfd *ret);

/* @fds as filled in by prepare, with revents; n 0: nothing came. */
void candm_sock_dispatch(struct candm_sock *s, const struct pollfd *fds, size_t n);

/* Takes the next datagram.  False when this dispatch has no more. */
bool candm_sock_pop(struct candm_sock *s, struct candm_datagram *ret);

/* Sends @n bytes to where @datagram came from, or not at all. */
void candm_sock_reply(struct candm_sock *s, const struct candm_datagram *datagram,
		      const uint8_t *bytes, size_t n);

#endif
