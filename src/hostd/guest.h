/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_GUEST_H
#define HOSTD_GUEST_H

/*
 * guest.h - one guest as the fleet keeps it
 */

#include <stdbool.h>
#include <stdint.h>

#include "hostd/sign.h"
#include "proto/fleet.h"

struct guest {
	unsigned backend; /* the fleet's index of its back end */
	uint32_t number;  /* the back end's number of it       */
	char name[GUEST_NAME_MAX];
	char uuid[GUEST_UUID_MAX];
	bool is_running;
	bool has_agent;
	unsigned cid;
};

#endif
