/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OS_EVENT_RING_H
#define OS_EVENT_RING_H

/*
 * event_ring.h - the latest events, the oldest giving way to the newest
 *
 * In memory, and in a file of a fixed size whose blocks are allocated when it is
 * made, so that a disk that is full later does no harm.  Where the file cannot
 * be had (a full disk, one that is read-only, somebody else's file in its place)
 * the ring goes on in memory, and what is missing is written when it can be.
 *
 *     event_ring_open(&ring);
 *     ... event_ring_add() ...
 *     event_ring_keep(&ring, path);
 *     r = event_ring_sync(&ring, now);        now, and whenever there may be something to write
 *
 * Numbers count up by one and are never used twice.  What was added before the
 * file was read for the first time gets its number then, behind those in the
 * file; event_ring_shift tells by how much.
 *
 * Nothing is synced to the disk: the kernel does that within half a minute, and
 * a clock must not wait for a disk.  So a killed daemon loses nothing, a power
 * cut the last half minute.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "os/files.h"
#include "wire/event_record.h"

#define EVENT_RING_SIZE 256 /* events that are kept */
#define EVENT_RING_PATH "/var/lib/vmtime/events"

/* Where a write failed the next attempt is made after this time, or at the next event after it. */
#define EVENT_RING_RETRY VT_SEC(60)

struct event_ring {
	struct event_record *records; /* EVENT_RING_SIZE of them, by number modulo size; NULL: none */
	uint64_t newest;              /* number of the newest; 0: there is none yet                 */
	uint64_t shift;               /* not yet asked for by event_ring_shift                      */
	uint64_t unreadable;          /* damaged records in the file                                */

	char path[FILE_PATH_MAX];     /* empty: memory alone                                        */
	int fd;                       /* -1: not open                                               */
	bool is_loaded;               /* what was in the file is in memory                          */
	bool is_unsaved;              /* something is to be written:                                */
	uint64_t unsaved[EVENT_RING_SIZE / 64]; /* a bit for each slot                              */
	int error;                    /* negative errno of the latest attempt, or 0                 */
	vt_mono retry_at;             /* after an error                                             */

	/* pwrite(2); for tests that play a bad disk. */
	ssize_t (*write)(int fd, const void *bytes, size_t n, off_t at);
};

#define EVENT_RING_INIT { .records = NULL, .fd = -1 }

/* Takes memory, of which only what is used costs anything.  0 or -errno. */
int event_ring_open(struct event_ring *r) must_check;

/* Safe after INIT, and twice. */
void event_ring_fini(struct event_ring *r);

/* Keeps @record, which gets the next number, and returns that. */
uint64_t event_ring_add(struct event_ring *r, const struct event_record *record);

/* Replaces the record that has @record's number.  False: it is not kept any more. */
bool event_ring_change(struct event_ring *r, const struct event_record *record);

/* The record with @number, valid until the next call that is not const; NULL: it is not kept. */
const struct event_record *event_ring_get(const struct event_ring *r, uint64_t number);

/* The smallest number that may be kept; larger than the newest where there is none. */
uint64_t event_ring_oldest(const struct event_ring *r);

/* From now on @path keeps what is in memory and what will be.  Does nothing yet. */
void event_ring_keep(struct event_ring *r, const char *path);

/*
 * Opens the file if need be, and writes what is not in it yet.  0, or -errno: the latest attempt's,
 * also where there is nothing to write, or the time for another attempt has not come.
 */
int event_ring_sync(struct event_ring *r, vt_mono now);

/* When to sync; VT_MONO_NEVER: there is nothing to write. */
vt_mono event_ring_deadline(const struct event_ring *r);

/* By how much the numbers of all events that were added before grew since the last call. */
uint64_t event_ring_shift(struct event_ring *r);

/*
 * While we are still root: gives the file, if it is one of ours by its size and was root's, to the
 * user that we become.  A service manager makes all that lies in a state folder root's at a restart.
 */
void event_ring_give(const char *path, uid_t uid, gid_t gid);

/* For a reader: fills the empty ring @r with what is in the file @path.  0 or -errno. */
int event_ring_read(struct event_ring *r, const char *path) must_check;

#endif
