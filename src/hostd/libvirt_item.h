/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_LIBVIRT_ITEM_H
#define HOSTD_LIBVIRT_ITEM_H

/*
 * libvirt_item.h - what goes between the loop and the threads that call libvirt
 *
 * One kind of thing in both directions: a job goes to a worker and comes back with what came of
 * it; news come from the connection.  An item is allocated by whoever makes it and belongs to
 * whoever holds it, which is one thread or one queue at any time.
 *
 * Nothing here knows libvirt's own types, so that what is made of all this (libvirt_guests.h) can
 * be built and tested without it.
 */

#include "hostd/sign.h"
#include "hostd/work.h"

#define LIBVIRT_UUID_SIZE 16

enum libvirt_item_kind {
	ITEM_WORK, /* a job: something is asked of a guest        */
	ITEM_LOOK, /* a job: what sort of a guest is it           */
	ITEM_NEWS, /* something happened to a guest               */
	ITEM_LINK, /* something happened to the connection        */
};

enum libvirt_news {
	NEWS_NONE,       /* nothing that concerns us                              */
	NEWS_FOUND,      /* it is active, as a new connection tells               */
	NEWS_STARTED,    /* it has been started, anew or from a saved state       */
	NEWS_RUNNING,    /* its CPUs run again                                    */
	NEWS_STOPPED,    /* they stand still                                      */
	NEWS_ENDED,      /* there is no process any more                          */
	NEWS_LEFT,       /* nor here: it migrated to another host                 */
	NEWS_DEFINED,    /* there is a description of it that outlives its process */
	NEWS_UNDEFINED,  /* not any more, or under another name                   */
	NEWS_AGENT_UP,
	NEWS_AGENT_DOWN,
	NEWS_DEVICES,    /* it has got or lost a device                           */
};

enum libvirt_link_state {
	LINK_TRYING, /* a connection is being made                          */
	LINK_UP,     /* it is there, and all active domains have been found */
	LINK_DOWN,   /* it could not be made, or is lost: @text             */
};

/* How a look ended. */
enum libvirt_look {
	LOOK_FAILED,   /* it could not be asked                 */
	LOOK_MISSING,  /* there is no such domain               */
	LOOK_INACTIVE, /* it is shut off; @is_persistent counts */
	LOOK_DONE,     /* all of struct libvirt_domain counts   */
};

struct libvirt_domain {
	bool is_running;
	bool is_persistent;
	bool has_agent;       /* a port for an agent is among its devices */
	bool is_agent_up;     /* and somebody in the guest has opened it  */
	unsigned cid;         /* 0: it has no vsock                       */
	char name[GUEST_NAME_MAX];
};

struct libvirt_item {
	struct libvirt_item *next; /* for whoever holds it */
	enum libvirt_item_kind kind;
	unsigned char uuid[LIBVIRT_UUID_SIZE]; /* all but ITEM_LINK */
	vt_mono at;       /* ITEM_NEWS, ITEM_LINK: when it was seen                          */
	uint64_t ticket;  /* jobs: which; what comes back under an old one is thrown away    */
	vt_mono deadline; /* jobs: later nobody waits for it                                  */

	enum libvirt_news news; /* ITEM_NEWS */
	enum host_reason reason;

	enum libvirt_link_state link; /* ITEM_LINK */
	char text[REPORT_TEXT_MAX];

	struct work work;            /* ITEM_WORK, to a worker ... */
	bool is_vmtimed;             /* (its agent is; false: find out before a message is sent) */
	uint64_t agent_news;         /* (for the loop: does @outcome.agent still count?)        */
	struct work_outcome outcome; /* ... and from it            */

	enum libvirt_look look; /* ITEM_LOOK, from a worker */
	struct libvirt_domain domain;
};

#endif
