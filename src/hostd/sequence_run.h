/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_SEQUENCE_RUN_H
#define HOSTD_SEQUENCE_RUN_H

/*
 * sequence_run.h - one go at getting a clock right: how it begins, goes on and ends
 *
 * Internal to sequence*.c.  A *run* is that go; it belongs to a *disruption*, or is but a check,
 * which becomes a disruption when it finds the clock wrong.
 */

#include "base/attr.h"
#include "hostd/sequence.h"
#include "hostd/sequence_table.h"

void sequence_result_push(struct sequence *s, struct sequence_result result);
void sequence_note(struct sequence *s, const char *format, ...) printf_like(2, 3);

/* May it be asked: at all, on the agent's port, by the host's channel? */
bool sequence_can_measure(const struct sequence *s);
bool sequence_can_nudge(const struct sequence *s);

/* By how much it may be off, as the host's own clock is now. */
vt_span sequence_threshold(const struct sequence *s);

/* A disruption was noticed.  One that is open is overtaken. */
void sequence_disrupted(struct sequence *s, enum host_reason reason, struct host_instant now);

/* Begins a run, whatever was being done. */
void sequence_begin(struct sequence *s, struct host_instant now);

/* Its first step, by what is known of the guest. */
void sequence_first(struct sequence *s, struct host_instant now);

/* Makes @move in a run or out of it. */
void sequence_make(struct sequence *s, enum move move, struct host_instant now);

/* Nothing is to be done but what is due; says when that is. */
void sequence_rest(struct sequence *s, vt_mono now);

/* Forgets what is in flight. */
void sequence_abandon(struct sequence *s);

/* The guest's next turn to be measured after @now. */
vt_mono sequence_turn(const struct sequence *s, vt_mono now);

/* sequence_answer.c: what @outcome amounts to; remembers what it tells of the guest. */
enum cue sequence_cue(struct sequence *s, const struct work_outcome *outcome,
                      struct host_instant now);

#endif
