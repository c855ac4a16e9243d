/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_PATH_SEARCH_H
#define OS_PATH_SEARCH_H

/*
 * path_search.h - the paths that a pattern with one `*` stands for
 *
 * The `*` stands for one or more characters of one part of the path, never for "/", and not
 * for a "." at the part's beginning.  Any other character stands for itself.  A pattern
 * without a `*` finds its own path, if there is such a file.
 *
 *     path_search_begin(&search, "/run/guests/vm-*.qmp");
 *     while (path_search_next(&search, &match))
 *             ... match.path, and match.star for what the `*` stood for ...
 *     path_search_end(&search);
 */

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "os/files.h"

struct path_search {
	DIR *dir;                   /* NULL: there is nothing (more) to list            */
	char folder[FILE_PATH_MAX]; /* where the part with the `*`, or the last one, stands */
	struct slice before, after; /* of that part, around the `*`; borrowed           */
	struct slice rest;          /* of the path, behind that part: "" or "/..."       */
	bool has_star, is_over;
};

struct path_match {
	char path[FILE_PATH_MAX];
	char star[256]; /* "" where the pattern has none */
};

/* Borrows @pattern, an absolute path, until path_search_end. */
void path_search_begin(struct path_search *s, const char *pattern);

/* The next one, in no order; only what exists.  False, and *@ret undefined: there is none. */
bool path_search_next(struct path_search *s, struct path_match *ret);

void path_search_end(struct path_search *s);

#endif
