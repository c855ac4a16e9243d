/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/host_clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/line_server.h"
#include "os/owner.h"
#include "proto/control.h"

#define INTERVAL VT_SEC(30)
#define PATIENCE VT_SEC(1) /* for one answer */

/* After sleep the daemon is asked often until it has compared the clock, and then no more. */
#define DOUBT_INTERVAL VT_SEC(2)
#define DOUBT_LASTS    VT_SEC(120)

const struct host_clock_places HOST_CLOCK_PLACES = {
	.root = "",
	.vmtimed_socket = LINE_SERVER_PATH,
	.chrony_folder = CANDM_LINK_FOLDER,
	.chrony_port = CANDM_PORT,
	.calls = &OS_CALLS,
};

/* --- What is made of answers --- */

/*
 * A distance goes up and down with each reading of the daemon's, and each change would be told to every
 * guest.  So what was told stays for as long as it holds and is not four times what need be, and what is
 * told anew has room to grow.
 */
static void smooth(const struct host_clock *h, struct report_host_quality *q)
{
	const struct report_host_quality *told = &h->opinion.quality;
	const vt_span distance = q->root_distance;

	if (!q->has_root_distance)
		return;
	if (told->has_root_distance && distance.ns <= told->root_distance.ns &&
	    distance.ns > told->root_distance.ns / 4)
		q->root_distance = told->root_distance;
	else
		q->root_distance = vt_span_add(distance, VT_NS(distance.ns / 2));
}

static void hold(struct host_clock *h, const struct opinion *o)
{
	struct opinion told = *o;

	/* Nobody was asked before it slept: what is said first is from before. */
	if (h->is_doubted && h->mark == 0)
		h->doubted = o->mark;
	h->mark = o->mark;
	if (h->is_doubted && o->mark != h->doubted)
		h->is_doubted = false;
	if (h->is_doubted) {
		told.quality.is_synchronized = told.quality.has_root_distance = false;
		told.quality.leap = REPORT_LEAP_UNSYNCHRONISED;
	}
	smooth(h, &told.quality);
	if (!h->has_opinion || opinion_is_news(&told, &h->opinion) ||
	    told.quality.root_distance.ns != h->opinion.quality.root_distance.ns)
		h->has_news = true;
	h->opinion = told;
	h->has_opinion = true;
}

static vt_span interval(const struct host_clock *h)
{
	return h->is_doubted && vt_mono_since(h->now, h->doubted_since).ns < DOUBT_LASTS.ns
	               ? DOUBT_INTERVAL
	               : INTERVAL;
}

/* A round is over. */
static void rest(struct host_clock *h)
{
	line_stream_fini(&h->vmtimed);
	candm_link_close(&h->chronyd);
	h->step = HOST_CLOCK_IDLE;
	h->next = vt_mono_add(h->now, interval(h));
}

/* False: there is no such file. */
static bool find_touched(const struct host_clock *h, vt_real *ret)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof path, "%s/run/systemd/timesync/synchronized", h->places.root);
	if (stat(path, &st) < 0)
		return false;
	*ret = (vt_real){ (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec };
	return true;
}

/* Nobody answered: what others have left to be seen. */
static void look_at_kernel(struct host_clock *h, vt_real real)
{
	struct kernel_clock kernel;
	struct owner owner = { .name = "" };
	struct opinion o;
	vt_real touched;

	if (kernel_clock_read(h->places.calls, &kernel) < 0)
		return;
	(void)owner_find(h->places.root, getpid(), &owner);
	/* The kernel's record of a name is cut at 15 characters. */
	if (strncmp(owner.name, "systemd-timesyn", 15) == 0 && find_touched(h, &touched))
		opinion_of_timesyncd(&kernel, touched, real, &o);
	else
		opinion_of_kernel(&kernel, owner.name, &o);
	/* The kernel has no mark: an error that became smaller was told anew. */
	if (o.mark == 0)
		o.mark = -kernel.max_error.ns;
	if (h->is_doubted && o.mark < h->doubted)
		o.mark = h->doubted;
	hold(h, &o);
}

