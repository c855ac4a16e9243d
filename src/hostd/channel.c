/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hostd/host_instant.h"

static void hang_up(struct channel *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->state = CHANNEL_DOWN;
	c->is_sent = false;
	frames_fini(&c->frames);
}

static void close_old(struct channel *c)
{
	if (c->old_fd >= 0)
		close(c->old_fd);
	c->old_fd = -1;
}

void channel_init(struct channel *c, uint32_t number, unsigned cid, const char *name, vt_mono now)
{
	*c = (struct channel){
		.number = number,
		.cid = cid,
		.is_lent = !name,
		.fd = -1,
		.old_fd = -1,
		.retry = name ? now : VT_MONO_NEVER,
		.lost = now,
		.seen = now,
	};
	frames_init(&c->frames);
	if (!name)
		return;
	snprintf(c->name, sizeof c->name, "%s", name);
	c->signs = 1u << SIGN_APPEARED;
}

void channel_fini(struct channel *c)
{
	close_old(c);
	hang_up(c);
}

void channel_drop(struct channel *c)
{
	/* Its answer may still come: not on the connection that the next one is awaited on. */
	if (c->has_work && c->is_sent) {
		hang_up(c);
		c->retry = c->is_lent ? VT_MONO_NEVER : (vt_mono){ 0 };
	}
	c->has_work = c->has_outcome = false;
}

/* --- Outcomes --- */

static void finish(struct channel *c, enum work_result result, const char *text)
{
	if (!c->has_work)
		return;
	c->has_work = false;
	if (c->is_probe)
		return;
	c->outcome.guest = c->number;
	c->outcome.result = result;
	if (!c->outcome.answered.mono.ns)
		c->outcome.answered = host_instant_now();
	snprintf(c->outcome.text, sizeof c->outcome.text, "%s", text);
	c->has_outcome = true;
}

static void tell_running(struct channel *c, bool is_running, vt_mono now)
{
	if (c->is_lent || (!is_running && !c->is_running))
		return;
	c->is_running = is_running;
	c->seen = now;
	c->signs |= 1u << (is_running ? SIGN_RUNNING : SIGN_STOPPED);
}

static const enum host_command COMMANDS[] = {
	[WORK_INFO] = HOST_STATUS,        [WORK_GET_TIME] = HOST_COMMANDS,
	[WORK_SET_TIME] = HOST_COMMANDS,  [WORK_RESET_RTC] = HOST_COMMANDS,
	[WORK_NUDGE] = HOST_NUDGE,        [WORK_STATUS] = HOST_STATUS,
	[WORK_QUALITY] = HOST_QUALITY,
};

/* --- The connection --- */

static bool is_patient(const struct channel *c, int error, vt_mono now)
{
	return now.ns < c->waking.ns && error != -ECONNRESET && error != -ECONNREFUSED;
}

/* It could not be connected, or the connection broke. */
static void lose(struct channel *c, int error, const char *what, vt_mono now)
{
	bool was_up = c->state == CHANNEL_UP;
	char text[REPORT_TEXT_MAX];

	hang_up(c);
	if (was_up)
		c->lost = now;
	if (is_patient(c, error, now)) {
		c->retry = vt_mono_add(now, CHANNEL_RETRY);
		return;
	}
	c->retry = c->is_lent ? VT_MONO_NEVER : vt_mono_add(now, was_up ? VT_MS(100) : VT_SEC(1));
	if (error)
		snprintf(text, sizeof text, "%s: %s", what, strerror(-error));
	else
		snprintf(text, sizeof text, "%s", what);
	finish(c, WORK_LOST, text);
}

static void send_work(struct channel *c, vt_mono now)
{
	char line[HOST_CHANNEL_REQUEST_MAX + 2];
	size_t n;

	c->outcome.sent = host_instant_now();
	c->flood = 0;
	c->moved = now;
	if (host_channel_encode_request(&c->request, line, sizeof line, &n) == 0 &&
	    send(c->fd, line, n, MSG_NOSIGNAL) == (ssize_t)n)
		c->is_sent = c->outcome.was_sent = true;
	else
		lose(c, 0, "the guest's vmtimed takes no requests", now);
}

