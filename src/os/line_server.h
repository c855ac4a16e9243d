/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_LINE_SERVER_H
#define OS_LINE_SERVER_H

/*
 * line_server.h - a socket where a request is a line and a reply is a line
 *
 * The control socket is one (line_server_open), the host's channel another
 * (line_server_take, with a socket that somebody else made).
 * A component without callbacks.  One turn of the caller's loop:
 *
 *     struct pollfd fds[LINE_SERVER_FDS];
 *     size_t n = line_server_prepare(&server, fds);
 *     ... poll(fds, n, until line_server_deadline(&server)) ...
 *     line_server_dispatch(&server, now, fds, n);
 *     while (line_server_pop(&server, &request))
 *             line_server_reply(&server, request.client, text, length);
 *
 * A reply may come later, and a client may be sent lines that answer nothing:
 * line_server_hold.
 *
 * Who comes through the socket is not trusted, so everything has a limit:
 *
 *   - with a door (`admits`) whom it does not let in is closed unread, and counted;
 *   - LINE_SERVER_CLIENTS at once, of which the last few are kept for root, and
 *     LINE_SERVER_PER_UID of any other user; one too many is told so and closed;
 *   - a request is at most LINE_REQUEST_MAX bytes; a longer one is told so and closed;
 *   - clients are served in turn, LINE_SERVER_BUDGET requests each and dispatch, and
 *     a client may ask LINE_SERVER_RATE times a second after a burst; beyond that
 *     it is simply not read until its time has come;
 *   - nothing more is read from a client that has not taken its last replies; one that
 *     moves no byte for LINE_SERVER_IDLE, or owes us more than LINE_REPLY_BACKLOG,
 *     is dropped;
 *   - one that is held may be silent for as long as it has taken what it was sent.  At
 *     most LINE_SERVER_HELD are held, of any user but root LINE_SERVER_HELD_PER_UID.
 *
 * Nothing blocks.  Buffers are allocated for connected clients only and never
 * exceed 260 KiB each.  What stands in a line is the caller's business.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/allowance.h"
#include "base/attr.h"
#include "base/slice.h"
#include "base/units.h"
#include "os/files.h"
#include "os/line_buffers.h"

#define LINE_SERVER_PATH     "/run/vmtime/vmtimed.sock"
#define LINE_SERVER_CLIENTS  32
#define LINE_SERVER_FOR_ROOT 4 /* of these, and of those that are held */
#define LINE_SERVER_PER_UID  8
#define LINE_SERVER_HELD         24
#define LINE_SERVER_HELD_PER_UID 6
#define LINE_SERVER_FDS      (1 + LINE_SERVER_CLIENTS)
#define LINE_SERVER_BUDGET   4
#define LINE_SERVER_RATE     50 /* requests a second and client */
#define LINE_SERVER_BURST    100
#define LINE_SERVER_IDLE     VT_SEC(30)

struct line_server_conf {
	const char *path; /* NULL: the socket has none */
	uid_t uid; /* who owns the socket, and its folder where that has to be made (0755) */
	gid_t gid; /* likewise; members of this group may change things                    */
	/* Whole lines without the break, borrowed for as long as the server lives: */
	const char *busy_reply;     /* to a client too many      */
	const char *too_long_reply; /* to a request that is too long */
	/*
	 * The door: whether somebody from the address @peer may come in.  NULL: everybody.  It only
	 * looks at its arguments.
	 */
	bool (*admits)(const struct sockaddr *peer, socklen_t length);
	unsigned clients; /* at most at once, root among them; 0: LINE_SERVER_CLIENTS */
};

struct line_request {
	uint32_t client; /* for the reply; never used twice */
	uid_t uid;
	gid_t gid;
	bool may_change;   /* root, in the group of the configuration, or let in by a door */
	struct slice line; /* without the break; valid until the next call with this server */
};

enum line_hold {
	LINE_HOLD_NOT,
	LINE_HOLD_REPLY,  /* its reply comes later; it is not asked for more until then */
	LINE_HOLD_STREAM, /* it is sent lines whenever there are any, and may ask, too  */
};

struct line_client_state {
	int fd; /* -1: free */
	uint32_t id;
	uid_t uid;
	gid_t gid;
	bool may_change;
	bool is_gone;     /* nobody will read replies */
	enum line_hold hold;
	int poll_index;   /* in the latest prepare; -1: not polled */
	unsigned served;  /* in this dispatch */
	struct allowance requests;
	struct line_buffers buffers;
};

struct line_server {
	int fd; /* -1: closed */
	struct line_server_conf conf;
	char path[FILE_PATH_MAX];
	vt_mono now;           /* of the latest dispatch */
	vt_mono accepts_again; /* out of descriptors until then */
	uint32_t last_id;
	unsigned turn; /* the client to be served next */
	uint64_t refused;                     /* by the door */
	struct sockaddr_storage refused_from; /* the latest of them */
	struct line_client_state clients[LINE_SERVER_CLIENTS];
};

enum line_server_outcome {
	LINE_SERVER_OPEN,
	LINE_SERVER_TAKEN,  /* a living daemon answers at the path           */
	LINE_SERVER_FAILED, /* *reterr is a negative errno                   */
};

/* Makes @s safe for every other call; opens nothing. */
void line_server_init(struct line_server *s);

/* Binds the socket, replacing one that a dead daemon left. */
enum line_server_outcome line_server_open(struct line_server *s,
					  const struct line_server_conf *conf, vt_mono now,
					  int *reterr);

/*
 * Serves the listening and non-blocking socket @fd, which belongs to @s from now on.  @conf: its path
 * is NULL.  @s is as after init or fini.
 */
void line_server_take(struct line_server *s, const struct line_server_conf *conf, int fd, vt_mono now);

/* Drops the clients, removes the socket as far as we still may.  Safe after init, and twice. */
void line_server_fini(struct line_server *s);

/* Fills in what to wait for; returns how many of the LINE_SERVER_FDS are in use. */
size_t line_server_prepare(struct line_server *s, struct pollfd *ret);

/* When to call dispatch though nothing came: a timeout, or requests left over from last time. */
vt_mono line_server_deadline(const struct line_server *s);

/* @fds as filled in by prepare, with revents; n 0: only what the time asks for. */
void line_server_dispatch(struct line_server *s, vt_mono now, const struct pollfd *fds, size_t n);

/* Takes the next request.  False, and *@ret untouched, when this dispatch has no more. */
bool line_server_pop(struct line_server *s, struct line_request *ret);

/*
 * Keeps @client though it is silent, and though it has said its last.  False, and nothing is
 * changed: too many are kept so already, or it is gone.  A LINE_HOLD_REPLY ends with the reply.
 */
bool line_server_hold(struct line_server *s, uint32_t client, enum line_hold hold) must_check;

/* Whether @client is connected still. */
bool line_server_has(const struct line_server *s, uint32_t client);

/*
 * Sends @text (one line) and a line break to @client.  One that has gone meanwhile is none of our
 * worry.  Unless it is held, reply before the next dispatch: a client that has said its last is
 * closed there.
 */
void line_server_reply(struct line_server *s, uint32_t client, const char *text, size_t length);

/* How many clients are connected. */
unsigned line_server_count(const struct line_server *s);

#endif
