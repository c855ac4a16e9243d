/* SPDX-License-Identifier: Apache-2.0 */
#include "os/folder_watch.h"

#include <errno.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

/* A socket that is given to somebody else (chown) may be one that can be used from then on. */
#define WHAT (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | \
              IN_ONLYDIR)

void folder_watch_init(struct folder_watch *w)
{
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

void folder_watch_fini(struct folder_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

bool folder_watch_add(struct folder_watch *w, const char *path)
{
	return w->fd >= 0 && inotify_add_watch(w->fd, path, WHAT) >= 0;
}

bool folder_watch_take(struct folder_watch *w)
{
	_Alignas(struct inotify_event) char events[4096 + sizeof(struct inotify_event) + NAME_MAX + 1];
	bool has_changed = false;

	while (w->fd >= 0) {
		ssize_t n = read(w->fd, events, sizeof events);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		has_changed = true;
	}
	return has_changed;
}
