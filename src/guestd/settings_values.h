/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_SETTINGS_VALUES_H
#define GUESTD_SETTINGS_VALUES_H

/*
 * settings_values.h - short names for the values that directives take
 *
 * Private to the tables.  @at is CONF_AT, or 0 for a value that is checked and not kept.
 */

#include <stdint.h>

#include "conf/value.h"

#define DECADES INT64_C(1000000000) /* seconds: more than any clock is off */

/* clang-format off */
#define WHOLE(name, at, min, max)   { CONF_INT, name, at, min, max, NULL }
#define COUNT_OF(name, at, min)     { CONF_COUNT, name, at, min, UINT32_MAX, NULL }
#define ANY_WHOLE(name, at)         WHOLE(name, at, INT32_MIN, INT32_MAX)
#define SECONDS(name, at, min, max) { CONF_SECONDS, name, at, (min) * CONF_NS_PER_S, \
				      (max) * CONF_NS_PER_S, NULL }
#define DECIMAL(name, at)           { CONF_DECIMAL, name, at, -CONF_DECIMAL_MAX, \
				      CONF_DECIMAL_MAX, NULL }
#define TEXT(name, at, size)        { CONF_TEXT, name, at, 0, (size) - 1, NULL }
#define PATH(at)                    { CONF_PATH, "PATH", at, 0, SETTINGS_PATH_MAX - 1, NULL }
#define REFID(at)                   { CONF_REFID, "NAME", at, 0, 0, NULL }
#define CHOICE(name, at, choices)   { CONF_CHOICE, name, at, 0, 0, choices }
/* clang-format on */

#endif
