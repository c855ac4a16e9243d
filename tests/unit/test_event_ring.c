/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test_event_ring.c - events outlive the daemon, and bad disks do it no harm
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/attr.h"
#include "os/event_ring.h"
#include "scratch.h"

#define FILE_SIZE (EVENT_RING_SIZE * EVENT_RECORD_SIZE)

static const vt_mono NOW = { 1000000000 };

static vt_mono later(vt_span span)
{
	return vt_mono_add(NOW, span);
}

static struct event_record event(int64_t size)
{
	return (struct event_record){
		.end = EVENT_END_STEPPED,
		.size = { size },
		.cause = "jump, cause unknown",
		.source = "PHC0",
	};
}

static uint64_t add(struct event_ring *r, int64_t size)
{
	const struct event_record e = event(size);

	return event_ring_add(r, &e);
}

/* A daemon that starts: a ring that keeps to the file, not yet synced. */
static void start(struct scratch *s, struct event_ring *r)
{
	assert_int_equal(event_ring_open(r), 0);
	event_ring_keep(r, scratch_path(s, "events"));
}

/* What a reader finds in the file: how many, and whether the newest has @size. */
static void assert_kept(struct scratch *s, uint64_t newest, unsigned n, uint64_t unreadable)
{
	struct event_ring r;
	unsigned found = 0;

	assert_int_equal(event_ring_open(&r), 0);
	assert_int_equal(event_ring_read(&r, scratch_path(s, "events")), 0);
	assert_int_equal(r.newest, newest);
	assert_int_equal(r.unreadable, unreadable);
	for (uint64_t i = 0; i <= newest + 1; i++)
		found += event_ring_get(&r, i) != NULL;
	assert_int_equal(found, n);
	event_ring_fini(&r);
}

static void test_in_memory_the_oldest_give_way(void **state)
{
	(void)state;
	struct event_ring r;
	struct event_record e = event(5);

	assert_int_equal(event_ring_open(&r), 0);
	assert_null(event_ring_get(&r, 0));
	assert_null(event_ring_get(&r, 1));
	assert_true(event_ring_oldest(&r) > r.newest);
	for (int64_t i = 1; i <= 600; i++) {
		assert_int_equal(add(&r, i), i);
		assert_int_equal(event_ring_get(&r, (uint64_t)i)->size.ns, i);
		assert_int_equal(event_ring_oldest(&r), i <= 256 ? 1 : i - 255);
	}
	assert_null(event_ring_get(&r, 344));
	assert_int_equal(event_ring_get(&r, 345)->size.ns, 345);
	assert_null(event_ring_get(&r, 601));
	e.number = 600;
	assert_true(event_ring_change(&r, &e));
	assert_int_equal(event_ring_get(&r, 600)->size.ns, 5);
	e.number = 344;
	assert_false(event_ring_change(&r, &e));
	assert_int_equal(event_ring_sync(&r, NOW), 0);
	assert_int_equal(event_ring_deadline(&r).ns, VT_MONO_NEVER.ns);
	event_ring_fini(&r);
	event_ring_fini(&r);
}

static void test_numbers_go_on_over_restarts(void **state)
{
	struct scratch *s = *state;
	struct event_ring r;
	struct stat st;

	for (uint64_t life = 0; life < 100; life++) {
		start(s, &r);
		/* The step of the start comes before the file is opened. */
		assert_int_equal(add(&r, (int64_t)life), 1);
		assert_true(event_ring_deadline(&r).ns <= NOW.ns);
		assert_int_equal(event_ring_sync(&r, NOW), 0);
		assert_int_equal(event_ring_shift(&r), 7 * life);
		assert_int_equal(event_ring_shift(&r), 0);
		assert_int_equal(event_ring_get(&r, 7 * life + 1)->size.ns, life);
		for (int i = 0; i < 6; i++)
			add(&r, i);
		assert_int_equal(event_ring_sync(&r, NOW), 0);
		assert_int_equal(event_ring_deadline(&r).ns, VT_MONO_NEVER.ns);
		event_ring_fini(&r);
	}
	assert_kept(s, 700, 256, 0);
	assert_int_equal(stat(scratch_path(s, "events"), &st), 0);
	assert_int_equal(st.st_size, FILE_SIZE);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_true(st.st_blocks * 512 >= FILE_SIZE);
}

