/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/tai.h"

/* Three of the steps that were made. */
static const char TABLE[] = "#\tleap seconds since\n"
                            "#$\t3676924800\n"
                            "#@\t4000000000\n"
                            "\n"
                            "2272060800\t10\t# 1 Jan 1972\n"
                            "3644697600 36 # 1 Jul 2015\r\n"
                            "  3692217600\t37\t# 1 Jan 2017\n"
                            "#h\t1 2 3 4 5\n";

static int look_up(const char *table, int64_t unix_s, int *ret)
{
	return tai_look_up(table, strlen(table), (vt_real){ unix_s * 1000000000 }, ret);
}

static void test_look_up(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		int64_t at_s;
		int want; /* 0: nobody knows */
	} cases[] = {
		{ "a guest that woke in 1970", 0, 0 },
		{ "the second before 1972", 63071999, 0 },
		{ "1972", 63072000, 10 },
		{ "the second before 2017", 1483228799, 36 },
		{ "2017", 1483228800, 37 },
		{ "today", 1795445559, 37 },
		{ "past the expiry date", 4000000000, 37 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int seconds = -7;
		int r = look_up(TABLE, cases[i].at_s, &seconds);

		if (r != (cases[i].want ? 0 : -ENODATA) || seconds != (cases[i].want ? cases[i].want : -7))
			fail_msg("%s: %d, %d", cases[i].what, r, seconds);
	}
}

static void test_tables_that_are_none(void **state)
{
	(void)state;
	static const struct {
		const char *table;
		int want;
	} cases[] = {
		{ "", -ENODATA },
		{ "\n\n# nothing\n", -ENODATA },
		{ "2272060800\n", -EBADMSG },
		{ "2272060800 ten\n", -EBADMSG },
		{ "x 10\n", -EBADMSG },
		{ "2272060800 10 11\n", -EBADMSG },
		{ "2272060800 -10\n", -EBADMSG },
		{ "2272060800 99999\n", -EBADMSG },
		{ "99999999999999999999 10\n", -EBADMSG },
		{ "3692217600 37\n2272060800 10\n", -EBADMSG },
		{ "2272060800 10\n2272060800 11\n", -EBADMSG },
		{ "<html>not found</html>\n", -EBADMSG },
		{ "-9223372036854775808 10\n", -EBADMSG },
		{ "9223372036854775807 10\n", -ENODATA }, /* far off, and no overflow */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int seconds = -7;
		int r = look_up(cases[i].table, 1795445559, &seconds);

		if (r != cases[i].want || seconds != -7)
			fail_msg("%s: %d, %d", cases[i].table, r, seconds);
	}
}

/* Every prefix of a good table, read with no byte to spare behind it. */
static void test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof TABLE; n++) {
		char *part = malloc(n + 1);
		int seconds = -7;

		assert_non_null(part);
		memcpy(part, TABLE, n);
		int r = tai_look_up(part, n, (vt_real){ INT64_C(1795445559000000000) }, &seconds);
		assert_true(r == 0 ? seconds >= 0 && seconds <= 37 : seconds == -7);
		free(part);
	}
}

struct fake {
	int error;
	int tai;
};

static int fake_adjtimex(void *context, struct timex *t)
{
	const struct fake *f = context;

	assert_int_equal(t->modes, 0);
	if (f->error)
		return -f->error;
	*t = (struct timex){ .tai = f->tai };
	return TIME_ERROR;
}

static void test_kernel_first_then_the_file(void **state)
{
	(void)state;
	struct fake fake = { 0, 38 };
	struct os_calls calls = { .context = &fake, .adjtimex = fake_adjtimex };
	const vt_real now = { INT64_C(1795445559000000000) };
	char path[] = "/tmp/vmtime-test-tai-XXXXXX";
	int seconds = -7;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, TABLE, sizeof TABLE - 1), sizeof TABLE - 1);
	assert_int_equal(tai_minus_utc(&calls, path, now, &seconds), 0);
	assert_int_equal(seconds, 38);
	fake.tai = 0;
	assert_int_equal(tai_minus_utc(&calls, path, now, &seconds), 0);
	assert_int_equal(seconds, 37);
	fake = (struct fake){ ENOSYS, 38 };
	seconds = -7;
	assert_int_equal(tai_minus_utc(&calls, path, (vt_real){ 0 }, &seconds), -ENODATA);
	assert_int_equal(tai_minus_utc(&calls, "/no/such/file", now, &seconds), -ENODATA);
	/* A table that is not one, and one without end. */
	assert_int_equal(ftruncate(fd, 70000), 0);
	assert_int_equal(tai_minus_utc(&calls, path, now, &seconds), -ENODATA);
	assert_int_equal(tai_minus_utc(&calls, "/dev/zero", now, &seconds), -ENODATA);
	assert_int_equal(seconds, -7);
	close(fd);
	unlink(path);
}

static void test_this_machines_table(void **state)
{
	(void)state;
	struct fake fake = { ENOSYS, 0 };
	struct os_calls calls = { .context = &fake, .adjtimex = fake_adjtimex };
	int seconds = -7;

	assert_int_equal(tai_minus_utc(&calls, TAI_TABLE_PATH,
	                               (vt_real){ INT64_C(1600000000000000000) }, &seconds), 0);
	assert_int_equal(seconds, 37);
	/* The real kernel may not have been told; the table has. */
	assert_int_equal(tai_minus_utc(NULL, TAI_TABLE_PATH,
	                               (vt_real){ INT64_C(1600000000000000000) }, &seconds), 0);
	assert_int_equal(seconds, 37);
}

/* It needs something of this machine: a group of its own, skipped as a whole. */
static int run_on_this_machine(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_this_machines_table),
	};

	if (access(TAI_TABLE_PATH, R_OK) < 0) {
		printf("skipped: there is no " TAI_TABLE_PATH " here\n");
		return 77;
	}
	return cmocka_run_group_tests_name("tai-table", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look_up),
		cmocka_unit_test(test_tables_that_are_none),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_kernel_first_then_the_file),
	};

	if (argc > 1 && strcmp(argv[1], "machine") == 0)
		return run_on_this_machine();
	return cmocka_run_group_tests_name("tai", tests, NULL, NULL);
}
