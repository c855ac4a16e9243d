/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_AGENT_H
#define PROTO_AGENT_H

/*
 * agent.h - what a host asks of the agent in a guest, and what it answers
 *
 * The agent is qemu-ga, or vmtimed in its place.  Requests are JSON objects that the host
 * ends with LF; each is answered by one line, in order, one at a time.  Requests bear no
 * "id": old agents refuse one.  So an answer belongs to the request that it follows, and
 * after a timeout nobody knows which that is.  The way back is guest-sync-delimited: the
 * host sends a byte 0xFF and that request with a random id; all is thrown away until a byte
 * 0xFF comes, and what follows must bear the id.  The host's own 0xFF provokes an error reply,
 * which stands before the agent's 0xFF and is thrown away with the rest.
 *
 * qemu-ga knows the guest-... commands.  The vmtime-... ones are vmtimed's, for a host
 * that has no vsock to it; their arguments and answers are those of the host's channel
 * (docs/protocol/host.md) without its envelope:
 *
 *     {"execute":"vmtime-nudge","arguments":{"reason":"pause"}}
 *     {"return":{"is_delayed":false}}
 *
 * This is the host's end.  What is read is a stranger's: limited in size and depth before the
 * JSON library sees it.  No I/O, no log, no hidden state.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/units.h"
#include "proto/host_channel.h"
#include "proto/host_reason.h"
#include "proto/report.h"

#define AGENT_REQUEST_MAX 512 /* bytes of a request with its LF and a NUL */
#define AGENT_DEPTH_MAX   32
#define AGENT_MARK        '\xff'

enum agent_command {
	AGENT_PING,
	AGENT_SYNC_DELIMITED,
	AGENT_INFO,
	AGENT_GET_TIME,
	AGENT_SET_TIME,
	AGENT_FREEZE_STATUS, /* guest-fsfreeze-status, which is allowed while frozen */
	AGENT_NUDGE,         /* vmtime-nudge: look now                               */
	AGENT_STATUS,        /* vmtime-status                                        */
	AGENT_HOST_QUALITY,  /* vmtime-host-quality                                  */
	AGENT_COMMANDS,      /* how many there are                                   */
};

struct agent_request {
	enum agent_command command;
	int64_t id;                         /* AGENT_SYNC_DELIMITED */
	vt_real time;                       /* AGENT_SET_TIME       */
	enum host_reason reason;            /* AGENT_NUDGE          */
	struct report_host_quality quality; /* AGENT_HOST_QUALITY   */
};

/* What an answer says, by the command. */
struct agent_reply {
	int64_t id;               /* AGENT_SYNC_DELIMITED                                  */
	vt_real time;             /* AGENT_GET_TIME                                        */
	bool is_frozen;           /* AGENT_FREEZE_STATUS                                   */
	bool can_get_time, can_set_time; /* AGENT_INFO: it has the command, and may use it */
	bool is_vmtimed;          /* AGENT_INFO: it knows vmtime-status                    */
	char version[32];         /* AGENT_INFO                                            */
	struct host_reply vmtime; /* AGENT_NUDGE, AGENT_STATUS, AGENT_HOST_QUALITY         */
};

enum agent_outcome {
	AGENT_ANSWERED, /* *ret is valid                                                        */
	AGENT_REFUSED,  /* an error: @reterr_text is what the agent says                        */
	AGENT_FROZEN,   /* ... because of frozen filesystems                                    */
	AGENT_DISABLED, /* ... the command is there and may not be used: by its configuration,  */
	                /* or, which old agents do not tell apart, while filesystems are frozen */
	AGENT_UNKNOWN_COMMAND, /* ... the agent does not know the command                       */
	AGENT_NONSENSE, /* it is no answer to that command: @reterr_text says what is wrong      */
};

/* "guest-get-time": the word for a command on the wire. */
const char *agent_command_name(enum agent_command command);

/*
 * Writes the request with its LF and a NUL behind it; AGENT_SYNC_DELIMITED begins with AGENT_MARK.
 * 0 and its length without the NUL in *@ret_length, or -ENOBUFS, -ENOMEM with the outputs untouched.
 */
int agent_encode(const struct agent_request *request, char to[AGENT_REQUEST_MAX],
                 size_t *ret_length) must_check;

/*
 * Reads one line of @length bytes, without its end, as the answer to @command.  *@ret is written
 * only for AGENT_ANSWERED, @reterr_text (printable ASCII) for all others.
 */
enum agent_outcome agent_decode(const char *line, size_t length, enum agent_command command,
                                struct agent_reply *ret, char *reterr_text,
                                size_t text_size) must_check;

#endif
