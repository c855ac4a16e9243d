/* SPDX-License-Identifier: Apache-2.0 */
#include "core/poll.h"

/* 16 readings a second: as often as a disturbed clock is worth. */
#define SHORTEST VT_NS(62500000)

/* Long enough to see a crystal's rate in nanoseconds, and too short for it to do harm. */
#define FIRST VT_MS(10)

/* Three agreeing readings confirm a jump; with this between them they take 0.05 s of the 0.25 s. */
#define SUSPICIOUS VT_MS(25)

/* Who was told that something happened has 20 ms for all of it; 2 us in twice 5 ms are 200 ppm. */
#define URGENT       VT_MS(5)
#define URGENT_EXACT VT_US(2)

vt_span poll_interval(int log2)
{
	if (log2 >= 0)
		return VT_SEC(INT64_C(1) << (log2 > 24 ? 24 : log2));
	return VT_NS(1000000000 >> (log2 < -7 ? 7 : -log2));
}

void poll_init(struct poll_state *p, const struct source_conf *conf)
{
	p->longest = poll_interval(conf->dpoll);
	p->shortest = conf->is_dpoll_given ? p->longest : vt_span_min(SHORTEST, p->longest);
	p->first = conf->is_dpoll_given ? p->longest : vt_span_min(FIRST, p->shortest);
	p->now = p->longest;
}

vt_span poll_first(struct poll_state *p)
{
	p->now = p->first;
	return p->now;
}

vt_span poll_quiet(struct poll_state *p)
{
	p->now = vt_span_min((vt_span){ p->now.ns * 2 }, p->longest);
	return p->now;
}

vt_span poll_disturbed(struct poll_state *p)
{
	p->now = p->shortest;
	return p->now;
}

vt_span poll_suspicious(bool is_urgent, vt_span radius)
{
	return is_urgent && radius.ns <= URGENT_EXACT.ns ? URGENT : SUSPICIOUS;
}
