/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/control.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/fields.h"
#include "proto/message.h"
#include "proto/report_json.h"

static const char *const COMMANDS[] = {
	[CONTROL_STATUS] = "status",
	[CONTROL_SOURCES] = "sources",
	[CONTROL_SOURCESTATS] = "sourcestats",
	[CONTROL_TRACKING] = "tracking",
	[CONTROL_EVENTS] = "events",
	[CONTROL_FOLLOW] = "follow",
	[CONTROL_WAITSYNC] = "waitsync",
	[CONTROL_NUDGE] = "nudge",
};
_Static_assert(COUNT(COMMANDS) == CONTROL_COMMANDS, "every command has a name");

static const char *const CODES[] = {
	[CONTROL_MALFORMED] = "malformed",
	[CONTROL_TOO_LONG] = "too-long",
	[CONTROL_BAD_VERSION] = "bad-version",
	[CONTROL_UNKNOWN_COMMAND] = "unknown-command",
	[CONTROL_UNKNOWN_KEY] = "unknown-key",
	[CONTROL_BAD_VALUE] = "bad-value",
	[CONTROL_BUSY] = "busy",
	[CONTROL_DENIED] = "denied",
	[CONTROL_INTERNAL] = "internal",
};
_Static_assert(COUNT(CODES) == CONTROL_CODES, "every code has a name");

/* clang-format off */
#define ARGUMENT(key, kind, member, has) \
	FIELD_IF(key, kind, struct control_arguments, member, has)

static const struct field NO_ARGUMENTS[] = { FIELDS_END };
static const struct field EVENTS_ARGUMENTS[] = {
	ARGUMENT("limit",  FIELD_COUNT, limit,  has_limit),
	ARGUMENT("since",  FIELD_COUNT, since,  has_since),
	ARGUMENT("before", FIELD_COUNT, before, has_before),
	FIELDS_END
};
static const struct field WAITSYNC_ARGUMENTS[] = {
	ARGUMENT("max_correction_ns", FIELD_LENGTH, max_correction, has_max_correction),
	ARGUMENT("max_skew_ppm",      FIELD_DOUBLE, max_skew_ppm,   has_max_skew),
	ARGUMENT("after_now",         FIELD_BOOL,   is_after_now,   has_after_now),
	ARGUMENT("timeout_ns",        FIELD_LENGTH, timeout,        has_timeout),
	FIELDS_END
};
static const struct field NUDGE_ARGUMENTS[] = {
	{ .key = "reason", .kind = FIELD_WORD, .offset = offsetof(struct control_arguments, reason),
	  .size = HOST_REASONS, .words = HOST_REASON_NAMES,
	  .is_optional = true, .presence = offsetof(struct control_arguments, has_reason) },
	FIELDS_END
};
static const struct field *const ARGUMENTS[] = {
	[CONTROL_STATUS] = NO_ARGUMENTS,
	[CONTROL_SOURCES] = NO_ARGUMENTS,
	[CONTROL_SOURCESTATS] = NO_ARGUMENTS,
	[CONTROL_TRACKING] = NO_ARGUMENTS,
	[CONTROL_EVENTS] = EVENTS_ARGUMENTS,
	[CONTROL_FOLLOW] = NO_ARGUMENTS,
	[CONTROL_WAITSYNC] = WAITSYNC_ARGUMENTS,
	[CONTROL_NUDGE] = NUDGE_ARGUMENTS,
};
_Static_assert(COUNT(ARGUMENTS) == CONTROL_COMMANDS, "every command has its arguments");
/* clang-format on */

const char *control_command_name(enum control_command command)
{
	return COMMANDS[command];
}

bool control_command_find(const char *name, enum control_command *ret)
{
	for (unsigned i = 0; i < CONTROL_COMMANDS; i++)
		if (strcmp(COMMANDS[i], name) == 0) {
			*ret = (enum control_command)i;
			return true;
		}
	return false;
}

const char *control_code_name(enum control_code code)
{
	return CODES[code];
}

void control_prepare(void)
{
	json_object_seed(0);
}

/* --- The daemon's side --- */

/* Ranges that the types do not have. */
static const char *out_of_range(const struct control_arguments *a)
{
	if (a->has_limit && (a->limit < 1 || a->limit > REPORT_EVENTS_MAX))
		return "limit";
	/* Written so that what is not a number fails as well. */
	if (a->has_max_skew && !(a->max_skew_ppm >= 0))
		return "max_skew_ppm";
	if (a->has_timeout && a->timeout.ns > CONTROL_TIMEOUT_MAX.ns)
		return "timeout_ns";
	if (a->has_reason && a->reason == HOST_REASON_NONE)
		return "reason";
	return NULL;
}

static bool read_arguments(const json_t *root, const struct control_id *id,
                           struct control_request *request, struct control_error *reterr)
{
	char why[200];
	const char *bad;

