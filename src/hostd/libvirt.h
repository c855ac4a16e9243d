/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_LIBVIRT_H
#define HOSTD_LIBVIRT_H

/*
 * libvirt.h - the guests that libvirt runs
 *
 * libvirt's calls block: an agent's answer takes a second where the agent runs hwclock, and a
 * libvirtd that hangs answers never.  So no call is made in the loop.  One thread runs
 * libvirt's event loop, one keeps the connection that events come through, and a few workers each
 * have a connection of their own.  They share nothing but two queues under a mutex: jobs to
 * them, and items (what happened, what came of a job) from them, which an eventfd announces.
 * All that is remembered of a guest is remembered in the loop.
 *
 * Domains that are active appear, be they running or paused.  One that is shut off appears
 * when it is started.  A persistent one that then stops stays as a guest that is stopped (what
 * is known of it lives over a managed save); a transient one, or one that migrated to another host,
 * is gone.
 *
 * After a connection was lost and is there again each domain that is active is told as
 * SIGN_APPEARED once more, under its old number: whatever happened meanwhile is not known.
 *
 * The time is asked and set by virDomainGetTime and virDomainSetTime, always with an explicit
 * time.  WORK_INFO asks for the guest's host name (a call of libvirt's own) and knows vmtimed's agent by
 * how it refuses.  What only vmtimed understands is a raw command, which taints the domain:
 * that goes to no agent but vmtimed's, and is WORK_UNSUPPORTED for all others.  Where it was not asked
 * since it may have become another one (it was away, the guest was restored, a connection was down) it
 * is asked before.  A guest whose address on vsock is in its description, and thus in the sign, is
 * spoken to that way by the caller.  WORK_RESET_RTC is done at once, for setting the time did it already.
 *
 * While one of our calls waits for an agent, libvirt's own patience with that agent is
 * cut to the work's timeout (virDomainAgentSetResponseTimeout); afterwards it is libvirt's default
 * again.  Otherwise twenty guests that do not answer would keep all of libvirtd's workers.
 */

#include "base/attr.h"
#include "hostd/backend.h"

/* libvirtd serves twenty calls at a time, whoever makes them.  The rest is for others. */
#define LIBVIRT_WORKERS_MAX 16

struct libvirt_settings {
	const char *uri;  /* "qemu:///system"; copied                                             */
	bool is_optional; /* that there is none on this machine is no trouble, as long as there was none   */
	unsigned workers; /* how many calls at a time: what is above LIBVIRT_WORKERS_MAX counts as that */
};

/*
 * Starts the threads.  Returns 0 and a back end to be closed, or -errno with *@ret untouched.  That
 * nobody answers at @uri, or that this build has no libvirt, is no failure: backend.trouble says so.
 * One at a time in a process.  The threads take no signals.
 */
int libvirt_open(const struct libvirt_settings *settings, struct backend **ret) must_check;

/*
 * Ends the threads, and waits a second for them at most.  One that hangs in libvirt is left to the
 * end of the process, with the little that it holds.  NULL is allowed; returns NULL.
 */
struct backend *libvirt_close(struct backend *b);

#endif
