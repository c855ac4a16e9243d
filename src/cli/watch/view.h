/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCH_VIEW_H
#define CLI_WATCH_VIEW_H

/*
 * view.h - one frame: what is known, laid out for a screen of any size
 *
 * From the most important to the least: the state and for how long, one
 * sentence, the chart, the sources, the latest events, the keys.  What has no
 * room is left out from the end.
 *
 * A pure function of the model: no clock, no terminal.
 */

#include "cli/watch/chart.h"
#include "cli/watch/history.h"
#include "cli/watch/screen.h"

#define VIEW_TROUBLE_MAX 640

struct view_model {
	bool has_status;                /* false: the daemon has never answered           */
	struct report_status status;    /* what it said last                              */
	bool is_answering;              /* now                                            */
	char trouble[VIEW_TROUBLE_MAX]; /* where it is not: why, printable ASCII         */
	vt_mono since;                  /* where it is not: since when                    */
	struct history history;
	unsigned zoom; /* of the chart                                   */
	enum glyphs_kind glyphs;
};

void view_init(struct view_model *m, enum glyphs_kind glyphs, vt_mono now);

/* Draws all of @to as things stand at @now, when this machine's clock shows @real. */
void view_draw(const struct view_model *m, vt_mono now, vt_real real, struct screen *to);

/* "+12 ns", "-3.4 ms"; @to has WORDS_SPAN_MAX bytes. */
const char *view_offset(char *to, vt_span offset);

#endif
