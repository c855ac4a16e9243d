/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/control.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "proto/fields.h"
#include "proto/report_json.h"

/* Deep enough for every message there is; jansson's own limit is thousands. */
#define DEPTH_MAX 16

/* 15 digits print the doubles that people write down as people write them. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(15))

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

void control_error_make(struct control_error *ret, enum control_code code,
                        const struct control_id *id, const char *format, ...)
{
	va_list args;

	*ret = (struct control_error){ .code = code };
	if (id)
		ret->id = *id;
	va_start(args, format);
	vsnprintf(ret->text, sizeof ret->text, format, args);
	va_end(args);
}

/* --- Any message --- */

/* Brackets nest at most DEPTH_MAX deep.  What is no JSON at all is for the parser to find. */
static bool is_shallow(const char *line, size_t n)
{
	bool is_in_string = false;
	unsigned depth = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_in_string && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			is_in_string = !is_in_string;
		else if (!is_in_string && (line[i] == '{' || line[i] == '['))
			depth++;
		else if (!is_in_string && (line[i] == '}' || line[i] == ']') && depth > 0)
			depth--;
		if (depth > DEPTH_MAX)
			return false;
	}
	return true;
}

/* A new reference to the object in @line, or NULL with *@reterr filled in. */
static json_t *load(const char *line, size_t n, size_t max, struct control_error *reterr)
{
	json_error_t why;
	json_t *root;

	if (n > 0 && line[n - 1] == '\n')
		n -= n > 1 && line[n - 2] == '\r' ? 2 : 1;
	if (n > max) {
		control_error_make(reterr, CONTROL_TOO_LONG, NULL,
		                   "the message has %zu bytes, more than %zu", n, max);
		return NULL;
	}
	if (n == 0) {
		control_error_make(reterr, CONTROL_MALFORMED, NULL, "the message is empty");
		return NULL;
	}
	if (!is_shallow(line, n)) {
		control_error_make(reterr, CONTROL_MALFORMED, NULL,
		                   "the message is nested more than %d deep", DEPTH_MAX);
		return NULL;
	}
	root = json_loadb(line, n, JSON_REJECT_DUPLICATES, &why);
	if (!root) {
		/* The library's own sentence quotes the foreign bytes; ours do not. */
		if (json_error_code(&why) == json_error_duplicate_key)
			control_error_make(reterr, CONTROL_MALFORMED, NULL,
			                   "the same key stands twice in one object");
		else
			control_error_make(reterr, CONTROL_MALFORMED, NULL,
			                   "the message is not valid JSON, near byte %d",
			                   why.position);
		return NULL;
	}
	if (!json_is_object(root)) {
		json_decref(root);
		control_error_make(reterr, CONTROL_MALFORMED, NULL,
		                   "the message is not a JSON object");
		return NULL;
	}
	return root;
}

/* Turns @root into a line, consumes it; NULL stands for "it could not be made". */
static int give_line(json_t *root, char **ret, size_t *ret_length)
{
	char *text = root ? json_dumps(root, DUMP_FLAGS) : NULL;
	size_t n = text ? strlen(text) : 0;
	char *line = text ? realloc(text, n + 2) : NULL;

	json_decref(root);
	if (!line) {
		free(text);
		return -ENOMEM;
	}
	memcpy(line + n, "\n", 2);
	*ret = line;
	*ret_length = n + 1;
	return 0;
}

/* Adds the id, if there is one.  0 or -1, as jansson has it. */
static int set_id(json_t *root, const struct control_id *id)
{
	switch (id->kind) {
	case CONTROL_ID_NONE: return 0;
	case CONTROL_ID_NUMBER: return json_object_set_new(root, "id", json_integer(id->number));
	case CONTROL_ID_TEXT:
		return json_object_set_new(root, "id", fields_text(id->text, sizeof id->text));
	}
	return -1;
}

/* --- The daemon's side --- */

