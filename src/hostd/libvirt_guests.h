/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_LIBVIRT_GUESTS_H
#define HOSTD_LIBVIRT_GUESTS_H

/*
 * libvirt_guests.h - which guests there are, and what is going on with each, by libvirt's word
 *
 * Fed with items in the order of their coming, it makes signs of the news and matches what came of a
 * job with who waits for it.  No thread, no libvirt, no clock: `now` is an argument.
 *
 * News name a domain; a sign needs its description, which has to be asked for (a look).  Until
 * that is there a guest has not appeared, and of the news that come meanwhile the latest counts
 * more than the state that was looked up: it is newer, or more is to come.
 */

#include "hostd/libvirt_item.h"

#define LIBVIRT_SIGNS_MAX 3 /* that one item makes at most */

struct libvirt_guest {
	unsigned char uuid[LIBVIRT_UUID_SIZE];
	uint32_t number;
	struct libvirt_domain domain; /* as it was looked up, and as news have changed it */
	bool has_appeared;
	bool has_ended;      /* it has no process now, only a description              */
	bool is_unsure;      /* to appear again: a connection was down meanwhile       */
	bool wants_look;     /* as soon as @look_at has come ...                       */
	vt_mono look_at;
	uint64_t look_ticket; /* ... and this one is under way; 0: none                */
	bool has_heard;       /* news of its state have come while the look was under way */
	bool has_heard_agent;
	enum agent_kind agent; /* by what came of work; AGENT_UNKNOWN: it may be another by now */
	uint64_t agent_news;   /* how often that was so                                         */
	enum host_reason reason; /* of its running, to be told when it appears         */

	struct work work; /* while @ticket is not 0 */
	uint64_t ticket;
	vt_mono deadline;
	bool has_outcome;
	struct work_outcome outcome;
};

struct libvirt_guests {
	struct libvirt_guest **all; /* in the order of their numbers */
	size_t n, room;
	uint32_t latest_number;
	uint64_t latest_ticket;
	size_t n_outcomes, next_outcome; /* how many wait, and from where to look for one */
	vt_mono deadline;                /* no guest has an earlier one                   */
};

#define LIBVIRT_GUESTS_INIT { .deadline = { INT64_MAX } }

void libvirt_guests_fini(struct libvirt_guests *guests);

/* NULL: there is none. */
struct libvirt_guest *libvirt_guests_find(const struct libvirt_guests *guests, uint32_t number);

/*
 * Takes in what @item says (it stays the caller's).  Returns how many signs were written to
 * @signs.  A new guest for which there is no memory is not seen until a connection is made anew.
 */
size_t libvirt_guests_take(struct libvirt_guests *guests, const struct libvirt_item *item, vt_mono now,
                           struct sign signs[LIBVIRT_SIGNS_MAX]);

/*
 * Begins @work for @guest: fills in *@job, which then is on its way to a worker.  What the guest had
 * before must have been dropped.
 */
void libvirt_guests_begin(struct libvirt_guests *guests, struct libvirt_guest *guest,
                          const struct work *work, vt_mono now, struct libvirt_item *job);

/* Ends the guest's work, for which no worker is needed (any more), with that outcome. */
void libvirt_guests_end(struct libvirt_guests *guests, struct libvirt_guest *guest,
                        const struct work *work, enum work_result result, const char *text);

/* Forgets the guest's work and its outcome.  Returns the ticket of what is under way; 0: nothing is. */
uint64_t libvirt_guests_drop(struct libvirt_guests *guests, struct libvirt_guest *guest);

/* Takes the next outcome.  False, and *@ret untouched: there is none. */
bool libvirt_guests_pop(struct libvirt_guests *guests, struct work_outcome *ret);

/*
 * What the time asks for: call until it returns false.  True with a *@job that is to be given to a
 * worker (a look), or with *@ret_late, the ticket of a job for which nobody waits any more; the other is
 * untouched (a job: its kind is ITEM_LOOK), so set both to zero before.
 */
bool libvirt_guests_due(struct libvirt_guests *guests, vt_mono now, struct libvirt_item *job,
                        uint64_t *ret_late);

#endif
