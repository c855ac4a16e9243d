/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/qemu_guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/host_instant.h"

#define READ_SIZE     16384
#define BACKOFF_FIRST VT_MS(50)
#define BACKOFF_LAST  VT_SEC(30)

/* Anything that differs between guests and starts; ids must not repeat, they need not be secret. */
static uint64_t make_seed(uint32_t number)
{
	struct host_instant now = host_instant_now();

	return (uint64_t)now.mono.ns * 0x9e3779b97f4a7c15u ^ (uint64_t)now.real.ns ^ number;
}

struct qemu_guest *qemu_guest_new(uint32_t number, const char *name, const char *qmp,
                                  const char *agent, unsigned cid, vt_mono now)
{
	struct qemu_guest *g = calloc(1, sizeof *g);
	char *monitor_path = strdup(qmp), *agent_path = strdup(agent);

	if (!g || !monitor_path || !agent_path) {
		free(g);
		free(monitor_path);
		free(agent_path);
		return NULL;
	}
	g->number = number;
	g->qmp = monitor_path;
	g->agent = agent_path;
	g->cid = cid;
	g->was_found = true;
	g->retry = now;
	g->backoff = BACKOFF_FIRST;
	snprintf(g->name, sizeof g->name, "%s", name);
	qmp_link_init(&g->monitor, g->qmp, g->agent);
	agent_link_init(&g->port, g->agent, make_seed(number));
	return g;
}

void qemu_guest_free(struct qemu_guest *g)
{
	if (!g)
		return;
	qmp_link_fini(&g->monitor);
	agent_link_fini(&g->port);
	free(g->qmp);
	free(g->agent);
	free(g);
}

static void tell(struct qemu_guest *g, enum sign_kind kind)
{
	g->signs |= 1u << kind;
}

/* --- Outcomes --- */

static void give_outcome(struct qemu_guest *g, const struct work_outcome *o)
{
	g->outcome = *o;
	g->outcome.guest = g->number;
	g->has_outcome = true;
}

static void refuse(struct qemu_guest *g, const struct work *work, enum work_result result,
                   const char *text)
{
	struct work_outcome o = { .number = work->number, .kind = work->kind, .result = result };

	o.answered = host_instant_now();
	snprintf(o.text, sizeof o.text, "%s", text);
	give_outcome(g, &o);
}

/* What came of the work that the monitor does. */
static void finish_work(struct qemu_guest *g, enum work_result result, const char *text)
{
	struct host_instant sent = g->outcome.sent;

	if (!g->has_work)
		return;
	g->has_work = false;
	g->work_deadline = VT_MONO_NEVER;
	refuse(g, &g->work, result, text);
	g->outcome.was_sent = true;
	g->outcome.sent = sent;
}

static void begin_rtc_reset(struct qemu_guest *g, const struct work *work, vt_mono now)
{
	g->outcome.sent = host_instant_now();
	if (!qmp_link_reset_rtc(&g->monitor)) {
		refuse(g, work, WORK_LOST, "the monitor takes no requests");
		return;
	}
	g->work = *work;
	g->has_work = true;
	g->work_deadline = vt_mono_add(now, work->timeout);
}

/* Whether nothing can be asked of it now; then the outcome is there. */
static bool is_refused(struct qemu_guest *g, const struct work *work)
{
	if (g->is_over)
		refuse(g, work, WORK_LOST, "there is no such guest any more");
	else if (g->monitor.state != QMP_LINK_UP)
		refuse(g, work, WORK_LOST,
		       g->monitor.trouble[0] ? g->monitor.trouble : "the monitor does not answer");
	else if (!g->is_running)
		refuse(g, work, WORK_STOPPED, "the guest does not run");
	else if (work->kind != WORK_RESET_RTC && !g->agent[0])
		refuse(g, work, WORK_UNSUPPORTED, "no agent's port is configured");
	else
		return false;
	return true;
}

void qemu_guest_begin(struct qemu_guest *g, const struct work *work, struct poller *poller,
                      vt_mono now)
{
	const uint64_t tag = (uint64_t)(uintptr_t)g + QEMU_GUEST_TAG_PORT;
	struct work_outcome o;

	qemu_guest_drop(g);
	if (is_refused(g, work))
		return;
	if (work->kind == WORK_RESET_RTC) {
		begin_rtc_reset(g, work, now);
		return;
	}
	if (!agent_link_begin(&g->port, work, now, &o))
		give_outcome(g, &o);
	if (g->port.fd >= 0 && g->port.is_new && poller_watch(poller, g->port.fd, tag, false) < 0) {
		agent_link_fini(&g->port);
		refuse(g, work, WORK_LOST, "too many connections");
	}
	g->port.is_new = false;
}

