/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

/*
 * world.h - a small world for core to live in
 *
 * Implements core's two ports: a clock on an oscillator, and sources that show
 * a reference.  Everything is a function of CLOCK_MONOTONIC_RAW, which only the
 * world moves: the reference runs at its own rate beside it, a pause is an
 * instant at which the reference alone goes on, and the clock goes at the rate
 * it was steered to.  What happens when is planned beforehand; walks, swings and
 * flicker go on all the time.
 *
 * The world drives a discipline as the daemon does: it waits until the deadline,
 * gets up as late as it is told to, dispatches, pops the events.  An observer
 * looks at the true error at times of its own, and holds the invariant against
 * the discipline, there and on both sides of each change and each wake-up: while
 * the status says OK or HOLDOVER the clock is within its bound, except from a
 * jump to the completion of the first reading after it, the *blind window*.  A
 * rate that changes by more than core promises to stand is two readings' worth
 * of blindness, since it shows only in how two of them differ, and more of them where
 * the brackets are so wide that they hide the difference.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/discipline.h"
#include "core/rtc_watch.h"
#include "sim/oracle.h"
#include "sim/random.h"
#include "sim/swing.h"

#define WORLD_SOURCES 2
#define WORLD_CHANGES 8192
#define WORLD_EVENTS  256
#define WORLD_INPUTS  64

/* When a world begins on the reference: 2027-01-15 08:00:00 UTC. */
#define WORLD_BEGIN ((vt_real){ INT64_C(1800000000) * 1000000000 })

/* CLOCK_MONOTONIC_RAW then: the kernel takes its time to boot. */
#define WORLD_WAKES_NS INT64_C(5000000000)

/* A crystal nobody has measured yet. */
#define WORLD_CRYSTAL VT_PPM(50)

/* An instant that keeps the part of a nanosecond that no clock shows. */
struct world_time {
	int64_t ns;
	double fraction; /* [0, 1) */
};

enum world_change_kind {
	WORLD_RATE,    /* the reference runs by @ppb faster than CLOCK_MONOTONIC_RAW from now on */
	WORLD_SLEW,    /* its own NTP slews it by @ppb on top of that from now on                */
	WORLD_JUMP,    /* the reference is @span further: a pause that long, or a host's step    */
	WORLD_SET,     /* somebody else, or a leap second, adds @span to our clock               */
	WORLD_OUTCOME, /* @source answers @outcome from now on                                   */
	WORLD_OFFSET,  /* @source shows the reference and @span from now on                      */
	WORLD_EPOCH,   /* another counter beneath CLOCK_MONOTONIC_RAW; the rate is @ppb          */
	WORLD_STEAL,   /* whatever is due within the next @span is only done after it            */
	WORLD_FLIP,    /* every second reading of @source shows @span more from now on          */
	WORLD_WIDTH,   /* @source has brackets of at least @span from now on                     */
};

struct world_change {
	vt_mono at;
	enum world_change_kind kind;
	int source;
	double ppb;
	double mean_ppb, sigma_ppb; /* WORLD_RATE: what @ppb was drawn from, for the oracle */
	vt_span span;
	enum source_outcome outcome;
};

/* Evidence from outside the readings: from @at on @every so often until @until, or once. */
struct world_input {
	vt_mono at, until;
	vt_span every;   /* 0: once */
	unsigned evidence;
	vt_span size;
	int leap;        /* not 0: the kernel is going to do a leap second, instead of all that */
	bool is_polled;  /* seen at the next wake-up; otherwise it wakes us */
};

struct world_source {
	struct source_port port;
	struct world *world;
	enum source_outcome outcome;
	vt_span offset;
	vt_span flip;     /* added to every second reading                                        */
	double noise_ns;  /* one standard deviation, normally distributed                         */
	double losses;    /* this share of the readings fails                                     */
	double outliers;  /* this share of the readings is wrong by @outlier, half of it at least */
	vt_span outlier;
	vt_span width;    /* of the narrowest bracket; 0: one instant on both clocks              */
	double spread;    /* others are wider by up to this many times                            */
	double asymmetry; /* where in a bracket the value was taken: 0 its beginning, 1 its end   */
	bool is_asymmetry_random;
	vt_mono stuck_raw; /* where not 0, every reading claims to be of this instant */
	unsigned reads;
};

struct world_clock {
	struct clock_port port;
	struct world *world;
	vt_span cost;                            /* how long each call takes */
	int step_error, steer_error, read_error; /* errno, or 0 */
	unsigned steps, steers, publishes;
	vt_rate rate, fastest;
	struct clock_quality quality;
};

/* How many, for a median that is right to a few percent. */
#define WORLD_BINS 1024

struct world_tally {
	uint64_t n;
	double sum_of_squares;
	double worst_ns;
	double worst_rate_ppb;        /* of the clock, beside the reference's          */
	double oracle_squares;        /* the sum of the oracle's squares               */
	uint64_t bounded;             /* looks at a bound that holds ...               */
	uint32_t bounds[WORLD_BINS];  /* ... by its logarithm                          */
	uint64_t dispatches, reads;   /* until the tally began                         */
	vt_mono since;
};

