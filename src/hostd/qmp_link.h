/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_QMP_LINK_H
#define HOSTD_QMP_LINK_H

/*
 * qmp_link.h - one connection to one guest's monitor
 *
 * Connects, waits for the greeting, negotiates, asks what there is to know, and from then on
 * tells what happens:
 *
 *     qmp_link_open(&link, now);
 *     ... when its fd is readable ...
 *     outcome = qmp_link_read(&link, buffer, sizeof buffer, &input);
 *     while (qmp_link_next(&link, &input, &news))
 *             ...
 *
 * Whoever owns it decides when to try again.  A monitor that has not answered within
 * QMP_LINK_PATIENCE, or that says more than QMP_LINK_FLOOD bytes in a second, is hung up on.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/slice.h"
#include "base/units.h"
#include "os/unix_stream.h"
#include "proto/frames.h"
#include "proto/host_reason.h"

#define QMP_LINK_PATIENCE VT_SEC(5)
#define QMP_LINK_FLOOD    (1 << 20)
#define QMP_LINK_UUID_MAX 37

enum qmp_link_state {
	QMP_LINK_DOWN,
	QMP_LINK_GREETING,    /* connected; waiting to be greeted      */
	QMP_LINK_NEGOTIATING, /* waiting for leave to ask              */
	QMP_LINK_ASKING,      /* waiting to be told how the guest does */
	QMP_LINK_UP,
};

enum qmp_news {
	QMP_NEWS_UP,         /* is_running, uuid and port are filled in               */
	QMP_NEWS_DOWN,       /* the connection ended: @trouble says why               */
	QMP_NEWS_STOPPED,
	QMP_NEWS_RUNNING,    /* @reason */
	QMP_NEWS_PORT,       /* @port may have changed                                */
	QMP_NEWS_RTC_RESET,  /* what came of qmp_link_reset_rtc: done ...              */
	QMP_NEWS_RTC_UNKNOWN, /* ... this machine has no such command ...             */
	QMP_NEWS_RTC_FAILED, /* ... it was refused: @trouble                          */
};

struct qmp_link {
	const char *path, *agent_path; /* borrowed; agent_path "": none */
	int fd;                        /* -1: down                      */
	enum qmp_link_state state;
	struct frames frames;
	int64_t next_id, rtc_id, chardev_id; /* of what was asked last; 0: nothing */
	vt_mono deadline;              /* of the handshake              */
	vt_mono flood_began;
	size_t flood;                  /* bytes since                   */
	bool is_broken;                /* that it is down is still to be told */
	bool is_running;
	bool has_stopped;              /* we saw it                     */
	bool is_incoming;              /* it waits for a migration, or to be restored */
	bool has_port, is_port_open;   /* whether somebody in the guest has the agent's port open */
	enum host_reason reason;       /* of the latest QMP_NEWS_RUNNING */
	char uuid[QMP_LINK_UUID_MAX];  /* "" where it has none          */
	char trouble[256];             /* why it is not up, or was not the last time, one sentence; "" */
};

/* Makes @l safe for every other call; connects nothing. */
void qmp_link_init(struct qmp_link *l, const char *path, const char *agent_path);

/* Hangs up.  Safe twice. */
void qmp_link_fini(struct qmp_link *l);

/* Connects.  For every outcome but UNIX_STREAM_OPEN @l stays down and @trouble says why. */
enum unix_stream_outcome qmp_link_open(struct qmp_link *l, vt_mono now) must_check;

/* Reads what has come into @buffer; *@ret is what to hand to qmp_link_next. */
void qmp_link_read(struct qmp_link *l, char *buffer, size_t size, vt_mono now, struct slice *ret);

/*
 * Takes the next piece of news off *@input.  False: there is none any more, and *@input is empty.
 * To be called until then after each qmp_link_read, also when that read nothing.
 */
bool qmp_link_next(struct qmp_link *l, struct slice *input, enum qmp_news *ret);

/* When to call qmp_link_expire; VT_MONO_NEVER. */
vt_mono qmp_link_deadline(const struct qmp_link *l);

/* Hangs up on a monitor that did not answer.  Whether it did hang up. */
bool qmp_link_expire(struct qmp_link *l, vt_mono now);

/* Asks for rtc-reset-reinjection; news follow.  False: not up, or it was not to be sent. */
bool qmp_link_reset_rtc(struct qmp_link *l) must_check;

#endif
