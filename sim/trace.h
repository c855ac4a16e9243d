/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

/*
 * trace.h - what the observer saw, for a spreadsheet and for people
 *
 * Keeps every look of one world in memory: 40 bytes each, 20 a second.
 */

#include <stddef.h>
#include <stdio.h>

#include "base/attr.h"
#include "sim/world.h"

struct trace {
	struct world_look *looks;
	size_t n, room;
	int error; /* errno, when there was no memory for all of them */
};

#define TRACE_INIT ((struct trace){ 0 })

void trace_fini(struct trace *t);

/* A world's on_look; @context is the trace. */
void trace_look(void *context, const struct world_look *look);

/* Return 0 or -errno. */
int trace_csv(const struct trace *t, FILE *to) must_check;
int trace_svg(const struct trace *t, const char *title, FILE *to) must_check;

#endif
