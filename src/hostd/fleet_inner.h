/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_FLEET_INNER_H
#define HOSTD_FLEET_INNER_H

/*
 * fleet_inner.h - what the files of the fleet share
 *
 * Internal to fleet*.c: fleet.c has signs, turns and outcomes, fleet_results.c what is counted,
 * remembered and logged, fleet_sync.c those who wait, fleet_report.c what is told.
 */

#include "hostd/fleet.h"
#include "hostd/guest.h"
#include "hostd/lines.h"
#include "hostd/roster.h"

/* Somebody waits for a guest. */
struct ticket {
	uint64_t ticket;
	struct guest *guest;
	vt_mono until;
};

/* What came of it. */
struct answer {
	uint64_t ticket;
	struct fleet_sync sync;
};

struct fleet {
	struct fleet_conf conf;
	struct sequence_rules rules;
	struct backend *backends[FLEET_BACKENDS_MAX];
	unsigned n_backends;
	struct lines lines; /* .backend NULL: there are none */
	unsigned lines_at;  /* its index                     */
	struct guest **by_line;
	size_t n_lines;
	struct host_instant began;
	struct fleet_host host;
	struct roster roster;
	struct heap deadlines, turns, slots;
	uint64_t numbers; /* of work      */
	uint32_t guests;  /* ever         */
	bool is_too_many; /* guests: some are not looked after   */
	bool is_unfinished; /* the latest dispatch left something */
	struct fleet_counters counters;
	struct ticket *tickets; /* in the order of their until */
	size_t n_tickets, room_tickets;
	struct answer *answers;
	size_t n_answers, room_answers;
};

/* After anything that happened to @g: what follows from it for turns, deadlines and counters. */
void fleet_settle(struct fleet *f, struct guest *g, struct host_instant now);

void fleet_take_result(struct fleet *f, struct guest *g, const struct sequence_result *result);

/* Answers all who wait for @g; @note is "" where its own does. */
void fleet_answer(struct fleet *f, struct guest *g, enum fleet_end end, bool is_verified,
                  const char *note);

/* Those that have waited for too long. */
void fleet_expire(struct fleet *f, vt_mono now);

void fleet_histogram_add(struct fleet_histogram *h, vt_span value);

#endif
