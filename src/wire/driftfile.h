/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_DRIFTFILE_H
#define WIRE_DRIFTFILE_H

/*
 * driftfile.h - the clock's habitual error, kept across restarts
 *
 * chrony's format, so that either daemon can go on from the other's file: one
 * line, two decimal numbers in parts per million: how fast the uncorrected
 * clock runs (negative: slow), and how uncertain that is.
 *
 * Pure: pointer and length in, values out.
 */

#include <stddef.h>

#include "base/units.h"

#define DRIFTFILE_MAX      128      /* bytes; a file that is longer is none */
#define DRIFTFILE_RATE_MAX 100000.0 /* ppm: what the kernel can correct at most */

struct drift {
	vt_rate fast; /* how fast the uncorrected clock runs; the rate to steer by is its negative
		       */
	vt_rate skew; /* how uncertain that is, >= 0 */
};

enum driftfile_outcome {
	DRIFTFILE_READ,
	DRIFTFILE_EMPTY,        /* nothing but blanks                    */
	DRIFTFILE_CORRUPT,      /* not exactly two numbers in one line   */
	DRIFTFILE_OUT_OF_RANGE, /* numbers that no clock can have        */
};

/* *@ret is written only for DRIFTFILE_READ. */
enum driftfile_outcome driftfile_decode(const char *text, size_t length, struct drift *ret);

/* A few words for a log line: "is empty". */
const char *driftfile_explain(enum driftfile_outcome outcome);

/* Writes the line, with its break, without a terminator; returns its length.  Values out of range
 * are clamped to it, what is not a number becomes 0. */
size_t driftfile_encode(const struct drift *drift, char ret[DRIFTFILE_MAX]);

#endif
