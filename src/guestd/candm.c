/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/candm.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/log.h"
#include "guestd/candm_rules.h"
#include "guestd/daemon.h"
#include "os/privileges.h"

/*
 * chronyd answers this machine's own clients as often as they ask.  This is more than any of them
 * asks for, and little for the processor.
 */
static const struct candm_limit_conf NEAR = { .interval = { .ns = 1000000 }, .burst = 500 };

void candm_init(struct candm *c)
{
	*c = (struct candm){ .open = CANDM_OPEN_DEFAULT };
	candm_sock_init(&c->sock);
}

bool candm_has_folder(const struct candm *c)
{
	return strcmp(c->sock.path, CANDM_PATH) == 0;
}

void candm_fini(struct candm *c)
{
	bool has_folder = candm_has_folder(c);

	candm_sock_fini(&c->sock);
	if (has_folder)
		(void)unlinkat(AT_FDCWD, CANDM_FOLDER, AT_REMOVEDIR); /* rmdir(2) is not allowed */
}

/* --- Opening --- */

static bool open_path(struct candm *c, const struct candm_sock_unix *conf, const char *instead)
{
	int err = 0;

	switch (candm_sock_open_unix(&c->sock, conf, &err)) {
	case CANDM_SOCK_OPEN:
		return true;
	case CANDM_SOCK_TAKEN:
		log_warn("chronyc: another process answers at %s%s", conf->path, instead);
		return false;
	case CANDM_SOCK_FOREIGN:
		log_warn("chronyc: the folder of %s belongs to user %d, not to vmtimed's%s", conf->path,
			 err, instead);
		return false;
	case CANDM_SOCK_LOOSE:
		log_warn("chronyc: the folder of %s has the mode %o or a group that is not vmtimed's%s",
			 conf->path, (unsigned)err, instead);
		return false;
	case CANDM_SOCK_FAILED:
		log_cope(err, "chronyc: socket %s%s", conf->path, instead);
		return false;
	}
	return false;
}

/*
 * From chrony 4.9 on chronyc asks as chrony's own user when root starts it; so that one's group has
 * the way to our socket as well, as it would have to chronyd's.
 */
static gid_t guests_of(gid_t gid)
{
	static const char *const names[] = { "_chrony", "chrony" };
	struct privileges_user user;

	for (size_t i = 0; i < COUNT(names); i++)
		if (privileges_find_user(names[i], &user) == PRIVILEGES_USER_FOUND)
			return user.gid;
	return gid;
}

static void open_unix(struct candm *c, const struct candm_conf *conf, uid_t uid, gid_t gid)
{
	struct candm_sock_unix usual = { CANDM_PATH, uid, gid, false, guests_of(gid) };
	struct candm_sock_unix fallback = { CANDM_FALLBACK_PATH, uid, gid, true, gid };

	if (*conf->path) {
		usual.path = conf->path;
		if (strcmp(conf->path, "/") != 0)
			(void)open_path(c, &usual, "");
	} else if (!open_path(c, &usual, "; `chronyc -h " CANDM_FALLBACK_PATH "` reaches vmtimed")) {
		(void)open_path(c, &fallback, "");
	}
}

static void open_udp(struct candm *c, const struct candm_conf *conf,
		     const struct candm_address *address)
{
	struct candm_sock_udp udp = { *address, (uint16_t)conf->port, conf->device };
	int r;

	if (conf->port == 0)
		return;
	r = candm_sock_open_udp(&c->sock, &udp);
	/* A machine without IPv6 lacks nothing. */
	if (r < 0 && !(address->family == CANDM_IPV6 && (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)))
		log_cope(r, "chronyc: UDP port %u over %s", conf->port,
			 address->family == CANDM_IPV6 ? "IPv6" : "IPv4");
}

static int clamp(int value, int min, int max)
{
	return value < min ? min : value > max ? max : value;
}

