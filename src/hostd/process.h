/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_PROCESS_H
#define HOSTD_PROCESS_H

/*
 * process.h - what vmtime-hostd itself costs
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"

struct process_usage {
	vt_span cpu; /* of all its threads, since it began */
	bool has_memory;
	uint64_t resident_bytes, virtual_bytes;
};

/* Of this process, now. */
struct process_usage process_look(void);

#endif
