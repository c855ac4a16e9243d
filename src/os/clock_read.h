/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_CLOCK_READ_H
#define OS_CLOCK_READ_H

/*
 * clock_read.h - clocks to nanoseconds, and two clocks at one instant
 *
 * No call gives CLOCK_MONOTONIC_RAW and CLOCK_REALTIME together.  So one is read
 * between two readings of the other, several times, and the narrowest bracket
 * is kept: the others were interrupted.
 */

#include <stdbool.h>
#include <time.h>

#include "base/attr.h"
#include "core/reading.h"
#include "os/calls.h"

/* Nanoseconds of @t; false, and *@ret_ns untouched, for a time that is not one or does not fit. */
bool clock_to_ns(const struct timespec *t, int64_t *ret_ns);

/* Reads any clock once.  0, or -errno with *@ret_ns untouched (-EPROTO: not a time). */
int clock_read_ns(const struct os_calls *calls, clockid_t id, int64_t *ret_ns) must_check;

/*
 * Brackets one value of the clock @id between two of CLOCK_MONOTONIC_RAW.  0, or -errno with
 * *@ret untouched; -EAGAIN where the outer clock went backwards.
 */
int clock_read_bracket(const struct os_calls *calls, clockid_t id, struct bracket *ret) must_check;

/* @ret->radius is half the narrowest bracket, rounded outwards.  0, or -errno, *@ret untouched. */
int clock_read_pair(const struct os_calls *calls, struct clock_pair *ret) must_check;

#endif
