/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "core/filter.h"
#include "guestd/daemon.h"
#include "os/agent_rival.h"
#include "os/vsock.h"

/* A port that cannot be had, or that the host has not opened, is looked at again after this. */
#define TRY_INTERVAL  VT_SEC(5)
#define HUNG_INTERVAL VT_SEC(1)

/* Long enough to confirm a jump; libvirt waits for 5 s. */
#define SETTLE_MAX VT_SEC(2)

/* What was asked for came true if the clock is this close to it. */
#define CLOSE_ENOUGH VT_SEC(1)

void agent_init(struct agent *a)
{
	*a = (struct agent){
		.configured = "off", .listener = -1, .fd = -1, .try_at = VT_MONO_NEVER
	};
}

static bool is_configured(const struct agent *a, const char *word)
{
	return strcmp(a->configured, word) == 0;
}

/* --- The port --- */

/* Whatever was half done belongs to a host that has gone. */
static void forget(struct agent *a)
{
	agent_reader_reset(&a->reader);
	a->in_used = a->in_taken = a->out_used = 0;
	a->is_setting = false;
}

static void drop_fd(struct agent *a, vt_mono try_at)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	a->is_hung = false;
	a->try_at = try_at;
	forget(a);
}

void agent_fini(struct agent *a)
{
	drop_fd(a, VT_MONO_NEVER);
	if (a->listener >= 0)
		close(a->listener);
	a->listener = -1;
}

static void tell_error(struct agent *a, int error)
{
	if (error == a->told_error)
		return;
	a->told_error = error;
	if (error == -ENOENT || error == -ENXIO || error == -ENODEV)
		log_debug("the guest agent's port (%s) is not there; looking again now and then",
		          a->configured);
	else if (error == -EBUSY)
		log_warn("the guest agent's port (%s) is held by another process", a->configured);
	else
		log_cope(error, "the guest agent's port (%s); trying again now and then",
		         a->configured);
}

/* `auto` takes the port from nobody, and gives it back to who comes. */
static bool has_rival(struct agent *a)
{
	const char *path = NULL;
	bool is_there = is_configured(a, "auto") && agent_rival_find("", &path);

	if (is_there && !a->told_rival)
		log_info("the guest agent's port is qemu-ga's: %s is installed", path);
	a->told_rival = is_there ? path : NULL;
	return is_there;
}

static void try_vsock(struct agent *a)
{
	int error = 0;

	switch (vsock_listen("", a->vsock_port, &a->listener, &error)) {
	case VSOCK_LISTENS:
		a->try_at = VT_MONO_NEVER;
		a->told_error = 0;
		log_info("answering as guest agent on vsock port %u", a->vsock_port);
		return;
	case VSOCK_MISSING: tell_error(a, -ENODEV); return;
	case VSOCK_FAILED: tell_error(a, error); return;
	}
}

static void try_port(struct daemon *d, vt_mono now)
{
	struct agent *a = &d->agent;
	int r;

	a->try_at = vt_mono_add(now, TRY_INTERVAL);
	if (a->vsock_port) {
		try_vsock(a);
		return;
	}
	if (has_rival(a))
		return;
	r = opener_open_agent(&d->opener, &a->fd);
	if (r < 0) {
		tell_error(a, r);
		return;
	}
	a->told_error = 0;
	log_info("answering as guest agent on %s",
	         is_configured(a, "auto") ? OPENER_AGENT_PATH : a->configured);
}

/* The port is open: is it still ours, and has the host come? */
static void look_at_port(struct agent *a, vt_mono now)
{
	struct pollfd look = { .fd = a->fd, .events = POLLIN };

	if (has_rival(a)) {
		drop_fd(a, vt_mono_add(now, TRY_INTERVAL));
		return;
	}
	if (a->is_hung && poll(&look, 1, 0) >= 0 && !(look.revents & POLLHUP))
		a->is_hung = false;
	a->try_at = vt_mono_add(now, a->is_hung ? HUNG_INTERVAL : TRY_INTERVAL);
}

void agent_open(struct daemon *d, const char *configured, unsigned vsock_port, vt_mono now)
{
	struct agent *a = &d->agent;

	if (is_configured(a, configured) && a->vsock_port == vsock_port)
		return;
	agent_fini(a);
	(void)slice_copy(slice_of(configured), a->configured, sizeof a->configured);
	a->vsock_port = vsock_port;
	a->told_error = 0;
	a->told_rival = NULL;
	if (!is_configured(a, "off"))
		try_port(d, now);
}

