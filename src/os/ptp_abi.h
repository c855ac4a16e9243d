/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_PTP_ABI_H
#define OS_PTP_ABI_H

/*
 * ptp_abi.h - what the kernel's PTP ioctls exchange
 *
 * Declared by ourselves, since the installed header may be older than the running
 * kernel: the clock id of EXTENDED came late and lies in a word that was reserved.
 */

#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>

#define PTP_ABI_SAMPLES 25

struct ptp_abi_time {
	int64_t sec;
	uint32_t nsec;
	uint32_t reserved;
};

struct ptp_abi_extended {
	uint32_t n_samples;
	int32_t clock_id; /* of before and after; 0, CLOCK_REALTIME, is all that older kernels take */
	uint32_t reserved[2];
	struct {
		struct ptp_abi_time before, remote, after;
	} samples[PTP_ABI_SAMPLES];
};

struct ptp_abi_precise {
	struct ptp_abi_time remote, realtime, raw;
	uint32_t reserved[4];
};

_Static_assert(sizeof(struct ptp_abi_time) == 16, "kernel ABI");
_Static_assert(sizeof(struct ptp_abi_extended) == 1216, "kernel ABI");
_Static_assert(sizeof(struct ptp_abi_precise) == 64, "kernel ABI");

#define PTP_ABI_PRECISE  _IOWR('=', 8, struct ptp_abi_precise)
#define PTP_ABI_EXTENDED _IOWR('=', 9, struct ptp_abi_extended)

/* The clock of an open PTP device, for clock_gettime(2). */
#define PTP_ABI_CLOCK_ID(fd) ((clockid_t)((~(unsigned int)(fd) << 3) | 3))

#endif
