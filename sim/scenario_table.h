/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCENARIO_TABLE_H
#define SIM_SCENARIO_TABLE_H

/* scenario_table.h - the directives of a scenario */

#include "conf/table.h"
#include "sim/scenario.h"

enum direction { FORWARD, BACK };

/* One line about something that happens, or a limit, while it is read. */
struct scenario_draft {
	vt_span at, span, after, every;
	bool is_polled, is_second;
	enum direction direction;
	vt_rate rate;
	enum source_outcome outcome;
	unsigned is_unannounced; /* an index of LEAPS    */
	unsigned evidence;       /* an index of EVIDENCE */
	enum figure figure;
	char value[32];
};

/* The target of the table. */
struct scenario_builder {
	struct scenario scenario;
	struct scenario_draft draft;
};

extern const struct conf_table SCENARIO_TABLE;

#endif