static void test_what_was_open_at_the_end_is_unfinished(void **state)
{
	struct scratch *s = *state;
	struct event_record e = event(0);
	struct event_ring r;

	start(s, &r);
	e.end = EVENT_END_OPEN;
	e.number = event_ring_add(&r, &e);
	assert_int_equal(event_ring_sync(&r, NOW), 0);
	assert_int_equal(event_ring_get(&r, 1)->end, EVENT_END_OPEN);
	event_ring_fini(&r);

	start(s, &r);
	assert_int_equal(event_ring_sync(&r, NOW), 0);
	assert_int_equal(event_ring_get(&r, 1)->end, EVENT_END_UNFINISHED);
	/* And one that is ended is ended in its place. */
	e.number = event_ring_add(&r, &e);
	assert_int_equal(event_ring_sync(&r, NOW), 0);
	e.end = EVENT_END_STEPPED;
	e.size.ns = 77;
	assert_true(event_ring_change(&r, &e));
	assert_int_equal(event_ring_sync(&r, NOW), 0);
	event_ring_fini(&r);
	assert_kept(s, 2, 2, 0);
	start(s, &r);
	assert_int_equal(event_ring_sync(&r, NOW), 0);
	assert_int_equal(event_ring_get(&r, 2)->size.ns, 77);
	event_ring_fini(&r);
}

/* A write that ends after so many bytes, with the power. */
static size_t the_bytes_left;

static ssize_t write_until_the_end(int fd, const void *bytes, size_t n, off_t at)
{
	if (n > the_bytes_left)
		n = the_bytes_left;
	the_bytes_left -= n;
	if (n == 0) {
		errno = EIO;
		return -1;
	}
	return pwrite(fd, bytes, n, at);
}

static void test_a_record_torn_at_any_byte_costs_no_other(void **state)
{
	struct scratch *s = *state;
	struct event_ring r;

	for (size_t n = 0; n < EVENT_RECORD_SIZE; n++) {
		(void)unlink(scratch_path(s, "events"));
		start(s, &r);
		for (int64_t i = 1; i <= 300; i++)
			add(&r, i);
		assert_int_equal(event_ring_sync(&r, NOW), 0);
		the_bytes_left = n;
		r.write = write_until_the_end;
		assert_int_equal(add(&r, 301), 301); /* over what was number 45 */
		assert_int_equal(event_ring_sync(&r, NOW), -EIO);
		event_ring_fini(&r);

		start(s, &r);
		assert_int_equal(event_ring_sync(&r, NOW), 0);
		/* The ninth byte, the first of the number, is the same in both. */
		assert_int_equal(r.unreadable, n > 9 && !event_ring_get(&r, 301));
		assert_true(r.newest == (event_ring_get(&r, 301) ? 301 : 300));
		for (uint64_t i = 46; i <= 300; i++)
			assert_int_equal(event_ring_get(&r, i)->size.ns, i);
		assert_true(add(&r, 0) == r.newest);
		event_ring_fini(&r);
	}
}

static void test_foreign_bytes_are_counted_and_left_out(void **state)
{
	struct scratch *s = *state;
	static char bytes[FILE_SIZE + 100];
	struct event_ring r;
	int fd;

	memset(bytes, 'x', sizeof bytes);
	fd = open(scratch_path(s, "events"), O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, bytes, sizeof bytes), sizeof bytes);
	close(fd);
	start(s, &r);
	add(&r, 1);
	assert_int_equal(event_ring_sync(&r, NOW), 0);
	assert_int_equal(r.unreadable, 256);
	assert_int_equal(r.newest, 1);
	event_ring_fini(&r);
	assert_kept(s, 1, 1, 255);
}

static void test_a_record_in_a_wrong_place_is_damaged(void **state)
{
	struct scratch *s = *state;
	struct event_record e = event(1);
	uint8_t bytes[EVENT_RECORD_SIZE];
	int fd;

	e.number = 3;
	event_record_encode(&e, bytes);
	fd = open(scratch_path(s, "events"), O_WRONLY | O_CREAT, 0600);
	assert_int_equal(pwrite(fd, bytes, sizeof bytes, 4 * sizeof bytes), sizeof bytes);
	assert_int_equal(pwrite(fd, bytes, sizeof bytes, 3 * sizeof bytes), sizeof bytes);
	close(fd);
	assert_kept(s, 3, 1, 1);
}

static unsigned the_writes;
static int the_error;

static ssize_t fail_to_write(int fd, const void *bytes, size_t n, off_t at)
{
	(void)fd;
	(void)bytes;
	(void)n;
	(void)at;
	the_writes++;
	errno = the_error;
	return -1;
}

