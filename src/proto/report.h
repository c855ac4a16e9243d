/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_REPORT_H
#define PROTO_REPORT_H

/*
 * report.h - what vmtimed says about itself, as values
 *
 * The daemon fills these in, proto/control turns them into JSON and back, and
 * the command line prints them.  Signs are converted to a reader's once, here:
 * an *offset* is positive where the local clock is behind the source (it must
 * go forward), as in chronyc.  Quantities that have not been measured are
 * absent: their has_... is false.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"

#define REPORT_SOURCES_MAX 16
#define REPORT_NAME_MAX    64
#define REPORT_TEXT_MAX    256

/* The daemon's state as a whole. */
enum report_state {
	REPORT_STARTING,  /* nothing has been measured yet                            */
	REPORT_OK,        /* the clock follows a source                               */
	REPORT_HOLDOVER,  /* it did, but no source answers now                        */
	REPORT_DISRUPTED, /* the world jumped (pause, restore) and is being measured  */
	REPORT_CONTESTED, /* ok, but another process steers the clock as well         */
};

enum report_leap {
	REPORT_LEAP_NORMAL,
	REPORT_LEAP_INSERT,
	REPORT_LEAP_DELETE,
	REPORT_LEAP_UNSYNCHRONISED,
};

/* The letter in the second column of `sources`. */
enum report_selection {
	REPORT_SELECTED,     /* '*' */
	REPORT_UNUSABLE,     /* '?' lost, or not heard of yet */
	REPORT_FALSETICKER,  /* 'x' */
	REPORT_JITTERY,      /* '~' */
	REPORT_COMBINED,     /* '+' */
	REPORT_NOT_COMBINED, /* '-' usable, but another one is followed */
};

struct report_tracking {
	uint32_t refid;               /* 0: not synchronised */
	char name[REPORT_NAME_MAX];   /* of the source followed: "PHC0"; empty: none */
	int stratum;                  /* 0: not synchronised */
	vt_real ref_time;             /* when the clock was last compared; 0: never */
	vt_span system_offset;        /* offset of the system clock now, as predicted */
	vt_span last_offset;          /* at the latest reading */
	vt_span rms_offset;           /* long-term average */
	double frequency_ppm;         /* positive: the uncorrected clock runs fast */
	double residual_ppm;          /* between the source's rate and the one in use */
	double skew_ppm;              /* error bound of the frequency */
	vt_span root_delay;
	vt_span root_dispersion;
	vt_span update_interval;      /* between the last two updates */
	enum report_leap leap;
};

struct report_source {
	char name[REPORT_NAME_MAX];   /* refid as text: "PHC0" */
	char device[REPORT_NAME_MAX]; /* "/dev/ptp0"; empty while there is none */
	char clock_name[REPORT_NAME_MAX]; /* the kernel's: "KVM virtual PTP" */
	char method[32];              /* "precise", "extended", "basic"; empty: not read yet */
	char trouble[REPORT_TEXT_MAX]; /* one sentence: why it cannot be used; empty: nothing */
	uint32_t refid;
	int stratum;
	int poll;                     /* log2 s, as configured */
	vt_span reading_interval;     /* between readings at present */
	enum report_selection selection;
	bool is_host;                 /* the host's own clock */
	unsigned reach;               /* 8 bits: the latest eight readings, newest lowest */
	bool has_sample;
	vt_span since_sample;
	vt_span adjusted_offset;      /* as of now: what is left after the corrections since */
	vt_span measured_offset;      /* as it was read */
	vt_span error;                /* +/- of it */
	vt_span bracket;              /* half width of the latest reading */

	/* sourcestats */
	unsigned samples, runs;
	vt_span span;
	double frequency_ppm;         /* residual, of the source against our clock */
	double frequency_skew_ppm;
	vt_span estimated_offset;
	vt_span standard_deviation;

	uint64_t readings, failures, outliers;
};

struct report_sources {
	unsigned n;
	struct report_source sources[REPORT_SOURCES_MAX];
};

/* How an event ended. */
enum report_end {
	REPORT_END_OPEN,       /* not yet: it is being measured                            */
	REPORT_END_STEPPED,    /* the clock was stepped                                    */
	REPORT_END_SLEWED,     /* the clock was slewed                                     */
	REPORT_END_NOTHING,    /* the clock turned out to be right                         */
	REPORT_END_LEFT,       /* the clock is not ours to repair                          */
	REPORT_END_HELD,       /* the sources contradicted each other: none was followed   */
	REPORT_END_UNFINISHED, /* vmtimed ended before the event did                       */
	REPORT_ENDS,           /* how many there are                                       */
};

/* What may speak of a disruption: one bit each of report_event.evidence, lowest first. */
#define REPORT_EVIDENCE_BITS 16

