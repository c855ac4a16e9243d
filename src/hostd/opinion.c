/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/opinion.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What a float of chrony's protocol may have lost, and the addition of three. */
#define ROUNDING 1e-6

/* systemd's own limit (RootDistanceMaxSec), and how long its longest pause between two looks is. */
#define TIMESYNCD_DISTANCE VT_SEC(5)
#define TIMESYNCD_POLL     VT_SEC(2048)
#define TIMESYNCD_MISSES   3

/* A clock that nobody compares drifts: RFC 5905's tolerance, as in core/host_quality.h. */
#define DRIFT_PPM 15

/* The kernel itself gives up there. */
#define KERNEL_ERROR_MAX VT_SEC(16)

static void name_daemon(struct opinion *o, const char *daemon)
{
	snprintf(o->quality.daemon, sizeof o->quality.daemon, "%s", daemon);
}

/* Synchronised, and at most @distance from true time. */
static void vouch(struct opinion *o, vt_span distance)
{
	o->quality.is_synchronized = o->quality.has_root_distance = true;
	o->quality.root_distance = distance;
}

static enum report_leap leap_of_chronyd(unsigned leap)
{
	static const enum report_leap LEAPS[] = { REPORT_LEAP_NORMAL, REPORT_LEAP_INSERT,
						  REPORT_LEAP_DELETE };

	return leap < 3 ? LEAPS[leap] : REPORT_LEAP_UNSYNCHRONISED;
}

void opinion_of_chronyd(const struct candm_tracking *t, struct opinion *ret)
{
	double distance = fabs(t->root_delay) / 2 + fabs(t->root_dispersion) + fabs(t->correction);

	*ret = (struct opinion){ .mark = t->ref_time.ns };
	name_daemon(ret, "chronyd");
	ret->quality.leap = leap_of_chronyd(t->leap);
	/* `local` means: synchronised to nothing but itself. */
	if (t->leap >= 3 || t->refid == 0 || t->refid == CANDM_LOCAL_REFID || t->stratum < 1 ||
	    t->stratum > 15 || !isfinite(distance))
		ret->quality.leap = REPORT_LEAP_UNSYNCHRONISED;
	else
		vouch(ret, vt_span_from_ns(ceil(distance * (1 + ROUNDING) * 1e9) + 1));
}

void opinion_of_vmtimed(const struct report_status *s, struct opinion *ret)
{
	const struct report_tracking *t = &s->tracking;

	*ret = (struct opinion){ .mark = t->ref_time.ns };
	name_daemon(ret, "vmtimed");
	ret->quality.leap = t->leap;
	/* Root delay and dispersion hold the bound, and the host's error as far as that is known. */
	if ((s->state == REPORT_OK || s->state == REPORT_CONTESTED) && s->has_bound &&
	    s->has_host_error)
		vouch(ret, vt_span_add(VT_NS(t->root_delay.ns / 2 + 1),
		                       vt_span_add(t->root_dispersion,
		                                   vt_span_abs(t->system_offset))));
	else
		ret->quality.leap = REPORT_LEAP_UNSYNCHRONISED;
}

static enum report_leap leap_of_kernel(const struct kernel_clock *k)
{
	switch (k->leap) {
	case KERNEL_LEAP_INSERT: return REPORT_LEAP_INSERT;
	case KERNEL_LEAP_DELETE: return REPORT_LEAP_DELETE;
	case KERNEL_LEAP_NONE: break;
	}
	return REPORT_LEAP_NORMAL;
}

void opinion_of_timesyncd(const struct kernel_clock *k, vt_real touched, vt_real now,
                          struct opinion *ret)
{
	const vt_span age = vt_real_since(now, touched);
	const vt_span drift = VT_NS(age.ns / 1000000 * DRIFT_PPM);

	*ret = (struct opinion){ .mark = touched.ns };
	name_daemon(ret, "systemd-timesyncd");
	ret->quality.leap = REPORT_LEAP_UNSYNCHRONISED;
	/* A file from the future was touched before the clock was set back. */
	if (!k->is_synchronized || age.ns < 0 || age.ns > TIMESYNCD_POLL.ns * TIMESYNCD_MISSES)
		return;
	ret->quality.leap = leap_of_kernel(k);
	vouch(ret, vt_span_add(TIMESYNCD_DISTANCE, vt_span_add(vt_span_abs(k->left), drift)));
}

void opinion_of_kernel(const struct kernel_clock *k, const char *daemon, struct opinion *ret)
{
	*ret = (struct opinion){ .quality.leap = REPORT_LEAP_UNSYNCHRONISED };
	name_daemon(ret, daemon);
	if (!k->is_synchronized || k->max_error.ns >= KERNEL_ERROR_MAX.ns)
		return;
	if (!*daemon)
		name_daemon(ret, "kernel");
	ret->quality.leap = leap_of_kernel(k);
	/* maxerror is the daemon's root distance, which the kernel lets grow. */
	vouch(ret, vt_span_add(k->max_error, vt_span_abs(k->left)));
}

bool opinion_is_news(const struct opinion *a, const struct opinion *b)
{
	return strcmp(a->quality.daemon, b->quality.daemon) != 0 ||
	       a->quality.is_synchronized != b->quality.is_synchronized ||
	       a->quality.leap != b->quality.leap;
}
