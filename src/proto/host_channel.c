/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/host_channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/fields.h"
#include "proto/host_words.h"
#include "proto/message.h"
#include "proto/report_json.h"

static const char *const COMMANDS[] = {
	[HOST_NUDGE] = "nudge",
	[HOST_QUALITY] = "host-quality",
	[HOST_STATUS] = "status",
};
_Static_assert(COUNT(COMMANDS) == HOST_COMMANDS, "every command has a name");

/* clang-format off */
#define SAID(key, kind, member) FIELD(key, kind, struct report_host_quality, member)

static const struct field QUALITY_FIELDS[] = {
	SAID("daemon",          FIELD_TEXT, daemon),
	SAID("is_synchronized", FIELD_BOOL, is_synchronized),
	FIELD_IF("root_distance_ns", FIELD_NS, struct report_host_quality, root_distance,
	         has_root_distance),
	FIELD_OF_WORDS("leap", struct report_host_quality, leap, REPORT_LEAP_NAMES),
	FIELDS_END
};
/* read_reason() reads the value: a refusal tells all that there is to choose from. */
static const struct field NUDGE_ARGUMENTS[] = {
	FIELD_OF_WORDS("reason", struct host_request, reason, HOST_REASON_NAMES),
	FIELDS_END
};
static const struct field STATUS_ARGUMENTS[] = { FIELDS_END };
static const struct field *const ARGUMENTS[] = {
	[HOST_NUDGE] = NUDGE_ARGUMENTS,
	[HOST_QUALITY] = QUALITY_FIELDS,
	[HOST_STATUS] = STATUS_ARGUMENTS,
};
_Static_assert(COUNT(ARGUMENTS) == HOST_COMMANDS, "every command has its arguments");

static const struct field NUDGE_REPLY[] = {
	FIELD("is_delayed", FIELD_BOOL, struct host_reply, is_delayed),
	FIELDS_END
};
static const struct field QUALITY_REPLY[] = {
	FIELD("valid_ns", FIELD_NS, struct host_reply, valid),
	FIELDS_END
};
static const struct field STATUS_REPLY[] = {
	FIELD_OF_WORDS("state", struct host_reply, state, REPORT_STATE_NAMES),
	FIELD_IF("offset_ns", FIELD_NS, struct host_reply, offset, has_offset),
	FIELD_IF("bound_ns", FIELD_NS, struct host_reply, bound, has_bound),
	FIELDS_END
};
static const struct field *const REPLIES[] = {
	[HOST_NUDGE] = NUDGE_REPLY,
	[HOST_QUALITY] = QUALITY_REPLY,
	[HOST_STATUS] = STATUS_REPLY,
};
_Static_assert(COUNT(REPLIES) == HOST_COMMANDS, "every command has a reply");
/* clang-format on */

static bool read_reason(const json_t *root, struct host_request *r, struct control_error *reterr)
{
	const json_t *reason = json_object_get(root, "reason");

	if (!reason)
		return true;
	if (json_is_string(reason) && host_reason_find(json_string_value(reason), &r->reason))
		return true;
	return message_refuse_value(
		&r->id, "a \"reason\" is pause, restore, migration, host-step or resume", reterr);
}

/* What is missing, or contradicts itself, would be taken for something better than it says. */
static bool read_quality(const json_t *root, struct host_request *r, struct control_error *reterr)
{
	struct report_host_quality *q = &r->quality;
	size_t length = json_string_length(json_object_get(root, "daemon"));
	const struct control_id *id = &r->id;
	char why[200];

	if (fields_decode(QUALITY_FIELDS, root, q, why, sizeof why) < 0)
		return message_refuse_value(id, why, reterr);
	if (length >= sizeof q->daemon)
		return message_refuse_value(id, "the name of the \"daemon\" is too long", reterr);
	if (q->has_root_distance && q->root_distance.ns < 0)
		return message_refuse_value(id, "\"root_distance_ns\" cannot be negative", reterr);
	if (q->is_synchronized && !q->has_root_distance)
		return message_refuse_value(id, "who is synchronised has a \"root_distance_ns\"",
		                            reterr);
	if (q->is_synchronized && q->leap == REPORT_LEAP_UNSYNCHRONISED)
		return message_refuse_value(id, "who is synchronised has another \"leap\"", reterr);
	return true;
}

static bool read_arguments(const json_t *root, struct host_request *r, struct control_error *reterr)
{
	switch (r->command) {
	case HOST_NUDGE: return read_reason(root, r, reterr);
	case HOST_QUALITY: return read_quality(root, r, reterr);
	case HOST_STATUS:
	case HOST_COMMANDS: break;
	}
	return true;
}

int host_channel_decode(const char *line, size_t length, struct host_request *ret,
                        struct control_error *reterr)
{
	struct host_request r = { .reason = HOST_REASON_NONE };
	json_t *root = message_load(line, length, HOST_CHANNEL_REQUEST_MAX, reterr);
	unsigned command;
	bool is_good;

