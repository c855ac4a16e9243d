/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_REFCLOCKS_H
#define GUESTD_REFCLOCKS_H

/*
 * refclocks.h - the reference clocks of this machine, opened as they appear
 *
 * Binds what the configuration names, and the host's own clock, to devices.  A
 * device that is not there yet is looked for at each attempt to read it; one
 * that vanishes is closed and looked for again.  The host's clock is found by
 * its name, so it is used whatever the file says; where the file names the very
 * same device, the file's line stands and the automatic one is hidden.  The
 * host's vmclock page is one more clock where it tells the time.
 *
 * A PTP clock that the kernel makes of a vmclock shows UTC on older kernels and
 * TAI on newer ones.  Which it is, is found out by comparing it, before its first
 * reading is used, unless the file says `tai`.
 */

#include <stdbool.h>

#include "core/discipline.h"
#include "core/time_scale.h"
#include "guestd/settings.h"
#include "os/clocksource.h"
#include "os/opener.h"
#include "os/ptp.h"
#include "os/vmclock_source.h"

#define REFCLOCKS_MAX (SETTINGS_REFCLOCKS_MAX + 2)

struct refclocks;

struct refclock {
	struct source_port port; /* first: what core reads through */
	struct refclocks *all;   /* borrowed */
	struct ptp ptp;
	bool is_page;            /* it is the vmclock page, and neither @ptp nor @fd is used */
	int fd;                  /* -1: no device now; owned */
	bool is_automatic;       /* the host's clock, not named by the file */
	bool is_hidden;          /* automatic, and the file names the same device */
	enum time_scale scale;   /* of a PTP clock that is made of a vmclock, as found out ...   */
	vt_span utc_minus_tai;   /* ... and what it takes to make UTC of TAI */
	bool is_tai_given;       /* the file says `tai`: then nothing is found out */
	char device[SETTINGS_PATH_MAX]; /* as configured; the automatic one: as found */
	struct ptp_node node;    /* while fd is open; without /sys only its path is known */
	dev_t rdev;              /* likewise: which device it is */
	enum source_trouble told; /* what the log has of it already */
	uint32_t refid;
	char name[8];            /* the refid as text */
};

struct refclocks {
	unsigned n;
	struct refclock list[REFCLOCKS_MAX];
	bool wants_page, has_page;       /* the host's clock is wanted; its page is in the list */
	struct vmclock_source page;      /* the host's, as a clock */
	struct opener *opener;           /* borrowed */
	struct clocksource *clocksource; /* borrowed */
};

/* Fills in @rs from the settings and opens nothing yet.  All but @settings are borrowed. */
void refclocks_init(struct refclocks *rs, const struct settings *settings, struct opener *opener,
                    struct clocksource *clocksource, struct vmclock_device *vmclock);

/* Closes all devices. */
void refclocks_fini(struct refclocks *rs);

/* Gives them to the discipline, in order: source i is list[i]. */
void refclocks_add_to(struct refclocks *rs, const struct settings *settings,
                      struct discipline *discipline);

/*
 * The same for the host's page, once it tells the time: until then it is no source.  At each wake-
 * up.
 */
void refclocks_add_page(struct refclocks *rs, struct discipline *discipline);

/* One sentence why @source cannot be used, and what to do; empty when it can.  Returns @to. */
const char *refclock_explain(const struct refclock *r, const struct source *source, char *to,
                             size_t size);

#endif
