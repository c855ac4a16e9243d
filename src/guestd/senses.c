/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/senses.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

/* A device may come late, or go. */
#define LOOK_FOR_VMCLOCK VT_SEC(1)
#define STILL_THERE      VT_SEC(10)

/* A wake-up that came this much after what it was for may have slept through something. */
#define LATE VT_MS(50)

/*
 * No host does more to its guest; what comes faster waits, and each is told and kept as an event.
 */
#define HOSTS_AT_ONCE 4
#define HOSTS_EVERY   VT_SEC(10)

/* A late wake-up costs a reading, and where the machine is overloaded there are many of them. */
#define LATE_AT_ONCE 4
#define LATE_EVERY   VT_SEC(1)

/* Quiet for so long, it is no flood any more. */
#define FLOOD_LASTS VT_SEC(60)

void senses_init(struct senses *s, struct opener *opener)
{
	*s = (struct senses){
		.opener = opener,
		.waits_until = VT_MONO_NEVER,
		.hosts = ALLOWANCE(HOSTS_AT_ONCE, HOSTS_EVERY),
		.wakes = ALLOWANCE(LATE_AT_ONCE, LATE_EVERY),
	};
	vmclock_device_init(&s->vmclock, NULL);
	uevent_init(&s->uevent);
	clock_watch_init(&s->clocks, NULL);
}

/* "marker, looked at at each wake-up"; empty where there is none. */
static const char *describe_vmclock(const struct senses *s, char *to, size_t size)
{
	const struct vmclock_device *v = &s->vmclock;

	if (v->fd < 0)
		snprintf(to, size, "%s", "");
	else if (v->trouble != VMCLOCK_READ)
		snprintf(to, size, "not used: its page %s", vmclock_explain(v->trouble));
	else
		snprintf(to, size, "marker%s, %s%s",
		         v->page.has_generation ? " and generation" : "",
		         vmclock_device_is_announced(v) ? "announced by the host"
		                                        : "looked at at each wake-up",
		         s->is_flooded ? "; it changes too often, and is heeded every 10 s" : "");
	return to;
}

struct report_senses senses_report(const struct senses *s)
{
	struct report_senses report = {
		.is_there = true,
		.hears_generation = s->uevent.fd >= 0,
		.sees_clock_set = s->clocks.fd >= 0,
		.sees_sleep = !s->clocks.is_blind,
	};

	describe_vmclock(s, report.vmclock, sizeof report.vmclock);
	return report;
}

static void tell_vmclock(struct senses *s)
{
	const struct vmclock_device *v = &s->vmclock;
	char text[128];

	if (v->fd < 0 || (!v->is_known && v->trouble == VMCLOCK_READ))
		return;
	if (v->trouble != VMCLOCK_READ && v->trouble != s->vmclock_told)
		log_warn("vmclock: the page of %s %s: it is looked at again at each wake-up",
		         VMCLOCK_DEVICE_PATH, vmclock_explain(v->trouble));
	else if (v->trouble == VMCLOCK_READ &&
	         (!s->is_vmclock_told || s->vmclock_told != VMCLOCK_READ))
		log_info("vmclock: %s tells of disruptions: %s", VMCLOCK_DEVICE_PATH,
		         describe_vmclock(s, text, sizeof text));
	s->vmclock_told = v->trouble;
	s->is_vmclock_told = true;
}

static void lose_vmclock(struct senses *s)
{
	vmclock_device_detach(&s->vmclock);
	s->is_vmclock_told = false;
	s->vmclock_told = VMCLOCK_READ;
	log_info("vmclock: %s is gone", VMCLOCK_DEVICE_PATH);
}

/* To look needs no right; the opener, another process, is asked only for what is there. */
static void find_vmclock(struct senses *s, vt_mono now)
{
	bool is_there;
	int fd = -1;
	int r;

	if (now.ns < s->vmclock_due.ns)
		return;
	is_there = access(VMCLOCK_DEVICE_PATH, F_OK) == 0;
	s->vmclock_due = vt_mono_add(now, is_there ? STILL_THERE : LOOK_FOR_VMCLOCK);
	if (!is_there && s->vmclock.fd >= 0)
		lose_vmclock(s);
	if (!is_there || s->vmclock.fd >= 0)
		return;
	r = opener_open_vmclock(s->opener, &fd);
	if (r == 0)
		vmclock_device_attach(&s->vmclock, fd);
	else if (r != s->vmclock_error)
		log_cope(r, "vmclock: %s", VMCLOCK_DEVICE_PATH);
	s->vmclock_error = r;
}

