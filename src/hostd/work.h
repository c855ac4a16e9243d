/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_WORK_H
#define HOSTD_WORK_H

/*
 * work.h - what can be asked of a guest, and what came of it
 *
 * The sequence says what is to be done next as one piece of work; a back end does
 * it and hands back one outcome.  A guest has at most one piece of work at a
 * time.  Whatever a back end must do before it can (connect, sync-delimited, wait for
 * its turn on a worker thread) is its own affair and within the work's timeout.
 *
 * The two instants of an outcome are those around the exchange itself: @sent is
 * taken right before the request goes out, @answered when the reply was in.  The guest
 * did what it was asked at some instant between them, so what it says of its clock
 * is known to half their distance.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"
#include "proto/host_channel.h"
#include "proto/host_reason.h"
#include "proto/report.h"

enum work_kind {
	WORK_INFO,      /* who is the agent, and what can it do                             */
	WORK_GET_TIME,  /* what does the guest's clock show                                 */
	WORK_SET_TIME,  /* set it: to our own clock at the moment of sending, and @lead      */
	WORK_RESET_RTC, /* rtc-reset-reinjection: forget the ticks that were not delivered   */
	WORK_NUDGE,     /* vmtimed: look now; carries no time                               */
	WORK_STATUS,    /* vmtimed: how is your clock                                       */
	WORK_QUALITY,   /* vmtimed: so wrong can the host's own clock be                    */
};

struct work {
	enum work_kind kind;
	uint64_t number;   /* the caller's, comes back with the outcome         */
	vt_span timeout;   /* then the outcome is WORK_TIMED_OUT                */
	vt_span lead;      /* WORK_SET_TIME: how long the request is on its way */
	enum host_reason reason;            /* WORK_NUDGE   */
	struct report_host_quality quality; /* WORK_QUALITY */
};

enum work_result {
	WORK_DONE,        /* the answer was a "yes"; whether to believe it is the caller's business */
	WORK_REFUSED,     /* the answer was an error, told in @text                                 */
	WORK_FROZEN,      /* ... because the guest's filesystems are frozen                         */
	WORK_UNSUPPORTED, /* ... because the agent cannot, or may not; or the back end cannot       */
	WORK_TIMED_OUT,   /* no answer in time; one that comes later is thrown away                 */
	WORK_GARBAGE,     /* the answer made no sense: @text                                        */
	WORK_LOST,        /* there is no connection, or it broke                                    */
	WORK_STOPPED,     /* the guest does not run: nothing was sent                               */
};

/* One instant on the host's clocks. */
struct host_instant {
	vt_mono mono;
	vt_real real;
};

enum agent_kind {
	AGENT_NONE,
	AGENT_UNKNOWN, /* somebody is there; we have not asked */
	AGENT_QEMU_GA, /* qemu-ga, or something that speaks its commands */
	AGENT_VMTIMED, /* vmtimed's own agent on that port               */
};

struct work_outcome {
	uint32_t guest; /* the back end's number of it */
	uint64_t number;
	enum work_kind kind;
	enum work_result result;
	bool was_sent;                      /* @sent is filled in; else nothing left this host */
	struct host_instant sent, answered; /* @answered: when the outcome was known, at least  */
	vt_real guest_time;                 /* WORK_GET_TIME, done                             */
	struct host_reply reply;            /* WORK_NUDGE, WORK_STATUS, WORK_QUALITY, done     */
	enum agent_kind agent;              /* WORK_INFO, done ...                             */
	bool can_get_time, can_set_time;
	char version[32];
	char text[REPORT_TEXT_MAX];         /* what was said or what went wrong; printable     */
};

#endif
