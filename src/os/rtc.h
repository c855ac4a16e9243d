/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_RTC_H
#define OS_RTC_H

/*
 * rtc.h - the battery clock, for a start when nothing better answers (-s)
 *
 * A virtual machine's RTC is emulated by its host and is usually right, but it
 * tells whole seconds only: a reading of s means a time in [s, s + 1).  It is
 * read as UTC, the only form in which a guest of ours is configured.
 */

#include <linux/rtc.h>

#include "base/attr.h"
#include "base/units.h"
#include "os/calls.h"

/* Half of the second that the RTC does not tell. */
#define RTC_RADIUS VT_MS(500)

/*
 * The middle of the second that the fields name, so that the RTC's time is *@ret +- RTC_RADIUS.
 * 0, or -EINVAL with *@ret untouched for fields that are not a date from 1970 to 2199.
 */
int rtc_decode(const struct rtc_time *fields, vt_real *ret) must_check;

/*
 * Reads the RTC open as @fd; as rtc_decode.  0, or -errno with *@ret untouched; -ENODEV: @fd is -1.
 * @calls NULL: the kernel's.
 */
int rtc_read(const struct os_calls *calls, int fd, vt_real *ret) must_check;

#endif
