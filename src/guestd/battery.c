/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/battery.h"

#include <errno.h>
#include <unistd.h>

#include "os/rtc.h"

#define DEVICE "/dev/rtc0"

void battery_init(struct battery *b, struct opener *opener, struct clock_port *clock, vt_mono now)
{
	*b = (struct battery){ .opener = opener, .clock = clock };
	/* An RTC takes its time, and a start has better things to do. */
	rtc_watch_init(&b->watch, vt_mono_add(now, VT_SEC(1)));
}

vt_mono battery_deadline(const struct battery *b)
{
	return rtc_watch_deadline(&b->watch);
}

/* The opener is another process: not to be woken up for what is not there. */
static int read_rtc(const struct battery *b, vt_real *ret)
{
	int fd = -1;
	int r = access(DEVICE, F_OK) < 0 ? -errno : opener_open_rtc(b->opener, &fd);

	if (r < 0)
		return r;
	r = rtc_read(NULL, fd, ret);
	close(fd);
	return r;
}

bool battery_look(struct battery *b, bool has_source, vt_mono now, vt_span *ret_correction)
{
	struct rtc_look look;
	struct clock_pair pair;

	if (now.ns < rtc_watch_deadline(&b->watch).ns)
		return false;
	if (read_rtc(b, &look.rtc) < 0 || b->clock->ops->read(b->clock, &pair) < 0) {
		rtc_watch_miss(&b->watch, now);
		return false;
	}
	look.raw = pair.raw;
	look.local = pair.local;
	return rtc_watch_look(&b->watch, &look, has_source, ret_correction) == RTC_WATCH_JUMPED;
}
