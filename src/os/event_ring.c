/* SPDX-License-Identifier: Apache-2.0 */
#include "os/event_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY      (EVENT_RING_SIZE * sizeof(struct event_record))
#define FILE_SIZE   (EVENT_RING_SIZE * EVENT_RECORD_SIZE)
#define CHUNK       (16 * EVENT_RECORD_SIZE)
#define SLOT(number) ((size_t)((number) % EVENT_RING_SIZE))

/* Pages that no event has touched yet do not exist. */
static struct event_record *take_memory(void)
{
	void *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void close_file(struct event_ring *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

int event_ring_open(struct event_ring *r)
{
	struct event_record *memory = take_memory();

	if (!memory)
		return -errno;
	*r = (struct event_ring){ .records = memory, .fd = -1, .write = pwrite };
	return 0;
}

void event_ring_fini(struct event_ring *r)
{
	close_file(r);
	if (r->records)
		munmap(r->records, MEMORY);
	*r = (struct event_ring)EVENT_RING_INIT;
}

/* --- In memory --- */

static void mark(struct event_ring *r, uint64_t number)
{
	r->unsaved[SLOT(number) / 64] |= UINT64_C(1) << SLOT(number) % 64;
	r->is_unsaved = true;
}

static void put(struct event_ring *r, const struct event_record *record, uint64_t number)
{
	struct event_record *to = &r->records[SLOT(number)];

	*to = *record;
	to->number = number;
	mark(r, number);
}

uint64_t event_ring_add(struct event_ring *r, const struct event_record *record)
{
	put(r, record, ++r->newest);
	return r->newest;
}

bool event_ring_change(struct event_ring *r, const struct event_record *record)
{
	if (!event_ring_get(r, record->number))
		return false;
	put(r, record, record->number);
	return true;
}

const struct event_record *event_ring_get(const struct event_ring *r, uint64_t number)
{
	const struct event_record *at = &r->records[SLOT(number)];

	return number > 0 && at->number == number ? at : NULL;
}

uint64_t event_ring_oldest(const struct event_ring *r)
{
	return r->newest < EVENT_RING_SIZE ? 1 : r->newest - EVENT_RING_SIZE + 1;
}

uint64_t event_ring_shift(struct event_ring *r)
{
	uint64_t shift = r->shift;

	r->shift = 0;
	return shift;
}

/* --- From the file --- */

/* One slot of the file.  Nobody lives any more who would have ended what is open there. */
static void take_slot(struct event_ring *r, const uint8_t *bytes, size_t slot)
{
	struct event_record record;

	switch (event_record_decode(bytes, &record)) {
	case EVENT_RECORD_EMPTY:
		return;
	case EVENT_RECORD_DAMAGED:
		r->unreadable++;
		return;
	case EVENT_RECORD_READ:
		if (SLOT(record.number) != slot) {
			r->unreadable++;
			return;
		}
		break;
	}
	if (record.end == EVENT_END_OPEN)
		record.end = EVENT_END_UNFINISHED;
	r->records[slot] = record;
	if (record.number > r->newest)
		r->newest = record.number;
}

/* All of the file @fd into the empty ring @r.  0 or -errno. */
static int load(struct event_ring *r, int fd)
{
	uint8_t chunk[CHUNK];

	for (size_t at = 0; at < FILE_SIZE; at += CHUNK) {
		ssize_t n = pread(fd, chunk, CHUNK, (off_t)at);

		if (n < 0)
			return -errno;
		/* A file that is too short ends in slots that were never written. */
		memset(chunk + n, 0, CHUNK - (size_t)n);
		for (size_t i = 0; i < CHUNK; i += EVENT_RECORD_SIZE)
			take_slot(r, chunk + i, (at + i) / EVENT_RECORD_SIZE);
	}
	return 0;
}

/* The file's events, and behind them those that were added before it could be read. */
static int merge(struct event_ring *r, int fd)
{
	struct event_ring all = { .records = take_memory() };
	int e = all.records ? load(&all, fd) : -ENOMEM;

	if (e < 0) {
		if (all.records)
			munmap(all.records, MEMORY);
		return e;
	}
	r->shift = all.newest;
	memset(r->unsaved, 0, sizeof r->unsaved);
	for (uint64_t number = event_ring_oldest(r); number <= r->newest; number++) {
		const struct event_record *record = event_ring_get(r, number);

		if (record)
			put(&all, record, number + r->shift);
	}
	memcpy(r->unsaved, all.unsaved, sizeof r->unsaved);
	munmap(r->records, MEMORY);
	r->records = all.records;
	r->newest += r->shift;
	r->unreadable = all.unreadable;
	r->is_loaded = true;
	return 0;
}

/* What we write to, or believe, is a file of our own that nobody else has under another name. */
static int check_file(int fd, off_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ENODEV;
	if (st.st_uid != geteuid() || st.st_nlink > 1)
		return -EPERM;
	*ret_size = st.st_size;
	return 0;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0644);

	return fd < 0 ? -errno : fd;
}

void event_ring_give(const char *path, uid_t uid, gid_t gid)
{
	off_t size;
	int fd = open_file(path, O_RDONLY);

	if (fd < 0)
		return;
	if (check_file(fd, &size) == 0 && size == FILE_SIZE)
		(void)!fchown(fd, uid, gid);
	close(fd);
}

int event_ring_read(struct event_ring *r, const char *path)
{
	struct stat st;
	int fd = open_file(path, O_RDONLY), e = fd;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		e = -errno;
	else
		e = S_ISREG(st.st_mode) ? load(r, fd) : -ENODEV;
	close(fd);
	return e;
}

/* --- To the file --- */

static int write_all(const struct event_ring *r, const uint8_t *bytes, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t written = r->write(r->fd, bytes, n, at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		bytes += written;
		n -= (size_t)written;
		at += written;
	}
	return 0;
}

/* A new file's blocks, while there is room for them. */
static int allocate(const struct event_ring *r, off_t size)
{
	static const uint8_t zeros[CHUNK];
	int e = 0;

	while (e == 0 && size < FILE_SIZE) {
		size_t n = CHUNK - (size_t)size % CHUNK;

		e = write_all(r, zeros, n, size);
		size += (off_t)n;
	}
	return e;
}

static void mark_all(struct event_ring *r)
{
	for (uint64_t number = event_ring_oldest(r); number <= r->newest; number++)
		if (event_ring_get(r, number))
			mark(r, number);
}

/* What can only be read is read all the same, so that numbers go on. */
static int read_only(struct event_ring *r, int error)
{
	off_t size;
	int fd = r->is_loaded ? -1 : open_file(r->path, O_RDONLY);

	if (fd < 0)
		return error;
	if (check_file(fd, &size) == 0)
		(void)!merge(r, fd);
	close(fd);
	return error;
}

/* The file of ours in r->fd, which has @size bytes, gets its full size.  0 or -errno. */
static int fill_up(struct event_ring *r, off_t size)
{
	int e = allocate(r, size);

	if (size > 0)
		return e;
	/* Half of a new file is of no use, and somebody else needs the room. */
	if (e < 0)
		(void)unlink(r->path);
	else
		mark_all(r);
	return e;
}

/* 0 and r->fd, or -errno. */
static int take_file(struct event_ring *r)
{
	off_t size = 0;
	int fd = open_file(r->path, O_RDWR | O_CREAT), e;

	if (fd < 0)
		return read_only(r, fd);
	e = check_file(fd, &size);
	if (e == 0 && !r->is_loaded)
		e = merge(r, fd);
	r->fd = fd;
	if (e == 0)
		e = fill_up(r, size);
	if (e < 0)
		close_file(r);
	return e;
}

static int write_slot(const struct event_ring *r, size_t slot)
{
	uint8_t bytes[EVENT_RECORD_SIZE];

	event_record_encode(&r->records[slot], bytes);
	return write_all(r, bytes, sizeof bytes, (off_t)(slot * EVENT_RECORD_SIZE));
}

static int write_unsaved(struct event_ring *r)
{
	for (size_t slot = 0; slot < EVENT_RING_SIZE; slot++) {
		const uint64_t bit = UINT64_C(1) << slot % 64;
		int e;

		if (!(r->unsaved[slot / 64] & bit))
			continue;
		e = write_slot(r, slot);
		if (e < 0)
			return e;
		r->unsaved[slot / 64] &= ~bit;
	}
	r->is_unsaved = false;
	return 0;
}

/* Somebody removed the file that we have open: what is written there nobody will find. */
static void notice_removal(struct event_ring *r)
{
	struct stat st;

	if (r->fd >= 0 && (fstat(r->fd, &st) < 0 || st.st_nlink == 0))
		close_file(r);
}

void event_ring_keep(struct event_ring *r, const char *path)
{
	snprintf(r->path, sizeof r->path, "%s", path);
	r->is_unsaved = true;
}

int event_ring_sync(struct event_ring *r, vt_mono now)
{
	if (!*r->path || !r->is_unsaved || (r->error < 0 && now.ns < r->retry_at.ns))
		return r->error;
	notice_removal(r);
	r->error = r->fd >= 0 ? 0 : take_file(r);
	if (r->error == 0)
		r->error = write_unsaved(r);
	if (r->error < 0) {
		close_file(r);
		r->retry_at = vt_mono_add(now, EVENT_RING_RETRY);
	}
	return r->error;
}

vt_mono event_ring_deadline(const struct event_ring *r)
{
	if (!*r->path || !r->is_unsaved)
		return VT_MONO_NEVER;
	return r->error < 0 ? r->retry_at : (vt_mono){ 0 };
}
