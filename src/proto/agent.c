/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/agent.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/foreign.h"
#include "proto/host_words.h"

static const char *const COMMANDS[] = {
	[AGENT_PING] = "guest-ping",
	[AGENT_SYNC_DELIMITED] = "guest-sync-delimited",
	[AGENT_INFO] = "guest-info",
	[AGENT_GET_TIME] = "guest-get-time",
	[AGENT_SET_TIME] = "guest-set-time",
	[AGENT_FREEZE_STATUS] = "guest-fsfreeze-status",
	[AGENT_NUDGE] = "vmtime-nudge",
	[AGENT_STATUS] = "vmtime-status",
	[AGENT_HOST_QUALITY] = "vmtime-host-quality",
};
_Static_assert(COUNT(COMMANDS) == AGENT_COMMANDS, "every command has a name");

const char *agent_command_name(enum agent_command command)
{
	return COMMANDS[command];
}

static json_t *host_arguments(enum host_command command, const struct agent_request *request)
{
	const struct host_request host = {
		.command = command,
		.reason = request->reason,
		.quality = request->quality,
	};

	return host_words_arguments(&host);
}

/* A new object, empty where the command has no arguments; NULL: out of memory. */
static json_t *arguments_of(const struct agent_request *request)
{
	switch (request->command) {
	case AGENT_SYNC_DELIMITED: return json_pack("{s:I}", "id", (json_int_t)request->id);
	case AGENT_SET_TIME: return json_pack("{s:I}", "time", (json_int_t)request->time.ns);
	case AGENT_NUDGE: return host_arguments(HOST_NUDGE, request);
	case AGENT_HOST_QUALITY: return host_arguments(HOST_QUALITY, request);
	case AGENT_PING:
	case AGENT_INFO:
	case AGENT_GET_TIME:
	case AGENT_FREEZE_STATUS:
	case AGENT_STATUS:
	case AGENT_COMMANDS: break;
	}
	return json_object();
}

/* A new reference, or NULL: out of memory. */
static json_t *request_object(const struct agent_request *request)
{
	json_t *root = json_pack("{s:s}", "execute", COMMANDS[request->command]);
	json_t *arguments = arguments_of(request);
	bool is_good = root && arguments;

	if (is_good && json_object_size(arguments))
		is_good = json_object_set(root, "arguments", arguments) == 0;
	json_decref(arguments);
	if (is_good)
		return root;
	json_decref(root);
	return NULL;
}

int agent_encode(const struct agent_request *request, char to[AGENT_REQUEST_MAX],
                 size_t *ret_length)
{
	json_t *root = request_object(request);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	const char *mark = request->command == AGENT_SYNC_DELIMITED ? "\xff" : "";
	size_t n = text ? strlen(mark) + strlen(text) + 1 : 0;
	int r = 0;

	json_decref(root);
	if (!text)
		return -ENOMEM;
	if (n < AGENT_REQUEST_MAX) {
		snprintf(to, AGENT_REQUEST_MAX, "%s%s\n", mark, text);
		*ret_length = n;
	} else {
		r = -ENOBUFS;
	}
	free(text);
	return r;
}

/* An agent that says nothing of "enabled" is one from before that key: the command may be used. */
static bool has_command(const json_t *commands, enum agent_command command)
{
	for (size_t i = 0; i < json_array_size(commands); i++) {
		const json_t *row = json_array_get(commands, i);
		const char *name = json_string_value(json_object_get(row, "name"));

		if (name && strcmp(name, COMMANDS[command]) == 0)
			return !json_is_false(json_object_get(row, "enabled"));
	}
	return false;
}

static bool read_info(const json_t *value, struct agent_reply *r)
{
	const json_t *commands = json_object_get(value, "supported_commands");

	if (!json_is_array(commands))
		return false;
	r->can_get_time = has_command(commands, AGENT_GET_TIME);
	r->can_set_time = has_command(commands, AGENT_SET_TIME);
	r->is_vmtimed = has_command(commands, AGENT_STATUS);
	foreign_copy(value, "version", r->version, sizeof r->version);
	return true;
}

static bool read_integer(const json_t *value, int64_t *ret)
{
	if (!json_is_integer(value))
		return false;
	*ret = json_integer_value(value);
	return true;
}

static bool read_freeze_status(const json_t *value, struct agent_reply *r)
{
	if (!json_is_string(value))
		return false;
	r->is_frozen = strcmp(json_string_value(value), "frozen") == 0;
	return true;
}

static bool read_host_reply(enum host_command command, const json_t *value, struct agent_reply *r)
{
	char why[200];

	return host_words_read_reply(command, value, &r->vmtime, why, sizeof why) == 0;
}

static bool read_value(const json_t *value, enum agent_command command, struct agent_reply *r)
{
	switch (command) {
	case AGENT_SYNC_DELIMITED: return read_integer(value, &r->id);
	case AGENT_GET_TIME: return read_integer(value, &r->time.ns);
	case AGENT_INFO: return read_info(value, r);
	case AGENT_FREEZE_STATUS: return read_freeze_status(value, r);
	case AGENT_PING:
	case AGENT_SET_TIME: return json_is_object(value);
	case AGENT_NUDGE: return read_host_reply(HOST_NUDGE, value, r);
	case AGENT_STATUS: return read_host_reply(HOST_STATUS, value, r);
	case AGENT_HOST_QUALITY: return read_host_reply(HOST_QUALITY, value, r);
	case AGENT_COMMANDS: break;
	}
	return false;
}

/*
 * qemu-ga tells by its text alone why a command that it has is refused ("Command X has been
 * disabled: the agent is in frozen state"; until version 6 without the reason), and the class
 * is that of an unknown one ("The command X has not been found").
 */
static enum agent_outcome kind_of_refusal(bool is_unknown_command, const char *text)
{
	if (strstr(text, "frozen"))
		return AGENT_FROZEN;
	if (strstr(text, "disabled") || strstr(text, "not allowed"))
		return AGENT_DISABLED;
	return is_unknown_command ? AGENT_UNKNOWN_COMMAND : AGENT_REFUSED;
}

enum agent_outcome agent_decode(const char *line, size_t length, enum agent_command command,
                                struct agent_reply *ret, char *reterr_text, size_t text_size)
{
	struct agent_reply reply = { .id = 0 };
	json_t *root = foreign_load(line, length, AGENT_DEPTH_MAX, reterr_text, text_size);
	enum agent_outcome outcome = AGENT_NONSENSE;
	bool is_unknown;

	if (!root)
		return AGENT_NONSENSE;
	if (foreign_error(root, &is_unknown, reterr_text, text_size)) {
		outcome = kind_of_refusal(is_unknown, reterr_text);
	} else if (read_value(json_object_get(root, "return"), command, &reply)) {
		*ret = reply;
		outcome = AGENT_ANSWERED;
	} else {
		snprintf(reterr_text, text_size, "what came is no answer to %s", COMMANDS[command]);
	}
	json_decref(root);
	return outcome;
}
