/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_EVENTS_H
#define GUESTD_EVENTS_H

/*
 * events.h - what the discipline did, in the log and for `status`
 */

#include "guestd/daemon.h"

/* Pops and tells all events of this turn. */
void events_tell(struct daemon *d);

#endif
