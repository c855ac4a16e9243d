/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_SEQUENCE_H
#define HOSTD_SEQUENCE_H

/*
 * sequence.h - what happens to one guest until its clock is right
 *
 * A state machine without a clock and without I/O.  It is told what the back end saw (struct sign)
 * and what came of work (struct work_outcome), and says what is to be done next, when it wants
 * to be asked again, and what there is to log and count.
 *
 *     something happened                       (or found at start, or asked for by hand)
 *       nudge     its vmtimed, if it has one, and ask it until it says that it is right
 *       measure   otherwise: is it off by more than the threshold, uncertainty taken off?
 *       set       only then, to our clock and the measured way there
 *       reset     the RTC's backlog, where that can be done
 *       verify    measure again: that alone decides, not what the agent answered
 *     right, or again after a pause that doubles, a bounded number of times; then
 *     failed, which is tried again, rarer and rarer
 *
 * The table in sequence_table.c says for each step and each answer what comes next.
 *
 * Nothing is sent to a guest that does not run: a request in a stopped guest's channel would
 * be executed after the resume, with the old time.  What is in flight when it stops is dropped, and
 * when it runs again all begins anew.
 *
 * While there is nothing to put right the guest is measured at even intervals, its agent is asked once
 * after each connect what it can do, and its vmtimed hears how good the host's clock is.
 *
 * A guest's sequence never waits inside a call.  One piece of work is in flight at a time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "hostd/sign.h"
#include "hostd/work.h"
#include "proto/fleet.h"

/* What counts for all guests.  Borrowed by each sequence; a change counts at once. */
struct sequence_rules {
	vt_span threshold;
	vt_span unsynchronized_threshold;
	vt_span interval;
	vt_span quality_interval;
	vt_span timeout;
	vt_span set_timeout;
	vt_span clock_error;
	struct report_host_quality quality; /* of the host's clock                        */
	uint64_t quality_version;           /* changes with it; 0: it is not known at all */
};

/* Where a guest stands.  Those up to SEQUENCE_VERIFY, and the last four, have work of their own. */
enum sequence_step {
	SEQUENCE_NUDGE,   /* WORK_NUDGE                                           */
	SEQUENCE_ASK,     /* WORK_STATUS, until vmtimed says that it is right     */
	SEQUENCE_CONFIRM, /* WORK_GET_TIME: is what vmtimed says so?              */
	SEQUENCE_MEASURE, /* WORK_GET_TIME                                        */
	SEQUENCE_SET,     /* WORK_SET_TIME                                        */
	SEQUENCE_RESET,   /* WORK_RESET_RTC                                       */
	SEQUENCE_VERIFY,  /* WORK_GET_TIME                                        */
	SEQUENCE_RETRY,   /* waits, then begins again                             */
	SEQUENCE_FROZEN,  /* the same, for the thaw                               */
	SEQUENCE_FAILED,  /* the same, rarer                                      */
	SEQUENCE_STOPPED, /* waits for SIGN_RUNNING                               */
	SEQUENCE_REST,    /* nothing to be done until something is due            */
	SEQUENCE_LOOK,    /* WORK_GET_TIME, because it is time for it             */
	SEQUENCE_PROBE,   /* WORK_STATUS: is there a vmtimed, and how is it?      */
	SEQUENCE_INFO,    /* WORK_INFO                                            */
	SEQUENCE_QUALITY, /* WORK_QUALITY                                         */
	SEQUENCE_STEPS,
};

enum sequence_result_kind {
	SEQUENCE_STANDS,    /* it was stopped                                              */
	SEQUENCE_NOTICED,   /* a disruption: @reason                                       */
	SEQUENCE_MEASURED,  /* @offset, @uncertainty                                       */
	SEQUENCE_DISCARDED, /* a measurement that does not count: the host's clock moved   */
	SEQUENCE_NUDGED,    /* vmtimed was told, and heard it                              */
	SEQUENCE_SENT,      /* set-time was sent, @after noticing                          */
	SEQUENCE_FALSE_YES, /* "it is set", and it was not                                 */
	SEQUENCE_FALSE_NO,  /* an error, and it was set                                    */
	SEQUENCE_THAWS,     /* its filesystems are frozen: waiting                         */
	SEQUENCE_ENDED,     /* what was begun is over: @end, @after noticing               */
};

struct sequence_result {
	enum sequence_result_kind kind;
	enum host_reason reason;
	enum fleet_end end;
	bool is_disruption; /* ENDED, SENT: there was one; else it was but a check                */
	bool is_again;      /* ENDED: of one that has ended before, as failed                     */
	vt_real at;         /* by the host's clock                                               */
	vt_span offset, uncertainty;
	vt_span after;
};

#define SEQUENCE_RESULTS 8

enum known {
	KNOWN_NOT,
	KNOWN_NO,
	KNOWN_YES,
};

