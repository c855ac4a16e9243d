/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_SETTINGS_H
#define GUESTD_SETTINGS_H

/*
 * settings.h - vmtimed's configuration as one value
 *
 * Made by conf/'s parser from the table in settings_table.h, never changed
 * afterwards: a reload makes a new value, compares, and swaps.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/units.h"
#include "conf/conf.h"
#include "core/source_conf.h"
#include "core/step_policy.h"
#include "guestd/candm_conf.h"
#include "guestd/settings_ntp.h"

#define SETTINGS_REFCLOCKS_MAX 8
#define SETTINGS_NTP_MAX       16
#define SETTINGS_PATH_MAX      256
#define SETTINGS_USER_MAX      64
#define SETTINGS_VSOCK_PORT    9532 /* `vsock on` */

struct refclock_settings {
	char device[SETTINGS_PATH_MAX]; /* as written: /dev/ptp0 */
	bool is_precise_off;            /* `nocrossts`: never by PTP_SYS_OFFSET_PRECISE */
	struct source_conf source;
};

/* What to do when another process steers the clock already. */
enum clock_owner_rule {
	CLOCK_OWNER_REFUSE,
	CLOCK_OWNER_IGNORE,
};

/* What `log` names. */
enum settings_log {
	SETTINGS_LOG_MEASUREMENTS = 1 << 0,
	SETTINGS_LOG_STATISTICS = 1 << 1,
	SETTINGS_LOG_TRACKING = 1 << 2,
	SETTINGS_LOG_REFCLOCKS = 1 << 3,
	SETTINGS_LOG_RAW_MEASUREMENTS = 1 << 4,
	SETTINGS_LOG_SELECTION = 1 << 5,
	SETTINGS_LOG_RTC = 1 << 6,
	SETTINGS_LOG_TEMPCOMP = 1 << 7,
};

struct settings {
	unsigned n_refclocks;
	struct refclock_settings refclocks[SETTINGS_REFCLOCKS_MAX];
	bool hostclock; /* use the host's clock even where no refclock names it; default true */

	unsigned n_ntp;
	struct ntp_settings ntp[SETTINGS_NTP_MAX]; /* servers, then pools, then peers */

	enum step_resume resume;
	unsigned vsock_port;  /* where the host may speak to us; 0: nowhere */
	char agent[SETTINGS_PATH_MAX]; /* "off", "auto", "vsock:PORT" or a device: see agent.h */
	unsigned agent_port;  /* PORT of the above; else 0 */
	bool is_host_error_given;
	vt_span host_error;   /* the host's own, as the administrator states it */

	bool is_makestep_given;
	vt_span makestep_threshold;
	int makestep_limit; /* updates; negative: always */
	vt_rate max_slew_rate;
	bool is_max_change_given;
	vt_span max_change;
	int max_change_start, max_change_ignore;

	bool is_rtcsync;
	unsigned logs;                      /* of enum settings_log  */
	char log_dir[SETTINGS_PATH_MAX];    /* empty: not written     */
	int log_banner;                     /* lines; not above 0: no banners */
	vt_span log_change;                 /* a larger error is told */
	char drift_file[SETTINGS_PATH_MAX]; /* empty: none */
	vt_span drift_interval;             /* how often it is written */
	char pid_file[SETTINGS_PATH_MAX];   /* empty: none */
	bool is_memory_locked;
	int priority;                       /* of SCHED_FIFO; 0: an ordinary process */
	char user[SETTINGS_USER_MAX];       /* never empty; default vmtime */
	enum clock_owner_rule clock_owner;
	struct candm_conf command; /* chronyc's access */
};

/* Room for what settings_print and settings_reference write. */
#define SETTINGS_PRINT_MAX     49152
#define SETTINGS_REFERENCE_MAX 49152

/* No configuration at all: the host's clock, rtcsync, the default paths. */
void settings_default(struct settings *ret);

/*
 * Reads the file @path, with what it includes, and then the @n_extra directives from the command
 * line.  @path NULL: only those.  Warnings (a directive of chrony's that means nothing here) go to
 * @notes.  Returns 0, or -EINVAL (or the errno of the file) with *@reterr filled in; *@ret is
 * written only on success.  The caller's @loader does the I/O.
 */
int settings_load(const char *path, const char *const *extra, size_t n_extra,
		  const struct conf_loader *loader, struct conf_notes *notes, struct settings *ret,
		  struct conf_error *reterr) must_check;

/* Whether both mean the same, so that a reload has nothing to do. */
bool settings_equal(const struct settings *a, const struct settings *b);

/*
 * Writes @settings as directives, defaults included, that load as the same value: what `-p` shows.
 * As snprintf: always terminated, returns the length that all of it needs.
 */
size_t settings_print(const struct settings *settings, char *to, size_t size);

/* Writes what --conf-reference shows: every directive with its values, range, default and help. */
size_t settings_reference(char *to, size_t size);

#endif
