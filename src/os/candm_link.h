/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_CANDM_LINK_H
#define OS_CANDM_LINK_H

/*
 * candm_link.h - one question to chronyd, without waiting
 *
 * Over UDP on loopback, or over the unix socket that only root and chronyd's own user
 * reach.  chronyd answers a unix client at the path that it has bound, so ours is
 * made directly in the folder of its socket: confined chronyds write nowhere else.
 * Both ends of either way are root's: no port below 1024 and no file there is anybody
 * else's.
 *
 * What comes is one datagram or none; a time limit is the caller's.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "base/attr.h"
#include "wire/candm.h"

#define CANDM_LINK_FOLDER "/run/chrony"

struct candm_link {
	int fd; /* -1: closed */
	char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* that we bound; "": none */
	uint16_t command; /* that was asked ... */
	uint32_t sequence; /* ... under this number */
};

#define CANDM_LINK_INIT ((struct candm_link){ .fd = -1 })

/* To 127.0.0.1:@port.  0 or -errno. */
int candm_link_open_udp(struct candm_link *c, unsigned port) must_check;

/* To @folder/chronyd.sock.  0 or -errno; then nothing is left there. */
int candm_link_open_unix(struct candm_link *c, const char *folder) must_check;

/* Asks.  0 or -errno (-ECONNREFUSED: nobody is there). */
int candm_link_ask(struct candm_link *c, enum candm_command command) must_check;

enum candm_link_outcome {
	CANDM_LINK_ANSWERED, /* *ret is filled in; its status may be a refusal  */
	CANDM_LINK_WAITS,    /* nothing yet, or something that is no answer      */
	CANDM_LINK_NOBODY,   /* nobody is there, or what is there is not chronyd */
};

/* Takes what has come.  *@ret is written only for CANDM_LINK_ANSWERED. */
enum candm_link_outcome candm_link_take(struct candm_link *c, struct candm_reply *ret);

/* Safe on CANDM_LINK_INIT, and twice.  Removes the path that was bound. */
void candm_link_close(struct candm_link *c);

#endif