void senses_open(struct senses *s, vt_mono now)
{
	int r = uevent_open(&s->uevent);

	if (r < 0)
		log_debug("kernel events are not heard: error %d", -r);
	clock_watch_open(&s->clocks);
	find_vmclock(s, now);
	(void)vmclock_device_look(&s->vmclock, now);
	tell_vmclock(s);
}

size_t senses_prepare(struct senses *s, vt_mono now, vt_mono deadline,
                      struct pollfd ret[SENSES_FDS])
{
	size_t n = 0;

	n += s->n_vmclock = vmclock_device_prepare(&s->vmclock, now, ret + n);
	n += s->n_uevent = uevent_prepare(&s->uevent, now, ret + n);
	n += s->n_clocks = clock_watch_prepare(&s->clocks, now, ret + n);
	s->waits_until = deadline.ns > now.ns ? deadline : now;
	return n;
}

/* The host's evidence, which it can make as often as it likes: what is too much waits. */
static void release_held(struct senses *s, vt_mono now)
{
	if (s->is_flooded && vt_mono_since(now, s->flooded).ns > FLOOD_LASTS.ns)
		s->is_flooded = false;
	if (!s->held)
		return;
	if (allowance_take(&s->hosts, now)) {
		s->ready |= s->held;
		s->held = 0;
		return;
	}
	if (!s->is_flooded)
		log_warn("the host tells of disruptions faster than they can be true: "
		         "one in 10 s is heeded");
	s->is_flooded = true;
	s->flooded = now;
}

static unsigned evidence_of(unsigned changes)
{
	return (changes & VMCLOCK_CHANGED_MARKER ? EVIDENCE_MARKER : 0u) |
	       (changes & VMCLOCK_CHANGED_GENERATION ? EVIDENCE_GENERATION : 0u);
}

static void look_at_host(struct senses *s, vt_mono now, const struct pollfd *fds)
{
	size_t n_vmclock = fds ? s->n_vmclock : 0;
	size_t n_uevent = fds ? s->n_uevent : 0;
	unsigned found;

	find_vmclock(s, now);
	found = vmclock_device_dispatch(&s->vmclock, now, fds, n_vmclock);
	tell_vmclock(s);
	s->held |= evidence_of(found);
	if (uevent_dispatch(&s->uevent, now, fds ? fds + n_vmclock : NULL, n_uevent))
		s->held |= EVIDENCE_GENERATION;
	release_held(s, now);
}

static void look_at_clocks(struct senses *s, vt_mono now, const struct pollfd *fds)
{
	if (clock_watch_dispatch(&s->clocks, now, fds ? fds + s->n_vmclock + s->n_uevent : NULL,
	                         fds ? s->n_clocks : 0))
		s->ready |= EVIDENCE_CLOCK_SET;
	if (clock_watch_slept(&s->clocks, &s->slept))
		s->ready |= EVIDENCE_SUSPEND;
	if (fds && vt_mono_since(now, s->waits_until).ns > LATE.ns &&
	    allowance_take(&s->wakes, now))
		s->ready |= EVIDENCE_LATE;
}

void senses_dispatch(struct senses *s, vt_mono now, const struct pollfd *fds)
{
	look_at_host(s, now, fds);
	look_at_clocks(s, now, fds);
	/* Until it is prepared again none of them is waited for. */
	s->n_vmclock = s->n_uevent = s->n_clocks = 0;
}

bool senses_pop(struct senses *s, struct sense_evidence *ret)
{
	if (!s->ready)
		return false;
	*ret = (struct sense_evidence){
		.evidence = s->ready,
		.size = s->ready & EVIDENCE_SUSPEND ? s->slept : VT_NS(0),
	};
	s->ready = 0;
	return true;
}

void senses_forgive_step(struct senses *s)
{
	clock_watch_forgive(&s->clocks);
}

void senses_fini(struct senses *s)
{
	vmclock_device_detach(&s->vmclock);
	uevent_fini(&s->uevent);
	clock_watch_fini(&s->clocks);
}
