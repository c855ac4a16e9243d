/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_SENSES_H
#define GUESTD_SENSES_H

/*
 * senses.h - all that tells of a disruption besides the readings
 *
 *     vmclock    the page's marker and generation: looked at at each wake-up, and
 *                waited for where the host announces changes
 *     kernel     its event about the VM generation id
 *     clocks     CLOCK_REALTIME was set by somebody else; the machine slept
 *     wake-ups   one that came much later than asked for
 *
 * Owns the fds and hands out evidence; what follows from it is core's.  Each of
 * them may be missing (containers, older kernels, time simulators) and is missed
 * only.  Each is limited: a page that changes a thousand times a second makes a
 * piece of evidence every ten seconds, and its line in the log.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/allowance.h"
#include "core/evidence.h"
#include "os/clock_watch.h"
#include "os/opener.h"
#include "os/uevent.h"
#include "os/vmclock_device.h"
#include "proto/report.h"

#define SENSES_FDS 3

struct sense_evidence {
	unsigned evidence; /* a set of enum evidence          */
	vt_span size;      /* of EVIDENCE_SUSPEND; else 0     */
};

struct senses {
	struct opener *opener; /* borrowed */
	struct vmclock_device vmclock;
	struct uevent uevent;
	struct clock_watch clocks;
	size_t n_vmclock, n_uevent, n_clocks; /* of the latest prepare, in this order */

	vt_mono vmclock_due;   /* when it is looked for next, or whether it is still there */
	int vmclock_error;     /* why it could not be opened; told when it changes */
	enum vmclock_outcome vmclock_told;
	bool is_vmclock_told;  /* that it is there */

	vt_mono waits_until;   /* what the latest wait was for */

	unsigned held;         /* evidence that is not handed out yet ... */
	unsigned ready;        /* ... and that is */
	vt_span slept;
	struct allowance hosts, wakes; /* of the host's evidence; of late wake-ups */
	bool is_flooded;       /* they came faster than they were handed out */
	vt_mono flooded;       /* the latest of those */
};

/* Safe for fini.  @opener is borrowed. */
void senses_init(struct senses *s, struct opener *opener);

/* Opens what there is; what is missing is missed.  While root, or later. */
void senses_open(struct senses *s, vt_mono now);

/* Fills in what to wait for until @deadline; returns how many of SENSES_FDS are in use. */
size_t senses_prepare(struct senses *s, vt_mono now, vt_mono deadline,
                      struct pollfd ret[SENSES_FDS]);

/* Looks at everything.  @fds as prepared; NULL: nothing was waited for. */
void senses_dispatch(struct senses *s, vt_mono now, const struct pollfd *fds);

/* Takes what there is of evidence, all in one.  False, *@ret untouched, where there is none. */
bool senses_pop(struct senses *s, struct sense_evidence *ret);

/* The clock was stepped by ourselves: that is no evidence. */
void senses_forgive_step(struct senses *s);

/* For `status`. */
struct report_senses senses_report(const struct senses *s);

/* Safe after init, and twice. */
void senses_fini(struct senses *s);

#endif
