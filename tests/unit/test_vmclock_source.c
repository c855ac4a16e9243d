/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/counter.h"
#include "os/vmclock_source.h"
#include "sys_tree.h"
#include "vmclock_page.h"

#define RAW_COST_NS   30
#define COUNT_COST_NS 7 /* until the counter is read */

/* At RAW 1000 s the counter shows the page's reference, and it counts at 2.5 GHz. */
#define REFERENCE_RAW_NS INT64_C(1000000000000)
#define REFERENCE_NS     INT64_C(1795452803500000000)

/* The played machine.  The counter has no context of its own. */
static struct {
	int64_t raw_ns;
	int64_t real_ahead_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC_RAW */
	int64_t counter_off;
	struct page_bytes *page;
	bool writes_meanwhile; /* the host changes the page while we read */
	int error;
} machine;

static uint64_t play_counter(void)
{
	uint32_t sequence;

	machine.raw_ns += COUNT_COST_NS;
	if (machine.writes_meanwhile) {
		memcpy(&sequence, machine.page->b + 0x0c, 4);
		page_put(machine.page, PAGE_SEQUENCE, sequence + 2);
	}
	return (uint64_t)((machine.raw_ns - REFERENCE_RAW_NS) * 5 / 2 + INT64_C(1000000000000) +
	                  machine.counter_off);
}

static int play_gettime(void *context, clockid_t id, struct timespec *ret)
{
	int64_t ns;

	(void)context;
	if (machine.error)
		return -machine.error;
	machine.raw_ns += RAW_COST_NS;
	ns = machine.raw_ns + (id == CLOCK_REALTIME ? machine.real_ahead_ns : 0);
	*ret = (struct timespec){ ns / 1000000000, ns % 1000000000 };
	return 0;
}

struct stage {
	struct os_calls calls;
	struct clocksource clocksource;
	struct vmclock_device device;
	struct vmclock_source source;
	struct sys_tree tree;
};

static void stage_init(struct stage *s, const struct page_bytes *page)
{
	int fd = memfd_create("vmclock", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof *page), 0);
	machine.page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(machine.page != MAP_FAILED);
	*machine.page = *page;
	machine.raw_ns = REFERENCE_RAW_NS + INT64_C(1000000000);
	machine.real_ahead_ns = REFERENCE_NS - REFERENCE_RAW_NS + 12345;
	machine.counter_off = 0;
	machine.writes_meanwhile = false;
	machine.error = 0;
	sys_tree_init(&s->tree);
	sys_tree_file(&s->tree, "/sys/devices/system/clocksource/clocksource0/current_clocksource",
	              "tsc\n");
	clocksource_init(&s->clocksource, s->tree.root);
	vmclock_device_init(&s->device, NULL);
	vmclock_device_attach(&s->device, fd);
	s->calls = (struct os_calls){ .gettime = play_gettime };
	vmclock_source_init(&s->source, &s->device, &s->clocksource, &s->calls);
	s->source.root = s->tree.root;
	s->source.counter = VMCLOCK_X86_TSC;
	s->source.read_counter = play_counter;
}

static void stage_fini(struct stage *s)
{
	vmclock_device_detach(&s->device);
	clocksource_fini(&s->clocksource);
	sys_tree_fini(&s->tree);
	munmap(machine.page, sizeof *machine.page);
}

static enum source_outcome read_source(struct stage *s, unsigned wanted, struct burst *ret)
{
	return s->source.port.ops->read(&s->source.port, wanted, ret);
}

static void test_every_bracket_holds_the_truth(void **state)
{
	(void)state;
	struct page_bytes page = page_of_time();
	struct stage s;
	struct burst b;

	stage_init(&s, &page);
	assert_int_equal(read_source(&s, 9, &b), SOURCE_READ);
	assert_int_equal(b.n, 9);
	assert_int_equal(b.method, METHOD_VMCLOCK);
	for (unsigned i = 0; i < b.n; i++) {
		/* What CLOCK_MONOTONIC_RAW was when the remote clock showed this. */
		int64_t raw = b.brackets[i].remote.ns - REFERENCE_NS + REFERENCE_RAW_NS;
		/* 1500 ns, 50 ppb of a second, and what is rounded. */
		int64_t radius = 1500 + 50 + 2;

		assert_in_range(raw - b.brackets[i].before.ns, radius, radius + COUNT_COST_NS + 1);
		assert_in_range(b.brackets[i].after.ns - raw, radius, radius + RAW_COST_NS + 1);
	}
	assert_int_equal(vt_real_since(b.pair.local, (vt_real){ REFERENCE_NS }).ns -
	                 vt_mono_since(b.pair.raw, (vt_mono){ REFERENCE_RAW_NS }).ns, 12345);
	assert_true(s.source.has_tai_offset && s.source.utc_minus_tai.ns == VT_SEC(-37).ns);
	/* Never more than a burst holds, never none. */
	assert_int_equal(read_source(&s, 1000, &b), SOURCE_READ);
	assert_int_equal(b.n, BURST_MAX);
	assert_int_equal(read_source(&s, 0, &b), SOURCE_READ);
	assert_int_equal(b.n, 1);
	stage_fini(&s);
}

