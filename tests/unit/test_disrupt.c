/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/disrupt.h"

#define NOW INT64_C(1800000000000000000) /* 2027 */

/* At @ms, of a source that is @off_ns ahead of one that runs as fast as we do. */
static struct reading at(int64_t ms, int64_t off_ns, int64_t radius_ns)
{
	return (struct reading){
		.raw = { 7000000000 + ms * 1000000 },
		.remote = { NOW + ms * 1000000 + off_ns },
		.radius = { radius_ns },
	};
}

/* Has followed such a source for 60 s; its latest reading was at 0 ms. */
static struct estimator settled(int64_t radius_ns)
{
	struct estimator e;

	estimator_init(&e, (vt_rate){ 0 }, VT_PPM(50));
	for (int64_t s = -60; s <= 0; s++) {
		struct reading r = at(1000 * s, 0, radius_ns);

		(void)estimator_update(&e, &r);
	}
	return e;
}

struct sequence {
	const char *what;
	int64_t radius_ns;
	int n;
	struct {
		int64_t ms, off_ns;
		enum disrupt_verdict want;
	} readings[8];
};

#define QUIET     DISRUPT_QUIET
#define SUSPECTED DISRUPT_SUSPECTED
#define AGAIN     DISRUPT_AGAIN
#define DISMISSED DISRUPT_DISMISSED
#define JUMPED    DISRUPT_JUMPED
#define SLEWED    DISRUPT_SLEWED
#define HOUR      INT64_C(3600000000000)
static const struct sequence SEQUENCES[] = {
	{ "nothing happens", 0, 1, { { 1000, 3, QUIET } } },
	{ "a crystal 90 ppm off", 0, 1, { { 1000, 90000, QUIET } } },
	{ "a minute in the dark", 0, 1, { { 60000, -5000000, QUIET } } },
	{ "a pause",
	  0,
	  3,
	  { { 1000, HOUR, SUSPECTED }, { 1050, HOUR, SUSPECTED }, { 1100, HOUR + 3, JUMPED } } },
	{ "back",
	  0,
	  3,
	  { { 1000, -HOUR, SUSPECTED }, { 1050, -HOUR, SUSPECTED }, { 1100, -HOUR, JUMPED } } },
	{ "small",
	  0,
	  3,
	  { { 1000, 130000, SUSPECTED }, { 1050, 130002, SUSPECTED }, { 1100, 130004, JUMPED } } },
	{ "small soon",
	  0,
	  3,
	  { { 63, 40000, SUSPECTED }, { 113, 40000, SUSPECTED }, { 163, 40000, JUMPED } } },
	{ "to another crystal",
	  0,
	  3,
	  { { 1000, HOUR, SUSPECTED },
	    { 1050, HOUR + 2500, SUSPECTED },
	    { 1100, HOUR + 5000, JUMPED } } },
	{ "an outlier", 0, 2, { { 1000, HOUR, SUSPECTED }, { 1050, 2, DISMISSED } } },
	{ "two outliers alike",
	  0,
	  3,
	  { { 1000, HOUR, SUSPECTED }, { 1050, HOUR, SUSPECTED }, { 1100, 2, DISMISSED } } },
	{ "after an outlier all is well",
	  0,
	  3,
	  { { 1000, HOUR, SUSPECTED }, { 1050, 2, DISMISSED }, { 2050, 2, QUIET } } },
	{ "another jump before three agree",
	  0,
	  5,
	  { { 1000, HOUR, SUSPECTED },
	    { 1050, HOUR, SUSPECTED },
	    { 1100, 2 * HOUR, AGAIN },
	    { 1150, 2 * HOUR, SUSPECTED },
	    { 1200, 2 * HOUR, JUMPED } } },
	{ "never twice the same",
	  0,
	  4,
	  { { 1000, HOUR, SUSPECTED },
	    { 1050, -HOUR, AGAIN },
	    { 1100, 3 * HOUR, AGAIN },
	    { 1150, HOUR, AGAIN } } },
	{ "a bend",
	  0,
	  3,
	  { { 1000, HOUR, SUSPECTED }, { 1050, HOUR, SUSPECTED }, { 1100, HOUR + 40000, AGAIN } } },
	{ "too late to agree",
	  0,
	  4,
	  { { 1000, HOUR, SUSPECTED },
	    { 1200, HOUR, SUSPECTED },
	    { 1400, HOUR, SUSPECTED },
	    { 1440, HOUR, JUMPED } } },
	{ "always late, but six in a row",
	  0,
	  6,
	  { { 1000, HOUR, SUSPECTED },
	    { 1400, HOUR, SUSPECTED },
	    { 1800, HOUR, SUSPECTED },
	    { 2200, HOUR, SUSPECTED },
	    { 2600, HOUR, SUSPECTED },
	    { 3000, HOUR, JUMPED } } },
	{ "slewed by 1000 ppm all the time",
	  0,
	  3,
	  { { 1000, 1000000, SUSPECTED },
	    { 1050, 1050000, SUSPECTED },
	    { 1100, 1100000, SLEWED } } },
	{ "since a moment ago",
	  0,
	  3,
	  { { 1000, 300000, SUSPECTED }, { 1050, 350000, SUSPECTED }, { 1100, 400000, SLEWED } } },
	{ "slewed back at 10 %",
	  0,
	  3,
	  { { 1000, -90000000, SUSPECTED },
	    { 1050, -95000000, SUSPECTED },
	    { 1100, -100000000, SLEWED } } },
	{ "faster than any clock",
	  0,
	  2,
	  { { 1000, 300000000, SUSPECTED }, { 1050, 315000000, AGAIN } } },
	{ "slewed, and a jump besides",
	  0,
	  3,
	  { { 1000, 9000000, SUSPECTED },
	    { 1050, 9050000, SUSPECTED },
	    { 1100, 9100000, JUMPED } } },
	{ "slewed, the jump against it",
	  0,
	  3,
	  { { 1000, -500000, SUSPECTED },
	    { 1050, -450000, SUSPECTED },
	    { 1100, -400000, JUMPED } } },
	{ "within its wide brackets", 500000, 1, { { 1000, 480000, QUIET } } },
	{ "beyond them",
	  1000,
	  3,
	  { { 1000, 400000, SUSPECTED }, { 1050, 400900, SUSPECTED }, { 1100, 399100, JUMPED } } },
};

