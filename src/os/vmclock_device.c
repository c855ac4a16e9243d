/* SPDX-License-Identifier: Apache-2.0 */
#include "os/vmclock_device.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES 4096 /* what the kernel lets be mapped: one page, from its beginning */

/* A host writes for less than a microsecond; one that was interrupted there needs longer. */
#define TRIES 32

/* A page that is being written for so long is not being written. */
#define WRITING_LASTS VT_SEC(1)

/* After a read that failed, which may have waited for 0.1 s. */
#define READ_PAUSE VT_SEC(10)

/* A host may announce this much at once, and twice a second. */
#define WAKES      8
#define WAKE_EVERY VT_MS(500)

static const volatile void *call_map(void *context, int fd)
{
	void *page = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);

	(void)context;
	return page == MAP_FAILED ? NULL : page;
}

static void call_unmap(void *context, const volatile void *page)
{
	(void)context;
	(void)munmap((void *)(uintptr_t)page, PAGE_BYTES);
}

static int call_read(void *context, int fd, void *to, size_t size)
{
	ssize_t n = pread(fd, to, size, 0);

	(void)context;
	return n < 0 ? -errno : (int)n;
}

static short call_poll(void *context, int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	(void)context;
	return poll(&wait, 1, 0) > 0 ? wait.revents : 0;
}

static const struct vmclock_calls CALLS = { NULL, call_map, call_unmap, call_read, call_poll };

void vmclock_device_init(struct vmclock_device *v, const struct vmclock_calls *calls)
{
	*v = (struct vmclock_device){
		.calls = calls ? calls : &CALLS,
		.fd = -1,
		.wakes = ALLOWANCE(WAKES, WAKE_EVERY),
	};
}

void vmclock_device_detach(struct vmclock_device *v)
{
	if (v->map)
		v->calls->unmap(v->calls->context, v->map);
	if (v->fd >= 0)
		close(v->fd);
	v->map = NULL;
	v->fd = -1;
	v->is_known = v->is_odd = v->is_polled = v->is_unpollable = false;
	v->trouble = VMCLOCK_READ;
	v->error = 0;
	v->reads_again = (vt_mono){ 0 };
}

void vmclock_device_attach(struct vmclock_device *v, int fd)
{
	vmclock_device_detach(v);
	v->fd = fd;
	v->map = v->calls->map(v->calls->context, fd);
}

/* The sequence as it is in memory now; what is loaded after it is not older. */
static uint32_t sequence_of(const struct vmclock_device *v)
{
	uint32_t sequence = 0;

	for (unsigned i = 4; i > 0; i--)
		sequence = sequence << 8 | v->map[VMCLOCK_SEQUENCE_AT + i - 1];
	atomic_thread_fence(memory_order_acquire);
	return sequence;
}

/*
 * Nearly always it is as it was.  The marker counts as well: who goes on in another machine may find a
 * page that was begun anew, and by chance has the sequence that the old one had.
 */
static bool is_unchanged(const struct vmclock_device *v)
{
	uint64_t marker = 0;

	if (sequence_of(v) != v->page.sequence)
		return false;
	for (unsigned i = 8; i > 0; i--)
		marker = marker << 8 | v->map[VMCLOCK_MARKER_AT + i - 1];
	return marker == v->page.marker;
}

/*
 * A copy between two looks at the sequence that agree.  False: it was being written all the time.
 */
static bool copy(const struct vmclock_device *v, unsigned char ret[VMCLOCK_BYTES])
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t sequence = sequence_of(v);

		if (sequence & 1)
			continue;
		for (size_t k = 0; k < VMCLOCK_BYTES; k++)
			ret[k] = v->map[k];
		atomic_thread_fence(memory_order_acquire);
		if (sequence_of(v) == sequence)
			return true;
	}
	return false;
}

static enum vmclock_outcome fetch_mapped(const struct vmclock_device *v, struct vmclock_page *ret)
{
	unsigned char bytes[VMCLOCK_BYTES];

	if (!copy(v, bytes))
		return VMCLOCK_WRITING;
	return vmclock_decode(bytes, sizeof bytes, ret);
}

/* By read(2), which gives a consistent copy or, after 0.1 s, up. */
static enum vmclock_outcome fetch_read(struct vmclock_device *v, vt_mono now,
                                       struct vmclock_page *ret)
{
	unsigned char bytes[VMCLOCK_BYTES];
	int n = v->calls->read(v->calls->context, v->fd, bytes, sizeof bytes);

