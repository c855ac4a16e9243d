/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_STEERING_H
#define CORE_STEERING_H

/*
 * steering.h - the discipline's hand on the clock
 *
 * A part of discipline.c that stands by itself: everything that moves the
 * clock, or tells the kernel of it, and the bound that follows from it.  Why it
 * is moved is decided in discipline.c and its other parts; nobody else includes
 * this.
 */

#include "core/discipline.h"

/* Tells the kernel; @max_error is against the source, the host's own error is added. */
void steering_publish(struct discipline *d, bool is_synchronized, vt_span max_error);

/* Ends a slew: from here the clock goes at the source's own pace. */
void steering_coast(struct discipline *d, int source, vt_mono now);

/* The same for longer: what the source was slewed by is not its pace either. */
void steering_hold_over(struct discipline *d, int source, vt_mono now);

/* Spreads what is left of the correction over the time to the source's next reading. */
void steering_slew(struct discipline *d, int source, vt_span correction, vt_mono now);

/* A piece of a slew is over: looks at the clock and goes on with what is left. */
void steering_settle(struct discipline *d, vt_mono now);

/* Steps the clock; false, and told, where that failed. */
bool steering_step(struct discipline *d, int source, vt_span correction);

/*
 * Starts a new bound by the reading that @s gave last; the clock went at @before until now.
 *
 * Taken from the reading itself, which cannot be wrong by more than it says, not from the estimate
 * that is made of it, which can.  Our own slew is a drift as well, until it is ended: we may be
 * late.  So is the one before it: it lasted for some time after we looked at the clock.
 */
void steering_take_bound(struct discipline *d, const struct source *s, vt_rate before);

/* Ends the bound: nothing is promised, and the kernel is told so. */
void steering_void_bound(struct discipline *d);

/*
 * Whether a source other than @source keeps our clock, and within what of that one's time at @now
 * if nothing jumped.
 */
bool steering_is_kept(const struct discipline *d, int source, vt_mono now, vt_span *ret_within);

/* Was our clock, as it shows in @seen, moved by somebody else since we last looked? */
bool steering_is_set_away(const struct discipline *d, const struct clock_pair *seen);

#endif
