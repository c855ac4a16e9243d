/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_HEAP_H
#define HOSTD_HEAP_H

/*
 * heap.h - the earliest of many instants
 *
 * A binary heap of nodes that live in whatever they belong to.  A node knows where it
 * is, so it can be moved or taken out without a search.  Those of one instant come out in the
 * order in which they were put in.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/units.h"

struct heap_node {
	vt_mono at;
	uint64_t turn; /* among those of the same instant */
	size_t place;  /* 1 and up; 0: not in the heap    */
	void *owner;
};

struct heap {
	struct heap_node **nodes; /* from 1 */
	size_t n, room;
	uint64_t turns;
};

void heap_init(struct heap *h);
void heap_fini(struct heap *h);

/* Room for @n nodes.  -ENOMEM: as it was. */
int heap_reserve(struct heap *h, size_t n) must_check;

/* Puts @node in, for which there is room, or moves it, if it is in and @at is another instant. */
void heap_put(struct heap *h, struct heap_node *node, vt_mono at);

/* Not in: nothing happens. */
void heap_remove(struct heap *h, struct heap_node *node);

/* NULL: it is empty. */
struct heap_node *heap_first(const struct heap *h);

#endif
