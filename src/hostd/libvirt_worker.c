/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/libvirt_worker.h"

#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/host_instant.h"
#include "hostd/libvirt_message.h"
#include "hostd/libvirt_words.h"

/* A connection on which nothing has come for 30 s is given up. */
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_COUNT      5

/* For how long libvirt waits for the answer to its own guest-sync at most. */
#define SYNC_PATIENCE VT_SEC(5)

/* Errors are told where they are met; libvirt would print each of them as well. */
static void keep_quiet(void *opaque, virErrorPtr error)
{
	(void)opaque;
	(void)error;
}

virConnectPtr libvirt_connect(const char *uri)
{
	virConnectPtr conn;

	virSetErrorFunc(NULL, keep_quiet);
	conn = virConnectOpen(uri);
	/* A driver in this very process has no keepalive and needs none. */
	if (conn)
		virConnectSetKeepAlive(conn, KEEPALIVE_INTERVAL_S, KEEPALIVE_COUNT);
	return conn;
}

/* --- looking ------------------------------------------------------------------------------------ */

static void look_closer(virDomainPtr domain, struct libvirt_item *job)
{
	int is_persistent = virDomainIsPersistent(domain);
	int state, reason;
	char *xml;

	if (is_persistent < 0 || virDomainGetState(domain, &state, &reason, 0) < 0)
		return;
	job->domain.is_persistent = is_persistent;
	if (state == VIR_DOMAIN_SHUTOFF) {
		job->look = LOOK_INACTIVE;
		return;
	}
	/* A blocked guest runs, it only has nothing to do. */
	job->domain.is_running = state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED;
	libvirt_printable(virDomainGetName(domain), job->domain.name, sizeof job->domain.name);
	xml = virDomainGetXMLDesc(domain, 0);
	if (xml && libvirt_read_description(xml, &job->domain))
		job->look = LOOK_DONE;
	free(xml);
}

static void look(virConnectPtr conn, struct libvirt_item *job)
{
	virDomainPtr domain = virDomainLookupByUUID(conn, job->uuid);

	job->look = LOOK_FAILED;
	if (domain) {
		look_closer(domain, job);
		virDomainFree(domain);
	} else if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN) {
		job->look = LOOK_MISSING;
	}
}

/* --- working ------------------------------------------------------------------------------------ */

/* Each of these: 0, or -1 with libvirt's error. */
static int get_time(virDomainPtr domain, struct work_outcome *outcome)
{
	long long seconds;
	unsigned nanoseconds;

	if (virDomainGetTime(domain, &seconds, &nanoseconds, 0) < 0)
		return -1;
	if (__builtin_mul_overflow(seconds, 1000000000, &outcome->guest_time.ns) ||
	    __builtin_add_overflow(outcome->guest_time.ns, nanoseconds, &outcome->guest_time.ns)) {
		outcome->result = WORK_GARBAGE;
		snprintf(outcome->text, sizeof outcome->text, "it says that it is in the year %lld",
		         1970 + seconds / 31556952);
	}
	return 0;
}

static int set_time(virDomainPtr domain, const struct work *work, const struct work_outcome *outcome)
{
	vt_real to = vt_real_add(outcome->sent.real, work->lead);

	return virDomainSetTime(domain, to.ns / 1000000000, (unsigned)(to.ns % 1000000000), 0);
}

/*
 * The host name is not wanted: whether and how it is refused tells who is there.  virDomainGetHostname
 * would keep the agent's words to itself.
 */
static int get_info(virDomainPtr domain, struct work_outcome *outcome)
{
	virTypedParameterPtr told = NULL;
	int n = 0;
	int r = virDomainGetGuestInfo(domain, VIR_DOMAIN_GUEST_INFO_HOSTNAME, &told, &n, 0);

	outcome->can_get_time = outcome->can_set_time = true;
	if (r == 0) {
		outcome->agent = AGENT_QEMU_GA;
		virTypedParamsFree(told, n);
		return 0;
	}
	if (virGetLastErrorCode() == VIR_ERR_INTERNAL_ERROR && libvirt_is_vmtimed(virGetLastErrorMessage())) {
		outcome->agent = AGENT_VMTIMED;
		return 0;
	}
	return -1;
}

/* A message taints the domain, so it is sent to nobody but a vmtimed. */
static int send_message(virDomainPtr domain, const struct libvirt_item *job, int patience,
                        struct work_outcome *outcome)
{
	if (!job->is_vmtimed) {
		if (get_info(domain, outcome) < 0)
			return -1;
		if (outcome->agent != AGENT_VMTIMED) {
			outcome->result = WORK_UNSUPPORTED;
			snprintf(outcome->text, sizeof outcome->text, "its agent is not vmtimed");
			return 0;
		}
		outcome->sent = host_instant_now();
	}
	return libvirt_message_send(domain, &job->work, patience, outcome);
}

