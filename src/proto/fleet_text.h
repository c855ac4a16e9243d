/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_FLEET_TEXT_H
#define PROTO_FLEET_TEXT_H

/*
 * fleet_text.h - what is told of the fleet over HTTP, as text
 *
 * For those who may not know the JSON library (docs/design.md, Layers).  The keys are
 * fleet_json.h's; docs/protocol/http.md has them all.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "proto/fleet.h"

/*
 * {"v":1,"name":NAME,"now_unix_ns":NOW,"states":{...},"host":{...},"guests":[...]}, the guests only
 * where @with_guests.  0, and the text with its LF is the caller's to free(); or -ENOMEM, outputs
 * untouched.
 */
int fleet_text(const struct fleet_report *report, const char *name, vt_real now, bool with_guests,
               char **ret, size_t *ret_length) must_check;

#endif
