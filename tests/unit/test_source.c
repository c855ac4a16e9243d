/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/source.h"

#define NOW INT64_C(1800000000000000000) /* 2027 */

/* A device that answers as it is told; its clock is @off_ns ahead of ours, which is right. */
struct device {
	struct source_port port;
	enum source_outcome outcome;
	unsigned epoch, n, wanted;
	int64_t raw_ns, off_ns;
};

static enum source_outcome read_device(struct source_port *port, unsigned wanted, struct burst *ret)
{
	struct device *d = (struct device *)port;

	d->wanted = wanted;
	if (d->outcome != SOURCE_READ)
		return d->outcome;
	*ret = (struct burst){
		.method = METHOD_PRECISE,
		.epoch = d->epoch,
		.n = d->n,
		.brackets = { { { d->raw_ns }, { d->raw_ns }, { NOW + d->raw_ns + d->off_ns } } },
		.pair = { .raw = { d->raw_ns }, .local = { NOW + d->raw_ns } },
	};
	return SOURCE_READ;
}

static const struct source_ops OPS = { .read = read_device };

static struct source open_source(struct device *d, const struct source_conf *conf)
{
	struct source s;

	*d = (struct device){ .port.ops = &OPS, .n = 1, .raw_ns = 5000000000 };
	source_init(&s, &d->port, conf, true, (vt_rate){ 0 }, VT_PPM(50));
	return s;
}

static enum source_verdict read_at(struct source *s, struct device *d, int64_t now_ns)
{
	struct source_world world = { .now = { now_ns } };

	d->raw_ns = now_ns + 2000;
	return source_read(s, &world);
}

/* Reads whenever it is due until it has been quiet for long. */
static void settle(struct source *s, struct device *d)
{
	assert_int_equal(read_at(s, d, 5000000000), SOURCE_RESTARTED);
	for (int n = 0; n < 30; n++)
		assert_int_equal(read_at(s, d, s->next_read.ns), SOURCE_STEERS);
	assert_int_equal(s->interval.ns, 1000000000);
	assert_int_equal(s->reach, 0xff);
	assert_true(source_is_usable(s));
}

static void test_outcomes_become_troubles(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		enum source_outcome outcome;
		enum source_trouble trouble;
		int64_t             retry_ms;
		bool                is_passing;
	} cases[] = {
		{ SOURCE_BUSY,    TROUBLE_BUSY,    62,   true  },
		{ SOURCE_BROKEN,  TROUBLE_BROKEN,  62,   true  },
		{ SOURCE_MISSING, TROUBLE_MISSING, 1000, false },
		{ SOURCE_REFUSED, TROUBLE_REFUSED, 1000, false },
		{ SOURCE_DENIED,  TROUBLE_DENIED,  1000, false },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct device d;
		struct source s = open_source(&d, &SOURCE_CONF_DEFAULT);
		struct reading before;

		assert_int_equal(s.trouble, TROUBLE_UNREAD);
		assert_false(source_is_usable(&s));
		settle(&s, &d);
		before = s.latest;
		d.outcome = cases[i].outcome;
		for (unsigned n = 1; n <= 40; n++) {
			vt_span without = vt_mono_since(s.next_read, s.latest.raw);

			assert_int_equal(read_at(&s, &d, s.next_read.ns), SOURCE_FAILED);
			assert_int_equal(s.trouble, cases[i].trouble);
			/* Soon while it may pass; once it is lost, at ease. */
			assert_int_equal(s.interval.ns / 1000000,
			                 source_is_usable(&s) ? cases[i].retry_ms : 1000);
			/* Three failures are not enough, two seconds of them are. */
			assert_int_equal(source_is_usable(&s),
			                 cases[i].is_passing && without.ns < 2000000000);
			assert_int_equal(s.failures, n);
		}
		assert_int_equal(s.reach, 0);
		assert_false(source_is_usable(&s));
		assert_memory_equal(&s.latest, &before, sizeof before);
		d.outcome = SOURCE_READ;
		assert_int_equal(read_at(&s, &d, s.next_read.ns), SOURCE_STEERS);
		assert_true(source_is_usable(&s));
		assert_int_equal(s.failures_in_a_row, 0);
	}
}

static void test_useless_bursts(void **state)
{
	(void)state;
	struct device d;
	struct source s = open_source(&d, &SOURCE_CONF_DEFAULT);

	settle(&s, &d);
	d.n = 0;
	assert_int_equal(read_at(&s, &d, s.next_read.ns), SOURCE_FAILED);
	assert_int_equal(s.trouble, TROUBLE_BROKEN);
	d.n = 1;
	d.off_ns = -NOW;
	assert_int_equal(read_at(&s, &d, s.next_read.ns), SOURCE_FAILED);
	assert_int_equal(s.trouble, TROUBLE_INSANE);
	assert_false(source_is_usable(&s));
}

static void test_tai_needs_its_difference(void **state)
{
	(void)state;
	struct source_conf conf = SOURCE_CONF_DEFAULT;
	struct source_world world = { .now = { 5000000000 } };
	struct device d;
	struct source s;

	conf.is_tai = true;
	conf.offset = VT_NS(-5);
	s = open_source(&d, &conf);
	assert_int_equal(source_read(&s, &world), SOURCE_FAILED);
	assert_int_equal(s.trouble, TROUBLE_NO_TAI);
	world.is_tai_known = true;
	world.utc_minus_tai = VT_SEC(-37);
	assert_int_equal(source_read(&s, &world), SOURCE_RESTARTED);
	assert_int_equal(s.latest.remote.ns, NOW + 5000000000 - 37000000000 - 5);
}

