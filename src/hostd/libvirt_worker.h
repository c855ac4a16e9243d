/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_LIBVIRT_WORKER_H
#define HOSTD_LIBVIRT_WORKER_H

/*
 * libvirt_worker.h - a thread that calls libvirt and waits as long as that takes
 *
 * It takes a job, does it with a connection of its own, posts it back with what came of it, and
 * takes the next.  The connection is made when the first job needs one, and anew when it is lost.
 */

#include <libvirt/libvirt.h>

#include "hostd/libvirt_queue.h"

struct libvirt_worker {
	struct libvirt_queue *queue;
	const char *uri;
	pthread_t thread;
};

/* Fill in all but @thread; both pointers must outlive the thread.  0 or -errno. */
int libvirt_worker_start(struct libvirt_worker *worker) must_check;

/* A connection to @uri with keepalive; NULL: libvirt's latest error says why. */
virConnectPtr libvirt_connect(const char *uri);

#endif
