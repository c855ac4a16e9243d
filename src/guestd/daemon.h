/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_DAEMON_H
#define GUESTD_DAEMON_H

/*
 * daemon.h - vmtimed from its start to its end
 *
 * Owns everything that the daemon is made of, wires it together, and decides
 * nothing about time: that is core's.  daemon_start does what needs root, in
 * order, and drops it; daemon_dispatch is one turn of the loop (loop.c).
 */

#include <stdbool.h>

#include "base/attr.h"
#include "core/discipline.h"
#include "guestd/agent.h"
#include "guestd/battery.h"
#include "guestd/candm.h"
#include "guestd/held.h"
#include "guestd/history.h"
#include "guestd/host.h"
#include "guestd/options.h"
#include "guestd/records.h"
#include "guestd/refclocks.h"
#include "guestd/senses.h"
#include "guestd/settings.h"
#include "os/clock_linux.h"
#include "os/clocksource.h"
#include "os/daemonize.h"
#include "os/line_server.h"
#include "os/notify.h"
#include "os/opener.h"
#include "os/owner.h"
#include "os/pidfile.h"
#include "os/privileges.h"

#define DAEMON_CONFIGURATION "/etc/vmtime/vmtime.conf"

/* What the daemon waits for at most: the sum of its components' fds. */
#define DAEMON_FDS (LINE_SERVER_FDS + HOST_FDS + CANDM_SOCK_FDS + SENSES_FDS + AGENT_FDS)

struct daemon {
	struct options options;
	const char *configuration; /* path in use; NULL: none */
	struct settings settings;
	struct privileges_user user;
	char user_name[64];

	struct pidfile pidfile;
	struct line_server server;
	struct host host;
	struct candm candm;
	struct agent agent;
	size_t n_server_fds, n_host_fds, n_candm_fds, n_agent_fds; /* of the latest daemon_prepare: each one's share */
	struct notify notify;
	struct opener opener;
	struct clocksource clocksource;
	struct clock_linux clock;
	struct senses senses;
	struct battery battery;
	struct refclocks refclocks;
	struct discipline discipline;

	vt_mono started, now;
	vt_mono drift_due;     /* when the drift file is saved next          */
	vt_mono left_due;      /* when /run/vmtime/rate is written next      */
	int left_error;
	int drift_error;       /* why it could not be saved the last time; 0 */
	vt_mono tai_due;       /* when TAI - UTC is looked up next          */
	vt_mono owner_due;     /* when other owners are looked for next      */
	enum discipline_state state;
	vt_mono state_since;   /* when @state was entered                    */
	bool was_ready;        /* the service manager was told               */
	bool is_stamped;       /* /run/vmtime tells that we steered          */
	bool has_contender;    /* another process steers as well             */
	struct owner contender;
	struct history history;
	struct held held;
	struct records records;

	bool wants_end;
	int exit_status;
};

/* Makes @d safe for daemon_fini.  @options is copied. */
void daemon_init(struct daemon *d, const struct options *options);

/*
 * Loads the configuration, takes the clock, drops root.  @up is released as soon as the daemon
 * works.  0, or a negative errno after the reason was logged.
 */
int daemon_start(struct daemon *d, struct daemonize *up) must_check;

/* Fills in what to wait for, each component's behind the one before; returns how many are in use. */
size_t daemon_prepare(struct daemon *d, struct pollfd ret[DAEMON_FDS]);

/* One turn at @now: sources, clock, clients, housekeeping.  @fds as prepared; NULL: nothing came. */
void daemon_dispatch(struct daemon *d, vt_mono now, const struct pollfd *fds);

/* The part of a turn that is about time: reads the sources that are due, moves the clock. */
void daemon_read_clocks(struct daemon *d, vt_mono now);

/* When the next turn is due without input. */
vt_mono daemon_deadline(const struct daemon *d);

/* Forgets all that was read of the sources, and opens them anew. */
void daemon_restart_sources(struct daemon *d);

/* SIGHUP: a new configuration that is in error changes nothing. */
void daemon_reload(struct daemon *d);

/* Leaves the clock at a rate that keeps it right, saves the drift, removes what it made. */
void daemon_fini(struct daemon *d);

/* CLOCK_MONOTONIC_RAW. */
vt_mono daemon_clock_now(void);

/* CLOCK_REALTIME, which is what the clock shows, right or wrong. */
vt_real daemon_clock_shows(void);

/* Loads the settings as the options say, logging notes and errors.  0 or -errno. */
int daemon_load_settings(const struct options *options, const char *configuration,
                         struct settings *ret) must_check;

/* The settings' part of how the clock is stepped. */
struct step_conf daemon_step_conf(const struct settings *settings, bool is_fresh_boot);

/* The path that the options mean; NULL: no file. */
const char *daemon_configuration(const struct options *options);

#endif
