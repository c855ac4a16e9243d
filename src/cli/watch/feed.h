/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCH_FEED_H
#define CLI_WATCH_FEED_H

/*
 * feed.h - asks vmtimed for its status again and again, and never waits for it
 *
 * One connection; where it ends another is tried once a second.  A component
 * without callbacks:
 *
 *     n = feed_prepare(&feed, &fd);
 *     ... poll(&fd, n, until feed_deadline(&feed)) ...
 *     feed_dispatch(&feed, now, &fd, n);
 *     while ((outcome = feed_pop(&feed, &status, sentence)) != FEED_NOTHING)
 *             ...
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/ask.h"
#include "os/line_stream.h"
#include "proto/report.h"

#define FEED_EVENTS_MAX 32 /* the latest, that are asked for */

struct feed {
	const char *path; /* borrowed */
	vt_span interval; /* between two questions */
	struct line_stream stream;
	bool is_waiting;          /* for a reply           */
	vt_mono next;             /* when to ask, to connect, or to give up waiting */
	bool is_listing;          /* and the reply is the list of events */
	struct report_event last; /* that the status told of          */
	struct report_events events;
	bool has_trouble;
	char trouble[ASK_SENTENCE_MAX];
};

enum feed_outcome {
	FEED_NOTHING,
	FEED_STATUS,  /* *ret is what vmtimed says                                   */
	FEED_EVENTS,  /* the status told of one that is new or has changed: feed.events, */
		      /* or nothing in it where this daemon does not list them           */
	FEED_TROUBLE, /* it says nothing that is understood; reterr_text is a sentence */
};

void feed_init(struct feed *f, const char *path, vt_span interval, vt_mono now);

void feed_fini(struct feed *f);

/* 0 or 1: how many of @ret are in use. */
size_t feed_prepare(const struct feed *f, struct pollfd *ret);

vt_mono feed_deadline(const struct feed *f);

/* @n 0: only what the time asks for. */
void feed_dispatch(struct feed *f, vt_mono now, const struct pollfd *fds, size_t n);

/* The next outcome; the outputs that do not belong to it stay untouched. */
enum feed_outcome feed_pop(struct feed *f, struct report_status *ret,
                           char reterr_text[ASK_SENTENCE_MAX]);

#endif
