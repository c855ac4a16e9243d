/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_CANDM_CONF_H
#define GUESTD_CANDM_CONF_H

/*
 * candm_conf.h - what an administrator says about chronyc's access
 *
 * chrony's directives bindcmdaddress, bindcmddevice, cmdport, cmdallow, cmddeny,
 * cmdratelimit and opencommands, with chrony's meanings and defaults.
 */

#include <stdbool.h>
#include <stdint.h>

#include "guestd/candm_access.h"

#define CANDM_PATH_MAX   108 /* a unix socket's path, with its terminator */
#define CANDM_DEVICE_MAX 16  /* an interface's name, likewise             */

/* What may be asked over UDP, by the names that `opencommands` has, in alphabetical order; bits. */
enum candm_open {
	CANDM_OPEN_ACTIVITY = 1 << 0,
	CANDM_OPEN_AUTHDATA = 1 << 1,
	CANDM_OPEN_CLIENTS = 1 << 2,
	CANDM_OPEN_MANUAL = 1 << 3,
	CANDM_OPEN_NTPDATA = 1 << 4,
	CANDM_OPEN_RTCDATA = 1 << 5,
	CANDM_OPEN_SELECTDATA = 1 << 6,
	CANDM_OPEN_SERVERSTATS = 1 << 7,
	CANDM_OPEN_SMOOTHING = 1 << 8,
	CANDM_OPEN_SOURCENAME = 1 << 9,
	CANDM_OPEN_SOURCES = 1 << 10,
	CANDM_OPEN_SOURCESTATS = 1 << 11,
	CANDM_OPEN_TRACKING = 1 << 12,
};

#define CANDM_OPEN_DEFAULT                                                                   \
	(CANDM_OPEN_ACTIVITY | CANDM_OPEN_MANUAL | CANDM_OPEN_RTCDATA | CANDM_OPEN_SMOOTHING | \
	 CANDM_OPEN_SOURCENAME | CANDM_OPEN_SOURCES | CANDM_OPEN_SOURCESTATS | CANDM_OPEN_TRACKING)

struct candm_conf {
	char path[CANDM_PATH_MAX]; /* "": /run/chrony's, or ours where that is taken; "/": none */
	struct candm_address bind4, bind6;
	int port;                      /* 0: no UDP  */
	char device[CANDM_DEVICE_MAX]; /* "": any    */
	struct candm_access access;
	bool is_limited; /* those who are not on this machine:                                  */
	int interval;    /* one answer in 2^interval s on average ...                           */
	int burst;       /* ... but so many at once, ...                                        */
	int leak;        /* ... and one in 2^leak of the others                                 */
	bool is_open_given;
	unsigned open; /* of enum candm_open */
};

#define CANDM_CONF_DEFAULT                                                       \
	((struct candm_conf){ .bind4 = { CANDM_IPV4, { 127, 0, 0, 1 } },         \
			      .bind6 = { CANDM_IPV6, { [15] = 1 } },             \
			      .port = 323, .interval = -4, .burst = 8, .leak = 2, \
			      .open = CANDM_OPEN_DEFAULT })

#endif
