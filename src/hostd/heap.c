/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/heap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void heap_init(struct heap *h)
{
	*h = (struct heap){ 0 };
}

void heap_fini(struct heap *h)
{
	free(h->nodes);
	*h = (struct heap){ 0 };
}

int heap_reserve(struct heap *h, size_t n)
{
	struct heap_node **nodes;
	size_t room = h->room ? h->room : 64;

	if (n <= h->room)
		return 0;
	while (room < n)
		room *= 2;
	nodes = realloc(h->nodes, (room + 1) * sizeof *nodes);
	if (!nodes)
		return -ENOMEM;
	h->nodes = nodes;
	h->room = room;
	return 0;
}

static bool is_before(const struct heap_node *a, const struct heap_node *b)
{
	if (a->at.ns != b->at.ns)
		return a->at.ns < b->at.ns;
	return a->turn < b->turn;
}

static void place(struct heap *h, size_t at, struct heap_node *node)
{
	h->nodes[at] = node;
	node->place = at;
}

static void rise(struct heap *h, struct heap_node *node)
{
	size_t at = node->place;

	for (; at > 1 && is_before(node, h->nodes[at / 2]); at /= 2)
		place(h, at, h->nodes[at / 2]);
	place(h, at, node);
}

static void sink(struct heap *h, struct heap_node *node)
{
	size_t at = node->place;

	for (;;) {
		size_t child = at * 2;

		if (child > h->n)
			break;
		if (child < h->n && is_before(h->nodes[child + 1], h->nodes[child]))
			child++;
		if (is_before(node, h->nodes[child]))
			break;
		place(h, at, h->nodes[child]);
		at = child;
	}
	place(h, at, node);
}

void heap_put(struct heap *h, struct heap_node *node, vt_mono at)
{
	if (node->place && node->at.ns == at.ns)
		return;
	node->at = at;
	node->turn = ++h->turns;
	if (!node->place) {
		assert(h->n < h->room);
		place(h, ++h->n, node);
	}
	rise(h, node);
	sink(h, node);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	struct heap_node *last;
	size_t at = node->place;

	if (!at)
		return;
	last = h->nodes[h->n--];
	node->place = 0;
	if (last == node)
		return;
	place(h, at, last);
	rise(h, last);
	sink(h, last);
}

struct heap_node *heap_first(const struct heap *h)
{
	return h->n ? h->nodes[1] : NULL;
}
