/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_GUEST_AGENT_H
#define PROTO_GUEST_AGENT_H

/*
 * guest_agent.h - the guest's side of the guest agent's protocol
 *
 * The commands about time of QEMU's guest agent, as qemu-ga answers them, so that
 * `virsh domtime` and whatever else speaks to an agent finds what it knows; and
 * what a host may say to vmtimed (host_channel.h), as commands of the same form
 * for hosts that have no vsock:
 *
 *     {"execute": "vmtime-nudge", "arguments": {"reason": "pause"}}
 *     {"return": {"is_delayed": false}}
 *
 * Replies and the texts of errors are qemu-ga's own, as seen of version 7.2: its
 * spaces, the order of its keys, LF at the end, and 0xFF before the reply to
 * guest-sync-delimited.  The "id" of a request, whatever it is, comes back.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/slice.h"
#include "base/units.h"
#include "proto/host_channel.h"

#define GUEST_AGENT_ID_MAX 256 /* bytes of an id as JSON text; a longer one is refused */

enum guest_agent_command {
	GUEST_AGENT_PING,
	GUEST_AGENT_SYNC,
	GUEST_AGENT_SYNC_DELIMITED,
	GUEST_AGENT_INFO,
	GUEST_AGENT_GET_TIME,
	GUEST_AGENT_SET_TIME,
	GUEST_AGENT_HOST_NUDGE, /* from here on: what the host's channel has */
	GUEST_AGENT_HOST_STATUS,
	GUEST_AGENT_HOST_QUALITY,
	GUEST_AGENT_COMMANDS, /* how many there are */
};

struct guest_agent_request {
	enum guest_agent_command command;
	char id[GUEST_AGENT_ID_MAX]; /* JSON text; "": none                          */
	int64_t sync;          /* GUEST_AGENT_SYNC, GUEST_AGENT_SYNC_DELIMITED             */
	bool has_time;
	vt_real time;             /* GUEST_AGENT_SET_TIME                            */
	struct host_request host; /* GUEST_AGENT_HOST_...                            */
};

/* What a reply says, by the command. */
struct guest_agent_answer {
	vt_real shows;          /* GUEST_AGENT_GET_TIME */
	struct host_reply host; /* GUEST_AGENT_HOST_... */
};

struct guest_agent_error {
	bool is_unknown_command;   /* class CommandNotFound, else GenericError */
	char id[GUEST_AGENT_ID_MAX];     /* as far as it could be read               */
	char text[REPORT_TEXT_MAX]; /* UTF-8                                    */
};

/*
 * Reads one request, as agent_reader.h finds them.  0, or -EINVAL with *@reterr to be sent back by
 * guest_agent_encode_error.  *@ret is written only on success.
 */
int guest_agent_decode(struct slice text, struct guest_agent_request *ret, struct guest_agent_error *reterr) must_check;

/* For a refusal of our own.  @request NULL: it was none. */
void guest_agent_error_make(struct guest_agent_error *ret, const struct guest_agent_request *request,
                      const char *format, ...) printf_like(3, 4);

/*
 * Write a reply as it goes over the wire, to be freed by the caller with free(): 0, or -ENOMEM with
 * outputs untouched.
 */
int guest_agent_encode(const struct guest_agent_request *request, const struct guest_agent_answer *answer, char **ret,
                 size_t *ret_length) must_check;
int guest_agent_encode_error(const struct guest_agent_error *error, char **ret, size_t *ret_length) must_check;

#endif
