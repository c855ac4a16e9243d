/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WITNESS_H
#define CORE_WITNESS_H

/*
 * witness.h - who else knows of a disruption
 *
 * A part of discipline.c that stands by itself: evidence from outside the
 * readings (discipline_witness), the RTC (discipline_take_word), our own clock
 * while no source answers.
 */

#include "core/discipline.h"

/*
 * No source answers, @source was the last; but that somebody moved the clock, the clock itself tells.
 * Then nothing is known of it.
 */
void witness_watch_over(struct discipline *d, int source, vt_mono now);

/* Makes every source due, and those who read it hurry. */
void witness_ask_all(struct discipline *d, vt_mono now);

#endif
