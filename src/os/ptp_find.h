/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_PTP_FIND_H
#define OS_PTP_FIND_H

/*
 * ptp_find.h - which PTP clock is which
 *
 * /dev/ptp0 may be the host's clock today and an assigned NIC's tomorrow.  What
 * a clock is, sysfs tells: its name, and the device number that leads from any
 * path, symbolic links included, to it.  A NIC's clock is never found here
 * unless its path was named.
 *
 * Every @root is put before /sys and before nothing else; "" on a real system.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"

#define PTP_NAME_KVM "KVM virtual PTP"
#define PTP_NAME_VMCLOCK "vmclock" /* and a number: what the kernel makes of a vmclock */
#define PTP_LINK_KVM "/dev/ptp_kvm" /* what udev calls it, where there is udev */
#define PTP_PATH_MAX 32 /* "/dev/ptp" and a number */
#define PTP_NAME_MAX 64

/* A PTP clock of this system. */
struct ptp_node {
	unsigned number;         /* N of /dev/ptpN                */
	dev_t device;            /* 0:0 where sysfs does not tell */
	char path[PTP_PATH_MAX]; /* /dev/ptpN                     */
	char name[PTP_NAME_MAX]; /* clock_name                    */
};

/*
 * The clock named exactly @name; of several the one with the lowest number.
 * 0, or -errno with *@ret untouched: -ENOENT where there is none (or no /sys).
 */
int ptp_find_by_name(const char *root, const char *name, struct ptp_node *ret) must_check;

/* The clock with this device number, as of stat(2)'s st_rdev.  As above. */
int ptp_find_by_device(const char *root, dev_t device, struct ptp_node *ret) must_check;

/*
 * The clock that @path (a device node, or a link to one, such as /dev/ptp_kvm) leads to.
 * As above; -ENOENT: no such path, -ENOTTY: not a PTP clock (or none that /sys knows).
 * PTP_LINK_KVM is found by the clock's name where the link is missing: udev may have lost it.
 */
int ptp_find_by_path(const char *root, const char *path, struct ptp_node *ret) must_check;

/* N of "/dev/ptpN", digits only, below 1000.  False, and *@ret untouched, for any other path. */
bool ptp_path_number(const char *path, unsigned *ret);

#endif
