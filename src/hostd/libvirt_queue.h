/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_LIBVIRT_QUEUE_H
#define HOSTD_LIBVIRT_QUEUE_H

/*
 * libvirt_queue.h - all that the loop and libvirt's threads share
 *
 * Jobs wait for a worker, items wait for the loop.  The loop never waits: the mutex is held for
 * the moment in which a pointer changes hands, and never while libvirt is called.
 */

#include <pthread.h>
#include <stdbool.h>

#include "base/attr.h"
#include "hostd/libvirt_item.h"

struct libvirt_list {
	struct libvirt_item *first, **last;
};

struct libvirt_queue {
	pthread_mutex_t lock;
	pthread_cond_t wake; /* there is a job, or the end has come */
	struct libvirt_list jobs, items;
	bool is_ending;
	int fd; /* readable while there may be items */
};

/* 0 or -errno. */
int libvirt_queue_init(struct libvirt_queue *q) must_check;

/* Frees what nobody has taken.  No thread may use @q any more. */
void libvirt_queue_fini(struct libvirt_queue *q);

/* The loop's end.  libvirt_queue_give takes @job over. */
void libvirt_queue_give(struct libvirt_queue *q, struct libvirt_item *job);

/* Takes back and frees the job with that ticket if no worker has begun it.  True: it was so. */
bool libvirt_queue_withdraw(struct libvirt_queue *q, uint64_t ticket);

/* All items in the order of their coming, as a list to be freed; NULL: none.  Quiets the fd. */
struct libvirt_item *libvirt_queue_collect(struct libvirt_queue *q);

/* Wakes all that wait: libvirt_queue_take returns NULL from now on. */
void libvirt_queue_end(struct libvirt_queue *q);

/* The threads' end.  Waits for a job, which belongs to the caller then; NULL: end your thread. */
struct libvirt_item *libvirt_queue_take(struct libvirt_queue *q);

/* Takes @item over. */
void libvirt_queue_post(struct libvirt_queue *q, struct libvirt_item *item);

#endif
