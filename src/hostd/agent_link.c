/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/agent_link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hostd/host_instant.h"
#include "os/unix_stream.h"

static void hang_up(struct agent_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->is_agreed = false;
	frames_fini(&l->frames);
}

void agent_link_init(struct agent_link *l, const char *path, uint64_t seed)
{
	*l = (struct agent_link){
		.path = path,
		.fd = -1,
		.seed = seed,
		.deadline = VT_MONO_NEVER,
	};
	frames_init(&l->frames);
}

void agent_link_fini(struct agent_link *l)
{
	agent_link_drop(l);
	hang_up(l);
}

bool agent_link_is_busy(const struct agent_link *l)
{
	return l->step != AGENT_LINK_IDLE;
}

void agent_link_drop(struct agent_link *l)
{
	if (l->step != AGENT_LINK_IDLE)
		l->is_agreed = false;
	l->step = AGENT_LINK_IDLE;
	l->deadline = VT_MONO_NEVER;
}

void agent_link_doubt(struct agent_link *l)
{
	l->is_agreed = false;
}

vt_mono agent_link_deadline(const struct agent_link *l)
{
	return l->deadline;
}

static const enum agent_command COMMANDS[] = {
	[WORK_INFO] = AGENT_INFO,         [WORK_GET_TIME] = AGENT_GET_TIME,
	[WORK_SET_TIME] = AGENT_SET_TIME, [WORK_RESET_RTC] = AGENT_COMMANDS,
	[WORK_NUDGE] = AGENT_NUDGE,       [WORK_STATUS] = AGENT_STATUS,
	[WORK_QUALITY] = AGENT_HOST_QUALITY,
};

/* Hands the work back.  Always true. */
static bool finish(struct agent_link *l, enum work_result result, const char *text,
                   struct work_outcome *ret)
{
	bool is_agreed = l->is_agreed && l->step == AGENT_LINK_IDLE;

	if (!l->outcome.answered.mono.ns)
		l->outcome.answered = host_instant_now();
	l->outcome.result = result;
	if (text != l->outcome.text)
		snprintf(l->outcome.text, sizeof l->outcome.text, "%s", text);
	*ret = l->outcome;
	agent_link_drop(l);
	l->is_agreed = is_agreed;
	return true;
}

/* Nothing of it stays behind: either the whole request has gone or we hang up. */
static bool send_request(struct agent_link *l, const struct agent_request *request)
{
	char text[AGENT_REQUEST_MAX];
	size_t n;

	if (agent_encode(request, text, &n) == 0 &&
	    send(l->fd, text, n, MSG_NOSIGNAL) == (ssize_t)n)
		return true;
	hang_up(l);
	return false;
}

static bool send_sync(struct agent_link *l)
{
	struct agent_request request = { .command = AGENT_SYNC_DELIMITED };

	/* Knuth's MMIX generator; its upper bits are good, and an id is never negative. */
	l->seed = l->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	l->sync_id = (int64_t)(l->seed >> 16);
	request.id = l->sync_id;
	l->has_mark = false;
	l->step = AGENT_LINK_SYNCING;
	return send_request(l, &request);
}

static bool send_work(struct agent_link *l)
{
	struct agent_request request = {
		.command = COMMANDS[l->work.kind],
		.reason = l->work.reason,
		.quality = l->work.quality,
	};

	l->step = AGENT_LINK_ASKING;
	l->outcome.sent = host_instant_now();
	request.time = vt_real_add(l->outcome.sent.real, l->work.lead);
	l->outcome.was_sent = send_request(l, &request);
	return l->outcome.was_sent;
}

bool agent_link_begin(struct agent_link *l, const struct work *work, vt_mono now,
                      struct work_outcome *ret)
{
	char why[REPORT_TEXT_MAX] = "the agent takes no requests";

	agent_link_drop(l);
	l->work = *work;
	l->outcome = (struct work_outcome){ .number = work->number, .kind = work->kind };
	l->deadline = vt_mono_add(now, work->timeout);
	l->flood = 0;
	if (l->fd < 0) {
		if (unix_stream_connect(l->path, &l->fd, why, sizeof why) != UNIX_STREAM_OPEN)
			return !finish(l, WORK_LOST, why, ret);
		l->is_new = true;
	}
	if (l->is_agreed ? send_work(l) : send_sync(l))
		return true;
	return !finish(l, WORK_LOST, why, ret);
}

static enum work_result result_of(enum agent_outcome outcome)
{
	switch (outcome) {
	case AGENT_ANSWERED: return WORK_DONE;
	case AGENT_REFUSED: return WORK_REFUSED;
	case AGENT_FROZEN: return WORK_FROZEN;
	case AGENT_DISABLED:
	case AGENT_UNKNOWN_COMMAND: return WORK_UNSUPPORTED;
	case AGENT_NONSENSE: break;
	}
	return WORK_GARBAGE;
}

