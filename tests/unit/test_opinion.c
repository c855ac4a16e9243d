/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "hostd/opinion.h"

static const vt_real NOW = { INT64_C(1795452803000000000) };

/* As a chronyd that is 1.5 ms from its server reports it. */
static const struct candm_tracking TRACKING = {
	.refid = 0xc0000201,
	.stratum = 3,
	.leap = 0,
	.ref_time = { INT64_C(1795452800000000000) },
	.correction = -0.00025,
	.root_delay = 0.002,
	.root_dispersion = 0.00025,
};

static void test_chronyds_root_distance(void **state)
{
	(void)state;
	struct opinion o;

	opinion_of_chronyd(&TRACKING, &o);
	assert_string_equal(o.quality.daemon, "chronyd");
	assert_true(o.quality.is_synchronized && o.quality.has_root_distance);
	/* 2 ms / 2 + 0.25 ms + 0.25 ms, and never less. */
	assert_in_range(o.quality.root_distance.ns, 1500000, 1500010);
	assert_int_equal(o.quality.leap, REPORT_LEAP_NORMAL);
	assert_int_equal(o.mark, TRACKING.ref_time.ns);
}

static void test_what_chronyd_does_not_vouch_for(void **state)
{
	(void)state;
	struct candm_tracking bad[7];
	struct opinion o;

	for (size_t i = 0; i < COUNT(bad); i++)
		bad[i] = TRACKING;
	bad[0].leap = 3;
	bad[1].refid = 0;
	bad[2].refid = CANDM_LOCAL_REFID; /* `local`: synchronised to nothing but itself */
	bad[3].stratum = 0;
	bad[4].stratum = 16;
	bad[5].root_dispersion = INFINITY;
	bad[6].correction = NAN;
	for (size_t i = 0; i < COUNT(bad); i++) {
		opinion_of_chronyd(&bad[i], &o);
		assert_string_equal(o.quality.daemon, "chronyd");
		assert_false(o.quality.is_synchronized);
		assert_false(o.quality.has_root_distance);
		assert_int_equal(o.quality.leap, REPORT_LEAP_UNSYNCHRONISED);
	}
}

static void test_leap_seconds_are_told(void **state)
{
	(void)state;
	struct candm_tracking t = TRACKING;
	struct opinion o;

	t.leap = 1;
	opinion_of_chronyd(&t, &o);
	assert_int_equal(o.quality.leap, REPORT_LEAP_INSERT);
	t.leap = 2;
	opinion_of_chronyd(&t, &o);
	assert_int_equal(o.quality.leap, REPORT_LEAP_DELETE);
}

static struct report_status vmtimed(void)
{
	return (struct report_status){
		.state = REPORT_OK,
		.has_bound = true,
		.bound = VT_US(1),
		.has_host_error = true,
		.host_error = VT_MS(1),
		.tracking = { .ref_time = { 77 }, .root_delay = VT_US(2), .root_dispersion = VT_US(1001),
			      .system_offset = VT_US(-3), .leap = REPORT_LEAP_INSERT },
	};
}

static void test_vmtimed_on_a_host(void **state)
{
	(void)state;
	struct report_status s = vmtimed();
	struct opinion o;

	opinion_of_vmtimed(&s, &o);
	assert_true(o.quality.is_synchronized);
	assert_int_equal(o.quality.root_distance.ns, 1000 + 1 + 1001000 + 3000);
	assert_int_equal(o.quality.leap, REPORT_LEAP_INSERT);
	assert_int_equal(o.mark, 77);

	/* Right against its own host, but nobody knows how right that one is. */
	s.has_host_error = false;
	opinion_of_vmtimed(&s, &o);
	assert_false(o.quality.is_synchronized || o.quality.has_root_distance);

	for (unsigned i = REPORT_STARTING; i <= REPORT_CONTESTED; i++) {
		s = vmtimed();
		s.state = (enum report_state)i;
		opinion_of_vmtimed(&s, &o);
		assert_int_equal(o.quality.is_synchronized, i == REPORT_OK || i == REPORT_CONTESTED);
	}
}

static void test_timesyncd(void **state)
{
	(void)state;
	const struct kernel_clock kernel = { .is_synchronized = true, .left = VT_MS(-30) };
	struct kernel_clock loose = kernel;
	struct opinion o;

	opinion_of_timesyncd(&kernel, vt_real_add(NOW, VT_SEC(-1000)), NOW, &o);
	assert_string_equal(o.quality.daemon, "systemd-timesyncd");
	assert_true(o.quality.is_synchronized);
	/* 5 s, what is being slewed, and 15 ppm of 1000 s. */
	assert_int_equal(o.quality.root_distance.ns, INT64_C(5000000000) + 30000000 + 15000000);
	assert_int_equal(o.mark, NOW.ns - VT_SEC(1000).ns);

	opinion_of_timesyncd(&kernel, vt_real_add(NOW, VT_SEC(-3 * 2048 - 1)), NOW, &o);
	assert_false(o.quality.is_synchronized); /* it has not been heard of for three polls */
	opinion_of_timesyncd(&kernel, vt_real_add(NOW, VT_SEC(1)), NOW, &o);
	assert_false(o.quality.is_synchronized); /* the clock was set back meanwhile */
	loose.is_synchronized = false;
	opinion_of_timesyncd(&loose, vt_real_add(NOW, VT_SEC(-1)), NOW, &o);
	assert_false(o.quality.is_synchronized);
}

static void test_what_the_kernel_was_told(void **state)
{
	(void)state;
	struct kernel_clock kernel = { .is_synchronized = true, .max_error = VT_MS(20),
				       .left = VT_MS(1), .leap = KERNEL_LEAP_DELETE };
	struct opinion o;

	opinion_of_kernel(&kernel, "ntpd", &o);
	assert_string_equal(o.quality.daemon, "ntpd");
	assert_true(o.quality.is_synchronized);
	assert_int_equal(o.quality.root_distance.ns, 21000000);
	assert_int_equal(o.quality.leap, REPORT_LEAP_DELETE);
	opinion_of_kernel(&kernel, "", &o);
	assert_string_equal(o.quality.daemon, "kernel");
	kernel.max_error = VT_SEC(16);
	opinion_of_kernel(&kernel, "ntpd", &o);
	assert_false(o.quality.is_synchronized);
	kernel = (struct kernel_clock){ .max_error = VT_SEC(1) };
	opinion_of_kernel(&kernel, "", &o);
	assert_false(o.quality.is_synchronized);
	assert_string_equal(o.quality.daemon, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chronyds_root_distance),
		cmocka_unit_test(test_what_chronyd_does_not_vouch_for),
		cmocka_unit_test(test_leap_seconds_are_told),
		cmocka_unit_test(test_vmtimed_on_a_host),
		cmocka_unit_test(test_timesyncd),
		cmocka_unit_test(test_what_the_kernel_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
