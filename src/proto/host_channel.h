/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_HOST_CHANNEL_H
#define PROTO_HOST_CHANNEL_H

/*
 * host_channel.h - what a host may say to the vmtimed in its guest
 *
 * Lines of JSON with a version, as on the control socket, but three requests
 * only (docs/protocol/host.md has every byte):
 *
 *     nudge         look at the clock now; a word may name why.  Carries no time
 *     host-quality  how far the host's own clock can be off
 *     status        state, offset and bound of the guest's clock, nothing else
 *
 * A host is the guest's lord over everything but this: nothing that can be said
 * here moves the guest's clock or makes its bound narrower.  So the reading is
 * as strict as for any stranger: size, depth, keys, types and ranges.
 *
 * Errors are the control protocol's, and so is the encoder of refusals,
 * control_encode_error.  No I/O, no log, no hidden state.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "proto/control.h"
#include "proto/host_reason.h"
#include "proto/report.h"

#define HOST_CHANNEL_VERSION     1
#define HOST_CHANNEL_REQUEST_MAX 1024 /* bytes, without the line's end; longer is refused */
#define HOST_CHANNEL_REPLY_MAX   1024 /* bytes, with it */

enum host_command {
	HOST_NUDGE,
	HOST_QUALITY,
	HOST_STATUS,
	HOST_COMMANDS, /* how many there are */
};

struct host_request {
	enum host_command command;
	struct control_id id;
	enum host_reason reason;          /* HOST_NUDGE   */
	struct report_host_quality quality; /* HOST_QUALITY, but for its age */
};

/* What a reply says, by the command. */
struct host_reply {
	bool is_delayed; /* HOST_NUDGE: there were too many, it waits for its turn */
	vt_span valid;   /* HOST_QUALITY: it counts for so long                    */
	enum report_state state; /* HOST_STATUS ... */
	bool has_offset;
	vt_span offset; /* positive: the guest's clock is behind its source */
	bool has_bound;
	vt_span bound; /* against its source */
};

/*
 * Reads one request of @length bytes; a line's end (LF or CR LF) may be among them.  Returns 0, or
 * -EINVAL with *@reterr to be sent back by control_encode_error.  *@ret is written only on success,
 * *@reterr only on refusal.
 */
int host_channel_decode(const char *line, size_t length, struct host_request *ret,
                        struct control_error *reterr) must_check;

/*
 * Writes the reply to @request: 0 and a line with its LF, to be freed by the caller with free();
 * @ret_length counts the LF.  -ENOMEM: outputs untouched.
 */
int host_channel_encode(const struct host_request *request, const struct host_reply *reply,
                        char **ret, size_t *ret_length) must_check;

/* --- The host's side --- */

/*
 * Writes @request with its LF and a NUL; *@ret_length does not count the NUL.  0, or -ENOBUFS,
 * -ENOMEM with the outputs untouched.
 */
int host_channel_encode_request(const struct host_request *request, char *to, size_t size,
                                size_t *ret_length) must_check;

/*
 * Reads one line as the reply to @request, whose id it must bear (a refusal may have none).  *@ret is written only for
 * CONTROL_ANSWERED, *@reterr (printable ASCII) for the others.
 */
enum control_outcome host_channel_decode_reply(const char *line, size_t length,
                                               const struct host_request *request,
                                               struct host_reply *ret,
                                               struct control_error *reterr) must_check;

#endif
