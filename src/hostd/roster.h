/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_ROSTER_H
#define HOSTD_ROSTER_H

/*
 * roster.h - who is there
 *
 * The guests of all back ends, found by the back end's number and read in the order
 * of their names.  Both are sorted arrays of pointers: a host has a thousand guests, and
 * they come and go far less often than they are looked up.
 *
 * The guests are the roster's; a pointer to one holds until roster_remove().
 */

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct guest;

struct roster {
	struct guest **by_number; /* by back end, then by its number */
	struct guest **by_name;   /* by name, then by back end       */
	size_t n, room;
};

void roster_init(struct roster *r);

/* Frees the guests, too. */
void roster_fini(struct roster *r);

/* Takes @g, whose back end, number and name are filled in.  -ENOMEM: nothing is taken. */
int roster_take(struct roster *r, struct guest *g) must_check;

/* Takes it out and frees it. */
void roster_remove(struct roster *r, struct guest *g);

/* NULL: there is none. */
struct guest *roster_find(const struct roster *r, unsigned backend, uint32_t number);

/* Where those of that name begin in by_name; r->n or another name stands there if there is none. */
size_t roster_named(const struct roster *r, const char *name);

#endif
