/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>

#include "base/attr.h"
#include "vmclock_page.h"
#include "wire/vmclock.h"

static struct vmclock_page decoded(const struct page_bytes *p)
{
	struct vmclock_page page;

	assert_int_equal(vmclock_decode(p->b, sizeof p->b, &page), VMCLOCK_READ);
	return page;
}

static void test_a_page_is_taken_apart(void **state)
{
	(void)state;
	struct page_bytes p = page_of_time();
	struct vmclock_page page = decoded(&p);

	assert_int_equal(page.sequence, 2);
	assert_int_equal(page.marker, 1);
	assert_true(page.has_generation && page.generation == 77);
	assert_true(page.is_notified);
	assert_int_equal(page.counter, VMCLOCK_X86_TSC);
	assert_int_equal(page.time_type, VMCLOCK_UTC);
	assert_int_equal(page.status, VMCLOCK_SYNCHRONIZED);
	assert_int_equal(page.leap, VMCLOCK_LEAP_NONE);
	assert_true(page.has_tai_offset && page.has_time_error && page.has_period_error);
	assert_int_equal(page.utc_minus_tai.ns, INT64_C(-37000000000));
	assert_true(page.counter_value == UINT64_C(1000000000000));
	assert_int_equal(page.period_shift, 30);
	assert_true(page.period == UINT64_C(7922816251426433759));
	assert_true(page.period_error == UINT64_C(396140812571));
	assert_int_equal(page.time_s, 1795452803);
	assert_true(page.time_fraction == UINT64_C(1) << 63);
	assert_int_equal(page.time_error_ns, 1500);

	page_put(&p, 0x24, 2, 32767);
	assert_int_equal(decoded(&p).utc_minus_tai.ns, INT64_C(32767000000000));
	page_put(&p, 0x24, 2, 0x8000);
	assert_int_equal(decoded(&p).utc_minus_tai.ns, INT64_C(-32768000000000));
}

static void test_each_flag_means_its_field(void **state)
{
	(void)state;
	struct page_bytes p = page_of_time();

	for (unsigned bit = 0; bit < 64; bit++) {
		page_put(&p, PAGE_FLAGS, UINT64_C(1) << bit);

		struct vmclock_page page = decoded(&p);

		assert_int_equal(page.has_tai_offset, bit == 0);
		assert_int_equal(page.has_period_error, bit == 4);
		assert_int_equal(page.has_time_error, bit == 6);
		assert_int_equal(page.has_generation, bit == 8);
		assert_int_equal(page.is_notified, bit == 9);
	}
}

/* Bytes behind the size, and behind what there is, are never looked at. */
static void test_the_size_decides_of_the_generation(void **state)
{
	(void)state;
	struct page_bytes p = page_of_time();
	struct vmclock_page page;

	for (uint32_t size = 0x60; size <= 0x78; size++) {
		page_put(&p, 0x04, 4, size);

		enum vmclock_outcome got = vmclock_decode(p.b, sizeof p.b, &page);

		assert_int_equal(got, size < 0x68 ? VMCLOCK_TOO_SMALL : VMCLOCK_READ);
		if (got == VMCLOCK_READ)
			assert_int_equal(page.has_generation, size >= 0x70);
	}
	page_put(&p, 0x04, 4, 0x1000);
	for (size_t length = 0x60; length <= 0x78; length++) {
		unsigned char exact[0x78];

		memcpy(exact, p.b, sizeof exact);
		enum vmclock_outcome got = vmclock_decode(exact, length, &page);

		assert_int_equal(got, length < 0x68 ? VMCLOCK_TOO_SMALL : VMCLOCK_READ);
		if (got == VMCLOCK_READ)
			assert_int_equal(page.has_generation, length >= 0x70);
	}
}

static void test_what_is_no_page(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		size_t at, n;
		uint64_t value;
		enum vmclock_outcome want;
	} cases[] = {
		{ "another magic",     0x00, 4, 0x4b4c4355, VMCLOCK_NO_MAGIC },
		{ "big-endian magic",  0x00, 4, 0x56434c4b, VMCLOCK_NO_MAGIC },
		{ "nothing",           0x00, 4, 0,          VMCLOCK_NO_MAGIC },
		{ "size 0",            0x04, 4, 0,          VMCLOCK_TOO_SMALL },
		{ "size to the error", 0x04, 4, 0x67,       VMCLOCK_TOO_SMALL },
		{ "version 0",         0x08, 2, 0,          VMCLOCK_BAD_VERSION },
		{ "version 2",         0x08, 2, 2,          VMCLOCK_BAD_VERSION },
		{ "version 99",        0x08, 2, 99,         VMCLOCK_BAD_VERSION },
		{ "version 257",       0x08, 2, 257,        VMCLOCK_BAD_VERSION },
		{ "odd",               0x0c, 4, 3,          VMCLOCK_WRITING },
		{ "odd for ever",      0x0c, 4, UINT32_MAX, VMCLOCK_WRITING },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct page_bytes p = page_of_time();
		struct vmclock_page page = { .marker = 4711 };

		page_put(&p, cases[i].at, cases[i].n, cases[i].value);
		enum vmclock_outcome got = vmclock_decode(p.b, sizeof p.b, &page);

		if (got != cases[i].want)
			fail_msg("%s: got %d, want %d", cases[i].what, got, cases[i].want);
		assert_int_equal(page.marker, 4711); /* output untouched on refusal */
		assert_true(*vmclock_explain(got));
	}
}

