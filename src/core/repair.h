/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_REPAIR_H
#define CORE_REPAIR_H

/*
 * repair.h - what is done about an offset
 *
 * A part of discipline.c that stands by itself: the policy's decision
 * (step_policy.h) is carried out and told.  What becomes of the disruption that
 * it ends, if it ends one, is upheaval.h's.
 */

#include "core/discipline.h"

/* What became of an offset. */
struct repair {
	vt_span left; /* to be slewed */
	enum disruption_end end;
	bool is_news; /* it ends a disruption, even one of which nobody knew before */
};

/* Applies the policy to @correction, which @source asks for and which has this @cause. */
struct repair repair_move(struct discipline *d, int source, enum step_cause cause,
                          vt_span correction);

#endif