static void test_sequences(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof SEQUENCES / sizeof *SEQUENCES; i++) {
		const struct sequence *s = &SEQUENCES[i];
		struct estimator e = settled(s->radius_ns);
		struct disrupt d;

		disrupt_init(&d);
		for (int n = 0; n < s->n; n++) {
			struct reading r =
				at(s->readings[n].ms, s->readings[n].off_ns, s->radius_ns);
			enum disrupt_verdict got = disrupt_judge(&d, &e, &r);

			if (got != s->readings[n].want)
				fail_msg("%s: reading %d: %d", s->what, n, (int)got);
			if (got == DISRUPT_QUIET || got == DISRUPT_DISMISSED) {
				(void)estimator_update(&e, &r);
				assert_int_equal(d.n, 0);
			}
		}
	}
}

static void test_what_is_confirmed(void **state)
{
	(void)state;
	struct estimator e = settled(0);
	struct disrupt d;
	struct reading r[4] = { at(800, HOUR, 0), at(850, -HOUR, 0), at(900, -HOUR + 50000, 0),
		                at(950, -HOUR + 100000, 0) };

	disrupt_init(&d);
	assert_int_equal(disrupt_judge(&d, &e, &r[0]), DISRUPT_SUSPECTED);
	assert_int_equal(disrupt_judge(&d, &e, &r[1]), DISRUPT_AGAIN);
	assert_int_equal(disrupt_judge(&d, &e, &r[2]), DISRUPT_SUSPECTED);
	assert_int_equal(disrupt_judge(&d, &e, &r[3]), DISRUPT_JUMPED);
	assert_true(fabs(disrupt_rate(&d).ppb - 1e6) < 1); /* 50 us in 50 ms: 1000 ppm */
	assert_int_equal(d.noticed.ns, r[0].raw.ns);       /* not when it began anew */
	assert_int_equal(d.since.ns, at(0, 0, 0).raw.ns);
}

static void test_first_reading_is_nobodys_business(void **state)
{
	(void)state;
	struct estimator e;
	struct disrupt d;
	struct reading r = at(0, HOUR, 0);

	estimator_init(&e, (vt_rate){ 0 }, VT_PPM(50));
	disrupt_init(&d);
	assert_int_equal(disrupt_judge(&d, &e, &r), DISRUPT_QUIET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_what_is_confirmed),
		cmocka_unit_test(test_first_reading_is_nobodys_business),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
