/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EVENT_TEXT_H
#define CLI_EVENT_TEXT_H

/*
 * event_text.h - what happened to the clock, as people read it
 *
 * A row each, a paragraph each, or a line for each thing as it happens.
 * Everything goes to a FILE, whose errors the caller looks at in the end.
 */

#include <stdio.h>

#include "proto/report.h"

/* A table, 80 columns wide. */
void event_text_table(FILE *out, const struct report_events *events);

/* A paragraph for each. */
void event_text_paragraphs(FILE *out, const struct report_events *events);

/* One line. */
void event_text_notice(FILE *out, const struct report_notice *notice);

/* "the clock was 1.000 s behind", "the clock was right", or that it is not known. */
void event_text_deviation(FILE *out, const struct report_event *e);

#endif
