/* SPDX-License-Identifier: Apache-2.0 */
/* Values that cannot be, clocks that are set meanwhile, devices and counters that change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "played_ptp.h"
#include "sys_tree.h"

/* Runs one reading by @method with an odd value at each of its calls in turn. */
static void disturb(enum method method, bool knows_clock_id, size_t field, enum source_outcome want)
{
	unsigned outcomes[SOURCE_BROKEN + 1] = { 0 };

	for (unsigned at = 1; at < 40; at++) {
		struct bench b;
		bool is_precise = method == METHOD_PRECISE;

		bench_init(&b, NULL, !is_precise);
		b.device.knows_clock_id = knows_clock_id;
		if (method == METHOD_BASIC)
			b.device.extended = (struct failing){ EOPNOTSUPP, ALWAYS };
		if (method == METHOD_EXTENDED || is_precise)
			b.device.basic = (struct failing){ EINVAL, ALWAYS };
		assert_int_equal(bench_read(&b, 4), SOURCE_READ);
		assert_int_equal(b.burst.method, method);
		b.device.precise = (struct failing){ is_precise ? 0 : ENODEV, ALWAYS };
		unsigned number = b.device.calls + at;
		memcpy((char *)&b.device + field, &number, sizeof number);

		enum source_outcome got;

		memset(&b.burst, UNTOUCHED, sizeof b.burst);
		got = b.ptp.port.ops->read(&b.ptp.port, 4, &b.burst);
		outcomes[got]++;
		if (got != SOURCE_READ)
			assert_int_equal(((unsigned char *)&b.burst)[0], UNTOUCHED);
		else
			for (unsigned i = 1; i < b.burst.n; i++)
				assert_true(b.burst.brackets[i].remote.ns >=
				            b.burst.brackets[i - 1].remote.ns);
	}
	/* It must have hit, and when it hits it is either refused as said or worked around. */
	assert_true(outcomes[want] >= 1);
	for (unsigned i = 0; i <= SOURCE_BROKEN; i++)
		if (i != SOURCE_READ && i != want)
			assert_int_equal(outcomes[i], 0);
}

static void test_remote_clock_set_back_within_a_burst(void **state)
{
	(void)state;
	disturb(METHOD_BASIC, true, offsetof(struct device, remote_back_at), SOURCE_BUSY);
	disturb(METHOD_EXTENDED, true, offsetof(struct device, remote_back_at), SOURCE_BUSY);
	disturb(METHOD_EXTENDED, false, offsetof(struct device, remote_back_at), SOURCE_BUSY);
}

static void test_system_clock_stepped_within_a_call(void **state)
{
	(void)state;
	disturb(METHOD_EXTENDED, false, offsetof(struct device, real_step_at), SOURCE_BUSY);
}

static void test_times_that_are_none(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, false);
	b.device.is_bad = true;
	assert_int_equal(bench_read(&b, 5), SOURCE_BROKEN);
	assert_int_equal(b.ptp.port.error, EPROTO);

	/* Once only: it is worked around, whichever of the calls it hits. */
	for (unsigned at = 1; at < 40; at++) {
		bench_init(&b, NULL, at % 2);
		assert_int_equal(bench_read(&b, 4), SOURCE_READ);
		b.device.bad_nsec_at = b.device.calls + at;
		assert_int_equal(bench_read(&b, 4), SOURCE_READ);
	}
}

static void test_precise_that_makes_no_sense_is_not_used(void **state)
{
	(void)state;
	static const int64_t off[] = { 20000000, -20000000, INT64_C(1790000000000000000) };
	struct bench b;

	for (size_t i = 0; i < COUNT(off); i++) {
		bench_init(&b, NULL, false);
		b.device.precise_raw_off = off[i];
		assert_int_equal(bench_read(&b, 5), SOURCE_READ);
		assert_int_equal(b.burst.method, METHOD_EXTENDED);
	}
	bench_init(&b, NULL, false);
	b.device.bad_nsec_at = 2; /* the ioctl, after one look at RAW */
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);
}

