/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_UPHEAVAL_H
#define CORE_UPHEAVAL_H

/*
 * upheaval.h - the world may have jumped, from the first sign to the end
 *
 * A part of discipline.c that stands by itself: what a sign of a disruption does
 * to the discipline's state, and when it is over.  What is recorded of it is
 * incident.h's; how readings show it, disrupt.h's.
 */

#include "core/discipline.h"
#include "core/repair.h"

/*
 * Opens a disruption by @source, with @evidence, and tells it; adds to the one that is open.
 * @blind_for: since the last good reading.  The state stays what it is.
 */
void upheaval_open(struct discipline *d, int source, unsigned evidence, vt_span blind_for,
                   vt_mono now);

/* The same, and ends what was right in the old world: no slew goes on, no bound holds. */
void upheaval_begin(struct discipline *d, int source, unsigned evidence, vt_span blind_for,
                    vt_mono now);

/* The same, since a reading of @source says so. */
void upheaval_suspect(struct discipline *d, int source, vt_mono now);

/* What was found by @source, and is done: the end of a disruption that is open, or all of one. */
void upheaval_close(struct discipline *d, int source, const struct repair *repair,
                    enum step_cause cause, vt_span correction);

/*
 * The same, unless it is slewed away: that is no end before the clock is right, and until then it
 * stays one disruption, whatever the readings in between would be called alone.  @is_new: this
 * reading showed more than a distance.
 */
void upheaval_end(struct discipline *d, int source, const struct repair *repair,
                  enum step_cause cause, vt_span correction, bool is_new);

#endif
