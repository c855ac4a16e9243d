/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_PTP_H
#define OS_PTP_H

/*
 * ptp.h - a PTP hardware clock as a source
 *
 * Reads a clock whose device somebody else has opened, in the best way that
 * works, found out by trying (the capabilities lie: ptp_kvm claims cross time
 * stamps where it refuses them):
 *
 *   precise   PTP_SYS_OFFSET_PRECISE: one counter value on all clocks.  A burst is
 *             one bracket without width, and its pair is exact.
 *   extended  PTP_SYS_OFFSET_EXTENDED: the kernel's own brackets, on
 *             CLOCK_MONOTONIC_RAW where it can, else on CLOCK_REALTIME and
 *             translated by two pairs taken before and after, whose width is added.
 *             Left for basic where that turns out narrower.
 *   basic     our own: CLOCK_MONOTONIC_RAW, the clock, CLOCK_MONOTONIC_RAW.
 *
 * It tries again from the top when the kernel's clocksource changes, when the
 * method in use stops working, as long as a better one was only busy, and, not to
 * miss one that came back, now and then.
 *
 * The remote time is what the clock gives: no TAI, no offset is applied here.
 */

#include <stdbool.h>

#include "base/attr.h"
#include "core/source_port.h"
#include "os/calls.h"
#include "os/clocksource.h"

struct ptp {
	struct source_port port; /* first: &p->port is what core gets */
	int fd;                  /* borrowed; -1: no device now       */
	bool nocrossts;          /* never precise                     */
	const struct os_calls *calls;
	struct clocksource *clocksource; /* borrowed, shared; NULL: never changes     */
	unsigned epoch;                  /* of the clocksource, at the latest reading */
	enum method method;              /* in use; METHOD_NONE: to be found out      */
	bool has_raw_extended;           /* this kernel knows EXTENDED's clock id     */
	unsigned busy;                   /* readings that ended so, in a row          */
	unsigned lower_readings;         /* by another than the best method           */
};

#define PTP_INIT ((struct ptp){ .fd = -1 })

/*
 * @fd is borrowed (from os/opener) and may be -1: then every reading ends in SOURCE_MISSING until
 * ptp_attach.  @calls NULL: the kernel's.  Reads nothing yet.
 */
void ptp_init(struct ptp *p, int fd, const struct os_calls *calls, struct clocksource *clocksource,
              bool nocrossts);

/*
 * Another device, or the same opened again; -1: none.  The method is found out afresh.  The caller
 * closes the former fd.
 */
void ptp_attach(struct ptp *p, int fd);

/* "precise", "extended", "basic", "vmclock", "none": for people. */
const char *ptp_method_name(enum method method);

#endif
