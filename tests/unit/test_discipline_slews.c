/* SPDX-License-Identifier: Apache-2.0 */
/* How 100 us are slewed away when wake-ups are late.  Prints its figures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "living.h"

#define SEEDS  60
#define OFFSET VT_US(100)

enum begin {
	BEGIN_FIRST, /* the first reading shows it        */
	BEGIN_SET,   /* somebody moved our clock          */
	BEGIN_JUMP,  /* the source was stepped            */
};

struct figure {
	double overshoot; /* share of the offset                                  */
	unsigned readings; /* from the worst overshoot until within 5 % again      */
	double seconds;   /* until within 1 us for good                           */
};

static void steal(struct world *w)
{
	for (int n = 0; n < 12; n++)
		world_plan(w, (struct world_change){
				      .at = vt_mono_add(w->now, vt_span_from_ns(
								1e9 * (n * 0.7 + 0.1 * world_uniform(w)))),
				      .kind = WORLD_STEAL,
				      .span = VT_MS(300) });
}

static void begin(struct world *w, enum begin how, bool is_stolen, int dpoll)
{
	struct source_conf source = SOURCE_CONF_DEFAULT;
	struct discipline_conf conf = world_conf(false);

	source.is_dpoll_given = dpoll != 0;
	source.dpoll = dpoll;
	if (how == BEGIN_FIRST) {
		w->local.ns += OFFSET.ns;
		if (is_stolen)
			steal(w);
		world_start(w, &conf, &source, 1);
		return;
	}
	world_start(w, &conf, &source, 1);
	world_run(w, VT_SEC(30));
	world_run(w, vt_span_from_ns(1e9 * world_uniform(w)));
	if (is_stolen)
		steal(w);
	world_plan(w, (struct world_change){ .at = w->now,
		                             .kind = how == BEGIN_SET ? WORLD_SET : WORLD_JUMP,
		                             .span = { how == BEGIN_SET ? OFFSET.ns : -OFFSET.ns } });
}

static struct figure live(enum begin how, double lateness, bool is_stolen, int dpoll,
                          uint64_t seed)
{
	struct figure figure = { 0 };
	struct world w;
	double worst = 0;
	unsigned reads = 0;
	bool is_back = true;
	vt_mono began;

	world_init(&w, seed, VT_NS(0));
	w.reference_ppb = 10e3;
	w.lateness = lateness;
	begin(&w, how, is_stolen, dpoll);
	began = w.now;
	for (int ms = 0; ms < 20000; ms++) {
		double error;

		world_run(&w, VT_MS(1));
		error = world_error_ns(&w);
		if (-error > worst) {
			worst = -error;
			reads = w.sources[0].reads;
			is_back = false;
		}
		if (!is_back && -error <= 0.05 * (double)OFFSET.ns) {
			is_back = true;
			figure.readings = w.sources[0].reads - reads > figure.readings
			                          ? w.sources[0].reads - reads
			                          : figure.readings;
		}
		if (fabs(error) > 1000)
			figure.seconds = vt_span_seconds(vt_mono_since(w.now, began));
	}
	assert_int_equal(w.violations, 0);
	assert_int_equal(w.clock.steps, 0);
	figure.overshoot = worst / (double)OFFSET.ns;
	return figure;
}

static void test_overshoot(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		enum begin  how;
		double      lateness;
		bool        is_stolen;
		double      most;
		int         dpoll;
	} cases[] = {
		{ "first reading, in time", BEGIN_FIRST, 0,   false, 0.02, 0 },
		{ "first reading, late",    BEGIN_FIRST, 0.1, false, 0.05, 0 },
		{ "first reading, stolen",  BEGIN_FIRST, 0.1, true,  0.30, 0 },
		{ "set away, in time",      BEGIN_SET,   0,   false, 0.02, 0 },
		{ "set away, late",         BEGIN_SET,   0.1, false, 0.05, 0 },
		{ "set away, stolen",       BEGIN_SET,   0.1, true,  0.30, 0 },
		{ "source's step, in time", BEGIN_JUMP,  0,   false, 0.05, 0 },
		{ "source's step, late",    BEGIN_JUMP,  0.1, false, 0.05, 0 },
		{ "source's step, stolen",  BEGIN_JUMP,  0.1, true,  0.30, 0 },
		{ "set away, dpoll 2",      BEGIN_SET,   0.1, true,  0.30, 2 },
		{ "source's, dpoll 2",      BEGIN_JUMP,  0.1, false, 0.05, 2 },
	};
	/* clang-format on */
	bool is_good = true;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct figure worst = { 0 };

		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			struct figure figure =
				live(cases[i].how, cases[i].lateness, cases[i].is_stolen,
				     cases[i].dpoll, seed);

			worst.overshoot = fmax(worst.overshoot, figure.overshoot);
			worst.readings = worst.readings > figure.readings ? worst.readings
			                                                  : figure.readings;
			worst.seconds = fmax(worst.seconds, figure.seconds);
		}
		printf("%-24s overshoot %5.1f %% (at most %2.0f), %u readings, %.2f s to 1 us\n",
		       cases[i].what, 100 * worst.overshoot, 100 * cases[i].most, worst.readings,
		       worst.seconds);
		if (worst.overshoot > cases[i].most)
			is_good = false;
	}
	assert_true(is_good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overshoot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
