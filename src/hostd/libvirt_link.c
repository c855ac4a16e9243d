/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/libvirt_link.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hostd/host_instant.h"
#include "hostd/libvirt_words.h"
#include "hostd/libvirt_worker.h"

#define WAIT_FIRST_MS 250
#define WAIT_MOST_MS  15000

/* Which events are listened to. */
enum {
	ON_LIFECYCLE,
	ON_AGENT,
	ON_DEVICE_ADDED,
	ON_DEVICE_REMOVED,
	N_EVENTS,
};

struct libvirt_link {
	struct libvirt_queue *queue;
	char uri[256];
	pthread_t event_thread, thread;
	int timer; /* wakes the event loop for its end */
	_Atomic bool is_ending;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* @is_lost or @is_ending has changed; on CLOCK_MONOTONIC */
	bool is_lost;
};

static void post_news(struct libvirt_link *link, virDomainPtr domain, enum libvirt_news news,
                      enum host_reason reason)
{
	struct libvirt_item *item;

	if (news == NEWS_NONE)
		return;
	item = calloc(1, sizeof *item);
	if (!item || virDomainGetUUID(domain, item->uuid) != 0) {
		/* What is not told is lost: with a new connection every guest is looked at. */
		free(item);
		pthread_mutex_lock(&link->lock);
		link->is_lost = true;
		pthread_cond_signal(&link->wake);
		pthread_mutex_unlock(&link->lock);
		return;
	}
	item->kind = ITEM_NEWS;
	item->news = news;
	item->reason = reason;
	item->at = host_instant_now().mono;
	libvirt_queue_post(link->queue, item);
}

static void post_state(struct libvirt_link *link, enum libvirt_link_state state, const char *text)
{
	struct libvirt_item *item = calloc(1, sizeof *item);

	if (!item)
		return;
	item->kind = ITEM_LINK;
	item->link = state;
	item->at = host_instant_now().mono;
	libvirt_printable(text, item->text, sizeof item->text);
	libvirt_queue_post(link->queue, item);
}

/* --- callbacks, in the event thread ------------------------------------------------------------- */

static int on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *opaque)
{
	enum host_reason reason;
	enum libvirt_news news = libvirt_news_of(event, detail, &reason);

	(void)conn;
	post_news(opaque, domain, news, reason);
	return 0;
}

static void on_agent(virConnectPtr conn, virDomainPtr domain, int state, int reason, void *opaque)
{
	(void)conn;
	(void)reason;
	post_news(opaque, domain,
	          state == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED ?
	                  NEWS_AGENT_UP : NEWS_AGENT_DOWN,
	          HOST_REASON_NONE);
}

static void on_device(virConnectPtr conn, virDomainPtr domain, const char *alias, void *opaque)
{
	(void)conn;
	(void)alias;
	post_news(opaque, domain, NEWS_DEVICES, HOST_REASON_NONE);
}

static void on_close(virConnectPtr conn, int reason, void *opaque)
{
	struct libvirt_link *link = opaque;

	(void)conn;
	(void)reason;
	pthread_mutex_lock(&link->lock);
	link->is_lost = true;
	pthread_cond_signal(&link->wake);
	pthread_mutex_unlock(&link->lock);
}

static void on_timer(int timer, void *opaque)
{
	(void)opaque;
	virEventUpdateTimeout(timer, -1);
}

static void *run_events(void *opaque)
{
	struct libvirt_link *link = opaque;

	while (!link->is_ending)
		if (virEventRunDefaultImpl() < 0)
			break;
	return NULL;
}

/* --- the connection ----------------------------------------------------------------------------- */

/* Waits until the connection is lost, the end has come, or for @wait_ms (-1: for ever). */
static void wait_for_loss(struct libvirt_link *link, int wait_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&link->lock);
	while (!link->is_lost && !link->is_ending) {
		if (wait_ms < 0)
			pthread_cond_wait(&link->wake, &link->lock);
		else if (pthread_cond_timedwait(&link->wake, &link->lock, &until) == ETIMEDOUT)
			break;
	}
	link->is_lost = false;
	pthread_mutex_unlock(&link->lock);
}

