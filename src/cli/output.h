/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

/*
 * output.h - has what was written arrived?  And where there is no answer, why?
 *
 * Each returns the exit status that belongs to it.
 */

#include "base/attr.h"
#include "proto/control.h"

/* Everything written so far has arrived.  One that is not is told, but not a closed pipe. */
int output_flush(void) must_check;

/* The same, for the last time: standard output is closed. */
int output_finish(void) must_check;

/* "vmtime: @sentence" on standard error. */
int output_complain(const char *sentence);

/* The sentence for a reply that control_decode_reply did not answer with. */
int output_refusal(enum control_outcome outcome, const char *path,
                   const struct control_error *error);

#endif
