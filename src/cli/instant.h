/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INSTANT_H
#define CLI_INSTANT_H

/*
 * instant.h - what the clocks show now
 */

#include "base/units.h"

vt_mono instant_mono(void);

vt_real instant_real(void);

/* For poll(2): until @deadline, in whole milliseconds, not before it; at most a minute. */
int instant_timeout_ms(vt_mono deadline);

#endif