static void test_asks_for_what_the_filter_may_use(void **state)
{
	(void)state;
	static const unsigned filters[][2] = { { 64, BURST_MAX }, { 5, 5 }, { 1, 1 }, { 0, 1 } };

	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
		struct source_conf conf = SOURCE_CONF_DEFAULT;
		struct device d;
		struct source s;

		conf.filter = filters[i][0];
		s = open_source(&d, &conf);
		(void)read_at(&s, &d, 5000000000);
		assert_int_equal(d.wanted, filters[i][1]);
	}
}

static void test_jump_is_confirmed_and_learnt(void **state)
{
	(void)state;
	static const enum source_verdict want[] = { SOURCE_SUSPECTED, SOURCE_SUSPECTED,
		                                    SOURCE_JUMPED, SOURCE_STEERS };
	struct device d;
	struct source s = open_source(&d, &SOURCE_CONF_DEFAULT);
	int64_t last, first;

	settle(&s, &d);
	last = s.latest.raw.ns;
	first = s.next_read.ns + 2000;
	d.off_ns = 10000000000;
	for (size_t n = 0; n < sizeof want / sizeof *want; n++)
		assert_int_equal(read_at(&s, &d, s.next_read.ns), want[n]);
	assert_int_equal(s.jump_noticed.ns, first);
	assert_int_equal(s.jump_blind.ns, first - last);
	assert_int_equal(s.outliers, 0);
	assert_true(llabs(vt_real_since(estimator_remote_at(&s.estimator, s.latest.raw),
	                                s.latest.remote)
	                          .ns) <= 1);
}

static void test_outliers_are_counted(void **state)
{
	(void)state;
	struct device d;
	struct source s = open_source(&d, &SOURCE_CONF_DEFAULT);

	settle(&s, &d);
	d.off_ns = 10000000;
	assert_int_equal(read_at(&s, &d, s.next_read.ns), SOURCE_SUSPECTED);
	assert_int_equal(read_at(&s, &d, s.next_read.ns), SOURCE_SUSPECTED);
	d.off_ns = 0;
	assert_int_equal(read_at(&s, &d, s.next_read.ns), SOURCE_STEERS);
	assert_int_equal(s.outliers, 2);
}

static void test_readings_of_another_time_are_refused(void **state)
{
	(void)state;
	struct device d;
	struct source s = open_source(&d, &SOURCE_CONF_DEFAULT);
	struct source_world world;
	struct reading before;
	unsigned suspects;

	settle(&s, &d);
	/* Not even a suspicion is settled by one. */
	d.off_ns = 10000000;
	assert_int_equal(read_at(&s, &d, s.next_read.ns), SOURCE_SUSPECTED);
	suspects = s.disrupt.n;
	before = s.latest;
	world.now = s.next_read;
	d.off_ns = 0;
	for (unsigned n = 0; n < 2; n++) {
		assert_int_equal(source_read(&s, &world),
		                 SOURCE_FAILED); /* the very same instant */
		assert_int_equal(s.trouble, TROUBLE_BACKWARDS);
		assert_int_equal(s.disrupt.n, suspects);
		assert_memory_equal(&s.latest, &before, sizeof before);
	}
	/* A third in a row: whatever was known cannot be compared with any more. */
	assert_int_equal(source_read(&s, &world), SOURCE_FAILED);
	assert_false(source_is_usable(&s));
	assert_int_equal(read_at(&s, &d, s.next_read.ns), SOURCE_RESTARTED);
	/* And one from long before it was asked for is none, whatever came before it. */
	world.now = (vt_mono){ s.next_read.ns + 5000000000 };
	d.raw_ns = s.next_read.ns;
	assert_int_equal(source_read(&s, &world), SOURCE_FAILED);
	assert_int_equal(s.trouble, TROUBLE_BACKWARDS);
}

static void test_another_epoch_is_not_compared(void **state)
{
	(void)state;
	struct device d;
	struct source s = open_source(&d, &SOURCE_CONF_DEFAULT);

	settle(&s, &d);
	d.epoch++;
	d.off_ns = 30000000;
	assert_int_equal(read_at(&s, &d, s.next_read.ns), SOURCE_RESTARTED);
	assert_int_equal(read_at(&s, &d, s.next_read.ns), SOURCE_STEERS);
	/* A counter that begins anew is no reading that goes backwards. */
	d.epoch++;
	assert_int_equal(read_at(&s, &d, 3000000), SOURCE_RESTARTED);
	assert_int_equal(s.next_read.ns, 13000000);
}

static void test_error_counts_all_that_may_be_wrong(void **state)
{
	(void)state;
	struct source_conf conf = SOURCE_CONF_DEFAULT;
	struct device d;
	struct source s;

	conf.delay = VT_NS(101);
	conf.precision = VT_NS(25);
	s = open_source(&d, &conf);
	(void)read_at(&s, &d, 5000000000);
	s.latest.local_radius = VT_NS(3);
	assert_int_equal(source_error(&s).ns, 51 + 25 + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes_become_troubles),
		cmocka_unit_test(test_useless_bursts),
		cmocka_unit_test(test_tai_needs_its_difference),
		cmocka_unit_test(test_asks_for_what_the_filter_may_use),
		cmocka_unit_test(test_jump_is_confirmed_and_learnt),
		cmocka_unit_test(test_outliers_are_counted),
		cmocka_unit_test(test_readings_of_another_time_are_refused),
		cmocka_unit_test(test_another_epoch_is_not_compared),
		cmocka_unit_test(test_error_counts_all_that_may_be_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
