/* SPDX-License-Identifier: Apache-2.0 */
#include "os/rtc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

static bool is_leap_year(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month] + (month == 1 && is_leap_year(year));
}

/* Days from 1970-01-01 to the first day of @year, @month (0 to 11). */
static int64_t days_before(int year, int month)
{
	int64_t days = 0;

	for (int y = 1970; y < year; y++)
		days += 365 + is_leap_year(y);
	for (int m = 0; m < month; m++)
		days += days_in_month(year, m);
	return days;
}

int rtc_decode(const struct rtc_time *f, vt_real *ret)
{
	int year;

	if (__builtin_add_overflow(f->tm_year, 1900, &year) || year < 1970 || year > 2199)
		return -EINVAL;
	if (f->tm_mon < 0 || f->tm_mon > 11 || f->tm_mday < 1 ||
	    f->tm_mday > days_in_month(year, f->tm_mon))
		return -EINVAL;
	if (f->tm_hour < 0 || f->tm_hour > 23 || f->tm_min < 0 || f->tm_min > 59 || f->tm_sec < 0 ||
	    f->tm_sec > 59)
		return -EINVAL;

	int64_t days = days_before(year, f->tm_mon) + f->tm_mday - 1;
	int64_t s = ((days * 24 + f->tm_hour) * 60 + f->tm_min) * 60 + f->tm_sec;

	ret->ns = s * INT64_C(1000000000) + RTC_RADIUS.ns;
	return 0;
}

int rtc_read(const struct os_calls *calls, int fd, vt_real *ret)
{
	struct rtc_time fields = { 0 };

	if (fd < 0)
		return -ENODEV;
	if (!calls)
		calls = &OS_CALLS;

	int r = calls->ioctl(calls->context, fd, RTC_RD_TIME, &fields);

	return r < 0 ? r : rtc_decode(&fields, ret);
}