/* To be read by those who report; written by sequence*.c alone. */
struct sequence {
	const struct sequence_rules *rules;
	vt_span phase; /* where in the interval its turn is; see sequence_init */

	/* what is known of the guest */
	bool has_agent; /* the port is there */
	unsigned cid;
	enum agent_kind agent;
	bool can_get_time, can_set_time; /* as it said; until asked it is taken to be able to */
	bool can_reset_rtc;
	bool is_silent; /* the latest question how late it is was not answered at all */
	char version[32];
	enum known vmtimed;
	bool has_vmtimed_state;
	enum report_state vmtimed_state;

	/* what is being done */
	enum sequence_step step;
	bool is_ready;      /* the step's work waits for its turn                               */
	bool is_begun;      /* the step's work is in flight ...                                 */
	uint64_t number;    /* ... under this number                                            */
	vt_mono due;        /* in flight: to be given up; neither: to go on                     */
	bool must_drop;
	vt_mono key;        /* when the run was called for; VT_MONO_NEVER in peace              */

	/* one go at getting the clock right */
	bool is_run;
	vt_mono run_began;
	unsigned attempts;      /* that came to nothing                                       */
	unsigned again;         /* times that one step was done again                         */
	unsigned asked;         /* times that vmtimed was asked                               */
	unsigned failed_runs;   /* since the last success: the next try comes the later       */
	bool is_frozen;         /* the latest answer said so                                  */
	bool is_contradicted;   /* vmtimed says right, the measurement says wrong             */
	vt_mono asking;         /* from then on vmtimed is asked                              */
	vt_mono believed;       /* from then on vmtimed's word counts: it has read by then    */
	bool is_vague;          /* the latest measurement was too wide to tell                */
	vt_span trip;           /* the shortest round trip of this run; 0: none yet           */

	/* what this disruption has seen so far */
	bool has_set, has_nudged;
	bool is_set_answered, is_set_refused; /* the latest set-time: "yes", an error         */

	/* the latest disruption */
	bool is_open;
	vt_mono noticed;
	struct fleet_disruption last;
	bool is_stop_seen; /* its latest stop was, ...                          */
	vt_mono stopped_at; /* ... at this instant                               */
	bool has_stopped;   /* it ran again after that, and has not been right since: */
	vt_span stopped;    /* it stood for so long                              */

	/* the latest measurement */
	bool has_offset;
	bool is_by_vmtimed; /* it is vmtimed's word, not ours */
	vt_span offset, uncertainty;
	vt_mono measured;

	/* what is due while there is peace */
	vt_mono next_look, next_probe, next_info, next_quality;
	uint64_t told_quality;

	uint64_t disruptions, sets, nudges, failures;
	char said[96];  /* the agent's words for its latest refusal */
	char note[192]; /* one sentence; "": nothing to say          */
	bool is_note_of_peace; /* it is of what is done while there is peace, and goes with it */

	struct sequence_result results[SEQUENCE_RESULTS];
	unsigned n_results;
};

/*
 * A guest of which nothing is known; SIGN_APPEARED comes next.  @turn spreads the guests over the
 * interval evenly: count them.
 */
void sequence_init(struct sequence *s, const struct sequence_rules *rules, uint32_t turn);

/* Any kind but SIGN_GONE. */
void sequence_sign(struct sequence *s, const struct sign *sign, struct host_instant now);

/* The host itself jumped: it slept for @stopped, or its clock was stepped. */
void sequence_host_jumped(struct sequence *s, enum host_reason reason, vt_span stopped,
                          struct host_instant now);

/* Somebody wants to know: begins at once, unless it is at it.  SEQUENCE_ENDED follows. */
void sequence_check(struct sequence *s, struct host_instant now);

/* Of another number than the work in flight: nothing happens. */
void sequence_outcome(struct sequence *s, const struct work_outcome *outcome,
                      struct host_instant now);

/* The rules' interval is another one: in peace its turn is computed anew. */
void sequence_interval_changed(struct sequence *s, uint32_t turn, vt_mono now);

/* What the time asks for.  After each of the calls above, and when sequence_deadline() has come. */
void sequence_tick(struct sequence *s, struct host_instant now);

/* VT_MONO_NEVER while it waits for its turn, and when nothing will happen by itself. */
vt_mono sequence_deadline(const struct sequence *s);

/* Is there work to be begun? */
bool sequence_wants(const struct sequence *s);

/* Then: whose turn comes first, the earlier one.  VT_MONO_NEVER: in peace, after all others. */
vt_mono sequence_key(const struct sequence *s);

/* The work; it is in flight now. */
void sequence_take(struct sequence *s, uint64_t number, vt_mono now, struct work *ret);

/* True once, when what is in flight must be dropped. */
bool sequence_pop_drop(struct sequence *s);

/* False, and *@ret untouched: there is none. */
bool sequence_pop_result(struct sequence *s, struct sequence_result *ret);

enum fleet_state sequence_state(const struct sequence *s);

#endif
