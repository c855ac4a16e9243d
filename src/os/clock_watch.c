/* SPDX-License-Identifier: Apache-2.0 */
#include "os/clock_watch.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "os/clock_read.h"

/* No machine sleeps for less; two clocks that are read one after the other may differ. */
#define SHORTEST VT_MS(10)

/* The narrowest of so many: the others were interrupted. */
#define TRIES 3

/*
 * The C library's time and the kernel's, read one after the other, on a machine that has much to
 * do.
 */
#define SAME_CLOCK VT_SEC(10)

#define WAKES      8
#define WAKE_EVERY VT_MS(500)

/* In 2200: no clock of ours shows that. */
#define NEVER_S INT64_C(7258118400)

void clock_watch_init(struct clock_watch *w, const struct os_calls *calls)
{
	*w = (struct clock_watch){
		.calls = calls ? calls : &OS_CALLS,
		.fd = -1,
		.is_blind = true,
		.wakes = ALLOWANCE(WAKES, WAKE_EVERY),
	};
}

/* The timer, armed for a time that does not come.  0 or -errno. */
static int arm(int fd)
{
	const struct itimerspec never = { .it_value = { .tv_sec = NEVER_S } };

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0
	               ? -errno : 0;
}

/* Is the time that the C library gives the kernel's? */
static bool is_kernels(const struct clock_watch *w)
{
	struct timespec t;
	int64_t library, kernel;

	if (clock_read_ns(w->calls, CLOCK_MONOTONIC, &library) < 0)
		return false;
	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) < 0 || !clock_to_ns(&t, &kernel))
		return false;
	return vt_span_abs(VT_NS(kernel - library)).ns < SAME_CLOCK.ns;
}

void clock_watch_open(struct clock_watch *w)
{
	vt_span length;
	int fd;

	if (!is_kernels(w))
		return;
	w->is_blind = false;
	(void)clock_watch_slept(w, &length);
	fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0)
		return;
	if (arm(fd) < 0)
		close(fd);
	else
		w->fd = fd;
}

size_t clock_watch_prepare(struct clock_watch *w, vt_mono now, struct pollfd *ret)
{
	if (w->fd < 0 || !allowance_has(&w->wakes, now))
		return 0;
	*ret = (struct pollfd){ .fd = w->fd, .events = POLLIN };
	return 1;
}

/*
 * What the kernel has to tell, once.  A clock that was set beyond the timer's time lets it expire.
 */
static bool is_set(struct clock_watch *w)
{
	uint64_t expired;
	ssize_t n = read(w->fd, &expired, sizeof expired);
	int error = n < 0 ? errno : 0;

	if (error == EAGAIN || error == EINTR)
		return false;
	if (error && error != ECANCELED) {
		clock_watch_fini(w);
		return false;
	}
	/*
	 * Expired it would not be armed any more; and where it cannot be, there is nothing to wait
	 * for.
	 */
	if (arm(w->fd) < 0)
		clock_watch_fini(w);
	return true;
}

bool clock_watch_dispatch(struct clock_watch *w, vt_mono now, const struct pollfd *fds, size_t n)
{
	if (n != 1 || !fds->revents || w->fd < 0)
		return false;
	(void)allowance_take(&w->wakes, now);
	return is_set(w);
}

void clock_watch_forgive(struct clock_watch *w)
{
	if (w->fd >= 0)
		(void)is_set(w);
}

/* CLOCK_BOOTTIME - CLOCK_MONOTONIC, by one bracket. */
static bool look_once(const struct clock_watch *w, vt_span *ret, vt_span *ret_radius)
{
	int64_t before, boot, after;

	if (clock_read_ns(w->calls, CLOCK_MONOTONIC, &before) < 0 ||
	    clock_read_ns(w->calls, CLOCK_BOOTTIME, &boot) < 0 ||
	    clock_read_ns(w->calls, CLOCK_MONOTONIC, &after) < 0 || after < before)
		return false;
	*ret = VT_NS(vt_sat_sub(boot, before + (after - before) / 2));
	*ret_radius = VT_NS((after - before) / 2 + 1);
	return true;
}

bool clock_watch_slept(struct clock_watch *w, vt_span *ret_length)
{
	vt_span slept = VT_NS(0), radius = VT_SPAN_MAX;
	vt_span difference;
	bool is_longer;

	if (w->is_blind)
		return false;
	for (unsigned i = 0; i < TRIES && radius.ns >= SHORTEST.ns / 4; i++) {
		vt_span seen, by;

		if (look_once(w, &seen, &by) && by.ns < radius.ns) {
			slept = seen;
			radius = by;
		}
	}
	/* Nothing could be read, or only while others had the processor: the next look will do. */
	if (radius.ns >= SHORTEST.ns / 4)
		return false;
	difference = vt_span_sub(slept, w->slept);
	is_longer = w->has_slept && difference.ns > SHORTEST.ns;
	w->slept = slept;
	w->has_slept = true;
	if (is_longer)
		*ret_length = difference;
	return is_longer;
}

void clock_watch_fini(struct clock_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}
