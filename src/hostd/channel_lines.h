/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_CHANNEL_LINES_H
#define HOSTD_CHANNEL_LINES_H

/*
 * channel_lines.h - the channels over vsock, as lines that the fleet is lent
 *
 *     struct lines lines = channel_lines(&channels);
 *
 *     fleet_open(..., the list with &channels.backend in it, ...);
 *     fleet_lines(fleet, &lines);
 *     ...
 *     fleet_close(fleet);           gives the lines back
 *     channels_fini(&channels);
 */

#include "hostd/channels.h"
#include "hostd/lines.h"

struct lines channel_lines(struct channels *c);

#endif
