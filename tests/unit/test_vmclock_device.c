/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/vmclock_device.h"
#include "vmclock_page.h"

/* A device that is played: the page is a file in memory, mapped for real unless that is refused. */
struct device {
	struct vmclock_calls calls;
	struct vmclock_device v;
	int fd;                  /* of the page; the device gets a duplicate of it */
	struct page_bytes *page; /* ... as its host sees it */
	bool refuses_map;
	int read_error;
	short events;            /* what poll(2) says */
	unsigned reads, polls;
};

static const volatile void *play_map(void *context, int fd)
{
	struct device *d = context;
	void *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	return d->refuses_map || page == MAP_FAILED ? NULL : page;
}

static void play_unmap(void *context, const volatile void *page)
{
	(void)context;
	munmap((void *)(uintptr_t)page, 4096);
}

static int play_read(void *context, int fd, void *to, size_t size)
{
	struct device *d = context;
	ssize_t n;

	d->reads++;
	if (d->read_error)
		return -d->read_error;
	n = pread(fd, to, size, 0);
	return n < 0 ? -errno : (int)n;
}

static short play_poll(void *context, int fd)
{
	struct device *d = context;

	(void)fd;
	d->polls++;
	return d->events;
}

static void device_init(struct device *d, const struct page_bytes *page)
{
	*d = (struct device){ .calls = { d, play_map, play_unmap, play_read, play_poll } };
	d->fd = memfd_create("vmclock", MFD_CLOEXEC);
	assert_true(d->fd >= 0);
	assert_int_equal(ftruncate(d->fd, sizeof *page), 0);
	d->page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd, 0);
	assert_true(d->page != MAP_FAILED);
	*d->page = *page;
	vmclock_device_init(&d->v, &d->calls);
}

static void device_attach(struct device *d)
{
	vmclock_device_attach(&d->v, fcntl(d->fd, F_DUPFD_CLOEXEC, 0));
}

static void device_fini(struct device *d)
{
	vmclock_device_detach(&d->v);
	vmclock_device_detach(&d->v);
	munmap(d->page, sizeof *d->page);
	close(d->fd);
}

static vt_mono at_ms(int64_t ms)
{
	return (vt_mono){ ms * 1000000 };
}

/* The host changes the page as it should: odd, the change, even. */
static void change(struct device *d, uint64_t marker, uint64_t generation)
{
	uint32_t sequence;

	memcpy(&sequence, d->page->b + 0x0c, 4);
	page_put(d->page, PAGE_SEQUENCE, sequence + 1);
	page_put(d->page, PAGE_MARKER, marker);
	page_put(d->page, PAGE_GENERATION, generation);
	page_put(d->page, PAGE_SEQUENCE, sequence + 2);
}

static void see_changes(bool refuses_map)
{
	struct page_bytes page = page_of_time();
	struct device d;
	const unsigned both = VMCLOCK_CHANGED_MARKER | VMCLOCK_CHANGED_GENERATION;

	device_init(&d, &page);
	d.refuses_map = refuses_map;
	assert_int_equal(vmclock_device_look(&d.v, at_ms(0)), 0); /* no device */
	device_attach(&d);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(1)), 0); /* nothing to compare with */
	assert_true(d.v.is_known && d.v.trouble == VMCLOCK_READ);
	assert_int_equal(d.v.page.marker, 1);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(2)), 0);
	change(&d, 2, 77);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(3)), VMCLOCK_CHANGED_MARKER);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(4)), 0); /* told once */
	change(&d, 2, 78);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(5)), VMCLOCK_CHANGED_GENERATION);
	change(&d, 2, 78); /* the time was written anew */
	assert_int_equal(vmclock_device_look(&d.v, at_ms(6)), 0);
	change(&d, 1, 77); /* any other value counts, also an earlier one */
	assert_int_equal(vmclock_device_look(&d.v, at_ms(7)), both);
	/* Without its flag the generation is no generation. */
	page_put(d.page, PAGE_FLAGS, 0);
	change(&d, 1, 79);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(8)), 0);
	/* It goes and comes back, and something happened meanwhile. */
	vmclock_device_detach(&d.v);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(9)), 0);
	change(&d, 9, 79);
	device_attach(&d);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(10)), VMCLOCK_CHANGED_MARKER);
	device_fini(&d);
}

static void test_changes_are_seen_once(void **state)
{
	(void)state;
	see_changes(false);
}

static void test_changes_are_seen_where_mapping_is_refused(void **state)
{
	(void)state;
	see_changes(true);
}

/* A mapped page that did not change is not even copied; nothing is ever read then. */
static void test_a_mapped_page_needs_no_call(void **state)
{
	(void)state;
	struct page_bytes page = page_of_time();
	struct device d;

	device_init(&d, &page);
	device_attach(&d);
	for (int i = 0; i < 100; i++) {
		change(&d, 5, 77);
		(void)vmclock_device_look(&d.v, at_ms(i));
	}
	assert_int_equal(d.reads, 0);
	device_fini(&d);
}