static void test_what_is_no_clock(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		size_t at, n;
		uint64_t value;
		enum vmclock_clock want;
	} cases[] = {
		{ "as it is",              0x0b, 1, 0,     VMCLOCK_CLOCK },
		{ "TAI",                   0x0b, 1, 1,     VMCLOCK_CLOCK },
		{ "free-running",          0x22, 1, 3,     VMCLOCK_CLOCK },
		{ "no counter",            0x0a, 1, 0xff,  VMCLOCK_WITHOUT_TIME },
		{ "Arm's counter",         0x0a, 1, 0,     VMCLOCK_OTHER_COUNTER },
		{ "a counter to come",     0x0a, 1, 2,     VMCLOCK_OTHER_COUNTER },
		{ "monotonic",             0x0b, 1, 2,     VMCLOCK_NOT_UTC },
		{ "smeared",               0x0b, 1, 3,     VMCLOCK_NOT_UTC },
		{ "smeared, the other",    0x0b, 1, 4,     VMCLOCK_NOT_UTC },
		{ "a type to come",        0x0b, 1, 5,     VMCLOCK_NOT_UTC },
		{ "status unknown",        0x22, 1, 0,     VMCLOCK_NOT_TRUSTED },
		{ "initializing",          0x22, 1, 1,     VMCLOCK_NOT_TRUSTED },
		{ "unreliable",            0x22, 1, 4,     VMCLOCK_NOT_TRUSTED },
		{ "a status to come",      0x22, 1, 5,     VMCLOCK_NOT_TRUSTED },
		{ "no error of the time",  0x18, 8, 0x11,  VMCLOCK_WITHOUT_ERROR },
		{ "... of the period",     0x18, 8, 0x41,  VMCLOCK_WITHOUT_ERROR },
		{ "estimates are none",    0x18, 8, 0x29,  VMCLOCK_WITHOUT_ERROR },
		{ "stands still",          0x30, 8, 0,     VMCLOCK_IMPOSSIBLE },
		{ "shift 64",              0x27, 1, 64,    VMCLOCK_IMPOSSIBLE },
		{ "shift 255",             0x27, 1, 255,   VMCLOCK_IMPOSSIBLE },
		{ "shift 63",              0x27, 1, 63,    VMCLOCK_CLOCK },
		{ "leap second now",       0x26, 1, 3,     VMCLOCK_LEAPING },
		{ "leap second to come",   0x26, 1, 1,     VMCLOCK_CLOCK },
		{ "leap second over",      0x26, 1, 4,     VMCLOCK_CLOCK },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct page_bytes p = page_of_time();

		page_put(&p, cases[i].at, cases[i].n, cases[i].value);
		struct vmclock_page page = decoded(&p);
		enum vmclock_clock got = vmclock_as_clock(&page, VMCLOCK_X86_TSC);

		if (got != cases[i].want)
			fail_msg("%s: got %d, want %d", cases[i].what, got, cases[i].want);
		assert_true(*vmclock_explain_clock(got));
	}

	struct page_bytes p = page_of_time();

	/* TAI without the way to UTC, and in a leap second, which TAI does not have. */
	page_put(&p, 0x0b, 1, 1);
	page_put(&p, 0x26, 1, 3);
	struct vmclock_page page = decoded(&p);
	assert_int_equal(vmclock_as_clock(&page, VMCLOCK_X86_TSC), VMCLOCK_CLOCK);
	page_put(&p, PAGE_FLAGS, 0x50);
	page = decoded(&p);
	assert_int_equal(vmclock_as_clock(&page, VMCLOCK_X86_TSC), VMCLOCK_NOT_UTC);
	/* A program that can read none. */
	assert_int_equal(vmclock_as_clock(&page, VMCLOCK_NO_COUNTER), VMCLOCK_OTHER_COUNTER);
}

