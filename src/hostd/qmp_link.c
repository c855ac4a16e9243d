/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/qmp_link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/qmp.h"

#define NO_UUID "00000000-0000-0000-0000-000000000000"

static void hang_up(struct qmp_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->state = QMP_LINK_DOWN;
	l->deadline = VT_MONO_NEVER;
	frames_fini(&l->frames);
}

void qmp_link_init(struct qmp_link *l, const char *path, const char *agent_path)
{
	*l = (struct qmp_link){
		.path = path,
		.agent_path = agent_path,
		.fd = -1,
		.deadline = VT_MONO_NEVER,
	};
	frames_init(&l->frames);
}

void qmp_link_fini(struct qmp_link *l)
{
	hang_up(l);
}

enum unix_stream_outcome qmp_link_open(struct qmp_link *l, vt_mono now)
{
	enum unix_stream_outcome outcome;

	hang_up(l);
	outcome = unix_stream_connect(l->path, &l->fd, l->trouble, sizeof l->trouble);
	if (outcome != UNIX_STREAM_OPEN)
		return outcome;
	l->state = QMP_LINK_GREETING;
	l->deadline = vt_mono_add(now, QMP_LINK_PATIENCE);
	l->next_id = 1;
	l->rtc_id = l->chardev_id = 0;
	l->is_broken = l->has_stopped = l->is_incoming = l->has_port = false;
	l->flood = 0;
	l->flood_began = now;
	l->uuid[0] = '\0'; /* @trouble stands until it is up */
	return outcome;
}

/* Its news comes with the next qmp_link_next. */
static void break_off(struct qmp_link *l, const char *what, const char *more)
{
	snprintf(l->trouble, sizeof l->trouble, "the monitor %s%s", what, more);
	l->is_broken = true;
}

/* 0: it was not sent.  A monitor that leaves so much unread hangs; there is no waiting for it. */
static int64_t ask(struct qmp_link *l, enum qmp_command command)
{
	char request[QMP_REQUEST_MAX];
	int64_t id = l->next_id++;
	size_t n = qmp_encode(command, id, request);

	return send(l->fd, request, n, MSG_NOSIGNAL) == (ssize_t)n ? id : 0;
}

static void note_flood(struct qmp_link *l, size_t n, vt_mono now)
{
	if (vt_mono_since(now, l->flood_began).ns > VT_SEC(1).ns) {
		l->flood_began = now;
		l->flood = 0;
	}
	l->flood += n;
	if (l->flood > QMP_LINK_FLOOD)
		break_off(l, "floods us", "");
}

void qmp_link_read(struct qmp_link *l, char *buffer, size_t size, vt_mono now, struct slice *ret)
{
	ssize_t n;

	*ret = (struct slice){ buffer, 0 };
	if (l->fd < 0 || l->is_broken)
		return;
	do
		n = recv(l->fd, buffer, size, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		break_off(l, "hung up",
		          l->state == QMP_LINK_UP ? "" : " before it had answered");
		return;
	}
	note_flood(l, (size_t)n, now);
	ret->n = (size_t)n;
}

static void ask_for_all(struct qmp_link *l)
{
	bool is_sent = ask(l, QMP_QUERY_UUID) != 0;

	l->chardev_id = is_sent && l->agent_path[0] ? ask(l, QMP_QUERY_CHARDEV) : 0;
	if (!is_sent || (l->agent_path[0] && !l->chardev_id) || !ask(l, QMP_QUERY_STATUS))
		break_off(l, "takes no requests", "");
	l->state = QMP_LINK_ASKING;
}

static bool run(struct qmp_link *l, enum host_reason reason, enum qmp_news *ret)
{
	l->is_running = true;
	l->is_incoming = false;
	l->reason = reason;
	*ret = QMP_NEWS_RUNNING;
	return l->state == QMP_LINK_UP;
}

static bool stop(struct qmp_link *l, enum qmp_news *ret)
{
	l->is_running = false;
	l->has_stopped = true;
	*ret = QMP_NEWS_STOPPED;
	return l->state == QMP_LINK_UP;
}

/* RESUME without a STOP: it began to run for the first time, or came from elsewhere. */
static enum host_reason reason_to_run(const struct qmp_link *l)
{
	if (l->is_incoming)
		return HOST_REASON_MIGRATION;
	return l->has_stopped ? HOST_REASON_PAUSE : HOST_REASON_NONE;
}

/* Whether that is news.  Before query-status is answered an event only changes what is known. */
static bool take_event(struct qmp_link *l, enum qmp_event event, enum qmp_news *ret)
{
	switch (event) {
	case QMP_EVENT_RESUME: return run(l, reason_to_run(l), ret);
	case QMP_EVENT_WAKEUP: return run(l, HOST_REASON_NONE, ret);
	case QMP_EVENT_STOP:
	case QMP_EVENT_SUSPEND:
	case QMP_EVENT_SHUTDOWN: return stop(l, ret);
	case QMP_EVENT_VSERPORT:
		if (l->state == QMP_LINK_UP && l->agent_path[0])
			l->chardev_id = ask(l, QMP_QUERY_CHARDEV);
		return false;
	case QMP_EVENT_RESET:
	case QMP_EVENT_MIGRATION:
	case QMP_EVENT_OTHER:
	case QMP_EVENTS: break;
	}
	return false;
}