void qemu_guest_drop(struct qemu_guest *g)
{
	g->has_work = g->has_outcome = false;
	g->work_deadline = VT_MONO_NEVER;
	agent_link_drop(&g->port);
}

/* --- What the monitor says --- */

/* Work that has not left yet is not for a guest that stands still, or is not there. */
static void recall(struct qemu_guest *g, enum work_result result, const char *text)
{
	struct work work = g->port.work;

	if (agent_link_is_busy(&g->port) && !g->port.outcome.was_sent) {
		agent_link_drop(&g->port);
		refuse(g, &work, result, text);
	}
	agent_link_doubt(&g->port);
}

static void note_running(struct qemu_guest *g, enum host_reason reason, vt_mono now)
{
	g->is_running = true;
	g->running_at = now;
	g->reason = reason;
	agent_link_doubt(&g->port);
	tell(g, SIGN_RUNNING);
}

static void note_stopped(struct qemu_guest *g, vt_mono now)
{
	g->is_running = false;
	g->stopped_at = now;
	recall(g, WORK_STOPPED, "the guest was stopped");
	tell(g, SIGN_STOPPED);
}

static void note_port(struct qemu_guest *g, vt_mono now)
{
	if (!g->monitor.has_port)
		return;
	g->seen_at = now;
	g->signs &= ~(1u << SIGN_AGENT_UP);
	tell(g, g->monitor.is_port_open ? SIGN_AGENT_UP : SIGN_AGENT_DOWN);
}

static void note_up(struct qemu_guest *g, vt_mono now)
{
	g->backoff = BACKOFF_FIRST;
	if (!g->is_known) {
		g->is_known = true;
		g->seen_at = now;
		g->is_running = g->monitor.is_running;
		snprintf(g->uuid, sizeof g->uuid, "%s", g->monitor.uuid);
		tell(g, SIGN_APPEARED);
		note_port(g, now);
	} else if (strcmp(g->uuid, g->monitor.uuid) != 0) {
		qemu_guest_end(g, now); /* another guest has taken its place */
	} else if (g->monitor.is_running) {
		note_running(g, HOST_REASON_NONE, now); /* nobody knows what happened meanwhile */
	} else if (g->is_running) {
		note_stopped(g, now);
	}
}

static void wait_for_retry(struct qemu_guest *g, vt_mono now)
{
	g->retry = vt_mono_add(now, g->backoff);
	g->backoff = vt_span_min(VT_NS(g->backoff.ns * 2), BACKOFF_LAST);
}

static void note_down(struct qemu_guest *g, vt_mono now)
{
	finish_work(g, WORK_LOST, g->monitor.trouble);
	recall(g, WORK_LOST, g->monitor.trouble);
	wait_for_retry(g, now);
}

static void take_news(struct qemu_guest *g, enum qmp_news news, vt_mono now)
{
	switch (news) {
	case QMP_NEWS_UP: note_up(g, now); break;
	case QMP_NEWS_DOWN: note_down(g, now); break;
	case QMP_NEWS_STOPPED: note_stopped(g, now); break;
	case QMP_NEWS_RUNNING: note_running(g, g->monitor.reason, now); break;
	case QMP_NEWS_PORT: note_port(g, now); break;
	case QMP_NEWS_RTC_RESET: finish_work(g, WORK_DONE, ""); break;
	case QMP_NEWS_RTC_UNKNOWN:
		finish_work(g, WORK_UNSUPPORTED, "this machine has no rtc-reset-reinjection");
		break;
	case QMP_NEWS_RTC_FAILED: finish_work(g, WORK_REFUSED, g->monitor.trouble); break;
	}
}

void qemu_guest_hear_monitor(struct qemu_guest *g, vt_mono now)
{
	char buffer[READ_SIZE];
	struct slice input;
	enum qmp_news news;

	qmp_link_read(&g->monitor, buffer, sizeof buffer, now, &input);
	while (!g->is_over && qmp_link_next(&g->monitor, &input, &news))
		take_news(g, news, now);
}

void qemu_guest_hear_port(struct qemu_guest *g)
{
	char buffer[READ_SIZE];
	struct slice input;
	struct work_outcome o;

	agent_link_read(&g->port, buffer, sizeof buffer, &input);
	while (agent_link_next(&g->port, &input, &o))
		give_outcome(g, &o);
}

/* --- Turns --- */

