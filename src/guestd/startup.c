/* SPDX-License-Identifier: Apache-2.0 */

/*
 * startup.c - what vmtimed does once, in order, from root to its loop
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "guestd/control.h"
#include "guestd/daemon.h"
#include "guestd/drift.h"
#include "os/files.h"
#include "os/rtc.h"
#include "os/scheduling.h"
#include "os/stamp.h"
#include "proto/control.h"

#define RUN_FOLDER   "/run/vmtime"
#define STATE_FOLDER "/var/lib/vmtime"

static bool runs_for_long(const struct daemon *d)
{
	return d->options.mode == OPTIONS_RUN;
}

/* -u, then `user`, then vmtime; who is not root already has nobody to become. */
static int find_user(struct daemon *d)
{
	const char *user = d->options.user ? d->options.user
	                 : *d->settings.user ? d->settings.user
	                                     : PRIVILEGES_USER;
	char text[256];
	enum privileges_user_outcome outcome;

	if (geteuid() != 0) {
		d->user = (struct privileges_user){ .is_root = true };
		snprintf(d->user_name, sizeof d->user_name, "%u", (unsigned)geteuid());
		return 0;
	}
	outcome = privileges_find_user(user, &d->user);
	if (outcome != PRIVILEGES_USER_FOUND) {
		log_fail("%s", privileges_explain_user(outcome, user, text, sizeof text));
		return -EINVAL;
	}
	snprintf(d->user_name, sizeof d->user_name, "%s", user);
	return 0;
}

/* May we, and are we the only one? */
static int check_clock(const struct daemon *d)
{
	enum privileges_clock_right right = privileges_clock_right();
	struct owner other;

	if (d->options.is_observing)
		return 0;
	if (right != PRIVILEGES_CLOCK_OURS) {
		log_fail("%s", privileges_explain_clock(right));
		return -EPERM;
	}
	if (d->settings.clock_owner == CLOCK_OWNER_IGNORE)
		return 0;
	if (owner_find("", getpid(), &other) == OWNER_FOUND) {
		log_fail("%s (pid %d) steers the clock already; end it with `%s`, or say `clockowner ignore`, "
		         "or observe only with -x", other.name, (int)other.pid, other.hand_over);
		return -EBUSY;
	}
	return 0;
}

static int take_pidfile(struct daemon *d)
{
	pid_t other = 0;
	int r = 0;

	if (!*d->settings.pid_file)
		return 0;
	/* Its usual folder is gone after each boot; another one is the administrator's to make. */
	r = folder_make(RUN_FOLDER, 0755, geteuid(), getegid());
	if (r < 0 && r != -EEXIST)
		log_cope(r, "folder %s", RUN_FOLDER);
	switch (pidfile_take(&d->pidfile, d->settings.pid_file, &other, &r)) {
	case PIDFILE_TAKEN:
		return 0;
	case PIDFILE_HELD:
		log_fail("vmtimed runs already (pid %d holds %s)", (int)other, d->settings.pid_file);
		return -EEXIST;
	case PIDFILE_FOREIGN:
		log_fail("%s is no pid file: it was left alone; name another with `pidfile`",
		         d->settings.pid_file);
		return -EEXIST;
	case PIDFILE_FAILED:
		return log_err(r, "pid file %s", d->settings.pid_file);
	}
	return -EINVAL;
}

static uid_t own_uid(const struct daemon *d)
{
	return d->user.is_root ? geteuid() : d->user.uid;
}

static gid_t own_gid(const struct daemon *d)
{
	return d->user.is_root ? getegid() : d->user.gid;
}

static int open_server(struct daemon *d)
{
	struct line_server_conf conf = {
		.path = LINE_SERVER_PATH,
		.uid = own_uid(d),
		.gid = own_gid(d),
		.busy_reply = CONTROL_BUSY_REPLY,
		.too_long_reply = CONTROL_TOO_LONG_REPLY,
	};
	int r = 0;

	switch (line_server_open(&d->server, &conf, daemon_clock_now(), &r)) {
	case LINE_SERVER_OPEN:
		return 0;
	case LINE_SERVER_TAKEN:
		log_fail("another vmtimed answers at %s already", conf.path);
		return -EADDRINUSE;
	case LINE_SERVER_FAILED:
		return log_err(r, "control socket %s", conf.path);
	}
	return -EINVAL;
}

