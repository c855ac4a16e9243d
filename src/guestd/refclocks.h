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
 * same device, the file's line stands and the automatic one is hidden.
 */

#include <stdbool.h>

#include "core/discipline.h"
#include "guestd/settings.h"
#include "os/clocksource.h"
#include "os/opener.h"
#include "os/ptp.h"

#define REFCLOCKS_MAX (SETTINGS_REFCLOCKS_MAX + 1)

struct refclocks;

struct refclock {
	struct source_port port; /* first: what core reads through */
	struct refclocks *all;   /* borrowed */
	struct ptp ptp;
	int fd;                  /* -1: no device now; owned */
	bool is_automatic;       /* the host's clock, not named by the file */
	bool is_hidden;          /* automatic, and the file names the same device */
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
	struct opener *opener;           /* borrowed */
	struct clocksource *clocksource; /* borrowed */
};

/* Fills in @rs from the settings and opens nothing yet.  @opener, @clocksource are borrowed. */
void refclocks_init(struct refclocks *rs, const struct settings *settings, struct opener *opener,
                    struct clocksource *clocksource);

/* Closes all devices. */
void refclocks_fini(struct refclocks *rs);

/* Gives them to the discipline, in order: source i is list[i]. */
void refclocks_add_to(struct refclocks *rs, const struct settings *settings,
                      struct discipline *discipline);

/* One sentence why @source cannot be used, and what to do; empty when it can.  Returns @to. */
const char *refclock_explain(const struct refclock *r, const struct source *source, char *to,
                             size_t size);

#endif
