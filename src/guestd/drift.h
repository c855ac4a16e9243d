/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_DRIFT_H
#define GUESTD_DRIFT_H

/*
 * drift.h - the drift file: what the last run learnt about this clock's rate
 */

#include "base/attr.h"
#include "base/units.h"

/*
 * What is known of the rate to steer by at the start.  A file that is missing, empty or corrupt is
 * said in the log and then ignored: *@ret_rate is @fallback, give or take a crystal's error.
 * @path may be empty: no file.
 */
void drift_load(const char *path, vt_rate fallback, vt_rate *ret_rate, vt_rate *ret_sigma);

/*
 * Replaces the file.  0, or -errno with the old file intact.  Logs its failure itself, but only
 * where it is another than *@last_error, which is the result of the call before and becomes that of
 * this one: a file that can never be written is not worth a line each hour.
 */
int drift_save(const char *path, vt_rate rate, vt_rate sigma, int *last_error);

/*
 * The rate that keeps the clock right by itself, for --restore-clock after a daemon that was killed:
 * the same format in a file that a boot clears.
 */
#define DRIFT_RUN_PATH "/run/vmtime/rate"

/* 0, or -errno with *@ret untouched: nobody left one. */
int drift_load_left(vt_rate *ret) must_check;

#endif