	memset(&request->arguments, 0, sizeof request->arguments);
	if (fields_decode(ARGUMENTS[request->command], root, &request->arguments, why, sizeof why))
		return message_refuse_value(id, why, reterr);
	bad = out_of_range(&request->arguments);
	if (bad)
		control_error_make(reterr, CONTROL_BAD_VALUE, id,
		                   "the value of \"%s\" has a wrong type or is out of range", bad);
	return !bad;
}

int control_decode_request(const char *line, size_t length, struct control_request *ret,
                           struct control_error *reterr)
{
	struct control_request request;
	json_t *root = message_load(line, length, CONTROL_REQUEST_MAX, reterr);
	const struct control_id *id = &request.id;
	unsigned command;
	bool is_good;

	if (!root)
		return -EINVAL;
	is_good = message_begin(root, CONTROL_VERSION, "control", &request.id, reterr) &&
	          message_read_command(root, COMMANDS, CONTROL_COMMANDS, id, &command, reterr) &&
	          message_knows_keys(root, ARGUMENTS[command], id, reterr);
	if (is_good) {
		request.command = (enum control_command)command;
		is_good = read_arguments(root, id, &request, reterr);
	}
	json_decref(root);
	if (!is_good)
		return -EINVAL;
	*ret = request;
	return 0;
}

int control_encode_reply(const struct control_request *request, const void *report, char **ret,
                         size_t *ret_length)
{
	return message_give_reply(CONTROL_VERSION, &request->id, COMMANDS[request->command],
	                          report_json_encode(request->command, report), ret, ret_length);
}

int control_encode_error(const struct control_error *error, char **ret, size_t *ret_length)
{
	json_t *root = json_pack("{s:i}", "v", CONTROL_VERSION);
	json_t *text = fields_text(error->text, sizeof error->text);
	json_t *body = json_pack("{s:s, s:o*}", "code", CODES[error->code], "text", text);

	if (body && error->code == CONTROL_BAD_VERSION &&
	    json_object_set_new(body, "versions", json_pack("[i]", CONTROL_VERSION)) != 0) {
		json_decref(body);
		body = NULL;
	}
	if (root &&
	    (message_set_id(root, &error->id) != 0 || json_object_set_new(root, "ok", json_false()) != 0 ||
	     json_object_set(root, "error", body) != 0)) {
		json_decref(root);
		root = NULL;
	}
	json_decref(body);
	return message_give(root, ret, ret_length);
}

/* --- The client's side --- */

int control_encode_request(const struct control_request *request, char *to, size_t size)
{
	json_t *root = json_pack("{s:i}", "v", CONTROL_VERSION);
	json_t *arguments = fields_encode(ARGUMENTS[request->command], &request->arguments);
	size_t n;
	char *line;
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
	if (n < size)
		memcpy(to, line, n + 1);
	else
		r = -ENOBUFS;
	free(line);
	return r;
}

/* The data of the reply in @root, decoded into *@ret; @root is borrowed. */
static enum control_outcome take_reply(const json_t *root, enum control_command command,
                                       void *ret, struct control_error *reterr)
{
	const json_t *data = NULL;
	const size_t size = report_json_size(command);
	enum control_outcome outcome =
		message_open_reply(root, CONTROL_VERSION, COMMANDS[command], &data, reterr);
	union report copy;
	char why[200];

	if (outcome != CONTROL_ANSWERED)
		return outcome;
	memcpy(&copy, ret, size);
	if (report_json_decode(command, data, &copy, why, sizeof why)) {
		control_error_make(reterr, CONTROL_BAD_VALUE, NULL, "%s", why);
		return CONTROL_GARBAGE;
	}
	memcpy(ret, &copy, size);
	return CONTROL_ANSWERED;
}

enum control_outcome control_decode_reply(const char *line, size_t length,
                                          enum control_command command, void *ret,
                                          struct control_error *reterr)
{
	json_t *root = message_load(line, length, CONTROL_REPLY_MAX, reterr);
	enum control_outcome outcome = CONTROL_GARBAGE;

	if (root)
		outcome = take_reply(root, command, ret, reterr);
	json_decref(root);
	return outcome;
}

enum control_outcome control_pretty(const char *line, size_t length, enum control_command command,
                                    char **ret, struct control_error *reterr)
{
	json_t *root = message_load(line, length, CONTROL_REPLY_MAX, reterr);
	const size_t flags = command == CONTROL_FOLLOW ? JSON_COMPACT : JSON_INDENT(2);
	union report scratch;
	enum control_outcome outcome = CONTROL_GARBAGE;
	char *text = NULL, *longer = NULL;

	memset(&scratch, 0, sizeof scratch);
	if (root)
		outcome = take_reply(root, command, &scratch, reterr);
	if (outcome == CONTROL_ANSWERED) {
		text = json_dumps(json_object_get(root, COMMANDS[command]),
		                  flags | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
		longer = text ? realloc(text, strlen(text) + 2) : NULL;
		if (longer) {
			strcat(longer, "\n");
			*ret = longer;
		} else {
			free(text);
			control_error_make(reterr, CONTROL_INTERNAL, NULL, "out of memory");
			outcome = CONTROL_GARBAGE;
		}
	}
	json_decref(root);
	return outcome;
}
