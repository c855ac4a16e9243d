/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_TAI_H
#define OS_TAI_H

/*
 * tai.h - by how many seconds TAI is ahead of UTC
 *
 * A NIC's PHC on a PTP network shows TAI.  The kernel knows the difference if
 * somebody has told it; else the table of leap seconds that distributions ship
 * tells.  It is used past its expiry date too: what it says of the past holds,
 * and a difference of unknown age beats none (the source is checked against the
 * others anyway).
 */

#include <stddef.h>

#include "base/attr.h"
#include "base/units.h"
#include "os/calls.h"

#define TAI_TABLE_PATH "/usr/share/zoneinfo/leap-seconds.list"

/*
 * Looks @at up in a table of the form of leap-seconds.list: "NTP-seconds difference" a line, in
 * order, '#' begins a comment.  0, or *@ret_seconds untouched: -ENODATA before its first line (or
 * without lines), -EBADMSG for a table that is not one.
 */
int tai_look_up(const char *table, size_t length, vt_real at, int *ret_seconds) must_check;

/*
 * TAI - UTC at @at: the kernel's where it is not zero, else from the file @path (TAI_TABLE_PATH).
 * @at is the source's own time rather than the system's, which may be far off.
 * @calls NULL: the kernel's.  0, or -ENODATA where nobody knows; *@ret_seconds untouched.
 */
int tai_minus_utc(const struct os_calls *calls, const char *path, vt_real at,
                  int *ret_seconds) must_check;

#endif