static void dial(struct channel *c, struct channels *all, vt_mono now)
{
	enum vsock_dial r;
	int error = 0;

	hang_up(c);
	c->retry = VT_MONO_NEVER;
	r = all->dial(all->root, c->cid, CHANNELS_PORT, &c->fd, &error);
	snprintf(all->backend.trouble, sizeof all->backend.trouble, "%s",
	         r == VSOCK_DIAL_MISSING ? "this host's kernel has no vsock so far (vhost_vsock)" : "");
	switch (r) {
	case VSOCK_DIAL_BEGUN:
		c->state = CHANNEL_DIALLING;
		error = poller_watch(&all->poller, c->fd, c->number, true);
		if (error)
			lose(c, error, "vsock", now);
		return;
	case VSOCK_DIAL_MISSING: lose(c, 0, "this host's kernel has no vsock so far", now); return;
	case VSOCK_DIAL_FAILED: lose(c, error, "vsock", now); return;
	}
}

static void come_up(struct channel *c, struct channels *all, vt_mono now)
{
	int error = vsock_dialled(c->fd);

	if (!error)
		error = poller_watch(&all->poller, c->fd, c->number, false);
	if (error) {
		lose(c, error, "vsock", now);
		return;
	}
	c->state = CHANNEL_UP;
	c->moved = now;
	close_old(c);
	tell_running(c, true, now);
	if (c->has_work)
		send_work(c, now);
}

static void start_work(struct channel *c, struct channels *all, vt_mono now)
{
	if (c->state == CHANNEL_UP)
		send_work(c, now);
	else if (c->state == CHANNEL_DOWN)
		dial(c, all, now);
}

static void take_work(struct channel *c, const struct work *work, bool is_probe, vt_mono now)
{
	int64_t id = c->request.id.number + 1;

	c->work = *work;
	c->has_work = true;
	c->is_probe = is_probe;
	c->is_sent = false;
	c->deadline = vt_mono_add(now, work->timeout);
	c->outcome = (struct work_outcome){ .number = work->number, .kind = work->kind };
	c->request = (struct host_request){
		.command = COMMANDS[work->kind],
		.id = { .kind = CONTROL_ID_NUMBER, .number = id },
		.reason = work->reason,
		.quality = work->quality,
	};
}

void channel_begin(struct channel *c, struct channels *all, const struct work *work, vt_mono now)
{
	channel_drop(c);
	take_work(c, work, false, now);
	if (COMMANDS[work->kind] == HOST_COMMANDS)
		finish(c, WORK_UNSUPPORTED, "a vmtimed cannot be asked for that by vsock");
	else
		start_work(c, all, now);
}

/*
 * While a guest's vsock does not run yet it cannot hear that a connection ended, and nobody tells it
 * later: its vmtimed would keep it, and has room for four.  So the old one ends when a new one stands.
 */
void channel_wake(struct channel *c, struct channels *all, vt_mono now)
{
	c->waking = vt_mono_add(now, CHANNEL_WAKING);
	if (c->state == CHANNEL_UP) {
		close_old(c);
		poller_forget(&all->poller, c->fd);
		c->old_fd = c->fd;
		c->fd = -1;
	}
	hang_up(c);
	if (c->has_work || !c->is_lent)
		c->retry = now;
}

/* --- What is said --- */

static enum work_result result_of(enum control_outcome outcome, enum control_code code)
{
	switch (outcome) {
	case CONTROL_ANSWERED: return WORK_DONE;
	case CONTROL_REFUSED:
		return code == CONTROL_UNKNOWN_COMMAND ? WORK_UNSUPPORTED : WORK_REFUSED;
	case CONTROL_GARBAGE: break;
	}
	return WORK_GARBAGE;
}

static void take_line(struct channel *c, struct slice line, vt_mono now)
{
	struct control_error error = { .code = CONTROL_INTERNAL };
	enum control_outcome outcome;

	if (!c->has_work || !c->is_sent)
		return; /* the answer to what was dropped */
	c->outcome.answered = host_instant_now();
	outcome = host_channel_decode_reply(line.p, line.n, &c->request, &c->outcome.reply, &error);
	c->outcome.agent = AGENT_VMTIMED;
	finish(c, result_of(outcome, error.code), error.text);
	if (outcome == CONTROL_GARBAGE)
		lose(c, 0, "what came was no answer", now);
}

