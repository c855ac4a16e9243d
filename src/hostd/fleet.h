/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_FLEET_H
#define HOSTD_FLEET_H

/*
 * fleet.h - all guests of this host
 *
 * Everything between the back ends, which say what happened and do what they are
 * told, and those who show it: a sequence for each guest (sequence.h), who of them may
 * have its turn, when each is measured again, and what is remembered of it.
 *
 * To the loop it is a deadline and a dispatch; the fds are those of the back ends:
 *
 *     watch backend[i]->fd for reading, for each i; it may change at a dispatch
 *     sleep until one is readable, or fleet_deadline()
 *     fleet_dispatch(fleet, now)      dispatches the back ends, too
 *     fleet_pop_sync() until there is none
 *
 * The back ends are borrowed and must outlive the fleet.  Nobody else dispatches them, pops from
 * them or gives them work.
 *
 * Time is an argument.  An instant is read on both clocks at once (os/clock_read.h),
 * right before the call.
 */

#include "base/attr.h"
#include "hostd/backend.h"
#include "proto/fleet.h"

#define FLEET_BACKENDS_MAX 8

/* All lengths above 0. */
struct fleet_conf {
	vt_span threshold;                /* a guest that is farther off is set                   */
	vt_span unsynchronized_threshold; /* the same while the host's own clock is not kept      */
	unsigned parallel;                /* so many guests at once: see fleet_dispatch           */
	vt_span interval;                 /* from one measurement of a guest to the next          */
	vt_span quality_interval;         /* how often a guest's vmtimed is told of the host's clock */
	vt_span timeout;                  /* an agent that has not answered by then does not      */
	vt_span set_timeout;              /* the same for setting the time: it may run hwclock    */
	vt_span clock_error;              /* what a reading of the host's own clock is wrong by   */
};

#define FLEET_CONF_DEFAULT                                                                         \
	((struct fleet_conf){                                                                      \
	    .threshold = VT_MS(100),                                                               \
	    .unsynchronized_threshold = VT_SEC(2),                                                 \
	    .parallel = 64,                                                                        \
	    .interval = VT_SEC(60),                                                                \
	    .quality_interval = VT_SEC(90),                                                        \
	    .timeout = VT_SEC(5),                                                                  \
	    .set_timeout = VT_SEC(20),                                                             \
	    .clock_error = VT_US(1),                                                               \
	})

struct fleet;

/*
 * @backends: @n of them, at most FLEET_BACKENDS_MAX.  Returns 0 and a fleet to be closed, or -ENOMEM
 * with *@ret untouched.
 */
int fleet_open(const struct fleet_conf *conf, struct backend *const backends[], unsigned n,
               struct host_instant now, struct fleet **ret) must_check;

/*
 * Lends lines by @lines, whose back end is one of the fleet's; copied.  To be called before the first
 * dispatch; without it vmtimed is reached by the guests' own back ends alone.
 */
struct lines;
void fleet_lines(struct fleet *f, const struct lines *lines);

/* NULL is allowed; returns NULL.  Work in flight is dropped. */
struct fleet *fleet_close(struct fleet *f);

/* A new configuration; counts for what is begun from now on. */
void fleet_configure(struct fleet *f, const struct fleet_conf *conf, struct host_instant now);

/*
 * At most conf.parallel guests are asked at once, the rest waits, in the order of their disruptions.  One that
 * is being set, or has not answered for 0.15 s, keeps nobody waiting: its agent is busy, or deaf.
 */
void fleet_dispatch(struct fleet *f, struct host_instant now);

/* When to dispatch though nothing is readable, the back ends' deadlines included. */
vt_mono fleet_deadline(const struct fleet *f);

/*
 * What is known of the host itself, to be called at the start and whenever it changed; copied.  Of
 * @host only version, clocksource, quality and alerts count: the rest is the fleet's own.
 * Guests with vmtimed are told the quality at once if it differs from what they know.
 */
void fleet_tell_host(struct fleet *f, const struct fleet_host *host, struct host_instant now);

/*
 * Every guest that runs is looked at now: the host itself slept (HOST_REASON_RESUME, for @stopped),
 * or its clock was stepped (HOST_REASON_STEP, @stopped is 0).
 */