static void keep_reply(struct work_outcome *o, const struct agent_reply *reply)
{
	o->guest_time = reply->time;
	o->reply = reply->vmtime;
	o->agent = reply->is_vmtimed ? AGENT_VMTIMED : AGENT_QEMU_GA;
	o->can_get_time = reply->can_get_time;
	o->can_set_time = reply->can_set_time;
	snprintf(o->version, sizeof o->version, "%s", reply->version);
}

/* Old agents say "disabled" for what they may not do while filesystems are frozen. */
static bool check_freeze(struct agent_link *l, struct work_outcome *ret)
{
	const struct agent_request request = { .command = AGENT_FREEZE_STATUS };

	l->step = AGENT_LINK_CHECKING;
	if (send_request(l, &request))
		return false;
	return finish(l, WORK_UNSUPPORTED, l->outcome.text, ret);
}

static bool take_work_reply(struct agent_link *l, struct slice line, struct work_outcome *ret)
{
	struct agent_reply reply;
	enum agent_outcome outcome;

	l->outcome.answered = host_instant_now();
	outcome = agent_decode(line.p, line.n, COMMANDS[l->work.kind], &reply, l->outcome.text,
	                       sizeof l->outcome.text);
	if (outcome == AGENT_DISABLED)
		return check_freeze(l, ret);
	l->step = AGENT_LINK_IDLE;
	l->is_agreed = outcome != AGENT_NONSENSE;
	if (outcome == AGENT_ANSWERED)
		keep_reply(&l->outcome, &reply);
	return finish(l, result_of(outcome), l->outcome.text, ret);
}

static bool take_freeze_reply(struct agent_link *l, struct slice line, struct work_outcome *ret)
{
	struct agent_reply reply;
	char why[200];
	enum agent_outcome outcome =
		agent_decode(line.p, line.n, AGENT_FREEZE_STATUS, &reply, why, sizeof why);
	bool is_frozen = outcome == AGENT_ANSWERED && reply.is_frozen;

	l->step = AGENT_LINK_IDLE;
	l->is_agreed = outcome != AGENT_NONSENSE;
	return finish(l, is_frozen ? WORK_FROZEN : WORK_UNSUPPORTED, l->outcome.text, ret);
}

/* Lines from before the mark, and marks of earlier attempts, are thrown away. */
static bool take_sync_reply(struct agent_link *l, struct slice line, struct work_outcome *ret)
{
	struct agent_reply reply;
	char why[200];

	if (!l->has_mark)
		return false;
	l->has_mark = false;
	if (agent_decode(line.p, line.n, AGENT_SYNC_DELIMITED, &reply, why, sizeof why) !=
	            AGENT_ANSWERED ||
	    reply.id != l->sync_id)
		return false;
	l->is_agreed = true;
	return send_work(l) ? false : finish(l, WORK_LOST, "the agent takes no requests", ret);
}

static bool take_line(struct agent_link *l, struct slice line, struct work_outcome *ret)
{
	switch (l->step) {
	case AGENT_LINK_SYNCING: return take_sync_reply(l, line, ret);
	case AGENT_LINK_ASKING: return take_work_reply(l, line, ret);
	case AGENT_LINK_CHECKING: return take_freeze_reply(l, line, ret);
	case AGENT_LINK_IDLE: l->is_agreed = false; break; /* nobody asked */
	}
	return false;
}

void agent_link_read(struct agent_link *l, char *buffer, size_t size, struct slice *ret)
{
	ssize_t n;

	*ret = (struct slice){ buffer, 0 };
	if (l->fd < 0)
		return;
	do
		n = recv(l->fd, buffer, size, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		ret->n = (size_t)n;
		l->flood += ret->n;
	} else if (n == 0 || errno != EAGAIN) {
		hang_up(l);
	}
}

/* There is nothing more to be had from it. */
static bool give_up(struct agent_link *l, enum work_result result, const char *text,
                    struct work_outcome *ret)
{
	hang_up(l);
	return l->step != AGENT_LINK_IDLE && finish(l, result, text, ret);
}

bool agent_link_next(struct agent_link *l, struct slice *input, struct work_outcome *ret)
{
	struct slice line;

	if (l->fd < 0) {
		input->n = 0;
		return give_up(l, WORK_LOST, "the agent's port was closed", ret);
	}
	for (;;) {
		switch (frames_next(&l->frames, input, &line)) {
		case FRAME_NONE:
			if (l->flood <= AGENT_LINK_FLOOD)
				return false;
			return give_up(l, WORK_GARBAGE, "the agent floods us", ret);
		case FRAME_MARK: l->has_mark = true; break;
		case FRAME_TOO_LONG:
			input->n = 0;
			return give_up(l, WORK_GARBAGE, "the agent sent a line without an end", ret);
		case FRAME_LINE:
			if (line.n && take_line(l, line, ret))
				return true;
			break;
		}
	}
}

bool agent_link_expire(struct agent_link *l, vt_mono now, struct work_outcome *ret)
{
	if (l->step == AGENT_LINK_IDLE || l->deadline.ns > now.ns)
		return false;
	return finish(l, WORK_TIMED_OUT,
	              l->outcome.was_sent ? "the agent did not answer in time"
	                                  : "the agent did not get in step in time",
	              ret);
}
