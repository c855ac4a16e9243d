/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/libvirt_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void list_init(struct libvirt_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void list_add(struct libvirt_list *list, struct libvirt_item *item)
{
	item->next = NULL;
	*list->last = item;
	list->last = &item->next;
}

static struct libvirt_item *list_take(struct libvirt_list *list)
{
	struct libvirt_item *item = list->first;

	if (item) {
		list->first = item->next;
		if (!list->first)
			list->last = &list->first;
	}
	return item;
}

static void list_free(struct libvirt_list *list)
{
	struct libvirt_item *item;

	while ((item = list_take(list)))
		free(item);
}

int libvirt_queue_init(struct libvirt_queue *q)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	*q = (struct libvirt_queue){ .fd = fd };
	list_init(&q->jobs);
	list_init(&q->items);
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->wake, NULL);
	return 0;
}

void libvirt_queue_fini(struct libvirt_queue *q)
{
	list_free(&q->jobs);
	list_free(&q->items);
	pthread_cond_destroy(&q->wake);
	pthread_mutex_destroy(&q->lock);
	close(q->fd);
}

void libvirt_queue_give(struct libvirt_queue *q, struct libvirt_item *job)
{
	pthread_mutex_lock(&q->lock);
	list_add(&q->jobs, job);
	pthread_cond_signal(&q->wake);
	pthread_mutex_unlock(&q->lock);
}

bool libvirt_queue_withdraw(struct libvirt_queue *q, uint64_t ticket)
{
	struct libvirt_item *found = NULL;

	pthread_mutex_lock(&q->lock);
	for (struct libvirt_item **at = &q->jobs.first; *at; at = &(*at)->next) {
		if ((*at)->ticket != ticket)
			continue;
		found = *at;
		*at = found->next;
		if (!*at)
			q->jobs.last = at;
		break;
	}
	pthread_mutex_unlock(&q->lock);
	free(found);
	return found != NULL;
}

struct libvirt_item *libvirt_queue_collect(struct libvirt_queue *q)
{
	struct libvirt_item *items;
	uint64_t count;

	pthread_mutex_lock(&q->lock);
	items = q->items.first;
	list_init(&q->items);
	/* Within the lock, or the wake-up for an item that comes right now would be lost. */
	if (read(q->fd, &count, sizeof count) < 0)
		count = 0;
	pthread_mutex_unlock(&q->lock);
	return items;
}

void libvirt_queue_end(struct libvirt_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->is_ending = true;
	pthread_cond_broadcast(&q->wake);
	pthread_mutex_unlock(&q->lock);
}

struct libvirt_item *libvirt_queue_take(struct libvirt_queue *q)
{
	struct libvirt_item *job = NULL;

	pthread_mutex_lock(&q->lock);
	while (!q->is_ending && !q->jobs.first)
		pthread_cond_wait(&q->wake, &q->lock);
	if (!q->is_ending)
		job = list_take(&q->jobs);
	pthread_mutex_unlock(&q->lock);
	return job;
}

void libvirt_queue_post(struct libvirt_queue *q, struct libvirt_item *item)
{
	uint64_t one = 1;

	pthread_mutex_lock(&q->lock);
	list_add(&q->items, item);
	/* It can only fail where it is readable anyway. */
	if (write(q->fd, &one, sizeof one) < 0)
		one = 0;
	pthread_mutex_unlock(&q->lock);
}
