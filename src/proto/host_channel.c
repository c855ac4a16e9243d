/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/host_channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/fields.h"
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

static bool refuse_value(const struct control_id *id, const char *why, struct control_error *reterr)
{
	control_error_make(reterr, CONTROL_BAD_VALUE, id, "%s", why);
	return false;
}

static bool read_command(const json_t *root, struct host_request *r, struct control_error *reterr)
{
	const char *name = json_string_value(json_object_get(root, "cmd"));
	char quoted[170];

	if (!name)
		return refuse_value(&r->id, "the key \"cmd\" must hold a command's name", reterr);
	for (unsigned i = 0; i < HOST_COMMANDS; i++)
		if (strcmp(COMMANDS[i], name) == 0) {
			r->command = (enum host_command)i;
			return true;
		}
	control_error_make(reterr, CONTROL_UNKNOWN_COMMAND, &r->id, "the command %s is not known here",
	                   message_quote(name, quoted, sizeof quoted));
	return false;
}

static bool is_key_of(enum host_command command, const char *key)
{
	if (strcmp(key, "v") == 0 || strcmp(key, "id") == 0 || strcmp(key, "cmd") == 0)
		return true;
	switch (command) {
	case HOST_NUDGE: return strcmp(key, "reason") == 0;
	case HOST_QUALITY:
		for (const struct field *field = QUALITY_FIELDS; field->key; field++)
			if (strcmp(key, field->key) == 0)
				return true;
		return false;
	case HOST_STATUS:
	case HOST_COMMANDS: return false;
	}
	return false;
}

static bool knows_every_key(json_t *root, const struct host_request *r, struct control_error *reterr)
{
	const char *key;
	char quoted[170];
	json_t *value;

	json_object_foreach(root, key, value) if (!is_key_of(r->command, key))
	{
		control_error_make(reterr, CONTROL_UNKNOWN_KEY, &r->id, "the key %s is not known here",
		                   message_quote(key, quoted, sizeof quoted));
		return false;
	}
	return true;
}

static bool read_reason(const json_t *root, struct host_request *r, struct control_error *reterr)
{
	const json_t *reason = json_object_get(root, "reason");

	if (!reason)
		return true;
	if (json_is_string(reason) && host_reason_find(json_string_value(reason), &r->reason))
		return true;
	return refuse_value(&r->id, "a \"reason\" is pause, restore, migration, host-step or resume",
	                    reterr);
}

/* What is missing, or contradicts itself, would be taken for something better than it says. */
static bool read_quality(const json_t *root, struct host_request *r, struct control_error *reterr)
{
	struct report_host_quality *q = &r->quality;
	size_t length = json_string_length(json_object_get(root, "daemon"));
	char why[200];

	if (fields_decode(QUALITY_FIELDS, root, q, why, sizeof why) < 0)
		return refuse_value(&r->id, why, reterr);
	if (length >= sizeof q->daemon)
		return refuse_value(&r->id, "the name of the \"daemon\" is too long", reterr);
	if (q->has_root_distance && q->root_distance.ns < 0)
		return refuse_value(&r->id, "\"root_distance_ns\" cannot be negative", reterr);
	if (q->is_synchronized && !q->has_root_distance)
		return refuse_value(&r->id, "who is synchronised has a \"root_distance_ns\"", reterr);
	if (q->is_synchronized && q->leap == REPORT_LEAP_UNSYNCHRONISED)
		return refuse_value(&r->id, "who is synchronised has another \"leap\"", reterr);
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
	bool is_good = false;

	if (!root)
		return -EINVAL;
	if (!message_read_id(root, &r.id))
		control_error_make(reterr, CONTROL_BAD_VALUE, NULL,
		                   "an \"id\" is an integer or a string of at most %d bytes",
		                   CONTROL_ID_MAX);
	else
		is_good = message_speaks_version(root, HOST_CHANNEL_VERSION, "host's", &r.id, reterr) &&
		          read_command(root, &r, reterr) && knows_every_key(root, &r, reterr) &&
		          read_arguments(root, &r, reterr);
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
