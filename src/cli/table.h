/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

/*
 * table.h - the tables that people know from chronyc
 *
 * `sources`, `sourcestats` and `tracking` have chronyc's columns, widths and
 * number formats to the byte, because people and scripts read them by habit.
 * What chronyc does not have stands beside the table (sources -v), never in it.
 *
 * Everything goes to a FILE, whose errors the caller looks at in the end.
 */

#include <stdbool.h>
#include <stdio.h>

#include "proto/report.h"

#define TABLE_CELL_MAX 32

/* @is_verbose: a legend above the table, and beneath it what there is to know of each source. */
void table_sources(FILE *out, const struct report_sources *sources, bool is_verbose);

void table_sourcestats(FILE *out, const struct report_sources *sources);

void table_tracking(FILE *out, const struct report_tracking *tracking);

/* --- The cells, apart for the tests; each returns @to, which has TABLE_CELL_MAX bytes --- */

/* How long ago, four wide: "  12", " 20m", "  4d"; @is_known false: "   -". */
const char *table_age(char *to, bool is_known, vt_span age);

/* A length, six wide, with its sign if @is_signed then seven: "+928ns", "   4us", " 12.3s". */
const char *table_offset(char *to, vt_span offset, bool is_signed);

/* Parts per million, ten wide. */
const char *table_ppm(char *to, double ppm, bool is_signed);

/* "0.000000012", exact, with "+" or "-" in front if @is_signed, else without any sign. */
const char *table_seconds(char *to, vt_span span, bool is_signed);

#endif