/* Nobody else is there: the folders are ours, and stay ours after root is gone. */
static int take_folders(const struct daemon *d)
{
	int r = folder_take(RUN_FOLDER, 0755, own_uid(d), own_gid(d));

	if (r < 0)
		return log_err(r, "folder %s", RUN_FOLDER);
	r = folder_take(STATE_FOLDER, 0755, own_uid(d), own_gid(d));
	if (r < 0)
		log_cope(r, "folder %s", STATE_FOLDER); /* drift and events live there */
	records_make_folder(d, own_uid(d), own_gid(d));
	return 0;
}

static int start_opener(struct daemon *d)
{
	struct opener_paths paths = { 0 };
	int r;

	for (unsigned i = 0; i < d->settings.n_refclocks && paths.n < OPENER_PATHS_MAX; i++)
		snprintf(paths.paths[paths.n++], OPENER_PATH_MAX, "%s", d->settings.refclocks[i].device);
	if (d->settings.agent[0] == '/')
		snprintf(paths.agent, sizeof paths.agent, "%s", d->settings.agent);
	if (candm_has_folder(&d->candm))
		snprintf(paths.folder, sizeof paths.folder, "%s", CANDM_FOLDER);
	r = opener_init(&d->opener, &paths, "", d->user.is_root);
	return r < 0 ? log_err(r, "opener") : 0;
}

static int take_clock(struct daemon *d)
{
	int r = clock_linux_init(&d->clock, NULL);

	if (r < 0)
		return log_err(r, "the kernel's clock");
	if (d->options.is_observing)
		return 0;
	r = clock_linux_take_over(&d->clock);
	return r < 0 ? log_err(r, "taking the kernel's clock over") : 0;
}

static void start_discipline(struct daemon *d)
{
	bool is_fresh = d->clock.was_unsynchronized && !stamp_exists(STAMP_PATH);
	struct discipline_conf conf = {
		/* -q is there to set the clock: what the boot would step, it steps. */
		.step = daemon_step_conf(&d->settings,
		                           is_fresh || d->options.mode == OPTIONS_SET_ONCE),
		.max_slew = d->settings.max_slew_rate,
		.is_observing = d->options.is_observing,
		.keeps_kernel_synchronized = d->settings.is_rtcsync,
	};

	drift_load(d->settings.drift_file, d->clock.rate_at_start, &conf.rate, &conf.rate_sigma);
	discipline_init(&d->discipline, &conf, &d->clock.port, d->clock.rate_at_start);
	refclocks_init(&d->refclocks, &d->settings, &d->opener, &d->clocksource,
	               &d->senses.vmclock);
	refclocks_add_to(&d->refclocks, &d->settings, &d->discipline);
	refclocks_add_page(&d->refclocks, &d->discipline);
}

/* -s: nothing better answered, so the RTC it is, where it differs by more than it can be wrong. */
static void set_from_rtc(struct daemon *d)
{
	struct clock_pair pair;
	vt_real rtc;
	vt_span correction;
	int fd = -1;
	int r = opener_open_rtc(&d->opener, &fd);

	if (r == 0) {
		r = rtc_read(NULL, fd, &rtc);
		close(fd);
	}
	if (r == 0)
		r = d->clock.port.ops->read(&d->clock.port, &pair);
	if (r < 0) {
		log_cope(r, "the RTC could not be read: the clock stays as it is");
		return;
	}
	correction = vt_real_since(rtc, pair.local);
	if (vt_span_abs(correction).ns <= RTC_RADIUS.ns || d->options.is_observing)
		return;
	r = d->clock.port.ops->step(&d->clock.port, correction);
	if (r < 0) {
		log_err(r, "setting the clock from the RTC");
		return;
	}
	log_info("clock stepped by %+.3f s: cause=\"RTC\"", vt_span_seconds(correction));
	history_note_rtc(d, correction);
}

