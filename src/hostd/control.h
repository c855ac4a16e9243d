/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_CONTROL_H
#define HOSTD_CONTROL_H

/*
 * control.h - answers the requests that the control socket brought
 *
 * Who asks how the guests are is answered at once.  Who wants guests synchronised is
 * held until each of them has had its turn, or his time is up.
 */

#include <stdbool.h>

#include "hostd/fleet.h"
#include "os/line_server.h"
#include "proto/fleet_control.h"

/* What the server tells clients by itself; for line_server_conf. */
#define CONTROL_BUSY_REPLY \
	"{\"v\":1,\"ok\":false,\"error\":{\"code\":\"busy\",\"text\":\"too many clients\"}}"
#define CONTROL_TOO_LONG_REPLY \
	"{\"v\":1,\"ok\":false,\"error\":{\"code\":\"too-long\",\"text\":\"the request is too long\"}}"

/* Somebody who waits for guests to be synchronised; its ticket for the fleet is @ticket. */
struct control_job {
	uint64_t ticket;
	uint32_t client;
	struct control_id id;
	vt_mono until;
	unsigned expected; /* so many outcomes there will be */
	struct fleet_synced *synced; /* those that came; the job's to free */
};

struct control {
	struct line_server server;
	uint64_t last_ticket;
	unsigned n;
	struct control_job jobs[LINE_SERVER_HELD];
};

/* Makes @c safe for every other call; opens nothing. */
void control_init(struct control *c);

/* Drops the clients and what they wait for. */
void control_fini(struct control *c, struct fleet *fleet);

/* The fleet is another one: nobody will hear of the tickets that the old one had. */
void control_lose_fleet(struct control *c);

/* Serves what came; @fds as line_server_prepare() filled them in, after the fleet's dispatch. */
void control_dispatch(struct control *c, struct fleet *fleet, struct host_instant now,
		      const struct pollfd *fds, size_t n);

/* When somebody has waited long enough, or the server has something to do. */
vt_mono control_deadline(const struct control *c);

#endif