static void test_extended_that_makes_no_sense_is_not_used(void **state)
{
	(void)state;
	static const int off[] = { -BURST_MAX, 1, 1000000 };

	for (size_t i = 0; i < COUNT(off); i++) {
		struct bench b;

		bench_init(&b, NULL, true);
		b.device.extended_samples_off = off[i];
		assert_int_equal(bench_read(&b, BURST_MAX), SOURCE_READ);
		assert_int_equal(b.burst.method, METHOD_BASIC);
	}
}

/* RAW cannot go back, yet a virtual machine has been seen to do what it cannot. */
static void test_raw_clock_that_goes_backwards(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, true);
	b.device.extended = (struct failing){ EOPNOTSUPP, ALWAYS };
	b.device.cost_ns = -2000;
	assert_int_equal(bench_read(&b, 5), SOURCE_BUSY);
}

static void test_no_device_and_then_one(void **state)
{
	(void)state;
	struct bench b;

	bench_init(&b, NULL, false);
	ptp_attach(&b.ptp, -1);
	assert_int_equal(bench_read(&b, 5), SOURCE_MISSING);
	assert_int_equal(b.ptp.port.error, ENODEV);
	assert_int_equal(b.device.calls, 0);
	ptp_attach(&b.ptp, FD);
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);

	/* The same number may be another clock: what was known of the former is forgotten. */
	b.device.precise = (struct failing){ EOPNOTSUPP, 2 };
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);
	ptp_attach(&b.ptp, FD);
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_PRECISE);
}

#define CURRENT "/sys/devices/system/clocksource/clocksource0/current_clocksource"

static void test_clocksource_change_probes_again_in_a_new_epoch(void **state)
{
	(void)state;
	struct clocksource clocksource;
	struct sys_tree tree;
	char path[512];
	struct bench b;

	sys_tree_init(&tree);
	sys_tree_file(&tree, CURRENT, "kvm-clock\n");
	sys_tree_way(&tree, CURRENT, path);
	clocksource_init(&clocksource, tree.root);
	bench_init(&b, &clocksource, false);
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.epoch, 0);

	/* While the device is read: half of the burst is of another counter. */
	b.device.clocksource_path = path;
	assert_int_equal(bench_read(&b, 5), SOURCE_BUSY);
	b.device.precise = (struct failing){ ENODEV, ALWAYS };
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.epoch, 1);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);

	/* Between two readings: the better method is tried once more. */
	b.device.precise.times = 0;
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.method, METHOD_EXTENDED);
	sys_tree_file(&tree, CURRENT, "kvm-clock\n");
	assert_int_equal(bench_read(&b, 5), SOURCE_READ);
	assert_int_equal(b.burst.epoch, 2);
	assert_int_equal(b.burst.method, METHOD_PRECISE);

	clocksource_fini(&clocksource);
	sys_tree_fini(&tree);
}

static void test_a_failing_reading_across_a_change_tells_its_own_errno(void **state)
{
	(void)state;
	struct clocksource clocksource;
	struct sys_tree tree;
	char path[512];
	struct bench b;

	sys_tree_init(&tree);
	sys_tree_file(&tree, CURRENT, "kvm-clock\n");
	sys_tree_way(&tree, CURRENT, path);
	clocksource_init(&clocksource, tree.root);
	bench_init(&b, &clocksource, false);
	b.device.precise = b.device.extended = b.device.basic = (struct failing){ ENODEV, ALWAYS };
	b.device.clocksource_path = path;
	assert_int_equal(bench_read(&b, 5), SOURCE_MISSING);
	clocksource_fini(&clocksource);
	sys_tree_fini(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remote_clock_set_back_within_a_burst),
		cmocka_unit_test(test_system_clock_stepped_within_a_call),
		cmocka_unit_test(test_times_that_are_none),
		cmocka_unit_test(test_precise_that_makes_no_sense_is_not_used),
		cmocka_unit_test(test_extended_that_makes_no_sense_is_not_used),
		cmocka_unit_test(test_raw_clock_that_goes_backwards),
		cmocka_unit_test(test_no_device_and_then_one),
		cmocka_unit_test(test_clocksource_change_probes_again_in_a_new_epoch),
		cmocka_unit_test(test_a_failing_reading_across_a_change_tells_its_own_errno),
	};

	return cmocka_run_group_tests_name("ptp_odd", tests, NULL, NULL);
}
