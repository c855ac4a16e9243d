/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_FLEET_JSON_H
#define PROTO_FLEET_JSON_H

/*
 * fleet_json.h - the keys of a guest, of its host and of a disruption
 *
 * One vocabulary for whoever tells of the fleet: the control socket and the page's
 * API.  Units stand in the keys; what has not been measured has no key.
 */

#include <jansson.h>

#include "base/attr.h"
#include "proto/fleet.h"

/* New objects; NULL: out of memory. */
json_t *fleet_json_guest(const struct fleet_guest *guest);
json_t *fleet_json_host(const struct fleet_host *host);

/* {"host":{...},"guests":[{...}, ...]} */
json_t *fleet_json_report(const struct fleet_report *report);

/*
 * The opposite of fleet_json_report.  0 and a list of guests that is the caller's to free; or
 * -EINVAL with one sentence in @reterr_text, -ENOMEM, and *@ret untouched.
 */
int fleet_json_read(const json_t *data, struct fleet_report *ret, char *reterr_text,
                    size_t text_size) must_check;

#endif
