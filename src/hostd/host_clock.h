/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_HOST_CLOCK_H
#define HOSTD_HOST_CLOCK_H

/*
 * host_clock.h - the host's own clock: who keeps it, how right it is, and what happens to it
 *
 * The daemon that keeps it is asked twice a minute, without waiting: vmtimed by its control
 * socket, chronyd by its command protocol, then what systemd-timesyncd leaves in /run, then
 * what the kernel was told.  Whoever answers first is believed; nobody is woken for it.
 *
 * That the clock was set, or that the machine slept, the kernel tells at once.  After
 * sleep the clock counts as unsynchronised until its daemon has compared it anew.
 *
 * A component: fds, a deadline, a dispatch, and what happened is taken.
 */

#include <poll.h>
#include <stdbool.h>

#include "hostd/opinion.h"
#include "os/candm_link.h"
#include "os/clock_watch.h"
#include "os/clocksource.h"
#include "os/line_stream.h"

#define HOST_CLOCK_FDS 2

/* Where it looks; tests have their own. */
struct host_clock_places {
	const char *root;           /* before /sys, /proc and /run/systemd; "" on a real system */
	const char *vmtimed_socket;
	const char *chrony_folder;
	unsigned chrony_port;       /* of UDP; 0: is not asked */
	const struct os_calls *calls;
};

extern const struct host_clock_places HOST_CLOCK_PLACES;

enum host_clock_step {
	HOST_CLOCK_IDLE,
	HOST_CLOCK_ASKS_VMTIMED,
	HOST_CLOCK_ASKS_UDP,
	HOST_CLOCK_ASKS_UNIX,
};

struct host_clock {
	struct host_clock_places places;
	enum host_clock_step step;
	vt_mono next; /* when to ask, or to give up waiting */
	vt_mono now;
	struct line_stream vmtimed;
	struct candm_link chronyd;
	struct clock_watch watch;
	size_t n_stream, n_watch; /* of the latest prepare */
	struct clocksource clocksource;

	bool has_opinion;
	struct opinion opinion; /* as it is told: see is_doubted */
	int64_t mark;           /* of the latest answer          */
	bool is_doubted;        /* it slept, and @doubted is the mark from before */
	int64_t doubted;
	vt_mono doubted_since;

	bool has_news, was_set, has_slept;
	vt_span slept;
};

/* Makes it safe for fini; opens nothing. */
void host_clock_init(struct host_clock *h, const struct host_clock_places *places);

/* Begins; what can be known without waiting is known when it returns. */
void host_clock_open(struct host_clock *h, vt_mono now);
void host_clock_fini(struct host_clock *h);

/* At most HOST_CLOCK_FDS; returns how many are in use. */
size_t host_clock_prepare(struct host_clock *h, struct pollfd *ret);
vt_mono host_clock_deadline(const struct host_clock *h);

/* @n 0: only what the time asks for. */
void host_clock_dispatch(struct host_clock *h, vt_mono now, vt_real real, const struct pollfd *fds,
                         size_t n);

/* What has happened since the last question, each told once. */
bool host_clock_take_news(struct host_clock *h);   /* its quality or its clocksource is another one */
bool host_clock_take_step(struct host_clock *h);   /* somebody set it                             */
bool host_clock_take_sleep(struct host_clock *h, vt_span *ret); /* the machine slept for so long */

/* Writes a sentence about a clocksource that guests cannot read the host's clock by; "": none. */
void host_clock_alert(const struct host_clock *h, char *to, size_t size);

#endif
