/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SOURCE_H
#define CORE_SOURCE_H

/*
 * source.h - one reference clock and all that is known of it
 *
 * Owns the way of a reading up to the point where it may steer: read through
 * the port, choose the best bracket, judge whether the world jumped, estimate.
 * Whether and how the clock is corrected is the discipline's business.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/disrupt.h"
#include "core/estimator.h"
#include "core/poll.h"
#include "core/source_conf.h"
#include "core/source_port.h"
#include "core/statistics.h"

#define SOURCES_MAX 10 /* eight configured ones, the host's clock, its vmclock page */

/* Why a source cannot be used; the order is of no meaning. */
enum source_trouble {
	TROUBLE_NONE,
	TROUBLE_UNREAD,    /* not read yet                                             */
	TROUBLE_BUSY,
	TROUBLE_MISSING,
	TROUBLE_REFUSED,
	TROUBLE_DENIED,
	TROUBLE_BROKEN,
	TROUBLE_INSANE,    /* its time is outside the years that vmtime was made for   */
	TROUBLE_BACKWARDS, /* its reading lies before the one before it                */
	TROUBLE_UNSTEADY,  /* its time jumps to and fro, no three readings agree       */
	TROUBLE_NO_TAI,    /* it gives TAI, and UTC - TAI is not known                 */
};

struct source {
	struct source_port *port; /* borrowed */
	struct source_conf conf;
	bool is_host;             /* the host's own clock */

	struct estimator estimator;
	struct disrupt disrupt;
	struct poll_state poll;
	struct statistics statistics;

	enum source_trouble trouble;
	unsigned failures_in_a_row;
	bool is_lost;             /* the failures were too many, for too long   */
	vt_mono last_good;        /* when it was last read without a failure    */
	vt_mono next_read;
	vt_span interval;         /* to @next_read, as of the latest attempt */
	unsigned reach;           /* 8 bits, the newest lowest */
	bool has_reading;
	struct reading latest;
	unsigned suspicions;      /* 16 bits, one a reading, the newest lowest: not as expected */
	bool is_unsteady;         /* too many of them */
	bool is_held;             /* it jumped, and another source contradicts: not followed */
	bool was_held;            /* ... until now */
	bool is_apart;            /* as of its latest reading: from a clock that another one keeps */
	bool is_doubted;          /* its rate, since something happened to the machine */
	vt_span latest_offset;    /* correction that the latest reading asked for */
	vt_span compared_after;   /* the time from the good reading before to the latest one ... */
	vt_span surprise;         /* ... and how far off that was from where it was expected    */
	vt_span suspected;        /* by how much a suspicious reading was off, last */
	bool has_jumped;
	vt_span jump_size;        /* the latest proven jump: how far it went, ... */
	vt_mono jump_noticed;     /* the latest proven jump: its first reading, and ...   */
	vt_span jump_blind;       /* ... the time from the reading before it to that one  */
	uint64_t readings, failures, outliers;
	uint64_t contradicted;    /* brackets that could not be true beside their burst's best */
};

/* What reading a source came to. */
enum source_verdict {
	SOURCE_FAILED,    /* nothing to use; source_is_usable tells whether it is lost      */
	SOURCE_SUSPECTED, /* the world may have jumped: hold everything, read again at once */
	SOURCE_STEERS,    /* the reading may steer                                          */
	SOURCE_RESTARTED, /* so it may; but it was compared with nothing before it          */
	SOURCE_SLEWED,    /* so it may; the source was found to run at quite another rate   */
	SOURCE_JUMPED,    /* so it may; the world was proven to have jumped                 */
};

/* What a source needs to be told of the world for each reading. */
struct source_world {
	vt_mono now;
	vt_rate steered;      /* our clock's present rate against CLOCK_MONOTONIC_RAW */
	bool is_tai_known;
	vt_span utc_minus_tai;
	bool is_kept;         /* another source has kept our clock ... */
	vt_span kept_within;  /* ... within this of its own time       */
};

/* @rate and @rate_sigma: what is known of the rate beforehand (drift file).  @port is borrowed. */
void source_init(struct source *s, struct source_port *port, const struct source_conf *conf,
                 bool is_host, vt_rate rate, vt_rate rate_sigma);

/* Reads once and sets the time of the next reading. */
enum source_verdict source_read(struct source *s, const struct source_world *world);

/*
 * @evidence says that the world jumped, before a reading shows it.  Then two readings that agree
 * prove it, and the source may run at another rate even where nothing else has changed.
 */
void source_disrupt(struct source *s, unsigned evidence);

/* A leap second: its time goes by @change, and that is expected. */
void source_shift(struct source *s, vt_span change);

/* Somebody waits for what comes of the next reading: if that is a suspicion, it is settled fast. */
void source_urge(struct source *s);

/* How many of the latest 16 readings were not as expected. */
unsigned source_suspicions(const struct source *s);

/* It answered lately, and it is a clock. */
bool source_is_usable(const struct source *s);

/*
 * Before the readings themselves tell the rate, what was known beforehand may be wrong, however sure
 * of itself, and what wide brackets hide of a slew may be anything.  Up to this much, then 0.
 */
vt_rate source_unproven_rate(const struct source *s);

/* Half width of what its latest reading can be wrong by, delay and learnt noise included. */
vt_span source_error(const struct source *s);

#endif
