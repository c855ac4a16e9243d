/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_QMP_H
#define PROTO_QMP_H

/*
 * qmp.h - what QEMU's monitor says, and the few things that are asked of it
 *
 * One JSON object a line (docs/interop/qmp-spec.txt of QEMU).  The monitor greets; after
 * qmp_capabilities it answers each command in order, and tells events in between whenever
 * it likes.  What is known here is what concerns a guest's time; any other event is
 * QMP_EVENT_OTHER, any other key of an answer is passed over.
 *
 * What is read is a stranger's: limited in size and depth before the JSON library sees it.
 * No I/O, no log, no hidden state.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define QMP_REQUEST_MAX 128 /* bytes of a request with its end and a NUL */
#define QMP_DEPTH_MAX   32

enum qmp_command {
	QMP_CAPABILITIES, /* ends the negotiation: the first one                         */
	QMP_QUERY_STATUS, /* does the guest run                                          */
	QMP_QUERY_UUID,
	QMP_QUERY_CHARDEV, /* is somebody at the other end of the agent's port            */
	QMP_RESET_RTC,     /* rtc-reset-reinjection, which only some machines have        */
	QMP_COMMANDS,      /* how many there are                                          */
};

enum qmp_kind {
	QMP_GREETING,
	QMP_RETURN,
	QMP_ERROR,
	QMP_EVENT,
};

enum qmp_event {
	QMP_EVENT_OTHER,
	QMP_EVENT_STOP,      /* the CPUs stand still */
	QMP_EVENT_RESUME,    /* they run             */
	QMP_EVENT_SUSPEND,   /* the guest sleeps (S3) */
	QMP_EVENT_WAKEUP,    /* it woke up           */
	QMP_EVENT_SHUTDOWN,  /* it is going          */
	QMP_EVENT_RESET,
	QMP_EVENT_VSERPORT,  /* VSERPORT_CHANGE: somebody in it opened or closed a port */
	QMP_EVENT_MIGRATION, /* only where that capability is on */
	QMP_EVENTS,          /* how many there are   */
};

/* A message.  Texts are cut to their room; what was not said is "" or false. */
struct qmp_message {
	enum qmp_kind kind;
	bool has_id;
	int64_t id;            /* QMP_RETURN, QMP_ERROR: the request's                    */
	enum qmp_event event;  /* QMP_EVENT                                               */
	bool is_command_unknown; /* QMP_ERROR: of the class CommandNotFound               */
	char text[200];        /* QMP_ERROR: what QEMU says of it                         */
	bool has_status;       /* QMP_RETURN of query-status ...                          */
	bool is_running;
	char status[32];       /* "running", "paused", "inmigrate", ...                   */
	char uuid[40];         /* ... of query-uuid                                       */
};

/* "query-status" */
const char *qmp_command_name(enum qmp_command command);

/* Writes the request with its line's end and a NUL; returns its length without the NUL. */
size_t qmp_encode(enum qmp_command command, int64_t id, char to[QMP_REQUEST_MAX]);

/*
 * Reads one line of @length bytes, without its end.  0, or -EINVAL with one sentence in
 * @reterr_text.  *@ret is written only on success.
 */
int qmp_decode(const char *line, size_t length, struct qmp_message *ret, char *reterr_text,
               size_t text_size) must_check;

/* What query-chardev knows of the socket @path. */
enum qmp_port {
	QMP_PORT_UNKNOWN, /* it names no such socket                        */
	QMP_PORT_OPEN,    /* somebody in the guest has the other end open    */
	QMP_PORT_CLOSED,  /* nobody has                                     */
};

/* Looks into the answer to query-chardev; QMP_PORT_UNKNOWN also where the line is no such answer. */
enum qmp_port qmp_find_port(const char *line, size_t length, const char *path);

#endif
