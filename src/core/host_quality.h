/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_HOST_QUALITY_H
#define CORE_HOST_QUALITY_H

/*
 * host_quality.h - how wrong can the host's own clock be?
 *
 * A guest that follows its host is as right as the host is, and cannot see from
 * inside how right that is.  Two can tell it: the administrator, once and for
 * ever (`hosterror`), and the host itself, by messages that soon grow old.  What
 * neither has told is not known, which is not the same as zero.
 *
 * A message can make the error larger or unknown; it never makes it smaller than
 * what the administrator said, and nothing here moves a clock.  Between messages
 * the host's error is taken to grow by HOST_ERROR_GROWTH, the tolerance that
 * RFC 5905 (section 4, PHI) gives a clock that nobody steers.
 */

#include <stdbool.h>

#include "base/units.h"

#define HOST_QUALITY_LASTS VT_SEC(300)
#define HOST_ERROR_GROWTH  VT_PPM(15)

/* What the host said of its own clock the last time. */
struct host_quality {
	bool is_heard;        /* false: it never said anything, or that was forgotten */
	vt_mono heard;
	bool is_synchronized; /* to something better than itself, by its own daemon's word */
	vt_span root_distance; /* then: at most so far from true time when it said so */
};

/* Whether what the host said still counts at @now: for five minutes, and never before it was said. */
bool host_quality_counts(const struct host_quality *q, vt_mono now);

/*
 * How far the host can be off at @now.  @floor: `hosterror`, or NULL where it was not given.  False,
 * and *@ret untouched: not known; so it is too where the host says that it is not synchronised,
 * whatever the administrator expected.
 */
bool host_quality_error(const struct host_quality *q, const vt_span *floor, vt_mono now, vt_span *ret);

#endif