static void test_odd_for_ever_neither_spins_nor_tells_nonsense(void **state)
{
	(void)state;
	struct page_bytes page = page_of_time();
	struct device d;

	device_init(&d, &page);
	device_attach(&d);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(0)), 0);
	page_put(d.page, PAGE_MARKER, 2);
	page_put(d.page, PAGE_SEQUENCE, 3);
	/* A host that is interrupted while it writes is no trouble yet. */
	assert_int_equal(vmclock_device_look(&d.v, at_ms(10)), 0);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(1009)), 0);
	assert_int_equal(d.v.trouble, VMCLOCK_READ);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(1010)), 0);
	assert_int_equal(d.v.trouble, VMCLOCK_WRITING);
	assert_int_equal(d.v.page.marker, 1);
	/* And when it ends, all is as before, with what changed meanwhile. */
	page_put(d.page, PAGE_SEQUENCE, 4);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(5000)), VMCLOCK_CHANGED_MARKER);
	assert_int_equal(d.v.trouble, VMCLOCK_READ);
	/* Odd, and back to the very sequence that we know: nothing changed. */
	page_put(d.page, PAGE_SEQUENCE, 5);
	(void)vmclock_device_look(&d.v, at_ms(6000));
	(void)vmclock_device_look(&d.v, at_ms(7000));
	assert_int_equal(d.v.trouble, VMCLOCK_WRITING);
	page_put(d.page, PAGE_SEQUENCE, 4);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(8000)), 0);
	assert_int_equal(d.v.trouble, VMCLOCK_READ);
	assert_int_equal(d.reads, 0); /* the kernel's read would wait for it */
	device_fini(&d);
}

static void test_a_page_that_is_none(void **state)
{
	(void)state;
	struct page_bytes page = page_of_time();
	struct device d;

	page_put(&page, 0x08, 2, 99);
	device_init(&d, &page);
	device_attach(&d);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(0)), 0);
	assert_int_equal(d.v.trouble, VMCLOCK_BAD_VERSION);
	assert_false(d.v.is_known);
	page_put(d.page, 0x08, 2, 1);
	page_put(d.page, 0x04, 4, 0);
	(void)vmclock_device_look(&d.v, at_ms(1));
	assert_int_equal(d.v.trouble, VMCLOCK_TOO_SMALL);
	page_put(d.page, 0x00, 4, 0);
	(void)vmclock_device_look(&d.v, at_ms(2));
	assert_int_equal(d.v.trouble, VMCLOCK_NO_MAGIC);
	/* Once it is one, it is used. */
	*d.page = page_of_time();
	assert_int_equal(vmclock_device_look(&d.v, at_ms(3)), 0);
	assert_true(d.v.is_known && d.v.trouble == VMCLOCK_READ);
	device_fini(&d);
}

static void test_a_read_that_waited_is_not_repeated_at_once(void **state)
{
	(void)state;
	struct page_bytes page = page_of_time();
	struct device d;

	device_init(&d, &page);
	d.refuses_map = true;
	d.read_error = ETIMEDOUT;
	device_attach(&d);
	for (int i = 0; i < 1000; i++)
		(void)vmclock_device_look(&d.v, at_ms(i));
	assert_int_equal(d.reads, 1);
	for (int i = 1000; i < 30000; i++)
		(void)vmclock_device_look(&d.v, at_ms(i));
	assert_in_range(d.reads, 2, 4);
	assert_int_equal(d.v.trouble, VMCLOCK_WRITING);
	d.read_error = 0;
	(void)vmclock_device_look(&d.v, at_ms(60000));
	assert_true(d.v.is_known && d.v.trouble == VMCLOCK_READ);
	device_fini(&d);
}

/* One turn of a loop: the fd is ready where the device says so. */
static unsigned turn(struct device *d, vt_mono now, bool *ret_waited)
{
	struct pollfd fd = { .fd = -7 };
	size_t n = vmclock_device_prepare(&d->v, now, &fd);

	*ret_waited = n == 1;
	if (n == 1) {
		assert_int_equal(fd.fd, d->v.fd);
		assert_int_equal(fd.events, POLLIN);
		/* The loop knows only that something is to be read. */
		fd.revents = d->events ? POLLIN | POLLOUT : 0;
	}
	return vmclock_device_dispatch(&d->v, now, &fd, n);
}

static void test_it_is_waited_for_only_where_the_host_announces(void **state)
{
	(void)state;
	struct page_bytes page = page_of_time();
	struct device d;
	bool waited;

	page_put(&page, PAGE_FLAGS, 0x151); /* all but the notification */
	device_init(&d, &page);
	device_attach(&d);
	d.events = POLLHUP;
	for (int i = 0; i < 10; i++) {
		(void)turn(&d, at_ms(i), &waited);
		assert_false(waited);
	}
	assert_int_equal(d.polls, 0);
	/* From now on it does. */
	page_put(d.page, PAGE_FLAGS, 0x351);
	change(&d, 1, 77);
	(void)turn(&d, at_ms(11), &waited);
	d.events = 0;
	(void)turn(&d, at_ms(12), &waited);
	assert_true(waited);
	assert_true(vmclock_device_is_announced(&d.v));
	d.events = POLLIN;
	change(&d, 2, 77);
	assert_int_equal(turn(&d, at_ms(13), &waited), VMCLOCK_CHANGED_MARKER);
	assert_int_equal(d.reads, 1); /* which arms it again */
	device_fini(&d);
}