static void connect_monitor(struct qemu_guest *g, struct poller *poller, vt_mono now)
{
	enum unix_stream_outcome outcome = qmp_link_open(&g->monitor, now);

	switch (outcome) {
	case UNIX_STREAM_OPEN:
		g->retry = VT_MONO_NEVER;
		if (poller_watch(poller, g->monitor.fd, (uint64_t)(uintptr_t)g, false) == 0)
			return;
		qmp_link_fini(&g->monitor);
		break;
	case UNIX_STREAM_MISSING:
	case UNIX_STREAM_NOBODY:
		if (g->is_known) {
			qemu_guest_end(g, now);
			return;
		}
		g->monitor.trouble[0] = '\0'; /* what a dead QEMU left is nobody's trouble */
		break;
	case UNIX_STREAM_BUSY:
	case UNIX_STREAM_REFUSED:
	case UNIX_STREAM_FAILED: break;
	}
	wait_for_retry(g, now);
}

void qemu_guest_turn(struct qemu_guest *g, struct poller *poller, vt_mono now)
{
	struct work_outcome o;

	if (g->is_over)
		return;
	if (qmp_link_expire(&g->monitor, now))
		note_down(g, now);
	if (agent_link_expire(&g->port, now, &o))
		give_outcome(g, &o);
	if (g->has_work && g->work_deadline.ns <= now.ns)
		finish_work(g, WORK_TIMED_OUT, "the monitor did not answer in time");
	if (g->retry.ns <= now.ns)
		connect_monitor(g, poller, now);
}

vt_mono qemu_guest_deadline(const struct qemu_guest *g)
{
	vt_mono at = vt_mono_min(g->retry, qmp_link_deadline(&g->monitor));

	if (g->is_over)
		return VT_MONO_NEVER;
	if (g->has_work)
		at = vt_mono_min(at, g->work_deadline);
	return vt_mono_min(at, agent_link_deadline(&g->port));
}

bool qemu_guest_is_down(const struct qemu_guest *g)
{
	return g->monitor.state == QMP_LINK_DOWN;
}

void qemu_guest_end(struct qemu_guest *g, vt_mono now)
{
	struct work work = g->port.work;

	if (g->is_over)
		return;
	finish_work(g, WORK_LOST, "the guest has gone");
	if (agent_link_is_busy(&g->port)) {
		agent_link_drop(&g->port);
		refuse(g, &work, WORK_LOST, "the guest has gone");
	}
	qmp_link_fini(&g->monitor);
	agent_link_fini(&g->port);
	g->is_over = true;
	g->is_running = false;
	g->seen_at = now;
	/* Whoever has never heard of it need not hear that it has gone. */
	g->signs = g->is_known && !(g->signs & 1u << SIGN_APPEARED) ? g->signs | 1u << SIGN_GONE : 0;
}

/* --- Signs --- */

/* Of a pair that contradict each other the one comes last that is true now. */
static const enum sign_kind ORDER_RUNNING[] = { SIGN_APPEARED, SIGN_AGENT_DOWN, SIGN_AGENT_UP,
	                                        SIGN_STOPPED,  SIGN_RUNNING,    SIGN_GONE };
static const enum sign_kind ORDER_STOPPED[] = { SIGN_APPEARED, SIGN_AGENT_DOWN, SIGN_AGENT_UP,
	                                        SIGN_RUNNING,  SIGN_STOPPED,    SIGN_GONE };

static vt_mono instant_of(const struct qemu_guest *g, enum sign_kind kind)
{
	if (kind == SIGN_STOPPED)
		return g->stopped_at;
	return kind == SIGN_RUNNING ? g->running_at : g->seen_at;
}

static void write_sign(const struct qemu_guest *g, enum sign_kind kind, struct sign *ret)
{
	*ret = (struct sign){ .kind = kind, .guest = g->number, .at = instant_of(g, kind) };
	if (kind == SIGN_RUNNING)
		ret->reason = g->reason;
	if (kind != SIGN_APPEARED)
		return;
	ret->is_running = g->is_running;
	ret->has_agent = g->agent[0] != '\0';
	ret->cid = g->cid;
	snprintf(ret->name, sizeof ret->name, "%s", g->name);
	snprintf(ret->uuid, sizeof ret->uuid, "%s", g->uuid);
}

bool qemu_guest_pop_sign(struct qemu_guest *g, struct sign *ret)
{
	const enum sign_kind *order = g->is_running ? ORDER_RUNNING : ORDER_STOPPED;

	for (size_t i = 0; i < COUNT(ORDER_RUNNING); i++)
		if (g->signs & 1u << order[i]) {
			g->signs &= ~(1u << order[i]);
			write_sign(g, order[i], ret);
			return true;
		}
	return false;
}

bool qemu_guest_has_path(const struct qemu_guest *g, const char *path)
{
	return strcmp(g->qmp, path) == 0;
}
