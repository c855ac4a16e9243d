/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_HOST_REASON_H
#define PROTO_HOST_REASON_H

/*
 * host_reason.h - the words for why somebody nudges
 *
 * The same in the host's channel, on the control socket and on the command line.
 */

#include <stdbool.h>

/* It names a cause and proves nothing. */
enum host_reason {
	HOST_REASON_NONE,
	HOST_REASON_PAUSE,     /* the host stopped the guest and let it go on   */
	HOST_REASON_RESTORE,   /* it started the guest from a saved state       */
	HOST_REASON_MIGRATION, /* the guest came from another host              */
	HOST_REASON_STEP,      /* the host's own clock was stepped              */
	HOST_REASON_RESUME,    /* the host was suspended, and all its guests with it */
};

#define HOST_REASONS (HOST_REASON_RESUME + 1)

/* By enum host_reason: "host-step"; "" for HOST_REASON_NONE, which nobody says. */
extern const char *const HOST_REASON_NAMES[HOST_REASONS];

/* The word for a reason, as on the wire. */
const char *host_reason_name(enum host_reason reason);

/* False, and *@ret untouched, where no reason has that name. */
bool host_reason_find(const char *name, enum host_reason *ret);

#endif