/* *@ret is what it is without an id, when there is none.  False: it is no proper id. */
static bool read_id(const json_t *root, struct control_id *ret)
{
	const json_t *id = json_object_get(root, "id");

	*ret = (struct control_id){ .kind = CONTROL_ID_NONE };
	if (!id)
		return true;
	if (json_is_integer(id)) {
		ret->kind = CONTROL_ID_NUMBER;
		ret->number = json_integer_value(id);
		return true;
	}
	if (!json_is_string(id) || json_string_length(id) > CONTROL_ID_MAX)
		return false;
	ret->kind = CONTROL_ID_TEXT;
	fields_copy_text(json_string_value(id), json_string_length(id), ret->text,
	                 sizeof ret->text);
	return true;
}

static const char *quote_word(const char *word, char *to, size_t size)
{
	return log_quote(word, strnlen(word, 40), to, size);
}

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
		                   quote_word(key, quoted, sizeof quoted));
		return false;
	}
	return true;
}

/* The version comes first: a later one may have keys and commands that mean nothing here. */
static bool speaks_our_version(const json_t *root, const struct control_id *id,
                               struct control_error *reterr)
{
	const json_t *version = json_object_get(root, "v");

	if (!json_is_integer(version)) {
		control_error_make(
			reterr, CONTROL_BAD_VALUE, id,
			"the key \"v\" must hold the protocol's version: %d is spoken here",
			CONTROL_VERSION);
		return false;
	}
	if (json_integer_value(version) != CONTROL_VERSION) {
		control_error_make(
			reterr, CONTROL_BAD_VERSION, id,
			"version %lld of the control protocol is not spoken here, only %d",
			(long long)json_integer_value(version), CONTROL_VERSION);
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
		                   quote_word(name, quoted, sizeof quoted));
		return false;
	}
	return true;
}

int control_decode_request(const char *line, size_t length, struct control_request *ret,
                           struct control_error *reterr)
{
	struct control_request request;
	json_t *root = load(line, length, CONTROL_REQUEST_MAX, reterr);
	bool is_good = false;

	if (!root)
		return -EINVAL;
	if (!read_id(root, &request.id))
		control_error_make(reterr, CONTROL_BAD_VALUE, NULL,
		                   "an \"id\" is an integer or a string of at most %d bytes",
		                   CONTROL_ID_MAX);
	else
		is_good = speaks_our_version(root, &request.id, reterr) &&
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
	    (set_id(root, &request->id) != 0 || json_object_set_new(root, "ok", json_true()) != 0 ||
	     json_object_set_new(root, COMMANDS[request->command],
	                         report_json_encode(request->command, report)) != 0)) {
		json_decref(root);
		root = NULL;
	}
	return give_line(root, ret, ret_length);
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
	    (set_id(root, &error->id) != 0 || json_object_set_new(root, "ok", json_false()) != 0 ||
	     json_object_set(root, "error", body) != 0)) {
		json_decref(root);
		root = NULL;
	}
	json_decref(body);
	return give_line(root, ret, ret_length);
}

/* --- The client's side --- */

int control_encode_request(const struct control_request *request, char *to, size_t size)
{
	json_t *root = json_pack("{s:i}", "v", CONTROL_VERSION);
	size_t n;
	char *line;
	int r;

	if (root &&
	    (set_id(root, &request->id) != 0 ||
	     json_object_set_new(root, "cmd", json_string(COMMANDS[request->command])) != 0)) {
		json_decref(root);
		root = NULL;
	}
	r = give_line(root, &line, &n);
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
	if (!read_id(root, &refusal.id))
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
	json_t *root = load(line, length, CONTROL_REPLY_MAX, reterr);
	enum control_outcome outcome = CONTROL_GARBAGE;

	if (root)
		outcome = take_reply(root, command, ret, reterr);
	json_decref(root);
	return outcome;
}

enum control_outcome control_pretty(const char *line, size_t length, enum control_command command,
                                    char **ret, struct control_error *reterr)
{
	json_t *root = load(line, length, CONTROL_REPLY_MAX, reterr);
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