/* What a daemon that only looks once does without. */
static int settle_down(struct daemon *d)
{
	int r = open_server(d);

	host_open(&d->host, d->settings.vsock_port, daemon_clock_now());
	/* It is opened by the user that we become. */
	history_keep(&d->history);
	event_ring_give(EVENT_RING_PATH, own_uid(d), own_gid(d));
	if (r == 0)
		r = take_folders(d);
	if (r == 0)
		candm_open(&d->candm, &d->settings.command, own_uid(d), own_gid(d));
	return r;
}

/* An ordinary process keeps the clock right too, a little later now and then. */
static void schedule(const struct daemon *d)
{
	int r = d->settings.is_memory_locked ? scheduling_lock_memory() : 0;

	if (r < 0)
		log_cope(r, "lock_all: memory may be swapped out");
	r = d->settings.priority > 0 ? scheduling_go_first(d->settings.priority) : 0;
	if (r < 0)
		log_cope(r, "sched_priority %d: running as an ordinary process", d->settings.priority);
}

/* From root to the user, with the opener left behind: the devices that are open stay so. */
static int drop_root(struct daemon *d)
{
	int r;

	opener_fini(&d->opener);
	r = start_opener(d);
	if (r < 0)
		return r;
	if (runs_for_long(d))
		schedule(d);
	/* Nobody to become, but what a service manager gave beyond these two is given back. */
	r = geteuid() != 0 ? privileges_limit(PRIVILEGES_CLOCK_AND_DEVICES)
	                   : privileges_drop(&d->user);
	return r < 0 ? log_err(r, "becoming user %s", d->user_name) : 0;
}

/*
 * The clock is right before anything else is made: a socket and a second process take longer than
 * a reading and a step, and nobody can use them yet.
 */
static int start_clock(struct daemon *d)
{
	struct opener_paths none = { 0 };
	vt_mono now;
	int r = opener_init(&d->opener, &none, "", true);

	if (r == 0)
		r = take_clock(d);
	if (r < 0)
		return r;
	r = history_start(&d->history);
	if (r < 0)
		return log_err(r, "memory for events");
	clocksource_init(&d->clocksource, "");
	now = daemon_clock_now();
	senses_open(&d->senses, now);
	start_discipline(d);
	d->started = d->now = d->state_since = now;
	d->drift_due = vt_mono_add(now, d->settings.drift_interval);
	d->owner_due = vt_mono_add(now, VT_SEC(60));
	battery_init(&d->battery, &d->opener, &d->clock.port, now);
	daemon_read_clocks(d, now);
	if (d->options.sets_from_rtc && !d->discipline.has_updated)
		set_from_rtc(d);
	senses_forgive_step(&d->senses);
	return 0;
}

int daemon_start(struct daemon *d, struct daemonize *up)
{
	int r;

	d->configuration = daemon_configuration(&d->options);
	r = daemon_load_settings(&d->options, d->configuration, &d->settings);
	if (r == 0)
		r = find_user(d);
	if (r == 0)
		r = check_clock(d);
	if (r == 0 && runs_for_long(d))
		r = take_pidfile(d);
	if (r == 0)
		r = start_clock(d);
	if (r == 0 && runs_for_long(d))
		r = settle_down(d);
	if (r == 0)
		r = drop_root(d);
	if (r < 0)
		return r;

	notify_init(&d->notify, getenv("NOTIFY_SOCKET"));
	control_prepare();
	log_info("vmtimed %s started%s", VMTIME_VERSION,
	         d->options.is_observing ? ", only observing" : "");
	if (runs_for_long(d)) {
		records_start(d, daemon_clock_now());
		agent_open(d, d->settings.agent, d->settings.agent_port, daemon_clock_now());
	}
	daemon_dispatch(d, daemon_clock_now(), NULL);
	r = daemonize_up(up);
	return r < 0 ? log_err(r, "leaving the terminal") : 0;
}