static void take_input(struct channel *c, struct slice input, vt_mono now)
{
	struct slice line;

	while (c->state == CHANNEL_UP) {
		switch (frames_next(&c->frames, &input, &line)) {
		case FRAME_NONE:
			if (c->flood > CHANNEL_FLOOD)
				lose(c, 0, "the guest's vmtimed floods us", now);
			return;
		case FRAME_LINE: take_line(c, line, now); break;
		case FRAME_MARK:
		case FRAME_TOO_LONG: lose(c, 0, "what came was no answer", now); break;
		}
	}
}

void channel_hear(struct channel *c, struct channels *all, vt_mono now)
{
	char buffer[4096];
	ssize_t n;

	if (c->state == CHANNEL_DIALLING)
		come_up(c, all, now);
	if (c->state != CHANNEL_UP)
		return;
	do
		n = recv(c->fd, buffer, sizeof buffer, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		lose(c, n < 0 ? -errno : 0, "the guest's vmtimed hung up", now);
		return;
	}
	c->flood += (size_t)n;
	take_input(c, (struct slice){ buffer, (size_t)n }, now);
}

/* --- Turns --- */

static bool is_due(vt_mono at, vt_mono now)
{
	return at.ns <= now.ns;
}

static vt_mono idle_ends(const struct channel *c)
{
	if (c->has_work || c->state != CHANNEL_UP)
		return VT_MONO_NEVER;
	return vt_mono_add(c->moved, c->is_lent ? CHANNEL_IDLE : CHANNEL_PROBE);
}

/* When a guest of our own that does not answer is said to stand still. */
static vt_mono patience_ends(const struct channel *c)
{
	if (c->is_lent || !c->is_running || c->state == CHANNEL_UP)
		return VT_MONO_NEVER;
	return vt_mono_add(c->lost, CHANNEL_PATIENCE);
}

static void end_idling(struct channel *c, struct channels *all, vt_mono now)
{
	const struct work probe = { .kind = WORK_STATUS, .timeout = CHANNEL_PATIENCE };

	if (c->is_lent) {
		close_old(c);
		hang_up(c);
		return;
	}
	take_work(c, &probe, true, now);
	start_work(c, all, now);
}

void channel_turn(struct channel *c, struct channels *all, vt_mono now)
{
	if (c->has_work && is_due(c->deadline, now)) {
		finish(c, WORK_TIMED_OUT, "the guest's vmtimed did not answer in time");
		c->waking = now; /* patience has an end */
		lose(c, 0, "", now);
	}
	if (is_due(idle_ends(c), now))
		end_idling(c, all, now);
	if (is_due(c->retry, now))
		dial(c, all, now);
	if (is_due(patience_ends(c), now))
		tell_running(c, false, now);
}

vt_mono channel_deadline(const struct channel *c)
{
	vt_mono at = vt_mono_min(c->retry, idle_ends(c));

	if (c->has_work)
		at = vt_mono_min(at, c->deadline);
	return vt_mono_min(at, patience_ends(c));
}

/* --- Signs --- */

static bool take_sign(struct channel *c, enum sign_kind kind)
{
	bool has = c->signs & 1u << kind;

	c->signs &= ~(1u << kind);
	return has;
}

bool channel_pop_sign(struct channel *c, struct sign *ret)
{
	enum sign_kind latest = c->is_running ? SIGN_RUNNING : SIGN_STOPPED;
	enum sign_kind other = c->is_running ? SIGN_STOPPED : SIGN_RUNNING;
	struct sign sign = { .guest = c->number, .at = c->seen };

	if (take_sign(c, SIGN_APPEARED)) {
		sign.kind = SIGN_APPEARED;
		sign.cid = c->cid;
		snprintf(sign.name, sizeof sign.name, "%s", c->name);
	} else if (take_sign(c, other)) {
		sign.kind = other;
	} else if (take_sign(c, latest)) {
		sign.kind = latest;
	} else {
		return false;
	}
	*ret = sign;
	return true;
}
