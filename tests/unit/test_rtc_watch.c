/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/rtc_watch.h"

#define BEGAN INT64_C(1800000000)

/* An RTC shows whole seconds, and is read as the middle of one. */
static struct rtc_look look_at(double raw_s, double rtc_s, double local_s)
{
	return (struct rtc_look){
		.raw = { (int64_t)(raw_s * 1e9) },
		.rtc = { (BEGAN + (int64_t)floor(rtc_s)) * 1000000000 + 500000000 },
		.local = { BEGAN * 1000000000 + (int64_t)(local_s * 1e9) },
	};
}

static void test_quiet_rtc_says_nothing(void **state)
{
	(void)state;
	struct rtc_watch w;
	vt_span correction = { -7 };

	rtc_watch_init(&w, (vt_mono){ 5 });
	assert_int_equal(rtc_watch_deadline(&w).ns, 5);
	/* 300 ppm off, for a day: 26 s in all, and never a sudden one. */
	for (double s = 0; s < 86400; s += 10.037) {
		struct rtc_look look = look_at(s, s * 1.0003, s);

		assert_int_equal(rtc_watch_look(&w, &look, false, &correction), RTC_WATCH_QUIET);
		assert_int_equal(rtc_watch_deadline(&w).ns, look.raw.ns + 10000000000);
	}
	assert_int_equal(correction.ns, -7);
}

static void test_jump_is_told_when_seen_twice(void **state)
{
	(void)state;
	static const struct {
		double jump_s, set_s; /* our clock was set by somebody else */
	} cases[] = { { 12, 0 }, { 3600, 0 }, { 2.6, 0 }, { -40, 0 }, { 3600, 3600 }, { 100, 60 } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double jump = cases[i].jump_s, set = cases[i].set_s;
		struct rtc_look before = look_at(10.2, 10.9, 10.2);
		struct rtc_look first = look_at(20.3, 21.0 + jump, 20.3 + set);
		struct rtc_look second = look_at(21.4, 22.1 + jump, 21.4 + set);
		vt_span correction = { -7 };
		struct rtc_watch w;

		rtc_watch_init(&w, (vt_mono){ 0 });
		assert_int_equal(rtc_watch_look(&w, &before, false, &correction), RTC_WATCH_QUIET);
		assert_int_equal(rtc_watch_look(&w, &first, false, &correction), RTC_WATCH_SUSPECTED);
		assert_int_equal(rtc_watch_deadline(&w).ns, first.raw.ns + 1100000000);
		assert_int_equal(correction.ns, -7);
		assert_int_equal(rtc_watch_look(&w, &second, false, &correction), RTC_WATCH_JUMPED);
		assert_in_range(correction.ns + 100000000000,
		                (int64_t)((jump - set - 1) * 1e9) + 100000000000,
		                (int64_t)((jump - set + 1) * 1e9) + 100000000000);
		/* And only once. */
		second.raw.ns += 10000000000;
		second.rtc.ns += 10000000000;
		second.local.ns += 10000000000;
		assert_int_equal(rtc_watch_look(&w, &second, false, &correction), RTC_WATCH_QUIET);
	}
}

/* Half a second of reading and a second of rounding are no jump. */
static void test_two_seconds_are_none(void **state)
{
	(void)state;
	struct rtc_look before = look_at(10, 10, 10), after = look_at(20, 22, 20);
	struct rtc_watch w;
	vt_span correction;

	rtc_watch_init(&w, (vt_mono){ 0 });
	(void)rtc_watch_look(&w, &before, false, &correction);
	assert_int_equal(rtc_watch_look(&w, &after, false, &correction), RTC_WATCH_QUIET);
}

/* An RTC that shows nonsense once, or another nonsense each time, moves nothing. */
static void test_what_is_not_seen_twice_is_nothing(void **state)
{
	(void)state;
	struct rtc_watch w;
	vt_span correction = { -7 };
	struct rtc_look look = look_at(10, 10, 10);

	rtc_watch_init(&w, (vt_mono){ 0 });
	(void)rtc_watch_look(&w, &look, false, &correction);
	for (int i = 2; i < 100; i++) {
		look = look_at(10 * i, 10 * i + 50 * i, 10 * i);
		assert_int_equal(rtc_watch_look(&w, &look, false, &correction), RTC_WATCH_SUSPECTED);
	}
	look = look_at(1000, 1000, 1000);
	assert_int_equal(rtc_watch_look(&w, &look, false, &correction), RTC_WATCH_QUIET);
	assert_int_equal(correction.ns, -7);
}

/* What happens while a source answers is the source's business, and not held against the RTC later. */
static void test_source_knows_better(void **state)
{
	(void)state;
	struct rtc_watch w;
	vt_span correction = { -7 };
	struct rtc_look look = look_at(10, 10, 10);

	rtc_watch_init(&w, (vt_mono){ 0 });
	(void)rtc_watch_look(&w, &look, true, &correction);
	assert_int_equal(rtc_watch_deadline(&w).ns, look.raw.ns + 60000000000);
	look = look_at(70, 170, 70);
	assert_int_equal(rtc_watch_look(&w, &look, true, &correction), RTC_WATCH_QUIET);
	look = look_at(80, 180, 80);
	assert_int_equal(rtc_watch_look(&w, &look, false, &correction), RTC_WATCH_QUIET);
	rtc_watch_miss(&w, (vt_mono){ 81000000000 });
	assert_int_equal(rtc_watch_deadline(&w).ns, 91000000000);
	assert_int_equal(correction.ns, -7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quiet_rtc_says_nothing),
		cmocka_unit_test(test_jump_is_told_when_seen_twice),
		cmocka_unit_test(test_two_seconds_are_none),
		cmocka_unit_test(test_what_is_not_seen_twice_is_nothing),
		cmocka_unit_test(test_source_knows_better),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
