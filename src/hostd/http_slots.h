/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_HTTP_SLOTS_H
#define HOSTD_HTTP_SLOTS_H

/*
 * http_slots.h - how long a client may take
 *
 * The library counts the time since a client's last byte, so one that sends a byte now and
 * then may stay for ever.  Here each connection has a moment by which it must have asked, or
 * have taken its answer, or have asked again.  When nearly all are in use, the one that has
 * been dawdling longest goes first, so that those who ask at once are always served.
 *
 * No socket, no clock: whoever uses it closes what it names.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/units.h"

#define HTTP_SLOTS_MAX   256
#define HTTP_SLOTS_SPARE 16          /* from here on somebody has to go */
#define HTTP_BYTES_MAX   (24u << 20) /* answers that wait to be taken, all together */

#define HTTP_TIME_TO_ASK \
	VT_SEC(10) /* from the connection to the end of the headers, TLS included */
#define HTTP_TIME_TO_TAKE \
	VT_SEC(30) /* from there until the answer was taken                       */
#define HTTP_TIME_TO_RETURN \
	VT_SEC(75) /* from there until the next question                          */

enum http_phase {
	HTTP_SLOT_FREE,
	HTTP_SLOT_ASKING,
	HTTP_SLOT_TAKING,
	HTTP_SLOT_RESTING,
	HTTP_SLOT_CLOSING, /* it was named to be closed */
};

struct http_slot {
	enum http_phase phase;
	vt_mono due;
	size_t bytes; /* of its answer */
	int fd;       /* borrowed      */
};

struct http_slots {
	struct http_slot slots[HTTP_SLOTS_MAX];
	unsigned n; /* in use  */
	size_t bytes;
};

/* A new connection.  NULL: there is no room at all. */
struct http_slot *http_slots_take(struct http_slots *s, int fd, vt_mono now);

/* It has asked, and @bytes are on their way to it. */
void http_slots_answer(struct http_slots *s, struct http_slot *slot, size_t bytes, vt_mono now);

/* It has taken them all. */
void http_slots_rest(struct http_slots *s, struct http_slot *slot, vt_mono now);

/* Its connection is gone. */
void http_slots_free(struct http_slots *s, struct http_slot *slot);

/*
 * The next connection to be closed: too slow, or the slowest where there are too many or too much
 * waits to be taken.  It is named once.  NULL: none.
 */
struct http_slot *http_slots_pop_late(struct http_slots *s, vt_mono now);

/* When to ask again. */
vt_mono http_slots_deadline(const struct http_slots *s);

#endif
