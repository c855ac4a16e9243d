/* SPDX-License-Identifier: Apache-2.0 */
#include "os/line_server.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/line_socket.h"

#define ACCEPT_BUDGET 8 /* new clients a dispatch */
#define ACCEPT_PAUSE  VT_SEC(1)

static bool has_line(const struct line_client_state *c)
{
	return line_buffers_has_line(&c->buffers);
}

static bool owes_bytes(const struct line_client_state *c)
{
	return line_buffers_owes(&c->buffers);
}

static void close_client(struct line_client_state *c)
{
	if (c->fd >= 0)
		close(c->fd);
	line_buffers_fini(&c->buffers);
	*c = (struct line_client_state){ .fd = -1, .poll_index = -1 };
}

/* Nothing is read from a client that still has something to do with what it sent or was sent. */
static bool is_read(const struct line_client_state *c)
{
	return !c->buffers.is_ended && !owes_bytes(c) && !has_line(c) &&
	       allowance_is_left(&c->requests) && c->hold != LINE_HOLD_REPLY;
}

static bool is_done(const struct line_client_state *c)
{
	return c->buffers.is_ended && !owes_bytes(c) && !has_line(c) && c->hold == LINE_HOLD_NOT;
}

/* Nothing is wrong with the silence of one that is held. */
static bool may_idle(const struct line_client_state *c)
{
	return c->hold != LINE_HOLD_NOT && !owes_bytes(c);
}