	if (!root)
		return -EINVAL;
	is_good = message_begin(root, HOST_CHANNEL_VERSION, "host's", &r.id, reterr) &&
	          message_read_command(root, COMMANDS, HOST_COMMANDS, &r.id, &command, reterr) &&
	          message_knows_keys(root, ARGUMENTS[command], &r.id, reterr);
	if (is_good) {
		r.command = (enum host_command)command;
		is_good = read_arguments(root, &r, reterr);
	}
	json_decref(root);
	if (!is_good)
		return -EINVAL;
	*ret = r;
	return 0;
}

int host_channel_encode(const struct host_request *request, const struct host_reply *reply,
                        char **ret, size_t *ret_length)
{
	json_t *root = json_pack("{s:i}", "v", HOST_CHANNEL_VERSION);

	if (root &&
	    (message_set_id(root, &request->id) != 0 ||
	     json_object_set_new(root, "ok", json_true()) != 0 ||
	     json_object_set_new(root, COMMANDS[request->command],
	                         fields_encode(REPLIES[request->command], reply)) != 0)) {
		json_decref(root);
		root = NULL;
	}
	return message_give(root, ret, ret_length);
}

json_t *host_words_arguments(const struct host_request *request)
{
	switch (request->command) {
	case HOST_NUDGE:
		if (request->reason != HOST_REASON_NONE)
			return json_pack("{s:s}", "reason", host_reason_name(request->reason));
		break;
	case HOST_QUALITY: return fields_encode(QUALITY_FIELDS, &request->quality);
	case HOST_STATUS:
	case HOST_COMMANDS: break;
	}
	return json_object();
}

int host_words_read_reply(enum host_command command, const json_t *data, struct host_reply *ret,
                          char *reterr_text, size_t text_size)
{
	struct host_reply reply = { .state = REPORT_STARTING };

	if (fields_decode(REPLIES[command], data, &reply, reterr_text, text_size))
		return -EINVAL;
	*ret = reply;
	return 0;
}

int host_channel_encode_request(const struct host_request *request, char *to, size_t size,
                                size_t *ret_length)
{
	json_t *root = json_pack("{s:i}", "v", HOST_CHANNEL_VERSION);
	json_t *arguments = host_words_arguments(request);
	char *line;
	size_t n;
	int r;

	if (root &&
	    (message_set_id(root, &request->id) != 0 ||
	     json_object_set_new(root, "cmd", json_string(COMMANDS[request->command])) != 0 ||
	     json_object_update(root, arguments) != 0)) {
		json_decref(root);
		root = NULL;
	}
	json_decref(arguments);
	r = message_give(root, &line, &n);
	if (r)
		return r;
	if (n < size) {
		memcpy(to, line, n + 1);
		*ret_length = n;
	} else {
		r = -ENOBUFS;
	}
	free(line);
	return r;
}

static bool is_same_id(const struct control_id *a, const struct control_id *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case CONTROL_ID_NONE: return true;
	case CONTROL_ID_NUMBER: return a->number == b->number;
	case CONTROL_ID_TEXT: return strcmp(a->text, b->text) == 0;
	}
	return false;
}

/* Borrows @root. */
static enum control_outcome take_reply(const json_t *root, const struct host_request *request,
                                       struct host_reply *ret, struct control_error *reterr)
{
	const json_t *data = NULL;
	struct control_id id;
	char why[200];
	enum control_outcome outcome = message_open_reply(
		root, HOST_CHANNEL_VERSION, COMMANDS[request->command], &data, reterr);

	if (outcome == CONTROL_GARBAGE)
		return outcome;
	/* Who is turned away before he was read (busy, too-long) is told so without his id. */
	if (outcome == CONTROL_REFUSED && reterr->id.kind == CONTROL_ID_NONE)
		return outcome;
	if (!message_read_id(root, &id) || !is_same_id(&id, &request->id)) {
		control_error_make(reterr, CONTROL_BAD_VALUE, NULL, "the id is not the request's");
		return CONTROL_GARBAGE;
	}
	if (outcome == CONTROL_ANSWERED &&
	    host_words_read_reply(request->command, data, ret, why, sizeof why)) {
		control_error_make(reterr, CONTROL_BAD_VALUE, NULL, "%s", why);
		return CONTROL_GARBAGE;
	}
	return outcome;
}

enum control_outcome host_channel_decode_reply(const char *line, size_t length,
                                               const struct host_request *request,
                                               struct host_reply *ret, struct control_error *reterr)
{
	json_t *root = message_load(line, length, HOST_CHANNEL_REPLY_MAX, reterr);
	enum control_outcome outcome = CONTROL_GARBAGE;

	if (root)
		outcome = take_reply(root, request, ret, reterr);
	json_decref(root);
	return outcome;
}
