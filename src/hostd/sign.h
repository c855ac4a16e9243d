/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_SIGN_H
#define HOSTD_SIGN_H

/*
 * sign.h - what a back end saw happen to a guest
 *
 * libvirt's events, QEMU's and the coming and going of sockets say the same few
 * things in different words; here they are one word each.  A back end only tells
 * what it saw.  What follows from it is the sequence's to decide.
 *
 * SIGN_RUNNING is the one that counts: it may come without a SIGN_STOPPED before
 * it (a restored guest, the destination of a migration, a connection that was
 * down meanwhile), and it may come twice.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"
#include "proto/host_reason.h"

#define GUEST_NAME_MAX 128 /* with its NUL; longer names are cut by the back end, between characters */
#define GUEST_UUID_MAX 37

enum sign_kind {
	SIGN_APPEARED,   /* there is such a guest: everything below is filled in.  To be checked once.
	                    Comes again for one that is known, when a connection was down meanwhile  */
	SIGN_GONE,       /* there is none any more; @guest is never used again                           */
	SIGN_STOPPED,    /* its CPUs stand still: nothing may be queued for it                            */
	SIGN_RUNNING,    /* its CPUs run again, or began to; @reason says why as far as it is known       */
	SIGN_AGENT_UP,   /* somebody in the guest has opened the agent's port                             */
	SIGN_AGENT_DOWN, /* nobody has                                                                    */
	SIGN_CHANGED,    /* @cid is another one now, or known at last                                     */
};

struct sign {
	enum sign_kind kind;
	uint32_t guest; /* the back end's number of it; one number means one guest for ever */
	vt_mono at;     /* when the back end saw it                                          */
	enum host_reason reason;
	bool is_running; /* SIGN_APPEARED */
	bool has_agent;  /* SIGN_APPEARED: an agent's port exists; whether anybody listens is another matter */
	unsigned cid;    /* SIGN_APPEARED, SIGN_CHANGED: its address on vsock; 0: none known */
	char name[GUEST_NAME_MAX]; /* SIGN_APPEARED ...                                       */
	char uuid[GUEST_UUID_MAX]; /* ... "" where there is none                              */
};

#endif
