/* SPDX-License-Identifier: Apache-2.0 */

/*
 * startup.c - what vmtime-hostd does once, in order, until its loop runs
 */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "hostd/host_instant.h"
#include "hostd/daemon.h"
#include "os/files.h"
#include "os/group.h"
#include "os/privileges.h"
#include "proto/control.h"

#define RUN_FOLDER "/run/vmtime"

/* Two that set the same clocks would undo each other's work. */
static int take_pidfile(struct daemon *d)
{
	pid_t other = 0;
	int r;

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
		log_fail("vmtime-hostd runs on this host already (pid %d holds %s)", (int)other,
			 d->settings.pid_file);
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

/* Who may have guests synchronised besides root; root's own group where there is no such group. */
static gid_t find_group(const struct settings *settings)
{
	gid_t gid = 0;

	if (!group_find(settings->group, &gid))
		log_info("there is no group %s: only root may have guests synchronised",
			 settings->group);
	return gid;
}

static int open_server(struct daemon *d)
{
	struct line_server_conf conf = {
		.path = d->settings.socket,
		.uid = geteuid(),
		.gid = geteuid() == 0 ? find_group(&d->settings) : getegid(),
		.busy_reply = CONTROL_BUSY_REPLY,
		.too_long_reply = CONTROL_TOO_LONG_REPLY,
	};
	int r = 0;

	switch (line_server_open(&d->control.server, &conf, host_instant_now().mono, &r)) {
	case LINE_SERVER_OPEN:
		return 0;
	case LINE_SERVER_TAKEN:
		log_fail("another vmtime-hostd answers at %s already", conf.path);
		return -EADDRINUSE;
	case LINE_SERVER_FAILED:
		return log_err(r, "control socket %s", conf.path);
	}
	return -EINVAL;
}

/* Nobody to become, but what is not needed is given back. */
static int limit_rights(void)
{
	int r = geteuid() == 0 ? privileges_limit(PRIVILEGES_OF_HOSTD) : 0;

	return r < 0 ? log_err(r, "giving up capabilities") : 0;
}

int daemon_start(struct daemon *d, struct daemonize *up)
{
	int r;

	d->configuration = daemon_configuration(&d->options);
	r = daemon_load_settings(&d->options, d->configuration, &d->settings);
	if (r == 0)
		r = web_check(&d->settings);
	if (r == 0)
		r = limit_rights();
	if (r == 0)
		r = take_pidfile(d);
	if (r == 0)
		r = open_server(d);
	if (r == 0)
		r = daemon_open_fleet(d);
	if (r < 0)
		return r;
	notify_init(&d->notify, getenv("NOTIFY_SOCKET"));
	control_prepare();
	d->started = d->now = host_instant_now().mono;
	web_open(&d->web, &d->settings, d->fleet, d->now);
	host_clock_open(&d->host_clock, d->now);
	log_info("vmtime-hostd %s started", VMTIME_VERSION);
	notify_ready(&d->notify, NULL);
	r = daemonize_up(up);
	return r < 0 ? log_err(r, "leaving the terminal") : 0;
}