	v->error = n < 0 && n != -ETIMEDOUT ? -n : 0;
	if (n < 0) {
		v->reads_again = vt_mono_add(now, READ_PAUSE);
		return VMCLOCK_WRITING;
	}
	return vmclock_decode(bytes, (size_t)n, ret);
}

/* A page that is being written is no trouble until that takes too long. */
static void note_outcome(struct vmclock_device *v, enum vmclock_outcome outcome, vt_mono now)
{
	bool was_odd = v->is_odd;

	v->is_odd = outcome == VMCLOCK_WRITING;
	if (v->is_odd && !was_odd)
		v->odd_since = now;
	if (!v->is_odd || vt_mono_since(now, v->odd_since).ns >= WRITING_LASTS.ns)
		v->trouble = outcome;
}

static unsigned changes(const struct vmclock_page *from, const struct vmclock_page *to)
{
	unsigned found = 0;

	if (to->marker != from->marker)
		found |= VMCLOCK_CHANGED_MARKER;
	if (to->has_generation && from->has_generation && to->generation != from->generation)
		found |= VMCLOCK_CHANGED_GENERATION;
	return found;
}

unsigned vmclock_device_look(struct vmclock_device *v, vt_mono now)
{
	enum vmclock_outcome outcome;
	struct vmclock_page page;
	unsigned found = 0;

	if (v->fd < 0 || (!v->map && now.ns < v->reads_again.ns))
		return 0;
	if (v->map && v->is_known && is_unchanged(v)) {
		note_outcome(v, VMCLOCK_READ, now);
		return 0;
	}
	outcome = v->map ? fetch_mapped(v, &page) : fetch_read(v, now, &page);
	note_outcome(v, outcome, now);
	if (outcome == VMCLOCK_WRITING)
		return 0;
	v->is_known = outcome == VMCLOCK_READ;
	if (!v->is_known)
		return 0;
	if (v->has_page)
		found = changes(&v->page, &page);
	v->page = page;
	v->has_page = true;
	return found;
}

int vmclock_device_fetch(struct vmclock_device *v, vt_mono now, struct vmclock_page *ret)
{
	enum vmclock_outcome outcome;
	struct vmclock_page page;

	if (v->fd < 0)
		return -ENODEV;
	if (!v->map && now.ns < v->reads_again.ns)
		return -ETIMEDOUT;
	outcome = v->map ? fetch_mapped(v, &page) : fetch_read(v, now, &page);
	if (outcome == VMCLOCK_WRITING)
		return v->map ? -EAGAIN : -ETIMEDOUT;
	if (outcome != VMCLOCK_READ)
		return -ENODEV;
	*ret = page;
	return 0;
}

bool vmclock_device_is_still(struct vmclock_device *v, vt_mono now,
                             const struct vmclock_page *page)
{
	struct vmclock_page again;

	if (v->map)
		return sequence_of(v) == page->sequence;
	return vmclock_device_fetch(v, now, &again) == 0 && again.sequence == page->sequence;
}

bool vmclock_device_is_announced(const struct vmclock_device *v)
{
	return v->fd >= 0 && v->is_known && v->page.is_notified && !v->is_unpollable;
}

size_t vmclock_device_prepare(struct vmclock_device *v, vt_mono now, struct pollfd *ret)
{
	v->is_polled = vmclock_device_is_announced(v) && allowance_has(&v->wakes, now);
	if (!v->is_polled)
		return 0;
	*ret = (struct pollfd){ .fd = v->fd, .events = POLLIN };
	return 1;
}

/* The kernel tells the next change only after this one was read. */
static void rearm(struct vmclock_device *v)
{
	unsigned char bytes[VMCLOCK_BYTES];
	int n;

	/* It would wait; the fd stays ready, and waiting for it is put off by the allowance. */
	if (v->map && (sequence_of(v) & 1))
		return;
	n = v->calls->read(v->calls->context, v->fd, bytes, sizeof bytes);
	if (n < 0 && n != -EINTR && n != -ETIMEDOUT)
		v->is_unpollable = true;
}

unsigned vmclock_device_dispatch(struct vmclock_device *v, vt_mono now, const struct pollfd *fds,
                                 size_t n)
{
	if (n == 1 && fds->revents && v->is_polled) {
		/*
		 * Whoever waited may have made one of several events: POLLHUP has to be seen as
		 * such.
		 */
		short events = v->calls->poll(v->calls->context, v->fd);

		if (events & (POLLHUP | POLLERR | POLLNVAL)) {
			v->is_unpollable = true;
		} else if (events & POLLIN) {
			(void)allowance_take(&v->wakes, now);
			rearm(v);
		}
	}
	v->is_polled = false;
	return vmclock_device_look(v, now);
}
