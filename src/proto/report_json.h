/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_REPORT_JSON_H
#define PROTO_REPORT_JSON_H

/*
 * report_json.h - the keys of every report, and the part of it that each command asks for
 *
 * The tables in report_json.c are the protocol's vocabulary, and control.md
 * explains them row by row.  Units stand in the keys.
 */

#include <jansson.h>

#include "base/attr.h"
#include "proto/control.h"
#include "proto/report.h"

/* The words for the enums, as on the wire: "holdover", "insert-second". */
extern const char *const REPORT_STATE_NAMES[REPORT_CONTESTED + 1];
extern const char *const REPORT_LEAP_NAMES[REPORT_LEAP_UNSYNCHRONISED + 1];

/* The data of a reply to @command: an object or an array.  NULL: out of memory. */
json_t *report_json_encode(enum control_command command, const void *report);

/*
 * The opposite.  0, or -EINVAL with one sentence in @reterr_text and *@report half written:
 * decode into a copy.
 */
int report_json_decode(enum control_command command, const json_t *data, void *report,
                       char *reterr_text, size_t text_size) must_check;

/* How large the struct is that a reply to @command fills. */
size_t report_json_size(enum control_command command);

#endif
