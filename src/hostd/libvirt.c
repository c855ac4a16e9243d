/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/libvirt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "hostd/host_instant.h"
#include "hostd/libvirt_guests.h"
#include "hostd/libvirt_link.h"
#include "hostd/libvirt_queue.h"
#include "hostd/libvirt_worker.h"

/* A connection that is not made within this is told as trouble. */
#define CONNECT_PATIENCE VT_SEC(5)

/* Work for guests that are not there any more waits here for its outcome; see begin(). */
#define ORPHANS_MAX 16

struct libvirt {
	struct backend backend; /* first */
	struct libvirt_queue queue;
	char uri[256];
	bool is_optional;
	struct libvirt_link *link;
	struct libvirt_worker workers[LIBVIRT_WORKERS_MAX];
	unsigned n_workers;

	struct libvirt_guests guests;
	struct libvirt_item *items; /* collected, and not yet made signs of */
	struct sign signs[LIBVIRT_SIGNS_MAX];
	size_t n_signs, next_sign;
	vt_mono now;       /* of the latest dispatch                                  */
	vt_mono trouble_at; /* when a connection is overdue that is being made         */
	struct work_outcome orphans[ORPHANS_MAX];
	size_t n_orphans;
};

static struct libvirt *of(struct backend *b)
{
	return (struct libvirt *)b;
}

/* Is there a libvirt on this machine? */
static bool is_installed(void)
{
	return access("/run/libvirt/libvirt-sock", F_OK) == 0 ||
	       access("/run/libvirt/virtqemud-sock", F_OK) == 0;
}

/* --- the connection's state --------------------------------------------------------------------- */

static void take_link(struct libvirt *l, const struct libvirt_item *item)
{
	l->trouble_at = VT_MONO_NEVER;
	switch (item->link) {
	case LINK_TRYING:
		l->trouble_at = vt_mono_add(item->at, CONNECT_PATIENCE);
		break;
	case LINK_UP:
		l->is_optional = false;
		l->backend.trouble[0] = 0;
		break;
	case LINK_DOWN:
		if (l->is_optional && !is_installed())
			break;
		snprintf(l->backend.trouble, sizeof l->backend.trouble, "%.200s", item->text);
		break;
	}
}

/* What the time asks for. */
static void serve_due(struct libvirt *l)
{
	for (;;) {
		struct libvirt_item *job = calloc(1, sizeof *job);
		uint64_t late = 0;

		/* Without memory the deadline stays where it is: with the next dispatch. */
		if (!job || !libvirt_guests_due(&l->guests, l->now, job, &late)) {
			free(job);
			break;
		}
		if (late == 0) {
			libvirt_queue_give(&l->queue, job);
			continue;
		}
		libvirt_queue_withdraw(&l->queue, late);
		free(job);
	}
	if (l->now.ns >= l->trouble_at.ns) {
		l->trouble_at = VT_MONO_NEVER;
		snprintf(l->backend.trouble, sizeof l->backend.trouble, "libvirt at %.200s does not answer",
		         l->uri);
	}
}

/* --- backend.h ---------------------------------------------------------------------------------- */

static void dispatch(struct backend *b, vt_mono now)
{
	struct libvirt *l = of(b);
	struct libvirt_item **end = &l->items;

	l->now = now;
	while (*end)
		end = &(*end)->next;
	*end = libvirt_queue_collect(&l->queue);
	if (!l->items)
		serve_due(l);
}

static vt_mono deadline(const struct backend *b)
{
	const struct libvirt *l = (const struct libvirt *)b;

	return vt_mono_min(l->guests.deadline, l->trouble_at);
}

static bool pop_sign(struct backend *b, struct sign *ret)
{
	struct libvirt *l = of(b);

	while (l->next_sign == l->n_signs) {
		struct libvirt_item *item = l->items;

		if (!item)
			return false;
		l->items = item->next;
		l->next_sign = 0;
		l->n_signs = libvirt_guests_take(&l->guests, item, l->now, l->signs);
		if (item->kind == ITEM_LINK)
			take_link(l, item);
		free(item);
		if (!l->items)
			serve_due(l);
	}
	*ret = l->signs[l->next_sign++];
	return true;
}

static bool pop_outcome(struct backend *b, struct work_outcome *ret)
{
	struct libvirt *l = of(b);

	if (l->n_orphans) {
		*ret = l->orphans[--l->n_orphans];
		return true;
	}
	return libvirt_guests_pop(&l->guests, ret);
}

static void drop(struct backend *b, uint32_t number)
{
	struct libvirt *l = of(b);
	struct libvirt_guest *guest = libvirt_guests_find(&l->guests, number);
	uint64_t ticket = guest ? libvirt_guests_drop(&l->guests, guest) : 0;

	if (ticket)
		libvirt_queue_withdraw(&l->queue, ticket);
}