/* A disruption.  Each step is part of one. */
struct report_event {
	bool is_there;           /* in a status: there has been one                         */
	uint64_t number;         /* counts up, over restarts                                */
	char cause[64];          /* "first reading", "jump, cause unknown", ...             */
	enum report_end end;
	unsigned evidence;       /* what spoke of it                                        */
	char source[REPORT_NAME_MAX]; /* whose reading told the size: "PHC0"; empty: none   */
	vt_real noticed;         /* when it was noticed, on the clock as it showed then     */
	vt_real at;              /* when it was repaired, on the repaired clock             */
	vt_span size;            /* the correction: positive: the clock was behind          */
	bool is_repaired;        /* it has ended                                            */
	vt_span noticed_after;   /* at most this long after it happened: the clock was wrong */
	                         /* and the status did not say so                           */
	vt_span repaired_after;  /* from noticing to its end: the status said "disrupted"   */
	vt_span wrong_for;       /* both: at most so long the clock was wrong               */
	char boot[40];           /* the kernel's id of the boot; empty: not known           */
};

#define REPORT_EVENTS_MAX 256 /* as many as are kept */

struct report_events {
	char path[256];               /* where they are kept                                */
	char trouble[REPORT_TEXT_MAX]; /* why they are not; empty: they are                 */
	uint64_t unreadable;          /* records that were found damaged there              */
	unsigned n;
	struct report_event events[REPORT_EVENTS_MAX]; /* oldest first                      */
};

/* What a host says of its own clock; see host_channel.h. */
struct report_host_quality {
	char daemon[REPORT_NAME_MAX]; /* who keeps it: "chronyd" */
	bool is_synchronized;         /* to something better than itself, by the daemon's word */
	bool has_root_distance;       /* always, where it is synchronised */
	vt_span root_distance;        /* then it is at most so far from true time */
	enum report_leap leap;
};

/* The channel that the host may speak through. */
struct report_channel {
	bool is_there;     /* not switched off                                   */
	bool is_listening; /* the kernel has vsock, and the port was ours to take */
	unsigned port;
	uint64_t nudges;   /* all of them: by the control socket as well         */
	uint64_t requests; /* that came through it                               */
	uint64_t refused;  /* connections of somebody who is not the host's root */
};

/* What tells of a disruption besides the readings. */
struct report_senses {
	bool is_there;
	char vmclock[128];       /* "marker, looked at at each wake-up"; empty: no such device  */
	bool hears_generation;   /* the kernel's event about the VM generation id would be heard */
	bool sees_clock_set;     /* it tells when somebody sets the clock                        */
	bool sees_sleep;         /* how long the machine slept can be seen                       */
};

struct report_status {
	enum report_state state;
	char reason[REPORT_TEXT_MAX];  /* one sentence for people: what is wrong, what to do; may be empty */
	char version[32];
	int pid;
	vt_span uptime;
	char user[REPORT_NAME_MAX];
	bool is_observing;             /* -x: the clock is not steered */
	char configuration[256];       /* its path; empty: none */
	char clocksource[64];          /* the guest's */
	bool has_bound;
	vt_span bound;                 /* against the host: |error| <= this, now */
	bool has_host_error;           /* false: the host's own error is not known */
	vt_span host_error;
	bool has_host_quality;         /* the host itself said something of late */
	vt_span host_quality_age;
	struct report_host_quality host_quality;
	struct report_channel channel;
	struct report_senses senses;
	bool is_kernel_synchronized;   /* STA_UNSYNC is clear */
	char owner[REPORT_NAME_MAX];   /* another process that steers: "chronyd (pid 12)"; else empty */
	uint64_t steps, jumps;
	struct report_event last_event;
	struct report_tracking tracking;
	struct report_sources sources;
	bool has_state_age;
	vt_span state_age;             /* for how long @state has been what it is */
};

/* What a follower is told. */
enum report_happening {
	REPORT_HAPPENING_STATE,   /* this is the state now                        */
	REPORT_HAPPENING_OPENED,  /* an event began                               */
	REPORT_HAPPENING_CLOSED,  /* an event ended                            */
	REPORT_HAPPENING_RENAMED, /* more is known of an event that has ended     */
	REPORT_HAPPENINGS,        /* how many there are                           */
};

struct report_notice {
	enum report_happening what;
	enum report_state state;
	char reason[REPORT_TEXT_MAX];
	vt_real at;                 /* by the system clock                                 */
	bool has_bound;
	vt_span bound;
	struct report_event event;  /* is_there where @what is about one                   */
};

/* The answer to a request that waited. */
struct report_wait {
	bool is_met;                /* what was waited for is true                         */
	enum report_state state;
	char reason[REPORT_TEXT_MAX];
	struct report_tracking tracking;
};

struct report_nudge {
	bool is_delayed; /* there have been many of late: the reading waits for its turn */
};

/* What a reply to any command can hold. */
union report {
	struct report_status status;
	struct report_events events;
	struct report_notice notice;
	struct report_wait wait;
	struct report_nudge nudge;
};

/* The words for them on the wire: "ok", "stepped", "opened", "readings". */
const char *report_state_name(enum report_state state);
const char *report_end_name(enum report_end end);
const char *report_happening_name(enum report_happening what);
const char *report_evidence_name(unsigned bit);

#endif