static bool listen_to(struct libvirt_link *link, virConnectPtr conn, int ids[N_EVENTS])
{
	static const struct {
		int event;
		virConnectDomainEventGenericCallback callback;
	} EVENTS[N_EVENTS] = {
		[ON_LIFECYCLE] = { VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle) },
		[ON_AGENT] = { VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_agent) },
		[ON_DEVICE_ADDED] = { VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device) },
		[ON_DEVICE_REMOVED] = { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device) },
	};

	if (virConnectRegisterCloseCallback(conn, on_close, link, NULL) < 0)
		return false;
	for (size_t i = 0; i < N_EVENTS; i++) {
		ids[i] = virConnectDomainEventRegisterAny(conn, NULL, EVENTS[i].event,
		                                          EVENTS[i].callback, link, NULL);
		/* Without the others less is known, but what counts is. */
		if (ids[i] < 0 && i == ON_LIFECYCLE)
			return false;
	}
	return true;
}

static bool find_domains(struct libvirt_link *link, virConnectPtr conn)
{
	virDomainPtr *domains = NULL;
	int n = virConnectListAllDomains(conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);

	if (n < 0)
		return false;
	post_state(link, LINK_UP, "");
	for (int i = 0; i < n; i++) {
		post_news(link, domains[i], NEWS_FOUND, HOST_REASON_NONE);
		virDomainFree(domains[i]);
	}
	free(domains);
	return true;
}

static void hang_up(virConnectPtr conn, const int ids[N_EVENTS])
{
	for (size_t i = 0; i < N_EVENTS; i++)
		if (ids[i] >= 0)
			virConnectDomainEventDeregisterAny(conn, ids[i]);
	virConnectUnregisterCloseCallback(conn, on_close);
	virConnectClose(conn);
}

/* One connection, from its making to its end.  False: it could not be made. */
static bool connect_once(struct libvirt_link *link)
{
	int ids[N_EVENTS] = { -1, -1, -1, -1 };
	virConnectPtr conn;
	bool is_good;

	post_state(link, LINK_TRYING, "");
	conn = libvirt_connect(link->uri);
	is_good = conn && listen_to(link, conn, ids) && find_domains(link, conn);
	if (!is_good)
		post_state(link, LINK_DOWN, virGetLastErrorMessage());
	else
		wait_for_loss(link, -1);
	if (conn)
		hang_up(conn, ids);
	if (is_good)
		post_state(link, LINK_DOWN, "the connection to libvirt is lost");
	return is_good;
}

static void *run(void *opaque)
{
	struct libvirt_link *link = opaque;
	int wait_ms = WAIT_FIRST_MS;

	while (!link->is_ending) {
		if (connect_once(link))
			wait_ms = WAIT_FIRST_MS;
		wait_for_loss(link, wait_ms);
		wait_ms = wait_ms * 2 < WAIT_MOST_MS ? wait_ms * 2 : WAIT_MOST_MS;
	}
	return NULL;
}

static int init(struct libvirt_link *link)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&link->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&link->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
		return -ENOSYS;
	link->timer = virEventAddTimeout(-1, on_timer, NULL, NULL);
	return link->timer < 0 ? -ENOSYS : 0;
}

int libvirt_link_start(struct libvirt_queue *q, const char *uri, struct libvirt_link **ret)
{
	struct libvirt_link *link = calloc(1, sizeof *link);
	int r;

	if (!link)
		return -ENOMEM;
	link->queue = q;
	if ((size_t)snprintf(link->uri, sizeof link->uri, "%s", uri) >= sizeof link->uri) {
		free(link);
		return -ENAMETOOLONG;
	}
	r = init(link);
	if (r == 0)
		r = -pthread_create(&link->event_thread, NULL, run_events, link);
	if (r < 0) {
		free(link);
		return r;
	}
	r = -pthread_create(&link->thread, NULL, run, link);
	if (r < 0) {
		libvirt_link_end(link);
		pthread_join(link->event_thread, NULL);
		free(link);
		return r;
	}
	*ret = link;
	return 0;
}

void libvirt_link_end(struct libvirt_link *link)
{
	pthread_mutex_lock(&link->lock);
	link->is_ending = true;
	pthread_cond_signal(&link->wake);
	pthread_mutex_unlock(&link->lock);
	virEventUpdateTimeout(link->timer, 0);
}

bool libvirt_link_join(struct libvirt_link *link, const struct timespec *until)
{
	if (pthread_timedjoin_np(link->thread, NULL, until) != 0 ||
	    pthread_timedjoin_np(link->event_thread, NULL, until) != 0)
		return false;
	virEventRemoveTimeout(link->timer);
	pthread_cond_destroy(&link->wake);
	pthread_mutex_destroy(&link->lock);
	free(link);
	return true;
}