/* The caller has been told that this guest is gone, and knows better only for a moment. */
static void begin_orphan(struct libvirt *l, uint32_t number, const struct work *work)
{
	if (l->n_orphans == ORPHANS_MAX)
		return;
	l->orphans[l->n_orphans++] = (struct work_outcome){
		.guest = number, .number = work->number, .kind = work->kind, .result = WORK_LOST,
		.text = "there is no such guest any more",
	};
}

/* Makes the outcome that comes out of the next pop noticed. */
static void ring(struct libvirt *l)
{
	l->guests.deadline = vt_mono_min(l->guests.deadline, l->now);
}

static void begin(struct backend *b, uint32_t number, const struct work *work)
{
	struct libvirt *l = of(b);
	struct libvirt_guest *guest = libvirt_guests_find(&l->guests, number);
	struct libvirt_item *job;

	drop(b, number);
	if (!guest) {
		begin_orphan(l, number, work);
		ring(l);
		return;
	}
	switch (work->kind) {
	case WORK_RESET_RTC:
		libvirt_guests_end(&l->guests, guest, work, WORK_DONE, "libvirt did it with the time");
		ring(l);
		return;
	case WORK_NUDGE:
	case WORK_STATUS:
	case WORK_QUALITY:
		if (guest->agent != AGENT_QEMU_GA)
			break;
		libvirt_guests_end(&l->guests, guest, work, WORK_UNSUPPORTED,
		                   "its agent is not vmtimed");
		ring(l);
		return;
	case WORK_INFO:
	case WORK_GET_TIME:
	case WORK_SET_TIME:
		break;
	}
	job = calloc(1, sizeof *job);
	if (!job) {
		libvirt_guests_end(&l->guests, guest, work, WORK_LOST, "no memory");
		ring(l);
		return;
	}
	libvirt_guests_begin(&l->guests, guest, work, host_instant_now().mono, job);
	libvirt_queue_give(&l->queue, job);
}

static const struct backend_ops OPS = {
	.dispatch = dispatch,
	.deadline = deadline,
	.pop_sign = pop_sign,
	.pop_outcome = pop_outcome,
	.begin = begin,
	.drop = drop,
};

/* --- life --------------------------------------------------------------------------------------- */

static int start_threads(struct libvirt *l, unsigned n_workers)
{
	sigset_t all, before;
	int r;

	/* The main thread is the one that signals are meant for. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = libvirt_link_start(&l->queue, l->uri, &l->link);

	n_workers = n_workers < 1 ? 1 : n_workers;
	n_workers = n_workers < LIBVIRT_WORKERS_MAX ? n_workers : LIBVIRT_WORKERS_MAX;
	while (r == 0 && l->n_workers < n_workers) {
		struct libvirt_worker *worker = &l->workers[l->n_workers];

		*worker = (struct libvirt_worker){ .queue = &l->queue, .uri = l->uri };
		r = libvirt_worker_start(worker);
		l->n_workers += r == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

int libvirt_open(const struct libvirt_settings *settings, struct backend **ret)
{
	struct libvirt *l = calloc(1, sizeof *l);
	int r;

	if (!l)
		return -ENOMEM;
	l->guests = (struct libvirt_guests)LIBVIRT_GUESTS_INIT;
	l->trouble_at = VT_MONO_NEVER;
	l->is_optional = settings->is_optional;
	if ((size_t)snprintf(l->uri, sizeof l->uri, "%s", settings->uri) >= sizeof l->uri) {
		free(l);
		return -ENAMETOOLONG;
	}
	r = libvirt_queue_init(&l->queue);
	if (r < 0) {
		free(l);
		return r;
	}
	l->backend = (struct backend){ .ops = &OPS, .name = "libvirt", .fd = l->queue.fd };
	r = start_threads(l, settings->workers);
	if (r < 0) {
		libvirt_close(&l->backend);
		return r;
	}
	*ret = &l->backend;
	return 0;
}

struct backend *libvirt_close(struct backend *b)
{
	struct libvirt *l = b ? of(b) : NULL;
	struct timespec until;
	bool has_ended = true;

	if (!l)
		return NULL;
	libvirt_queue_end(&l->queue);
	if (l->link)
		libvirt_link_end(l->link);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	for (unsigned i = 0; i < l->n_workers; i++)
		has_ended = pthread_timedjoin_np(l->workers[i].thread, NULL, &until) == 0 && has_ended;
	if (l->link)
		has_ended = libvirt_link_join(l->link, &until) && has_ended;
	libvirt_guests_fini(&l->guests);
	while (l->items) {
		struct libvirt_item *item = l->items;

		l->items = item->next;
		free(item);
	}
	if (!has_ended)
		return NULL; /* the threads that hang still know where it is */
	libvirt_queue_fini(&l->queue);
	free(l);
	return NULL;
}
