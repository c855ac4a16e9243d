/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/guest.h"

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_number(const struct guest *g, unsigned backend, uint32_t number)
{
	int order = compare(g->backend, backend);

	return order ? order : compare(g->number, number);
}

static int compare_name(const struct guest *g, const struct guest *other)
{
	int order = strcmp(g->name, other->name);

	return order ? order : compare_number(g, other->backend, other->number);
}

void roster_init(struct roster *r)
{
	*r = (struct roster){ 0 };
}

void roster_fini(struct roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->by_number[i]);
	free(r->by_number);
	free(r->by_name);
	*r = (struct roster){ 0 };
}

/* The first in by_number that is not before (@backend, @number). */
static size_t number_place(const struct roster *r, unsigned backend, uint32_t number)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_number(r->by_number[middle], backend, number) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first in by_name that is not before @g. */
static size_t name_place(const struct roster *r, const struct guest *g)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_name(r->by_name[middle], g) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int make_room(struct roster *r)
{
	size_t room = r->room ? r->room * 2 : 64;
	struct guest **numbers, **names;

	if (r->n < r->room)
		return 0;
	numbers = realloc(r->by_number, room * sizeof *numbers);
	if (!numbers)
		return -ENOMEM;
	r->by_number = numbers;
	names = realloc(r->by_name, room * sizeof *names);
	if (!names)
		return -ENOMEM;
	r->by_name = names;
	r->room = room;
	return 0;
}

static void insert(struct guest **list, size_t n, size_t at, struct guest *g)
{
	memmove(list + at + 1, list + at, (n - at) * sizeof *list);
	list[at] = g;
}

static void erase(struct guest **list, size_t n, size_t at)
{
	memmove(list + at, list + at + 1, (n - at - 1) * sizeof *list);
}

int roster_take(struct roster *r, struct guest *g)
{
	int error = make_room(r);

	if (error)
		return error;
	insert(r->by_number, r->n, number_place(r, g->backend, g->number), g);
	insert(r->by_name, r->n, name_place(r, g), g);
	r->n++;
	return 0;
}

void roster_remove(struct roster *r, struct guest *g)
{
	erase(r->by_number, r->n, number_place(r, g->backend, g->number));
	erase(r->by_name, r->n, name_place(r, g));
	r->n--;
	free(g);
}

struct guest *roster_find(const struct roster *r, unsigned backend, uint32_t number)
{
	size_t at = number_place(r, backend, number);

	if (at == r->n || compare_number(r->by_number[at], backend, number) != 0)
		return NULL;
	return r->by_number[at];
}

size_t roster_named(const struct roster *r, const char *name)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(r->by_name[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