/* As chronyd, within these limits. */
static struct candm_limit_conf far_limit(const struct candm_conf *conf)
{
	int interval = clamp(conf->interval, -19, 12);

	if (!conf->is_limited)
		return NEAR;
	return (struct candm_limit_conf){
		.interval = { interval < 0 ? 1000000000 >> -interval
					   : INT64_C(1000000000) << interval },
		.burst = (unsigned)clamp(conf->burst, 1, 255),
		.leak = (unsigned)clamp(conf->leak, 1, 4),
	};
}

void candm_configure(struct candm *c, const struct candm_conf *conf)
{
	struct candm_limit_conf far = far_limit(conf);
	uint64_t secret = 0;

	(void)!getrandom(&secret, sizeof secret, GRND_NONBLOCK);
	candm_limit_init(&c->near, &NEAR, secret);
	candm_limit_init(&c->far, &far, secret);
	c->access = conf->access;
	c->open = conf->open;
}

void candm_open(struct candm *c, const struct candm_conf *conf, uid_t uid, gid_t gid)
{
	candm_configure(c, conf);
	open_unix(c, conf, uid, gid);
	open_udp(c, conf, &conf->bind4);
	open_udp(c, conf, &conf->bind6);
}

/* --- One request --- */

static bool is_authorised(const struct candm *c, const struct candm_rule *rule,
			  enum candm_transport transport)
{
	return transport == CANDM_UNIX || rule->is_free || (rule->open & c->open) != 0;
}

/* One sender is a port of this machine, or another machine.  Through the unix socket nobody floods. */
static bool is_within_limit(struct candm *c, const struct candm_datagram *d, vt_mono now)
{
	if (d->transport == CANDM_UNIX)
		return true;
	if (d->is_local)
		return candm_limit_allows(&c->near, &d->from, d->from_length, now);
	return candm_limit_allows(&c->far, d->sender.bytes, sizeof d->sender.bytes, now);
}

static void send_reply(struct candm *c, const struct candm_datagram *datagram,
		       struct candm_reply *reply)
{
	uint8_t bytes[CANDM_REPLY_MAX];
	size_t n;

	if (reply->status != CANDM_SUCCESS)
		reply->code = CANDM_REPLY_NULL;
	n = candm_encode_reply(reply, bytes);
	/* Else we could be made to flood somebody with answers to forged questions. */
	assert(n > 0 && n <= datagram->n);
	candm_sock_reply(&c->sock, datagram, bytes, n);
}

static enum candm_status perform(const struct candm_turn *t, enum candm_transport transport)
{
	const struct candm_rule *rule = candm_rule_of(t->request->command);

	if (!is_authorised(&t->daemon->candm, rule, transport))
		return CANDM_UNAUTHORISED;
	return rule->answer ? rule->answer(t) : rule->status;
}

static void answer(struct daemon *d, const struct candm_datagram *datagram, vt_mono now)
{
	struct candm *c = &d->candm;
	struct candm_request request;
	struct candm_reply reply;
	enum candm_status status = CANDM_SUCCESS;
	enum candm_arrival arrival =
		candm_decode_request(datagram->bytes, datagram->n, &request, &status);
	const struct candm_turn turn = { d, now, &request, &reply };

	if (arrival == CANDM_DROPPED)
		return;
	if (!datagram->is_local && !candm_access_check(&c->access, &datagram->sender))
		return;
	if (!is_within_limit(c, datagram, now)) {
		c->dropped++;
		return;
	}
	c->received++;
	reply.command = request.command;
	reply.sequence = request.sequence;
	reply.code = (uint16_t)candm_reply_form(request.command, request.length);
	if (arrival == CANDM_ARRIVED)
		status = perform(&turn, datagram->transport);
	reply.status = (uint16_t)status;
	send_reply(c, datagram, &reply);
}

void candm_answer(struct daemon *d, vt_mono now)
{
	struct candm_datagram datagram;

	while (candm_sock_pop(&d->candm.sock, &datagram))
		answer(d, &datagram, now);
}
