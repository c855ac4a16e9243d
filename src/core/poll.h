/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_POLL_H
#define CORE_POLL_H

/*
 * poll.h - when to read a source again
 *
 * A quiet clock is read once in the longest interval (`dpoll`, one second by
 * default).  A reading beyond the noise asks for the next one soon, and the
 * interval doubles back from there.  After the very first reading the rate is not
 * known at all, and the next follows sooner still.  `dpoll` written in the file is also the
 * shortest; only a suspected jump, which must be confirmed within 0.25 s, reads
 * faster than that.
 */

#include <stdbool.h>

#include "core/source_conf.h"

struct poll_state {
	vt_span first, shortest, longest, now;
};

void poll_init(struct poll_state *p, const struct source_conf *conf);

/* The time to the next reading after the first one, a quiet one, one beyond the noise. */
vt_span poll_first(struct poll_state *p);
vt_span poll_quiet(struct poll_state *p);
vt_span poll_disturbed(struct poll_state *p);

/*
 * The time to the next reading while a jump is being confirmed.  @is_urgent: somebody waits for it;
 * then it is shorter, unless readings are wrong by so much (@radius) that they would show no rate.
 */
vt_span poll_suspicious(bool is_urgent, vt_span radius);

/* 2^@log2 seconds; @log2 from -7 to 24. */
vt_span poll_interval(int log2);

#endif