/* --- Asking, one after the other --- */

static bool ask_vmtimed(struct host_clock *h)
{
	static const struct control_request request = { .command = CONTROL_STATUS };
	char line[CONTROL_REQUEST_MAX];
	int error;

	return line_stream_open(&h->vmtimed, h->places.vmtimed_socket, &error) ==
	               LINE_CLIENT_ANSWERED &&
	       control_encode_request(&request, line, sizeof line) == 0 &&
	       line_stream_send(&h->vmtimed, slice_trim(slice_of(line)));
}

static bool ask_chronyd(struct host_clock *h, enum host_clock_step step)
{
	int r;

	if (step == HOST_CLOCK_ASKS_UDP && h->places.chrony_port == 0)
		return false;
	r = step == HOST_CLOCK_ASKS_UDP
	            ? candm_link_open_udp(&h->chronyd, h->places.chrony_port)
	            : candm_link_open_unix(&h->chronyd, h->places.chrony_folder);
	return r == 0 && candm_link_ask(&h->chronyd, CANDM_TRACKING) == 0;
}

/* From @step on, whoever can be asked. */
static void ask_from(struct host_clock *h, enum host_clock_step step, vt_real real)
{
	for (; step <= HOST_CLOCK_ASKS_UNIX; step++) {
		line_stream_fini(&h->vmtimed);
		candm_link_close(&h->chronyd);
		if (step == HOST_CLOCK_ASKS_VMTIMED ? ask_vmtimed(h) : ask_chronyd(h, step)) {
			h->step = step;
			h->next = vt_mono_add(h->now, PATIENCE);
			return;
		}
	}
	look_at_kernel(h, real);
	rest(h);
}

/* True: vmtimed has answered, and it is held. */
static bool hear_vmtimed(struct host_clock *h)
{
	struct report_status status = { .state = REPORT_STARTING };
	struct control_error error;
	struct opinion o;
	struct slice line;

	if (!line_stream_pop(&h->vmtimed, &line) ||
	    control_decode_reply(line.p, line.n, CONTROL_STATUS, &status, &error) !=
	            CONTROL_ANSWERED)
		return false;
	/* One that only looks on does not keep the clock. */
	if (status.is_observing)
		return false;
	opinion_of_vmtimed(&status, &o);
	hold(h, &o);
	return true;
}

static void serve_vmtimed(struct host_clock *h, vt_real real, const struct pollfd *fds, size_t n)
{
	int error;
	enum line_client_outcome outcome = line_stream_dispatch(&h->vmtimed, fds, n, &error);
	bool has_line = false;

	if (n > 0 && fds->revents)
		has_line = hear_vmtimed(h);
	if (has_line)
		rest(h);
	else if (outcome != LINE_CLIENT_ANSWERED || h->now.ns >= h->next.ns)
		ask_from(h, HOST_CLOCK_ASKS_UDP, real);
}

static void serve_chronyd(struct host_clock *h, vt_real real)
{
	struct candm_reply reply;
	struct opinion o;

	switch (candm_link_take(&h->chronyd, &reply)) {
	case CANDM_LINK_ANSWERED:
		if (reply.status != CANDM_SUCCESS || reply.code != CANDM_REPLY_TRACKING)
			break;
		opinion_of_chronyd(&reply.data.tracking, &o);
		hold(h, &o);
		rest(h);
		return;
	case CANDM_LINK_WAITS:
		if (h->now.ns < h->next.ns)
			return;
		break;
	case CANDM_LINK_NOBODY: break;
	}
	ask_from(h, h->step + 1, real);
}

static void serve(struct host_clock *h, vt_real real, const struct pollfd *fds, size_t n)
{
	switch (h->step) {
	case HOST_CLOCK_IDLE:
		if (h->now.ns >= h->next.ns)
			ask_from(h, HOST_CLOCK_ASKS_VMTIMED, real);
		return;
	case HOST_CLOCK_ASKS_VMTIMED: serve_vmtimed(h, real, fds, n); return;
	case HOST_CLOCK_ASKS_UDP:
	case HOST_CLOCK_ASKS_UNIX: serve_chronyd(h, real); return;
	}
}

