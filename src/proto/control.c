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

/* The keys that a request may have.  False with *@reterr filled in for any other. */
static bool knows_every_key(json_t *root, const struct control_id *id, struct control_error *reterr)
{
	const char *key;
	char quoted[170];
	json_t *value;

	json_object_foreach(root, key, value) if (strcmp(key, "v") != 0 && strcmp(key, "id") != 0 &&
	                                          strcmp(key, "cmd") != 0)
	{
		control_error_make(reterr, CONTROL_UNKNOWN_KEY, id, "the key %s is not known here",
		                   message_quote(key, quoted, sizeof quoted));
		return false;
	}
	return true;
}

static bool read_command(const json_t *root, const struct control_id *id, enum control_command *ret,
                         struct control_error *reterr)
{
	const char *name = json_string_value(json_object_get(root, "cmd"));
	char quoted[170];

	if (!name) {
		control_error_make(reterr, CONTROL_BAD_VALUE, id,
		                   "the key \"cmd\" must hold a command's name");
		return false;
	}
	if (!control_command_find(name, ret)) {
		control_error_make(reterr, CONTROL_UNKNOWN_COMMAND, id,
		                   "the command %s is not known here",
		                   message_quote(name, quoted, sizeof quoted));
		return false;
	}
	return true;
}

int control_decode_request(const char *line, size_t length, struct control_request *ret,
                           struct control_error *reterr)
{
	struct control_request request;
	json_t *root = message_load(line, length, CONTROL_REQUEST_MAX, reterr);
	bool is_good = false;

	if (!root)
		return -EINVAL;
	if (!message_read_id(root, &request.id))
		control_error_make(reterr, CONTROL_BAD_VALUE, NULL,
		                   "an \"id\" is an integer or a string of at most %d bytes",
		                   CONTROL_ID_MAX);
	else
		is_good = message_speaks_version(root, CONTROL_VERSION, "control", &request.id, reterr) &&
		          knows_every_key(root, &request.id, reterr) &&
		          read_command(root, &request.id, &request.command, reterr);
	json_decref(root);
	if (!is_good)
		return -EINVAL;
	*ret = request;
	return 0;
}

int control_encode_reply(const struct control_request *request, const struct report_status *report,
                         char **ret, size_t *ret_length)
{
	json_t *root = json_pack("{s:i}", "v", CONTROL_VERSION);

	if (root &&
	    (message_set_id(root, &request->id) != 0 || json_object_set_new(root, "ok", json_true()) != 0 ||
	     json_object_set_new(root, COMMANDS[request->command],
	                         report_json_encode(request->command, report)) != 0)) {
		json_decref(root);
		root = NULL;
	}
	return message_give(root, ret, ret_length);
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
	size_t n;
	char *line;
	int r;

	if (root &&
	    (message_set_id(root, &request->id) != 0 ||
	     json_object_set_new(root, "cmd", json_string(COMMANDS[request->command])) != 0)) {
		json_decref(root);
		root = NULL;
	}
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

/* The daemon's refusal as it came, made safe to print. */
static enum control_outcome take_refusal(const json_t *root, struct control_error *reterr)
{
	const json_t *error = json_object_get(root, "error");
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *text = json_string_value(json_object_get(error, "text"));
	struct control_error refusal = { .code = CONTROL_INTERNAL };

	if (!code || !text) {
		control_error_make(reterr, CONTROL_BAD_VALUE, NULL,
		                   "an error without code or text");
		return CONTROL_GARBAGE;
	}
	for (unsigned i = 0; i < CONTROL_CODES; i++)
		if (strcmp(code, CODES[i]) == 0)
			refusal.code = (enum control_code)i;
	for (size_t i = 0; text[i] && i < sizeof refusal.text - 1; i++)
		refusal.text[i] = (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	if (!message_read_id(root, &refusal.id))
		refusal.id.kind = CONTROL_ID_NONE;
	*reterr = refusal;
	return CONTROL_REFUSED;
}

/* The data of the reply in @root, decoded into *@ret; @root is borrowed. */
static enum control_outcome take_reply(const json_t *root, enum control_command command,
                                       struct report_status *ret, struct control_error *reterr)
{
	const json_t *ok = json_object_get(root, "ok");
	const json_t *version = json_object_get(root, "v");
	const json_t *data = json_object_get(root, COMMANDS[command]);
	struct report_status report = *ret;
	char why[200];

	if (!json_is_integer(version) || !json_is_boolean(ok)) {
		control_error_make(reterr, CONTROL_BAD_VALUE, NULL,
		                   "the keys \"v\" and \"ok\" are not as they should be");
		return CONTROL_GARBAGE;
	}
	/* A refusal is understood in every version: it is how a daemon names the ones it speaks. */
	if (json_is_false(ok))
		return take_refusal(root, reterr);
	if (json_integer_value(version) != CONTROL_VERSION) {
		control_error_make(reterr, CONTROL_BAD_VERSION, NULL,
		                   "it speaks version %lld of the protocol, not %d",
		                   (long long)json_integer_value(version), CONTROL_VERSION);
		return CONTROL_GARBAGE;
	}
	if (!data || report_json_decode(command, data, &report, why, sizeof why)) {
		control_error_make(reterr, CONTROL_BAD_VALUE, NULL, "%s",
		                   data ? why : "the data asked for is missing");
		return CONTROL_GARBAGE;
	}
	*ret = report;
	return CONTROL_ANSWERED;
}

enum control_outcome control_decode_reply(const char *line, size_t length,
                                          enum control_command command, struct report_status *ret,
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
	struct report_status scratch = { .state = REPORT_STARTING };
	enum control_outcome outcome = CONTROL_GARBAGE;
	char *text = NULL, *longer = NULL;

	if (root)
		outcome = take_reply(root, command, &scratch, reterr);
	if (outcome == CONTROL_ANSWERED) {
		text = json_dumps(json_object_get(root, COMMANDS[command]),
		                  JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
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
