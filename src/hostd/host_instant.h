/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_HOST_INSTANT_H
#define HOSTD_HOST_INSTANT_H

/*
 * host_instant.h - the two instants around an exchange
 *
 * Whoever measures another clock needs his own at the moment itself, not at the top of
 * the wake-up: this is the one place of the back ends that reads a clock.
 */

#include "hostd/work.h"

/* Now, on both clocks.  CLOCK_REALTIME is read first, so that it is not later than the other. */
struct host_instant host_instant_now(void);

#endif