static void test_why_it_is_none(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *what;
		size_t at, n;
		uint64_t value;
		enum source_outcome want;
	} cases[] = {
		{ "as it is",          0x0c, 4, 2,    SOURCE_READ },
		{ "no time",           0x0a, 1, 0xff, SOURCE_MISSING },
		{ "another counter",   0x0a, 1, 0,    SOURCE_REFUSED },
		{ "smeared",           0x0b, 1, 3,    SOURCE_REFUSED },
		{ "unreliable",        0x22, 1, 4,    SOURCE_REFUSED },
		{ "no errors",         0x18, 8, 1,    SOURCE_REFUSED },
		{ "no counter's",      0x30, 8, 0,    SOURCE_REFUSED },
		{ "leap second now",   0x26, 1, 3,    SOURCE_BUSY },
		{ "being written",     0x0c, 4, 3,    SOURCE_BUSY },
		{ "no page",           0x00, 4, 0,    SOURCE_MISSING },
		{ "version 99",        0x08, 2, 99,   SOURCE_MISSING },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct page_bytes page = page_of_time();
		struct burst b = { .n = 77 };
		struct stage s;

		page_put(&page, cases[i].at, cases[i].n, cases[i].value);
		stage_init(&s, &page);
		enum source_outcome got = read_source(&s, 3, &b);

		if (got != cases[i].want)
			fail_msg("%s: got %d, want %d", cases[i].what, got, cases[i].want);
		if (got != SOURCE_READ) {
			assert_int_equal(b.n, 77); /* output untouched on refusal */
			assert_int_not_equal(s.source.port.error, 0);
		}
		assert_true(*vmclock_source_explain(&s.source));
		stage_fini(&s);
	}
}

static void test_two_worlds_are_not_mixed(void **state)
{
	(void)state;
	struct page_bytes page = page_of_time();
	struct burst b;
	struct stage s;

	stage_init(&s, &page);
	machine.writes_meanwhile = true;
	assert_int_equal(read_source(&s, 3, &b), SOURCE_BUSY);
	machine.writes_meanwhile = false;
	assert_int_equal(read_source(&s, 3, &b), SOURCE_READ);
	/* A counter that was set back behind the page's own value. */
	machine.counter_off = -INT64_C(10000000000);
	assert_int_equal(read_source(&s, 3, &b), SOURCE_BUSY);
	machine.counter_off = 0;
	machine.error = EINVAL;
	assert_int_equal(read_source(&s, 3, &b), SOURCE_BROKEN);
	machine.error = 0;
	vmclock_device_detach(&s.device);
	assert_int_equal(read_source(&s, 3, &b), SOURCE_MISSING);
	assert_string_equal(vmclock_source_explain(&s.source), "is not there");
	stage_fini(&s);
}

#define CURRENT   "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define AVAILABLE "/sys/devices/system/clocksource/clocksource0/available_clocksource"

static void test_the_counter_is_the_kernels_to_trust(void **state)
{
	(void)state;
	struct page_bytes page = page_of_time();
	struct burst b;
	struct stage s;

	stage_init(&s, &page);
	assert_int_equal(read_source(&s, 3, &b), SOURCE_READ);
	assert_int_equal(b.epoch, 0);
	/* The kernel left it: so do we, at once. */
	sys_tree_file(&s.tree, CURRENT, "hpet\n");
	assert_int_equal(read_source(&s, 3, &b), SOURCE_REFUSED);
	assert_non_null(strstr(vmclock_source_explain(&s.source), "does not rely on"));
	/* kvm-clock is made of it, where it is still offered. */
	sys_tree_file(&s.tree, CURRENT, "kvm-clock\n");
	assert_int_equal(read_source(&s, 3, &b), SOURCE_REFUSED);
	sys_tree_file(&s.tree, AVAILABLE, "kvm-clock acpi_pm tsc-early \n");
	assert_int_equal(read_source(&s, 3, &b), SOURCE_REFUSED);
	sys_tree_file(&s.tree, AVAILABLE, "kvm-clock tsc acpi_pm \n");
	assert_int_equal(read_source(&s, 3, &b), SOURCE_READ);
	assert_int_equal(b.epoch, 2); /* not to be mixed with those before */
	sys_tree_file(&s.tree, AVAILABLE, "tsc");
	assert_true(counter_is_trusted(s.tree.root, "kvm-clock"));
	assert_false(counter_is_trusted(s.tree.root, ""));
	assert_false(counter_is_trusted("/no/such/place", "kvm-clock"));
	stage_fini(&s);
}

/* This machine's own, whatever it is. */
static void test_the_counter_counts(void **state)
{
	(void)state;
	uint64_t first = counter_read();
	uint64_t second = counter_read();

	if (counter_kind() == VMCLOCK_NO_COUNTER)
		assert_true(first == 0 && second == 0);
	else
		assert_true(second > first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_bracket_holds_the_truth),
		cmocka_unit_test(test_why_it_is_none),
		cmocka_unit_test(test_two_worlds_are_not_mixed),
		cmocka_unit_test(test_the_counter_is_the_kernels_to_trust),
		cmocka_unit_test(test_the_counter_counts),
	};

	return cmocka_run_group_tests_name("vmclock_source", tests, NULL, NULL);
}