static void test_a_full_disk_is_tried_again_and_nothing_is_lost(void **state)
{
	struct scratch *s = *state;
	struct event_ring r;

	the_error = ENOSPC;
	the_writes = 0;
	start(s, &r);
	r.write = fail_to_write;
	add(&r, 1);
	assert_int_equal(event_ring_sync(&r, NOW), -ENOSPC);
	assert_int_equal(the_writes, 1);
	assert_false(scratch_exists(s, "events")); /* nothing of it takes room */
	assert_int_equal(event_ring_deadline(&r).ns, later(EVENT_RING_RETRY).ns);
	add(&r, 2);
	/* Not at each event: a disk may be slow in saying no. */
	assert_int_equal(event_ring_sync(&r, later(vt_span_sub(EVENT_RING_RETRY, VT_NS(1)))), -ENOSPC);
	assert_int_equal(the_writes, 1);
	assert_int_equal(event_ring_sync(&r, later(EVENT_RING_RETRY)), -ENOSPC);
	assert_int_equal(the_writes, 2);
	assert_int_equal(event_ring_get(&r, 2)->size.ns, 2);
	r.write = pwrite;
	add(&r, 3);
	assert_int_equal(event_ring_sync(&r, later(VT_SEC(120))), 0);
	event_ring_fini(&r);
	assert_kept(s, 3, 3, 0);
}

static void test_what_is_not_our_file_is_left_alone(void **state)
{
	struct scratch *s = *state;
	char target[512];
	struct event_ring r;

	snprintf(target, sizeof target, "%s", scratch_path(s, "precious"));
	scratch_write_text(s, "precious", "precious");
	for (int what = 0; what < 4; what++) {
		const char *path = scratch_path(s, "events");

		assert_int_equal(what == 0   ? mkdir(path, 0755)
		                 : what == 1 ? symlink(target, path)
		                 : what == 2 ? link(target, path)
		                             : mkfifo(path, 0644), 0);
		start(s, &r);
		add(&r, 1);
		assert_true(event_ring_sync(&r, NOW) < 0);
		assert_int_equal(r.fd, -1);
		assert_true(scratch_exists(s, "events"));
		assert_int_equal(add(&r, 2), 2);
		scratch_check_text(s, "precious", "precious");
		/* Once it is out of the way the file is made. */
		assert_int_equal(remove(scratch_path(s, "events")), 0);
		assert_int_equal(event_ring_sync(&r, later(EVENT_RING_RETRY)), 0);
		event_ring_fini(&r);
		assert_kept(s, 2, 2, 0);
		assert_int_equal(remove(scratch_path(s, "events")), 0);
	}
	start(s, &r);
	snprintf(r.path, sizeof r.path, "%s/no/such/folder", s->folder);
	assert_int_equal(event_ring_sync(&r, NOW), -ENOENT);
	event_ring_fini(&r);
}

static void test_a_file_that_is_removed_is_made_anew(void **state)
{
	struct scratch *s = *state;
	struct event_ring r;

	start(s, &r);
	add(&r, 1);
	assert_int_equal(event_ring_sync(&r, NOW), 0);
	assert_int_equal(unlink(scratch_path(s, "events")), 0);
	add(&r, 2);
	assert_int_equal(event_ring_sync(&r, NOW), 0);
	assert_int_equal(event_ring_shift(&r), 0);
	event_ring_fini(&r);
	assert_kept(s, 2, 2, 0);
}

static void test_a_reader_is_told_what_is_wrong(void **state)
{
	struct scratch *s = *state;
	struct event_ring r;

	assert_int_equal(event_ring_open(&r), 0);
	assert_int_equal(event_ring_read(&r, scratch_path(s, "events")), -ENOENT);
	assert_int_equal(event_ring_read(&r, s->folder), -ENODEV);
	assert_int_equal(r.newest, 0);
	event_ring_fini(&r);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_memory_the_oldest_give_way),
		WITH_FOLDER(test_numbers_go_on_over_restarts),
		WITH_FOLDER(test_what_was_open_at_the_end_is_unfinished),
		WITH_FOLDER(test_a_record_torn_at_any_byte_costs_no_other),
		WITH_FOLDER(test_foreign_bytes_are_counted_and_left_out),
		WITH_FOLDER(test_a_record_in_a_wrong_place_is_damaged),
		WITH_FOLDER(test_a_full_disk_is_tried_again_and_nothing_is_lost),
		WITH_FOLDER(test_what_is_not_our_file_is_left_alone),
		WITH_FOLDER(test_a_file_that_is_removed_is_made_anew),
		WITH_FOLDER(test_a_reader_is_told_what_is_wrong),
	};

	return cmocka_run_group_tests_name("event_ring", tests, NULL, NULL);
}