static void test_a_hang_up_is_never_waited_for_again(void **state)
{
	(void)state;
	const short events[] = { POLLHUP, POLLERR, POLLNVAL, POLLIN | POLLHUP };

	for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
		struct page_bytes page = page_of_time();
		struct device d;
		bool waited;

		device_init(&d, &page);
		device_attach(&d);
		(void)vmclock_device_look(&d.v, at_ms(0));
		d.events = events[i];
		(void)turn(&d, at_ms(1), &waited);
		assert_true(waited);
		for (int ms = 2; ms < 100000; ms += 100) {
			(void)turn(&d, at_ms(ms), &waited);
			assert_false(waited);
		}
		assert_int_equal(d.polls, 1);
		/* The page is looked at all the same. */
		change(&d, 2, 77);
		assert_int_equal(turn(&d, at_ms(100000), &waited), VMCLOCK_CHANGED_MARKER);
		/* Another device, or the same one opened again, gets its own chance. */
		device_attach(&d);
		(void)vmclock_device_look(&d.v, at_ms(100001));
		assert_true(vmclock_device_is_announced(&d.v));
		device_fini(&d);
	}
}

/* However often it is ready: 8 times at once, then twice a second. */
static void test_wake_ups_are_limited(void **state)
{
	(void)state;
	struct page_bytes page = page_of_time();
	struct device d;
	unsigned waits = 0, seen = 0;
	bool waited;

	device_init(&d, &page);
	device_attach(&d);
	(void)vmclock_device_look(&d.v, at_ms(0));
	d.events = POLLIN;
	for (int ms = 1; ms <= 10000; ms++) {
		change(&d, (uint64_t)ms + 1, 77);
		seen += turn(&d, at_ms(ms), &waited) == VMCLOCK_CHANGED_MARKER;
		waits += waited;
	}
	assert_int_equal(seen, 10000); /* who is awake anyway sees each of them */
	assert_in_range(waits, 25, 29);
	assert_int_equal(d.reads, waits);
	/* Ready all the time, and odd: not even read. */
	page_put(d.page, PAGE_SEQUENCE, 7);
	d.reads = waits = 0;
	for (int ms = 20000; ms < 30000; ms++) {
		(void)turn(&d, at_ms(ms), &waited);
		waits += waited;
	}
	assert_in_range(waits, 25, 29);
	assert_int_equal(d.reads, 0);
	device_fini(&d);
}

/* The kernel's own calls, on a file: mapped, read, and always ready. */
/* A restored machine's page may be begun anew, and stand at the very sequence that we know. */
static void test_another_page_with_the_same_sequence(void **state)
{
	(void)state;
	struct page_bytes page = page_of_qemu();
	struct device d;

	device_init(&d, &page);
	device_attach(&d);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(0)), 0);
	page_put(d.page, PAGE_MARKER, UINT64_C(1) << 63 | 1);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(1)), VMCLOCK_CHANGED_MARKER);
	assert_int_equal(vmclock_device_look(&d.v, at_ms(2)), 0);
	device_fini(&d);
}

static void test_on_a_file(void **state)
{
	(void)state;
	struct page_bytes page = page_of_time();
	struct vmclock_device v;
	struct pollfd fd;
	struct device d;

	device_init(&d, &page);
	vmclock_device_init(&v, NULL);
	vmclock_device_attach(&v, fcntl(d.fd, F_DUPFD_CLOEXEC, 0));
	assert_non_null((const void *)(uintptr_t)v.map);
	assert_int_equal(vmclock_device_look(&v, at_ms(0)), 0);
	assert_int_equal(vmclock_device_prepare(&v, at_ms(1), &fd), 1);
	fd.revents = POLLIN;
	change(&d, 2, 77);
	assert_int_equal(vmclock_device_dispatch(&v, at_ms(2), &fd, 1), VMCLOCK_CHANGED_MARKER);
	assert_false(v.is_unpollable);
	vmclock_device_detach(&v);
	assert_int_equal(v.fd, -1);
	device_fini(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_are_seen_once),
		cmocka_unit_test(test_changes_are_seen_where_mapping_is_refused),
		cmocka_unit_test(test_a_mapped_page_needs_no_call),
		cmocka_unit_test(test_odd_for_ever_neither_spins_nor_tells_nonsense),
		cmocka_unit_test(test_a_page_that_is_none),
		cmocka_unit_test(test_a_read_that_waited_is_not_repeated_at_once),
		cmocka_unit_test(test_it_is_waited_for_only_where_the_host_announces),
		cmocka_unit_test(test_a_hang_up_is_never_waited_for_again),
		cmocka_unit_test(test_wake_ups_are_limited),
		cmocka_unit_test(test_another_page_with_the_same_sequence),
		cmocka_unit_test(test_on_a_file),
	};

	return cmocka_run_group_tests_name("vmclock_device", tests, NULL, NULL);
}