static void hang_up(struct agent *a, vt_mono now)
{
	if (a->listener >= 0) {
		drop_fd(a, VT_MONO_NEVER);
		return;
	}
	a->is_hung = true;
	a->try_at = vt_mono_add(now, HUNG_INTERVAL);
	forget(a);
}

static void accept_client(struct agent *a)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t length = sizeof peer;
	int fd = accept4(a->listener, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (a->fd >= 0 || !vsock_is_host((const struct sockaddr *)&peer, length)) {
		a->refused += a->fd < 0;
		close(fd);
		return;
	}
	a->fd = fd;
	forget(a);
}

static void write_out(struct agent *a, vt_mono now)
{
	ssize_t n = a->out_used ? write(a->fd, a->out, a->out_used) : 0;

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		hang_up(a, now);
		return;
	}
	if (n > 0) {
		memmove(a->out, a->out + n, a->out_used - (size_t)n);
		a->out_used -= (size_t)n;
	}
}

static void read_in(struct agent *a, vt_mono now)
{
	ssize_t n = read(a->fd, a->in, sizeof a->in);

	if (n > 0) {
		a->in_used = (size_t)n;
		a->in_taken = 0;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		hang_up(a, now);
	}
}

/* --- Answers --- */

static void queue(struct agent *a, int r, char *line, size_t n)
{
	if (r < 0)
		return; /* out of memory: the clock comes first, the host will synchronise anew */
	if (n <= sizeof a->out - a->out_used) {
		memcpy(a->out + a->out_used, line, n);
		a->out_used += n;
	}
	free(line);
}

static void answer(struct agent *a, const struct guest_agent_request *request,
                   const struct guest_agent_answer *answer)
{
	char *line = NULL;
	size_t n = 0;
	int r = guest_agent_encode(request, answer, &line, &n);

	queue(a, r, line, n);
}

static void refuse(struct agent *a, const struct guest_agent_error *error)
{
	char *line = NULL;
	size_t n = 0;
	int r = guest_agent_encode_error(error, &line, &n);

	queue(a, r, line, n);
}

/* --- guest-set-time --- */

static void begin_setting(struct daemon *d, const struct guest_agent_request *request, vt_mono now)
{
	struct agent *a = &d->agent;
	struct guest_agent_error error;

	if (request->has_time &&
	    (request->time.ns < FILTER_EARLIEST.ns || request->time.ns > FILTER_LATEST.ns)) {
		guest_agent_error_make(&error, request, "the time that was asked for is not believed: it is "
		                 "before this program was made, or fifty years after");
		refuse(a, &error);
		return;
	}
	a->is_setting = true;
	a->setting = *request;
	a->asked = daemon_clock_now();
	a->give_up = vt_mono_add(a->asked, SETTLE_MAX);
	(void)host_take_nudge(d, HOST_REASON_NONE, now);
}

/* What the clock lacks of the time that was asked for, by now. */
static vt_span lacking(const struct agent *a)
{
	vt_span since = vt_mono_since(daemon_clock_now(), a->asked);

	return vt_real_since(vt_real_add(a->setting.time, since), daemon_clock_shows());
}

static void end_setting(struct daemon *d)
{
	struct agent *a = &d->agent;
	struct guest_agent_answer nothing = { 0 };
	struct guest_agent_error error;
	vt_span lacks = a->setting.has_time ? lacking(a) : VT_NS(0);
	bool is_right = a->setting.has_time ? vt_span_abs(lacks).ns <= CLOSE_ENOUGH.ns
	                                    : discipline_is_proven(&d->discipline, a->asked);

	a->is_setting = false;
	if (is_right) {
		answer(a, &a->setting, &nothing);
		return;
	}
	if (!a->setting.has_time)
		guest_agent_error_make(&error, &a->setting, "no time was given, and vmtimed has no source that "
		                 "it could be read from");
	else if (d->discipline.selected >= 0)
		guest_agent_error_make(&error, &a->setting, "the clock follows %s, by which it is right, and is "
		                 "%.3f s %s of the time that was asked for",
		                 d->refclocks.list[d->discipline.selected].device,
		                 vt_span_seconds(vt_span_abs(lacks)), lacks.ns > 0 ? "behind" : "ahead");
	else
		guest_agent_error_make(&error, &a->setting, "the clock was not set%s and is %.3f s %s of the "
		                 "time that was asked for",
		                 d->options.is_observing ? ", for vmtimed only observes," : "",
		                 vt_span_seconds(vt_span_abs(lacks)), lacks.ns > 0 ? "behind" : "ahead");
	refuse(a, &error);
}

