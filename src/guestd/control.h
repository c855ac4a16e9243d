/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_CONTROL_H
#define GUESTD_CONTROL_H

/*
 * control.h - answers the requests that the control socket brought
 */

#include "guestd/daemon.h"

/* What the server tells clients by itself; for line_server_conf. */
#define CONTROL_BUSY_REPLY \
	"{\"v\":1,\"ok\":false,\"error\":{\"code\":\"busy\",\"text\":\"too many clients\"}}"
#define CONTROL_TOO_LONG_REPLY \
	"{\"v\":1,\"ok\":false,\"error\":{\"code\":\"too-long\",\"text\":\"the request is too long\"}}"

/* Answers all requests that are waiting. */
void control_answer(struct daemon *d, vt_mono now);

#endif
