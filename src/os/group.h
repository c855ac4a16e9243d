/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_GROUP_H
#define OS_GROUP_H

/*
 * group.h - the number of a group
 *
 * By the system's database, which a static build cannot ask: for daemons that are
 * never built so.
 */

#include <stdbool.h>
#include <sys/types.h>

/* @name, or a number as text.  False, and *@ret untouched: there is no such group. */
bool group_find(const char *name, gid_t *ret);

#endif
