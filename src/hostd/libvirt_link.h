/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_LIBVIRT_LINK_H
#define HOSTD_LIBVIRT_LINK_H

/*
 * libvirt_link.h - the connection that news come through
 *
 * Two threads.  One runs libvirt's event loop and nothing else: in it the callbacks run, which
 * only post items, and the keepalive of all connections, so it must never wait for an answer.  The
 * other makes the connection, finds the domains that are active, and makes it anew when it is
 * lost: after a quarter of a second, and after longer and longer up to 15 s.
 *
 * A libvirtd that takes connections and answers nothing holds the second thread as long as it
 * likes; LINK_TRYING with its time tells.  One that stops answering later is noticed after half a minute.
 */

#include "hostd/libvirt_queue.h"

struct libvirt_link;

/* @q must outlive it, @uri is copied.  0 or -errno. */
int libvirt_link_start(struct libvirt_queue *q, const char *uri, struct libvirt_link **ret) must_check;

/* Asks both threads to end: they do when libvirt lets them. */
void libvirt_link_end(struct libvirt_link *link);

/* Waits for them, until @until at the latest (CLOCK_REALTIME).  False: one hangs, all stays allocated. */
bool libvirt_link_join(struct libvirt_link *link, const struct timespec *until);

#endif