/* Whether the group @wanted is one of the peer's: its own or a supplementary one. */
static bool peer_has_group(int fd, gid_t own, gid_t wanted)
{
	gid_t groups[64];
	socklen_t size = sizeof groups;

	if (own == wanted)
		return true;
	/* More than fit are not looked at: a user in 65 groups may become root to change things. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof *groups; i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

static unsigned most_clients(const struct line_server *s)
{
	return s->conf.clients ? s->conf.clients : LINE_SERVER_CLIENTS;
}

static struct line_client_state *find_room(struct line_server *s, uid_t uid)
{
	struct line_client_state *free_slot = NULL;
	unsigned used = 0, same = 0;

	for (size_t i = 0; i < LINE_SERVER_CLIENTS; i++) {
		struct line_client_state *c = &s->clients[i];

		if (c->fd < 0) {
			free_slot = free_slot ? free_slot : c;
			continue;
		}
		used++;
		same += c->uid == uid;
	}
	if (used >= most_clients(s))
		return NULL;
	if (uid != 0 &&
	    (same >= LINE_SERVER_PER_UID || used >= most_clients(s) - LINE_SERVER_FOR_ROOT))
		return NULL;
	return free_slot;
}

/* Tells a client that is not served why; what does not fit its empty socket is lost. */
static void turn_away(int fd, const char *text)
{
	char line[512];
	size_t length = strlen(text);

	if (length < sizeof line) {
		memcpy(line, text, length);
		line[length] = '\n';
		(void)!send(fd, line, length + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	close(fd);
}

/* Who came in.  False: the kernel does not say. */
static bool identify(const struct line_server *s, int fd, struct line_client_state *ret)
{
	struct ucred peer = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	socklen_t size = sizeof peer;

	/* Whoever the door lets in is as good as root: there is nobody else behind it. */
	if (s->conf.admits) {
		*ret = (struct line_client_state){ .may_change = true };
		return true;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	*ret = (struct line_client_state){
		.uid = peer.uid,
		.gid = peer.gid,
		.may_change = peer.uid == 0 || peer_has_group(fd, peer.gid, s->conf.gid),
	};
	return true;
}

/* Whose request is too long is told so, and hears no more. */
static void end_too_long(struct line_server *s, struct line_client_state *c, vt_mono now)
{
	if (!line_buffers_is_too_long(&c->buffers))
		return;
	(void)line_buffers_put(&c->buffers, c->fd, s->conf.too_long_reply,
			       strlen(s->conf.too_long_reply), now);
	close_client(c);
}

static void welcome(struct line_server *s, int fd, vt_mono now)
{
	struct line_client_state who, *c;

	if (!identify(s, fd, &who)) {
		close(fd);
		return;
	}
	c = find_room(s, who.uid);
	if (!c) {
		turn_away(fd, s->conf.busy_reply);
		return;
	}
	who.fd = fd;
	who.id = ++s->last_id;
	who.poll_index = -1;
	who.requests = ALLOWANCE(LINE_SERVER_BURST, VT_NS(1000000000 / LINE_SERVER_RATE));
	who.buffers.moved = now;
	*c = who;
	/* Who has something to ask has mostly sent it with his coming: a turn less to wait. */
	if (!line_buffers_receive(&c->buffers, c->fd, now))
		close_client(c);
	else
		end_too_long(s, c, now);
}

/* Whether the door lets @fd from @peer in; else it is closed as it came, unread. */
static bool pass_door(struct line_server *s, int fd, const struct sockaddr_storage *peer,
		      socklen_t length)
{
	if (!s->conf.admits || s->conf.admits((const struct sockaddr *)peer, length))
		return true;
	s->refused++;
	s->refused_from = *peer;
	close(fd);
	return false;
}

static void accept_clients(struct line_server *s, vt_mono now)
{
	for (unsigned i = 0; i < ACCEPT_BUDGET; i++) {
		struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
		socklen_t length = sizeof peer;
		int fd = accept4(s->fd, (struct sockaddr *)&peer, &length,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			if (pass_door(s, fd, &peer, length))
				welcome(s, fd, now);
			continue;
		}
		/* Without descriptors the queue stays readable; polling it would spin. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			s->accepts_again = vt_mono_add(now, ACCEPT_PAUSE);
		return;
	}
}

/* What poll said about one client.  False: it is to be dropped. */
static bool serve(struct line_client_state *c, short revents, vt_mono now)
{
	if (revents & POLLOUT && !line_buffers_flush(&c->buffers, c->fd, now))
		return false;
	if (revents & (POLLIN | POLLHUP | POLLERR) && is_read(c) &&
	    !line_buffers_receive(&c->buffers, c->fd, now))
		return false;
	/* Once both directions are shut nobody reads replies; poll would say so for ever. */
	if (revents & (POLLHUP | POLLERR | POLLNVAL))
		c->is_gone = true;
	if (c->is_gone && (!has_line(c) || c->hold != LINE_HOLD_NOT))
		return false;
	return true;
}

/*
 * Whether one that is held, and not read any more, has gone: it said its last, but may still want
 * to hear.  The caller's loop need not pass POLLHUP on, so it is asked for here.
 */
static bool has_left(const struct line_client_state *c)
{
	struct pollfd fd = { .fd = c->fd };

	return c->hold != LINE_HOLD_NOT && (c->buffers.is_ended || c->hold == LINE_HOLD_REPLY) &&
	       poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR | POLLNVAL);
}

static void update_client(struct line_server *s, struct line_client_state *c, short revents)
{
	vt_mono now = s->now;

	allowance_refill(&c->requests, now);
	c->served = 0;
	if (!serve(c, revents, now) || is_done(c) || has_left(c) ||
	    (!may_idle(c) && vt_mono_since(now, c->buffers.moved).ns >= LINE_SERVER_IDLE.ns)) {
		close_client(c);
		return;
	}
	end_too_long(s, c, now);
}

void line_server_init(struct line_server *s)
{
	*s = (struct line_server){ .fd = -1 };
	for (size_t i = 0; i < LINE_SERVER_CLIENTS; i++)
		s->clients[i] = (struct line_client_state){ .fd = -1, .poll_index = -1 };
}

enum line_server_outcome line_server_open(struct line_server *s,
					  const struct line_server_conf *conf, vt_mono now,
					  int *reterr)
{
	int fd;
	int r = line_socket_open(conf->path, conf->uid, conf->gid, &fd);

	if (r == -EADDRINUSE)
		return LINE_SERVER_TAKEN;
	if (r < 0) {
		*reterr = r;
		return LINE_SERVER_FAILED;
	}
	line_server_take(s, conf, fd, now);
	memcpy(s->path, conf->path, strlen(conf->path) + 1);
	s->conf.path = s->path;
	return LINE_SERVER_OPEN;
}

void line_server_take(struct line_server *s, const struct line_server_conf *conf, int fd, vt_mono now)
{
	assert(s->fd < 0 && conf->clients <= LINE_SERVER_CLIENTS);
	s->fd = fd;
	s->conf = *conf;
	s->path[0] = '\0';
	s->now = s->accepts_again = now;
}

void line_server_fini(struct line_server *s)
{
	for (size_t i = 0; i < LINE_SERVER_CLIENTS; i++)
		close_client(&s->clients[i]);
	if (s->fd < 0)
		return;
	close(s->fd);
	s->fd = -1;
	if (*s->path)
		(void)unlink(s->path);
}

size_t line_server_prepare(struct line_server *s, struct pollfd *ret)
{
	size_t n = 0;

	if (s->fd >= 0 && s->now.ns >= s->accepts_again.ns)
		ret[n++] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
	for (size_t i = 0; i < LINE_SERVER_CLIENTS; i++) {
		struct line_client_state *c = &s->clients[i];
		short events = 0;

		c->poll_index = -1;
		if (c->fd < 0 || c->is_gone)
			continue;
		if (owes_bytes(c))
			events |= POLLOUT;
		if (is_read(c))
			events |= POLLIN;
		c->poll_index = (int)n;
		ret[n++] = (struct pollfd){ .fd = c->fd, .events = events };
	}
	return n;
}

vt_mono line_server_deadline(const struct line_server *s)
{
	vt_mono at = VT_MONO_NEVER;

	if (s->fd >= 0 && s->accepts_again.ns > s->now.ns)
		at = s->accepts_again;
	for (size_t i = 0; i < LINE_SERVER_CLIENTS; i++) {
		const struct line_client_state *c = &s->clients[i];
		bool may_ask = allowance_is_left(&c->requests);

		if (c->fd < 0)
			continue;
		if (!may_idle(c))
			at = vt_mono_min(at, vt_mono_add(c->buffers.moved, LINE_SERVER_IDLE));
		/* Its last reply is out: close, for it may be waiting for that. */
		if (is_done(c) || c->is_gone)
			at = s->now;
		/* Waiting for its turn, or for its rate to allow the next request. */
		if (!owes_bytes(c) && c->hold != LINE_HOLD_REPLY && (has_line(c) || !may_ask))
			at = vt_mono_min(at, may_ask ? s->now : allowance_next(&c->requests));
	}
	return at;
}

void line_server_dispatch(struct line_server *s, vt_mono now, const struct pollfd *fds, size_t n)
{
	bool has_newcomers = n > 0 && fds[0].fd == s->fd && fds[0].revents;

	s->now = now;
	for (size_t i = 0; i < LINE_SERVER_CLIENTS; i++) {
		struct line_client_state *c = &s->clients[i];
		short revents = c->poll_index >= 0 && (size_t)c->poll_index < n
					? fds[c->poll_index].revents
					: (short)0;

		c->poll_index = -1;
		if (c->fd >= 0)
			update_client(s, c, revents);
	}
	if (has_newcomers)
		accept_clients(s, now);
}

static bool may_ask(const struct line_client_state *c)
{
	return c->fd >= 0 && c->served < LINE_SERVER_BUDGET && allowance_is_left(&c->requests) &&
	       !owes_bytes(c) && c->hold != LINE_HOLD_REPLY && has_line(c);
}

bool line_server_pop(struct line_server *s, struct line_request *ret)
{
	for (unsigned i = 0; i < LINE_SERVER_CLIENTS; i++) {
		struct line_client_state *c = &s->clients[(s->turn + i) % LINE_SERVER_CLIENTS];

		if (!may_ask(c))
			continue;
		*ret = (struct line_request){
			.client = c->id,
			.uid = c->uid,
			.gid = c->gid,
			.may_change = c->may_change,
			.line = line_buffers_take(&c->buffers),
		};
		c->served++;
		(void)allowance_take(&c->requests, s->now);
		/* The next one's turn; a client that floods comes again after all others. */
		s->turn = (s->turn + i + 1) % LINE_SERVER_CLIENTS;
		return true;
	}
	return false;
}

/* Index of @client, or -1. */
static int find_client(const struct line_server *s, uint32_t client)
{
	for (int i = 0; i < LINE_SERVER_CLIENTS; i++)
		if (s->clients[i].fd >= 0 && s->clients[i].id == client)
			return i;
	return -1;
}

bool line_server_has(const struct line_server *s, uint32_t client)
{
	return find_client(s, client) >= 0;
}

void line_server_reply(struct line_server *s, uint32_t client, const char *text, size_t length)
{
	int i = find_client(s, client);
	struct line_client_state *c;

	if (i < 0)
		return;
	c = &s->clients[i];
	assert(!memchr(text, '\n', length));
	if (c->hold == LINE_HOLD_REPLY)
		c->hold = LINE_HOLD_NOT;
	if (!line_buffers_put(&c->buffers, c->fd, text, length, s->now))
		close_client(c);
}

/* Room for one more that is held, of @uid. */
static bool may_hold(const struct line_server *s, uid_t uid)
{
	unsigned held = 0, same = 0;

	for (size_t i = 0; i < LINE_SERVER_CLIENTS; i++) {
		const struct line_client_state *c = &s->clients[i];

		if (c->fd < 0 || c->hold == LINE_HOLD_NOT)
			continue;
		held++;
		same += c->uid == uid;
	}
	if (uid == 0)
		return held < LINE_SERVER_HELD;
	return held < LINE_SERVER_HELD - LINE_SERVER_FOR_ROOT && same < LINE_SERVER_HELD_PER_UID;
}

bool line_server_hold(struct line_server *s, uint32_t client, enum line_hold hold)
{
	int i = find_client(s, client);
	struct line_client_state *c;

	if (i < 0)
		return false;
	c = &s->clients[i];
	if (hold != LINE_HOLD_NOT && c->hold == LINE_HOLD_NOT && !may_hold(s, c->uid))
		return false;
	c->hold = hold;
	line_buffers_rest(&c->buffers);
	return true;
}

unsigned line_server_count(const struct line_server *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < LINE_SERVER_CLIENTS; i++)
		n += s->clients[i].fd >= 0;
	return n;
}
