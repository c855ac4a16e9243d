/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_DAEMON_H
#define HOSTD_DAEMON_H

/*
 * daemon.h - vmtime-hostd from its start to its end
 *
 * Owns everything that the daemon is made of and carries signs, work and outcomes
 * between the back ends and the fleet.  It decides nothing about guests: that is
 * the sequence's.  One turn of the loop (loop.c) is daemon_dispatch.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "hostd/backends.h"
#include "hostd/control.h"
#include "hostd/fleet.h"
#include "hostd/host_clock.h"
#include "hostd/options.h"
#include "hostd/settings.h"
#include "hostd/web.h"
#include "os/daemonize.h"
#include "os/line_server.h"
#include "os/notify.h"
#include "os/pidfile.h"

#define DAEMON_CONFIGURATION "/etc/vmtime/vmtime-hostd.conf"

/* What the daemon waits for at most: the sum of its components' fds. */
#define DAEMON_FDS (LINE_SERVER_FDS + HOST_CLOCK_FDS + BACKENDS_MAX + 1)

struct daemon {
	struct options options;
	const char *configuration; /* path in use; NULL: none */
	struct settings settings;

	struct pidfile pidfile;
	struct notify notify;
	struct control control;
	struct host_clock host_clock;
	size_t n_control_fds, n_clock_fds; /* of the latest daemon_prepare: each one's share */
	struct backends backends;
	struct fleet *fleet; /* borrows the back ends */
	struct web web;      /* borrows the fleet     */

	struct report_host_quality told; /* of the host's clock, in the log; at first as if it were kept */

	vt_mono started, now;
	bool wants_end;
	int exit_status;
};

/* Makes @d safe for daemon_fini.  @options is copied. */
void daemon_init(struct daemon *d, const struct options *options);

/*
 * Loads the configuration, becomes the only one on this host, opens everything.  @up is released as
 * soon as the daemon works.  0, or a negative errno after the reason was logged.
 */
int daemon_start(struct daemon *d, struct daemonize *up) must_check;

/* Opens the back ends that the settings name, and the fleet over them.  0, or -errno after a log. */
int daemon_open_fleet(struct daemon *d) must_check;

/* Fills in what to wait for, each component's behind the one before; returns how many are in use. */
size_t daemon_prepare(struct daemon *d, struct pollfd ret[DAEMON_FDS]);

/* One turn at @now.  @fds as prepared; NULL: nothing came. */
void daemon_dispatch(struct daemon *d, vt_mono now, const struct pollfd *fds);

/* When the next turn is due without input. */
vt_mono daemon_deadline(const struct daemon *d);

/* SIGHUP: a new configuration that is in error changes nothing. */
void daemon_reload(struct daemon *d);

/* Removes what it made. */
void daemon_fini(struct daemon *d);

/* Loads the settings as the options say, logging notes and errors.  0 or -errno. */
int daemon_load_settings(const struct options *options, const char *configuration,
			 struct settings *ret) must_check;

/* The path that the options mean; NULL: no file. */
const char *daemon_configuration(const struct options *options);

/* The lowest level to log: as the options say, else as configured. */
enum log_level daemon_log_level(const struct daemon *d);

#endif
