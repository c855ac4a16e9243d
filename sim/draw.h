/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_DRAW_H
#define SIM_DRAW_H

/*
 * draw.h - scenarios that nobody thought of
 *
 * For the long test: half an hour to an hour and a half of a world whose
 * oscillator, source, machine and mishaps are all drawn from one seed.
 */

#include <stdint.h>

#include "sim/scenario.h"

void scenario_draw(struct scenario *s, uint64_t seed);

#endif
