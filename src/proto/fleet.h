/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_FLEET_H
#define PROTO_FLEET_H

/*
 * fleet.h - what vmtime-hostd says about its guests, as values
 *
 * The daemon fills these in; the control socket, the page's API and the metrics
 * are made of them, and the command line reads them back.  As everywhere in vmtime an
 * *offset* is positive where the guest's clock is behind the host's (it must go
 * forward).  What has not been measured is absent: its has_... is false.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"
#include "proto/host_reason.h"
#include "proto/report.h"

#define FLEET_GUESTS_MAX 4096
#define FLEET_ALERTS_MAX 8

/* Where a guest stands in the sequence that puts its clock right. */
enum fleet_state {
	FLEET_DISCOVERED, /* just found, nothing known of its clock yet            */
	FLEET_WATCHING,   /* nothing has happened; measured now and then           */
	FLEET_STOPPED,    /* its CPUs stand still: its clock stands, too            */
	FLEET_DISRUPTED,  /* something has happened; waiting for its turn           */
	FLEET_MEASURING,  /* being asked what its clock shows                      */
	FLEET_SETTING,    /* being told the time                                   */
	FLEET_VERIFIED,   /* its clock was found right after the latest disruption */
	FLEET_FROZEN,     /* its filesystems are frozen; tried again after the thaw */
	FLEET_FAILED,     /* its clock could not be put right; tried again, rarer   */
	FLEET_STATES,     /* how many there are                                    */
};

enum fleet_agent {
	FLEET_AGENT_NONE,
	FLEET_AGENT_UNKNOWN,
	FLEET_AGENT_QEMU_GA,
	FLEET_AGENT_VMTIMED,
	FLEET_AGENTS,
};

/* How a disruption ended. */
enum fleet_end {
	FLEET_END_OPEN,     /* not yet                                              */
	FLEET_END_RIGHT,    /* the clock was right, or came right by itself          */
	FLEET_END_NUDGED,   /* vmtimed in the guest was told and put it right        */
	FLEET_END_SET,      /* it was set by the agent, and verified                 */
	FLEET_END_FAILED,   /* it is still wrong, or nobody can tell                 */
	FLEET_ENDS,
};

struct fleet_disruption {
	bool is_there;
	enum host_reason reason;
	enum fleet_end end;
	vt_real at;       /* when it was noticed, by the host's clock                 */
	bool has_stopped; /* for how long it stood still is known ...                 */
	vt_span stopped;  /* ... by the host's own clock                              */
	bool has_lost;
	vt_span lost;     /* how far the guest's clock was behind when measured first */
	bool has_took;
	vt_span took;     /* from noticing until the clock was known to be right      */
};

struct fleet_guest {
	char name[REPORT_NAME_MAX * 2];
	char uuid[40];            /* empty: none                                      */
	char backend[16];         /* "libvirt", "qemu", "vsock"                       */
	enum fleet_state state;
	bool is_running;
	bool was_measured;        /* offset_age says when. Not told on sockets        */
	bool has_offset;          /* and so lately that it counts                     */
	vt_span offset;           /* positive: the guest is behind                    */
	vt_span uncertainty;      /* the offset is known to +/- this                  */
	vt_span offset_age;       /* when it was measured                             */
	enum fleet_agent agent;
	char agent_version[32];
	bool is_silent;           /* its agent has not answered for long. Not told    */
	bool has_vmtimed;         /* vmtimed answers, by vsock or on the agent's port  */
	char vmtimed_state[16];   /* its own word for its state: "ok"; empty: unknown  */
	struct fleet_disruption last;
	uint64_t disruptions, sets, nudges, failures; /* since vmtime-hostd began       */
	char note[REPORT_TEXT_MAX]; /* one sentence: what is wrong or unusual; empty    */
};

/* The host itself. */
struct fleet_host {
	char version[32];
	vt_span uptime;                   /* of vmtime-hostd                            */
	char clocksource[64];
	struct report_host_quality quality; /* daemon "" where nobody keeps the clock   */
	vt_span threshold;                /* a guest farther off than this is set       */
	unsigned n_alerts;
	char alerts[FLEET_ALERTS_MAX][REPORT_TEXT_MAX]; /* one sentence each            */
};

struct fleet_report {
	struct fleet_host host;
	unsigned n;
	struct fleet_guest *guests; /* sorted by name; belongs to whoever made the report */
};

/* What came of asking for guests to be synchronised now. */
struct fleet_sync {
	char name[REPORT_NAME_MAX * 2];
	bool is_verified;
	enum fleet_end end;
	bool has_offset;
	vt_span offset, uncertainty;
	char note[REPORT_TEXT_MAX];
};

/* The words for them on the wire and for people: "verified", "qemu-ga", "set". */
const char *fleet_state_name(enum fleet_state state);
const char *fleet_agent_name(enum fleet_agent agent);
const char *fleet_end_name(enum fleet_end end);

#endif
