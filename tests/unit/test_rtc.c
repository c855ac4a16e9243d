/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "os/rtc.h"

static struct rtc_time fields(int year, int month, int day, int hour, int minute, int second)
{
	return (struct rtc_time){ .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day,
		                  .tm_hour = hour, .tm_min = minute, .tm_sec = second };
}

static void test_known_dates(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		int date[6];
		int64_t want_s;
	} cases[] = {
		{ { 1970,  1,  1,  0,  0,  0 },          0 },
		{ { 1999, 12, 31, 23, 59, 59 },  946684799 },
		{ { 2000,  2, 29, 12,  0,  0 },  951825600 },
		{ { 2026, 11, 23, 14, 52, 39 }, 1795445559 },
		{ { 2038,  1, 19,  3, 14,  8 }, 2147483648 },
		{ { 2100,  3,  1,  0,  0,  0 }, 4107542400 },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		const int *d = cases[i].date;
		struct rtc_time f = fields(d[0], d[1], d[2], d[3], d[4], d[5]);
		vt_real at = { -7 };

		assert_int_equal(rtc_decode(&f, &at), 0);
		/* The middle of its second: never more than half of one away. */
		assert_int_equal(at.ns, cases[i].want_s * 1000000000 + RTC_RADIUS.ns);
	}
}

static void test_every_day_as_the_library_counts(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 84000; day++) {
		time_t s = day * 86400 + day % 86400;
		struct tm tm;
		vt_real at;

		assert_non_null(gmtime_r(&s, &tm));
		struct rtc_time f = { .tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday,
			              .tm_hour = tm.tm_hour, .tm_min = tm.tm_min, .tm_sec = tm.tm_sec };
		assert_int_equal(rtc_decode(&f, &at), 0);
		assert_int_equal(at.ns / 1000000000, s);
	}
}

static void test_no_dates(void **state)
{
	(void)state;
	/* clang-format off */
	static const int cases[][6] = {
		{ 1969, 12, 31, 23, 59, 59 }, { 2200,  1,  1,  0,  0,  0 }, { INT_MAX, 1, 1, 0, 0, 0 },
		{ 2026,  0,  1,  0,  0,  0 }, { 2026, 13,  1,  0,  0,  0 }, { 2026,  1,  0,  0,  0,  0 },
		{ 2026,  1, 32,  0,  0,  0 }, { 2026,  2, 29,  0,  0,  0 }, { 2100,  2, 29,  0,  0,  0 },
		{ 2026,  4, 31,  0,  0,  0 }, { 2026,  1,  1, 24,  0,  0 }, { 2026,  1,  1, -1,  0,  0 },
		{ 2026,  1,  1,  0, 60,  0 }, { 2026,  1,  1,  0, -1,  0 }, { 2026,  1,  1,  0,  0, 60 },
		{ 2026,  1,  1,  0,  0, -1 },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		const int *d = cases[i];
		struct rtc_time f = fields(d[0], d[1], d[2], d[3], d[4], d[5]);
		vt_real at = { -7 };

		if (rtc_decode(&f, &at) != -EINVAL || at.ns != -7)
			fail_msg("%d-%d-%d %d:%d:%d", d[0], d[1], d[2], d[3], d[4], d[5]);
	}
	struct rtc_time f = fields(2026, 1, 1, 0, 0, 0);
	vt_real at = { -7 };

	f.tm_year = INT_MAX;
	assert_int_equal(rtc_decode(&f, &at), -EINVAL);
	assert_int_equal(at.ns, -7);
}

struct fake {
	int error;
	struct rtc_time fields;
};

static int fake_ioctl(void *context, int fd, unsigned long request, void *argument)
{
	struct fake *f = context;

	assert_int_equal(fd, 9);
	assert_true(request == RTC_RD_TIME);
	if (f->error)
		return -f->error;
	*(struct rtc_time *)argument = f->fields;
	return 0;
}

static void test_read(void **state)
{
	(void)state;
	struct fake fake = { 0, fields(2026, 11, 23, 14, 52, 39) };
	struct os_calls calls = { .context = &fake, .ioctl = fake_ioctl };
	vt_real at = { -7 };

	assert_int_equal(rtc_read(&calls, -1, &at), -ENODEV);

	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(rtc_read(NULL, null, &at), -ENOTTY); /* the real ioctl */
	close(null);
	fake.error = EIO;
	assert_int_equal(rtc_read(&calls, 9, &at), -EIO);
	fake.error = 0;
	fake.fields.tm_mon = 77;
	assert_int_equal(rtc_read(&calls, 9, &at), -EINVAL);
	assert_int_equal(at.ns, -7);
	fake.fields.tm_mon = 10;
	assert_int_equal(rtc_read(&calls, 9, &at), 0);
	assert_int_equal(at.ns, INT64_C(1795445559500000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_dates),
		cmocka_unit_test(test_every_day_as_the_library_counts),
		cmocka_unit_test(test_no_dates),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests_name("rtc", tests, NULL, NULL);
}