/* --- Requests --- */

static void serve(struct daemon *d, struct slice text, vt_mono now)
{
	struct agent *a = &d->agent;
	struct guest_agent_request request;
	struct guest_agent_answer reply = { 0 };
	struct guest_agent_error error;

	a->requests++;
	if (guest_agent_decode(text, &request, &error) < 0) {
		refuse(a, &error);
		return;
	}
	switch (request.command) {
	case GUEST_AGENT_SET_TIME: begin_setting(d, &request, now); return;
	case GUEST_AGENT_GET_TIME: reply.shows = daemon_clock_shows(); break;
	case GUEST_AGENT_HOST_NUDGE:
	case GUEST_AGENT_HOST_STATUS:
	case GUEST_AGENT_HOST_QUALITY: reply.host = host_answer(d, &request.host, now); break;
	case GUEST_AGENT_PING:
	case GUEST_AGENT_SYNC:
	case GUEST_AGENT_SYNC_DELIMITED:
	case GUEST_AGENT_INFO:
	case GUEST_AGENT_COMMANDS: break;
	}
	answer(a, &request, &reply);
}

/* Room for any reply: what is not answered is not taken. */
static bool may_take(const struct agent *a)
{
	return a->fd >= 0 && !a->is_setting && a->in_taken < a->in_used &&
	       a->out_used <= sizeof a->out / 2;
}

static void serve_all(struct daemon *d, vt_mono now)
{
	struct agent *a = &d->agent;

	while (may_take(a)) {
		const struct slice rest = { a->in + a->in_taken, a->in_used - a->in_taken };
		struct guest_agent_error error;
		struct slice request;
		const char *why;
		size_t taken;

		switch (agent_reader_feed(&a->reader, rest, &taken, &request, &why)) {
		case AGENT_READER_MORE: a->in_taken += taken; break;
		case AGENT_READER_REQUEST:
			a->in_taken += taken;
			serve(d, request, now);
			break;
		case AGENT_READER_BAD:
			a->in_taken += taken;
			guest_agent_error_make(&error, NULL, "%s", why);
			refuse(a, &error);
			break;
		}
	}
}

size_t agent_prepare(const struct agent *a, struct pollfd *ret)
{
	size_t n = 0;

	if (a->listener >= 0)
		ret[n++] = (struct pollfd){ .fd = a->listener, .events = POLLIN };
	if (a->fd >= 0 && !a->is_hung) {
		bool reads = a->in_taken == a->in_used && !a->is_setting;

		ret[n++] = (struct pollfd){
			.fd = a->fd,
			.events = (short)((reads ? POLLIN : 0) | (a->out_used ? POLLOUT : 0)),
		};
	}
	return n;
}

vt_mono agent_deadline(const struct agent *a)
{
	return a->is_setting ? vt_mono_min(a->try_at, a->give_up) : a->try_at;
}

void agent_dispatch(struct daemon *d, vt_mono now, const struct pollfd *fds, size_t n)
{
	struct agent *a = &d->agent;

	if (now.ns >= a->try_at.ns) {
		if (a->fd >= 0)
			look_at_port(a, now);
		else
			try_port(d, now);
	}
	for (size_t i = 0; i < n; i++) {
		if (!fds[i].revents)
			continue;
		if (fds[i].fd == a->listener)
			accept_client(a);
		else if (fds[i].fd == a->fd && a->in_taken == a->in_used && !a->is_setting)
			read_in(a, now);
	}
	serve_all(d, now);
	if (a->fd >= 0 && !a->is_hung)
		write_out(a, now);
}

void agent_settle(struct daemon *d, vt_mono now)
{
	struct agent *a = &d->agent;

	if (!a->is_setting)
		return;
	if (d->discipline.selected >= 0) {
		if (!discipline_is_proven(&d->discipline, a->asked) && now.ns < a->give_up.ns)
			return;
	} else if (a->setting.has_time) {
		/* Nobody here knows better.  What came by a port that only the host has is the host's. */
		discipline_take_word(&d->discipline, EVIDENCE_TOLD, lacking(a), now);
		senses_forgive_step(&d->senses);
	}
	end_setting(d);
	/* What came behind it has waited; if only a line's end, or nothing more would be read. */
	serve_all(d, now);
	write_out(a, now);
}