void fleet_host_jumped(struct fleet *f, enum host_reason reason, vt_span stopped,
                       struct host_instant now);

/*
 * Synchronises the guests of that name, or with NULL all of them, by hand.  Returns how many there
 * are: so many times fleet_pop_sync() gives @ticket, which is the caller's own number.  One that
 * cannot be (it is stopped, it has gone) is told as such; that takes no longer than a minute.
 */
unsigned fleet_sync(struct fleet *f, const char *name, uint64_t ticket, struct host_instant now);

/* Nobody waits for @ticket any more. */
void fleet_forget(struct fleet *f, uint64_t ticket);

/* Takes the next outcome of a ticket.  False, and outputs untouched: there is none now. */
bool fleet_pop_sync(struct fleet *f, uint64_t *ret_ticket, struct fleet_sync *ret);

/*
 * Everything as of @now.  Returns 0 and a report for fleet_report_fini(), or -ENOMEM with *@ret
 * untouched.  Sorted by name, then by back end.
 */
int fleet_report(const struct fleet *f, struct host_instant now,
                 struct fleet_report *ret) must_check;
void fleet_report_fini(struct fleet_report *report);

/* The host's part of a report alone. */
void fleet_report_host(const struct fleet *f, struct host_instant now, struct fleet_host *ret);

/* What stands at a point of a guest's history. */
enum fleet_mark {
	FLEET_MARK_MEASURED,  /* nothing but the measurement                          */
	FLEET_MARK_STOPPED,   /* its CPUs were stopped                                */
	FLEET_MARK_DISRUPTED, /* a disruption was noticed, or that it runs again      */
	FLEET_MARK_SET,       /* set-time was sent                                    */
	FLEET_MARK_NUDGED,    /* its vmtimed was told                                 */
	FLEET_MARK_RIGHT,     /* a disruption ended: the clock is right               */
	FLEET_MARK_FAILED,    /* a disruption ended: it is not                        */
	FLEET_MARKS,          /* how many there are                                   */
};

/* The words for them: "measured", "stopped". */
const char *fleet_mark_name(enum fleet_mark mark);

struct fleet_point {
	vt_real at; /* by the host's clock as it showed then */
	enum fleet_mark mark;
	enum host_reason reason; /* FLEET_MARK_DISRUPTED */
	bool has_offset;
	vt_span offset, uncertainty;
};

#define FLEET_HISTORY_MAX 128

/*
 * What is remembered of a guest, oldest first: a measurement a minute for an hour or more, and all
 * that belongs to its latest disruptions.  Returns how many points were written, 0 where there is no
 * such guest.  @backend as in struct fleet_guest.
 */
size_t fleet_history(const struct fleet *f, const char *name, const char *backend,
                     struct fleet_point points[FLEET_HISTORY_MAX]);

/* Upper edges of a histogram's buckets; one more bucket has no upper edge. */
#define FLEET_BUCKETS 14
extern const vt_span FLEET_BUCKET_EDGES[FLEET_BUCKETS];

struct fleet_histogram {
	uint64_t counts[FLEET_BUCKETS + 1]; /* each value in one bucket: not yet cumulative */
	uint64_t n;
	vt_span sum;
};

/* Since vmtime-hostd began, guests that are gone included. */
struct fleet_counters {
	uint64_t disruptions[HOST_REASONS]; /* by what the back end named                      */
	uint64_t ends[FLEET_ENDS];          /* how they ended; OPEN: overtaken by the next one */
	uint64_t work[WORK_QUALITY + 1][WORK_STOPPED + 1]; /* asked, by kind and result        */
	uint64_t measurements; /* that counted                                                 */
	uint64_t discarded;    /* that did not: the host's own clock moved meanwhile           */
	uint64_t sets, nudges;
	uint64_t false_yes; /* "the time is set", and it was not                               */
	uint64_t false_no;  /* "error", and it was set                                         */
	struct fleet_histogram to_set;   /* from noticing until the set-time was sent          */
	struct fleet_histogram to_right; /* from noticing until the clock was known to be right */
	struct fleet_histogram lost;     /* how far guests were behind, its size               */
};

/* Belongs to the fleet, and counts on. */
const struct fleet_counters *fleet_counters(const struct fleet *f);

#endif