/*
 * The expected values come from integers of any size:
 *
 *     t = (s << 64) + fraction + ((value - counter_value) * period >> shift)
 *     ns = (t >> 64) * 10**9 + ((t % 2**64) * 10**9 >> 64)
 *     radius = error + 2 + ((value - counter_value) * period_error >> shift) * 10**9 >> 64
 */
static void test_the_time_at_a_count(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		uint64_t value, counter_value, period;
		unsigned shift;
		uint64_t s, fraction, error_ns, period_error;
		int64_t want_ns, want_radius_ns;
	} cases[] = {
		{ "at the reference", 1000000000000, 1000000000000, 7922816251426433759, 30,
		  1795452803, UINT64_C(1) << 63, 1500, 396140812571,
		  1795452803500000000, 1502 },
		{ "a second later", 1002500000000, 1000000000000, 7922816251426433759, 30,
		  1795452803, UINT64_C(1) << 63, 1500, 396140812571,
		  1795452804499999999, 1551 },
		{ "ten days later, 50 ppm", 2161000000000001, 1000000000000, 7922816251426433759, 30,
		  1795452803, UINT64_MAX, 1500, 396140812571321,
		  1796316804000000000, 43200001501 },
		{ "every bit", UINT64_MAX, 0, UINT64_MAX, 63, 0, 0, 0, 1,
		  /* (2^64-1)^2 >> 63: two seconds, less 2^-62 s */
		  1999999999, 2 },
		{ "half a second a count", 7, 0, UINT64_C(1) << 63, 0, 1, UINT64_C(1) << 63, 0, 0,
		  5000000000, 2 },
		{ "the last that fits", 0, 0, 1, 0, 9223372036, UINT64_C(15767830533680805393), 0, 0,
		  INT64_C(9223372036854775806), 2 },
		{ "an error without end", UINT64_C(1) << 40, 0, 1, 0, 1, 0, 0, UINT64_MAX,
		  1000000059, INT64_MAX },
		{ "an error beyond all", 0, 0, 1, 0, 1, 0, UINT64_MAX, 0, 1000000000, INT64_MAX },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct vmclock_page page = {
			.time_type = VMCLOCK_UTC, .utc_minus_tai = VT_SEC(-37),
			.counter_value = cases[i].counter_value, .period = cases[i].period,
			.period_shift = cases[i].shift, .period_error = cases[i].period_error,
			.time_s = cases[i].s, .time_fraction = cases[i].fraction,
			.time_error_ns = cases[i].error_ns,
		};
		vt_span radius;
		vt_real at;

		assert_true(vmclock_time_at(&page, cases[i].value, &at, &radius));
		if (at.ns != cases[i].want_ns || radius.ns != cases[i].want_radius_ns)
			fail_msg("%s: %" PRId64 " +- %" PRId64, cases[i].what, at.ns, radius.ns);
		/* TAI is the same, but for the seconds between the two. */
		page.time_type = VMCLOCK_TAI;
		assert_true(vmclock_time_at(&page, cases[i].value, &at, &radius));
		assert_int_equal(at.ns, cases[i].want_ns - 37000000000);
	}
}

static void test_no_time_at_such_a_count(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		uint64_t value, counter_value, period, s;
	} cases[] = {
		{ "before the reference",      99, 100, 1, 1 },
		{ "long before it",            0, UINT64_MAX, 1, 1 },
		{ "too many seconds",          100, 100, 1, 9223372037 },
		{ "far too many",              100, 100, 1, UINT64_MAX },
		{ "seconds that run over",     UINT64_MAX, 0, UINT64_MAX, 2 },
		{ "a carry that runs over",    2, 0, UINT64_C(1) << 63, UINT64_MAX },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct vmclock_page page = {
			.counter_value = cases[i].counter_value, .period = cases[i].period,
			.time_s = cases[i].s,
		};
		vt_span radius = { -8 };
		vt_real at = { -7 };

		if (vmclock_time_at(&page, cases[i].value, &at, &radius))
			fail_msg("%s: %" PRId64, cases[i].what, at.ns);
		assert_true(at.ns == -7 && radius.ns == -8); /* outputs untouched on refusal */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_page_is_taken_apart),
		cmocka_unit_test(test_each_flag_means_its_field),
		cmocka_unit_test(test_the_size_decides_of_the_generation),
		cmocka_unit_test(test_what_is_no_page),
		cmocka_unit_test(test_what_is_no_clock),
		cmocka_unit_test(test_the_time_at_a_count),
		cmocka_unit_test(test_no_time_at_such_a_count),
	};

	return cmocka_run_group_tests_name("vmclock_page", tests, NULL, NULL);
}
