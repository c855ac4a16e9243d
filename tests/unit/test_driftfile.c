/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "wire/driftfile.h"

static void test_decode(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		const char *text;
		enum driftfile_outcome want;
		double fast_ppb, skew_ppb;
	} cases[] = {
		{ "as chrony writes it",  "           -12.345678             0.043210\n",
		  DRIFTFILE_READ, -12345.678, 43.21 },
		{ "no line break",        "1.5 0.25",         DRIFTFILE_READ, 1500, 250 },
		{ "CR LF",                "1.5 0.25\r\n",     DRIFTFILE_READ, 1500, 250 },
		{ "exponent",             "1e1 2.5e-1\n",     DRIFTFILE_READ, 10000, 250 },
		{ "blank lines about it", "\n\n 1 2 \n\n",    DRIFTFILE_READ, 1000, 2000 },
		{ "the limits",           "-100000 100000\n", DRIFTFILE_READ, -1e8, 1e8 },
		{ "nothing",              "",                 DRIFTFILE_EMPTY, 0, 0 },
		{ "blanks",               " \n\t\n",          DRIFTFILE_EMPTY, 0, 0 },
		{ "one number",           "1.5\n",            DRIFTFILE_CORRUPT, 0, 0 },
		{ "three numbers",        "1.5 2 3\n",        DRIFTFILE_CORRUPT, 0, 0 },
		{ "two lines",            "1.5 2\n1.5 2\n",   DRIFTFILE_CORRUPT, 0, 0 },
		{ "one number a line",    "1.5\n2\n",         DRIFTFILE_CORRUPT, 0, 0 },
		{ "words",                "fast slow\n",      DRIFTFILE_CORRUPT, 0, 0 },
		{ "not a number",         "nan 1\n",          DRIFTFILE_CORRUPT, 0, 0 },
		{ "infinity",             "inf 1\n",          DRIFTFILE_CORRUPT, 0, 0 },
		{ "hexadecimal",          "0x1p3 1\n",        DRIFTFILE_CORRUPT, 0, 0 },
		{ "decimal comma",        "1,5 0,2\n",        DRIFTFILE_CORRUPT, 0, 0 },
		{ "too fast",             "100000.1 1\n",     DRIFTFILE_OUT_OF_RANGE, 0, 0 },
		{ "too slow",             "-100000.1 1\n",    DRIFTFILE_OUT_OF_RANGE, 0, 0 },
		{ "negative skew",        "1 -0.1\n",         DRIFTFILE_OUT_OF_RANGE, 0, 0 },
		{ "huge",                 "1 1e299\n",        DRIFTFILE_OUT_OF_RANGE, 0, 0 },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct drift drift = { { -7 }, { -7 } };
		enum driftfile_outcome got =
			driftfile_decode(cases[i].text, strlen(cases[i].text), &drift);

		if (got != cases[i].want)
			fail_msg("%s: got %d, want %d", cases[i].what, got, cases[i].want);
		if (got != DRIFTFILE_READ) {
			assert_true(drift.fast.ppb == -7 && drift.skew.ppb == -7);
		} else if (fabs(drift.fast.ppb - cases[i].fast_ppb) > 1e-6 ||
			   fabs(drift.skew.ppb - cases[i].skew_ppb) > 1e-6) {
			fail_msg("%s: got %.9f and %.9f", cases[i].what, drift.fast.ppb,
				 drift.skew.ppb);
		}
	}
}

/* What a power cut leaves: the length is there, the content is not. */
static void test_zero_bytes_are_corrupt(void **state)
{
	(void)state;
	char text[42] = { 0 };
	struct drift drift = { { -7 }, { -7 } };

	assert_int_equal(driftfile_decode(text, sizeof text, &drift), DRIFTFILE_CORRUPT);
	assert_true(drift.fast.ppb == -7);
}

static void test_a_long_file_is_no_drift_file(void **state)
{
	(void)state;
	char text[DRIFTFILE_MAX + 1];
	struct drift drift = { { -7 }, { -7 } };

	memset(text, ' ', sizeof text);
	memcpy(text, "1 2", 3);
	assert_int_equal(driftfile_decode(text, sizeof text, &drift), DRIFTFILE_CORRUPT);
	assert_true(drift.fast.ppb == -7);
	assert_int_equal(driftfile_decode(text, DRIFTFILE_MAX, &drift), DRIFTFILE_READ);
}

static void test_encode_writes_chronys_columns(void **state)
{
	(void)state;
	char text[DRIFTFILE_MAX];
	struct drift drift = { { -12345.6784 }, { 0.0004 } };
	size_t n = driftfile_encode(&drift, text);
	static const char want[] = "          -12.345678             0.000000\n";

	assert_int_equal(n, strlen(want));
	assert_memory_equal(text, want, n);
}

static void test_encode_decode(void **state)
{
	(void)state;
	/* The sixth decimal of a ppm, in ppb. */
	const double resolution = 0.001;

	for (double ppb = -1e8; ppb <= 1e8; ppb = ppb * (ppb < 0 ? 0.7 : 1.4) + 0.0123) {
		struct drift in = { { ppb }, { fabs(ppb) / 3 } }, out;
		char text[DRIFTFILE_MAX];
		size_t n = driftfile_encode(&in, text);

		assert_int_equal(driftfile_decode(text, n, &out), DRIFTFILE_READ);
		assert_true(fabs(out.fast.ppb - ppb) <= resolution);
		assert_true(fabs(out.skew.ppb - in.skew.ppb) <= resolution);
	}
}

static void test_encode_never_writes_what_decode_refuses(void **state)
{
	(void)state;
	static const double odd[] = { NAN, INFINITY, -INFINITY, 1e300, -1e300, -0.0, 1e8, -1e8 };

	for (size_t i = 0; i < COUNT(odd); i++)
		for (size_t j = 0; j < COUNT(odd); j++) {
			struct drift in = { { odd[i] }, { odd[j] } }, out;
			char text[DRIFTFILE_MAX];
			size_t n = driftfile_encode(&in, text);

			assert_int_equal(driftfile_decode(text, n, &out), DRIFTFILE_READ);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_zero_bytes_are_corrupt),
		cmocka_unit_test(test_a_long_file_is_no_drift_file),
		cmocka_unit_test(test_encode_writes_chronys_columns),
		cmocka_unit_test(test_encode_decode),
		cmocka_unit_test(test_encode_never_writes_what_decode_refuses),
	};

	return cmocka_run_group_tests_name("driftfile", tests, NULL, NULL);
}