/* --- What the kernel tells --- */

static void doubt(struct host_clock *h, vt_span slept)
{
	h->slept = slept;
	h->has_slept = true;
	/* What the clock shows is the RTC's word now; in the middle of a round nobody has looked. */
	h->is_doubted = true;
	h->doubted = h->mark;
	h->doubted_since = h->now;
	h->opinion.quality.is_synchronized = h->opinion.quality.has_root_distance = false;
	h->opinion.quality.leap = REPORT_LEAP_UNSYNCHRONISED;
	h->has_news = true;
	rest(h);
}

static void watch(struct host_clock *h, const struct pollfd *fds, size_t n)
{
	bool was_set = clock_watch_dispatch(&h->watch, h->now, fds, n);
	vt_span slept;

	if (clock_watch_slept(&h->watch, &slept)) {
		doubt(h, slept);
		return;
	}
	if (!was_set)
		return;
	h->was_set = true;
	/* By its daemon, probably: it has news. */
	if (h->step == HOST_CLOCK_IDLE)
		h->next = h->now;
}

/* --- The component --- */

void host_clock_init(struct host_clock *h, const struct host_clock_places *places)
{
	*h = (struct host_clock){ .places = *places, .chronyd = CANDM_LINK_INIT,
				  .clocksource = CLOCKSOURCE_INIT };
	line_stream_init(&h->vmtimed);
	clock_watch_init(&h->watch, places->calls);
}

void host_clock_open(struct host_clock *h, vt_mono now)
{
	h->now = h->next = now;
	clock_watch_open(&h->watch);
	clocksource_init(&h->clocksource, h->places.root);
	h->has_news = true;
}

void host_clock_fini(struct host_clock *h)
{
	line_stream_fini(&h->vmtimed);
	candm_link_close(&h->chronyd);
	clock_watch_fini(&h->watch);
	clocksource_fini(&h->clocksource);
}

size_t host_clock_prepare(struct host_clock *h, struct pollfd *ret)
{
	size_t n = 0;

	h->n_stream = 0;
	if (h->step == HOST_CLOCK_ASKS_VMTIMED)
		n += h->n_stream = line_stream_prepare(&h->vmtimed, ret);
	else if (h->chronyd.fd >= 0)
		ret[n++] = (struct pollfd){ .fd = h->chronyd.fd, .events = POLLIN };
	h->n_watch = clock_watch_prepare(&h->watch, h->now, ret + n);
	return n + h->n_watch;
}

vt_mono host_clock_deadline(const struct host_clock *h)
{
	return h->next;
}

void host_clock_dispatch(struct host_clock *h, vt_mono now, vt_real real, const struct pollfd *fds,
                         size_t n)
{
	const size_t n_watch = n ? h->n_watch : 0;

	h->now = now;
	watch(h, n_watch ? fds + n - n_watch : NULL, n_watch);
	serve(h, real, fds, n - n_watch < h->n_stream ? n - n_watch : h->n_stream);
	if (clocksource_check(&h->clocksource))
		h->has_news = true;
}

bool host_clock_take_news(struct host_clock *h)
{
	bool has = h->has_news;

	h->has_news = false;
	return has;
}

bool host_clock_take_step(struct host_clock *h)
{
	bool was = h->was_set;

	h->was_set = false;
	return was;
}

bool host_clock_take_sleep(struct host_clock *h, vt_span *ret)
{
	bool has = h->has_slept;

	h->has_slept = false;
	if (has)
		*ret = h->slept;
	return has;
}

void host_clock_alert(const struct host_clock *h, char *to, size_t size)
{
	const char *name = h->clocksource.name;

	*to = '\0';
	/* KVM gives guests the time of day only from these counters, read by the processor itself. */
	if (!*name || strcmp(name, "tsc") == 0 || strcmp(name, "arch_sys_counter") == 0)
		return;
	snprintf(to, size, "the host's clocksource is %.31s, not tsc: no guest can read the host's clock "
	         "(ptp_kvm)", name);
}
