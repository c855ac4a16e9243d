/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_HISTORY_H
#define HOSTD_HISTORY_H

/*
 * history.h - what is remembered of a guest's clock
 *
 * Two rings of a fixed size, so that a guest that is paused each second cannot push the last
 * hour out, nor an hour of peace what its latest disruptions looked like: one takes a measurement
 * a minute, the other whatever belongs to a disruption.  Read out they are one line in time.
 */

#include "hostd/fleet.h"

#define HISTORY_EACH (FLEET_HISTORY_MAX / 2)

/* 24 bytes: a thousand guests have a hundred of them each. */
struct history_point {
	vt_real at;
	vt_span offset;
	float uncertainty_ns; /* rounded up; below 0: there is no offset */
	unsigned char mark, reason;
};

struct history_ring {
	unsigned char next, n;
	struct history_point points[HISTORY_EACH];
};

struct history {
	struct history_ring peace, trouble;
};

/*
 * Keeps @point; @is_trouble: it belongs to a disruption.  One of peace that comes less than 50 s after
 * the latest kept one is not kept.
 */
void history_add(struct history *h, const struct fleet_point *point, bool is_trouble);

/* All of it, oldest first; returns how many. */
size_t history_read(const struct history *h, struct fleet_point points[FLEET_HISTORY_MAX]);

#endif
