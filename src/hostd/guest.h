/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_GUEST_H
#define HOSTD_GUEST_H

/*
 * guest.h - one guest as the fleet keeps it: who it is, where it stands, what is remembered
 */

#include <stdbool.h>
#include <stdint.h>

#include "hostd/heap.h"
#include "hostd/history.h"
#include "hostd/sequence.h"
#include "hostd/sign.h"

struct guest {
	unsigned backend; /* the fleet's index of its back end         */
	uint32_t number;  /* the back end's number of it               */
	bool has_line;    /* its vmtimed is reached by a lent line ... */
	uint32_t line;    /* ... of this number                        */
	unsigned tickets; /* so many wait for it                       */
	struct heap_node deadline;
	struct heap_node turn; /* it wants to begin work                         */
	struct heap_node slot; /* it holds one of the slots, until this instant  */
	struct sequence sequence;
	struct history history;
	char name[GUEST_NAME_MAX];
	char uuid[GUEST_UUID_MAX];
};

#endif
