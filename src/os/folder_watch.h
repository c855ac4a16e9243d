/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_FOLDER_WATCH_H
#define OS_FOLDER_WATCH_H

/*
 * folder_watch.h - has a file come or gone in one of some folders?
 *
 * A thin cover over inotify(7).  It says only that something has changed, not what: events
 * can be lost when there are many, a look at the folders cannot.  A kernel without
 * inotify, or a folder that is not there, is no failure: whoever watches looks now and
 * then anyway.
 */

#include <stdbool.h>

struct folder_watch {
	int fd; /* readable when something has changed; -1: this kernel has no inotify */
};

void folder_watch_init(struct folder_watch *w);

/* Safe twice. */
void folder_watch_fini(struct folder_watch *w);

/*
 * Watches @path from now on; a folder that is watched already is no matter.  False: it cannot be
 * watched, it may not be there.
 */
bool folder_watch_add(struct folder_watch *w, const char *path);

/* Whether anything has changed since the latest call. */
bool folder_watch_take(struct folder_watch *w);

#endif