static int call(virDomainPtr domain, const struct libvirt_item *job, int patience,
                struct work_outcome *outcome)
{
	const struct work *work = &job->work;

	switch (work->kind) {
	case WORK_GET_TIME:
		return get_time(domain, outcome);
	case WORK_SET_TIME:
		return set_time(domain, work, outcome);
	case WORK_INFO:
		return get_info(domain, outcome);
	case WORK_NUDGE:
	case WORK_STATUS:
	case WORK_QUALITY:
		return send_message(domain, job, patience, outcome);
	case WORK_RESET_RTC:
		break; /* never comes here */
	}
	return -1;
}

/* In whole seconds, which is how libvirt counts: not before the loop gives up. */
static int patience_s(vt_span left)
{
	int64_t seconds = (left.ns + 999999999) / 1000000000;

	return seconds < 1 ? 1 : seconds > 3600 ? 3600 : (int)seconds;
}

/* libvirt's latest error as the outcome. */
static void tell_error(struct work_outcome *outcome, vt_span patience)
{
	virErrorPtr error = virGetLastError();
	const char *message = error && error->message ? error->message : "unknown error";
	vt_span took = vt_mono_since(outcome->answered.mono, outcome->sent.mono);

	outcome->result = libvirt_result_of(error ? error->code : VIR_ERR_INTERNAL_ERROR,
	                                    error ? error->domain : VIR_FROM_NONE, message, took,
	                                    vt_span_min(patience, SYNC_PATIENCE), &outcome->was_sent);
	libvirt_printable(message, outcome->text, sizeof outcome->text);
}

static void work_on(virDomainPtr domain, struct libvirt_item *job)
{
	struct work_outcome *outcome = &job->outcome;
	int patience = patience_s(vt_mono_since(job->deadline, host_instant_now().mono));
	int r;

	virDomainAgentSetResponseTimeout(domain, patience, 0);
	virResetLastError();
	outcome->result = WORK_DONE;
	outcome->was_sent = true;
	outcome->sent = host_instant_now();
	r = call(domain, job, patience, outcome);
	outcome->answered = host_instant_now();
	if (r < 0)
		tell_error(outcome, VT_SEC(patience));
	virDomainAgentSetResponseTimeout(domain, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK, 0);
}

static void work(virConnectPtr conn, struct libvirt_item *job)
{
	virDomainPtr domain;

	job->outcome.sent = job->outcome.answered = host_instant_now();
	if (job->outcome.sent.mono.ns >= job->deadline.ns) {
		job->outcome.result = WORK_TIMED_OUT;
		snprintf(job->outcome.text, sizeof job->outcome.text, "no worker was free in time");
		return;
	}
	domain = virDomainLookupByUUID(conn, job->uuid);
	if (!domain) {
		tell_error(&job->outcome, VT_SPAN_MAX);
		job->outcome.was_sent = false;
		return;
	}
	work_on(domain, job);
	virDomainFree(domain);
}

/* --- the thread --------------------------------------------------------------------------------- */

static void do_job(virConnectPtr conn, struct libvirt_item *job)
{
	if (job->kind == ITEM_LOOK) {
		job->look = LOOK_FAILED;
		if (conn)
			look(conn, job);
		return;
	}
	job->outcome = (struct work_outcome){ .result = WORK_LOST };
	if (conn) {
		work(conn, job);
		return;
	}
	job->outcome.answered = host_instant_now();
	libvirt_printable(virGetLastErrorMessage(), job->outcome.text, sizeof job->outcome.text);
}

static void *run(void *opaque)
{
	struct libvirt_worker *worker = opaque;
	struct libvirt_item *job;
	virConnectPtr conn = NULL;

	while ((job = libvirt_queue_take(worker->queue))) {
		if (conn && virConnectIsAlive(conn) != 1) {
			virConnectClose(conn);
			conn = NULL;
		}
		if (!conn)
			conn = libvirt_connect(worker->uri);
		do_job(conn, job);
		libvirt_queue_post(worker->queue, job);
	}
	if (conn)
		virConnectClose(conn);
	return NULL;
}

int libvirt_worker_start(struct libvirt_worker *worker)
{
	return -pthread_create(&worker->thread, NULL, run, worker);
}
