/* SPDX-License-Identifier: Apache-2.0 */
#include "os/root_path.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel's own limit */

/* A walk: what is resolved, below the root, and what is still to be walked. */
struct walk {
	const char *root;
	char done[PATH_MAX]; /* begins with the root; no slash at its end, no link in it */
	size_t n_root, n_done;
	char rest[PATH_MAX];
	unsigned n_links;
};

static void leave_folder(struct walk *w)
{
	while (w->n_done > w->n_root && w->done[w->n_done - 1] != '/')
		w->n_done--;
	if (w->n_done > w->n_root)
		w->n_done--;
	w->done[w->n_done] = '\0';
}

/* Puts @target in front of what is still to be walked. */
static int follow(struct walk *w, const char *target, const char *rest)
{
	char joined[PATH_MAX];

	if (++w->n_links > LINKS_MAX)
		return -ELOOP;
	if (snprintf(joined, sizeof joined, "%s/%s", target, rest) >= (int)sizeof joined)
		return -ENAMETOOLONG;
	strcpy(w->rest, joined);
	if (target[0] == '/') {
		w->n_done = w->n_root;
		w->done[w->n_done] = '\0';
	}
	return 0;
}

/* Takes the first name off the rest. */
static int step(struct walk *w)
{
	char name[NAME_MAX + 1], target[PATH_MAX];
	const char *begin = w->rest + strspn(w->rest, "/");
	size_t length = strcspn(begin, "/");
	size_t before = w->n_done;
	ssize_t n;

	if (length > NAME_MAX || w->n_done + length + 2 > sizeof w->done)
		return -ENAMETOOLONG;
	memcpy(name, begin, length);
	name[length] = '\0';
	memmove(w->rest, begin + length, strlen(begin + length) + 1);
	if (length == 0 || strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		leave_folder(w);
		return 0;
	}
	w->done[w->n_done++] = '/';
	memcpy(w->done + w->n_done, name, length + 1);
	w->n_done += length;
	n = readlink(w->done, target, sizeof target - 1);
	if (n < 0)
		return 0;
	target[n] = '\0';
	w->n_done = before;
	w->done[w->n_done] = '\0';
	return follow(w, target, w->rest);
}

int root_path(const char *root, const char *path, char *to, size_t size)
{
	struct walk w = { .root = root };
	int r = 0;

	to[0] = '\0';
	if (strlen(root) >= sizeof w.done || strlen(path) >= sizeof w.rest)
		return -ENAMETOOLONG;
	strcpy(w.done, root);
	w.n_root = w.n_done = strlen(root);
	strcpy(w.rest, path);
	while (r == 0 && w.rest[0])
		r = step(&w);
	if (r == 0 && !w.n_done)
		w.done[w.n_done++] = '/';
	if (r == 0 && w.n_done >= size)
		r = -ENAMETOOLONG;
	if (r == 0) {
		w.done[w.n_done] = '\0';
		strcpy(to, w.done);
	}
	return r;
}