static bool take_status(struct qmp_link *l, const struct qmp_message *m, enum qmp_news *ret)
{
	l->is_running = m->is_running;
	l->is_incoming = strcmp(m->status, "inmigrate") == 0;
	if (l->state != QMP_LINK_ASKING)
		return false;
	l->state = QMP_LINK_UP;
	l->deadline = VT_MONO_NEVER;
	l->trouble[0] = '\0';
	*ret = QMP_NEWS_UP;
	return true;
}

static bool take_rtc_reset(struct qmp_link *l, const struct qmp_message *m, enum qmp_news *ret)
{
	l->rtc_id = 0;
	*ret = QMP_NEWS_RTC_RESET;
	if (m->kind == QMP_ERROR) {
		*ret = m->is_command_unknown ? QMP_NEWS_RTC_UNKNOWN : QMP_NEWS_RTC_FAILED;
		snprintf(l->trouble, sizeof l->trouble, "%s", m->text);
	}
	return true;
}

static bool take_chardev(struct qmp_link *l, struct slice line, enum qmp_news *ret)
{
	enum qmp_port port = qmp_find_port(line.p, line.n, l->agent_path);
	bool was_known = l->has_port, was_open = l->is_port_open;

	l->chardev_id = 0;
	l->has_port = port != QMP_PORT_UNKNOWN;
	l->is_port_open = port == QMP_PORT_OPEN;
	*ret = QMP_NEWS_PORT;
	return l->state == QMP_LINK_UP && (l->has_port != was_known || l->is_port_open != was_open);
}

static bool take_answer(struct qmp_link *l, const struct qmp_message *m, struct slice line,
                        enum qmp_news *ret)
{
	if (l->state == QMP_LINK_NEGOTIATING && m->kind == QMP_RETURN)
		ask_for_all(l);
	else if (l->state == QMP_LINK_NEGOTIATING)
		break_off(l, "refuses to negotiate: ", m->text);
	else if (m->has_id && m->id == l->rtc_id)
		return take_rtc_reset(l, m, ret);
	else if (m->has_id && m->id == l->chardev_id)
		return take_chardev(l, line, ret);
	else if (m->has_status)
		return take_status(l, m, ret);
	else if (m->uuid[0] && strcmp(m->uuid, NO_UUID) != 0)
		snprintf(l->uuid, sizeof l->uuid, "%.36s", m->uuid);
	return false;
}

static void take_greeting(struct qmp_link *l)
{
	if (l->state != QMP_LINK_GREETING)
		return;
	l->state = QMP_LINK_NEGOTIATING;
	if (!ask(l, QMP_CAPABILITIES))
		break_off(l, "takes no requests", "");
}

static bool take_line(struct qmp_link *l, struct slice line, enum qmp_news *ret)
{
	struct qmp_message m;
	char why[200];

	if (line.n == 0)
		return false;
	if (qmp_decode(line.p, line.n, &m, why, sizeof why)) {
		break_off(l, "sent ", why);
		return false;
	}
	if (l->state == QMP_LINK_GREETING && m.kind != QMP_GREETING) {
		break_off(l, "does not greet as a monitor does", "");
		return false;
	}
	switch (m.kind) {
	case QMP_GREETING: take_greeting(l); break;
	case QMP_RETURN:
	case QMP_ERROR: return take_answer(l, &m, line, ret);
	case QMP_EVENT: return take_event(l, m.event, ret);
	}
	return false;
}

bool qmp_link_next(struct qmp_link *l, struct slice *input, enum qmp_news *ret)
{
	struct slice line;

	while (l->fd >= 0 && !l->is_broken) {
		switch (frames_next(&l->frames, input, &line)) {
		case FRAME_NONE: return false;
		case FRAME_MARK: break;
		case FRAME_TOO_LONG: break_off(l, "sent a line without an end", ""); break;
		case FRAME_LINE:
			if (take_line(l, line, ret))
				return true;
			break;
		}
	}
	input->n = 0;
	if (!l->is_broken)
		return false;
	hang_up(l);
	l->is_broken = false;
	*ret = QMP_NEWS_DOWN;
	return true;
}

vt_mono qmp_link_deadline(const struct qmp_link *l)
{
	return l->deadline;
}

bool qmp_link_expire(struct qmp_link *l, vt_mono now)
{
	if (l->deadline.ns > now.ns)
		return false;
	snprintf(l->trouble, sizeof l->trouble, "%s",
	         l->state == QMP_LINK_GREETING
	                 ? "the monitor does not greet: it has room for one client, and somebody else may be it"
	                 : "the monitor does not answer");
	hang_up(l);
	return true;
}

bool qmp_link_reset_rtc(struct qmp_link *l)
{
	if (l->state != QMP_LINK_UP)
		return false;
	l->rtc_id = ask(l, QMP_RESET_RTC);
	return l->rtc_id != 0;
}
