/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SOURCE_CONF_H
#define CORE_SOURCE_CONF_H

/*
 * source_conf.h - what an administrator says about one reference clock
 *
 * The options of chrony's `refclock` directive that vmtime understands, with
 * chrony's meanings, units and defaults.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"

struct source_conf {
	int poll;            /* log2 s, what `sources` reports; -7 to 24, default 4                */
	int dpoll;           /* log2 s, the longest time between readings; -7 to 24, default 0     */
	bool is_dpoll_given; /* then it is also the shortest                                       */
	unsigned filter;     /* how many brackets a reading may use, 1 and more, default 64        */
	vt_span offset;      /* added to the source's time                                         */
	vt_span delay;       /* assumed round trip; half of it counts as error.  Default 1 ns      */
	vt_span precision;   /* a reading is never taken for better than this; 0: as read          */
	uint32_t refid;      /* four characters, first one in the top byte; 0: from driver, number */
	int stratum;         /* 0 to 15, default 0                                                 */
	bool is_tai;         /* the source gives TAI, not UTC                                      */
	bool prefer, noselect, require, trust;
};

#define SOURCE_CONF_DEFAULT \
	((struct source_conf){ .poll = 4, .filter = 64, .delay = { .ns = 1 } })

#endif