/* One look of the observer. */
struct world_look {
	vt_mono at;
	double error_ns;
	double bound_ns; /* negative: no bound */
	double rate_ppb; /* of the clock, beside the reference's */
	enum discipline_state state;
	bool is_blind;
};

struct world {
	struct random random;
	vt_mono now;
	struct world_time reference, local;
	double reference_ppb, walk_ppb; /* the latter per root second */
	double slew_ppb;
	struct swing swing;
	unsigned epoch;

	struct world_source sources[WORLD_SOURCES];
	struct world_clock clock;

	double lateness;        /* a wake-up is late by up to this share of the wait ... */
	vt_span least_lateness; /* ... and by this in any case                           */
	vt_mono due, up;        /* the latest deadline, and when we get up for it        */
	vt_mono stolen_until;

	size_t n_changes, next_change;
	struct world_change changes[WORLD_CHANGES];

	size_t n_inputs;
	struct world_input inputs[WORLD_INPUTS];
	uint64_t woken;         /* dispatches that they asked for */
	bool has_rtc;           /* it shows the reference's whole seconds */
	struct rtc_watch rtc;

	struct discipline discipline;
	uint64_t dispatches;
	bool is_sleepless;        /* the discipline did not let the world sleep: it stopped */
	size_t n_events;
	struct discipline_event events[WORLD_EVENTS];
	unsigned kinds[EVENT_SET_AWAY + 1];

	vt_span look; /* the mean time between two looks of the observer */
	vt_mono next_look;
	double slack_ns; /* readings are wrong by more than they say: not core's violation */
	struct world_tally tally;
	unsigned blind_for; /* readings to come */
	vt_mono blind_since, blind_until; /* not to end before that */
	bool has_read;
	vt_mono jumped_at, read_began;
	vt_mono answered, answered_before; /* when the latest two readings began that were not in vain */
	uint64_t violations, looks_ok, looks_disrupted; /* since the world began */
	vt_mono violation_at;                           /* the first one */
	double violation_error_ns, violation_bound_ns;
	unsigned blind_windows;
	vt_span blind_longest, blind_total;
	bool is_to_be_noticed;     /* the reference jumped, and nobody has read it since, ... */
	double before_ns;          /* ... and before that we were off by this */
	vt_mono unnoticed_at;
	uint64_t unnoticed;        /* such readings after which the status still said ok */
	uint64_t uncaused;         /* steps that no event gave a cause, or a wrong one */
	unsigned steps_told, jump_steps, set_steps;
	unsigned jumps, sets;      /* so often something jumped, for each source that may see it */
	unsigned n_sources;
	bool is_off; /* by a millisecond and more, ... */
	vt_mono off_since;
	vt_span off_longest;
	double offset_ns;         /* what the clock lacked in the beginning ...               */
	double overshoot_ns;      /* ... and by how much it went beyond, where nothing jumped */
	bool is_beyond;           /* by more than 5 %, ... */
	unsigned beyond_since;    /* ... as of that reading */
	unsigned overshoot_reads; /* the most readings that it took to come back */

	bool has_oracle;
	struct oracle oracle;

	void (*on_look)(void *context, const struct world_look *look); /* NULL: nobody asks */
	void *context;
};

/* A quiet world: the reference at WORLD_BEGIN, our clock by @correction behind it. */
void world_init(struct world *w, uint64_t seed, vt_span correction);

/* Puts a discipline with the first @n sources into the world.  @sources may be NULL: the defaults.
 */
void world_start(struct world *w, const struct discipline_conf *conf,
                 const struct source_conf *sources, int n);

/* Plans a change; several at one instant happen in the order in which they were planned. */
void world_plan(struct world *w, struct world_change change);

/* Plans evidence; at most WORLD_INPUTS in all. */
void world_tell(struct world *w, struct world_input input);

/* Lives for @span.  False where the discipline does not let the world sleep. */
bool world_live(struct world *w, vt_span span);

/* Starts the observer's tally anew. */
void world_forget(struct world *w);

/* How far our clock is ahead of the reference. */
double world_error_ns(const struct world *w);

double world_rms_ns(const struct world *w);

/* The median of the bounds that the tally saw, or 0. */
double world_median_bound_ns(const struct world *w);

/* The @n-th event of @kind, or NULL. */
const struct discipline_event *world_event(const struct world *w, enum discipline_event_kind kind,
                                           unsigned n);

double world_uniform(struct world *w);  /* [0, 1) */
double world_gaussian(struct world *w); /* mean 0, standard deviation 1 */

/* What most begin with: not observing, a crystal's rate unknown, 83333 ppm. */
struct discipline_conf world_conf(bool is_fresh_boot);

/* For the ports: sets them up, moves the world on, and tells it what was read. */
void world_open_doors(struct world *w);
void world_advance(struct world *w, vt_mono to);
void world_note_read(struct world *w, const struct world_source *s, enum source_outcome outcome);

#endif
