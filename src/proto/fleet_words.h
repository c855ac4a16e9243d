/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_FLEET_WORDS_H
#define PROTO_FLEET_WORDS_H

/*
 * fleet_words.h - the words of fleet.h, for the tables of fleet_json.c
 */

#include "proto/fleet.h"

extern const char *const FLEET_STATE_NAMES[FLEET_STATES];
extern const char *const FLEET_AGENT_NAMES[FLEET_AGENTS];
extern const char *const FLEET_END_NAMES[FLEET_ENDS];

#endif
