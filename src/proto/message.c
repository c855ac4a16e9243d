/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Deep enough for every message there is; jansson's own limit is thousands. */
#define DEPTH_MAX 16

/* 15 digits print the doubles that people write down as people write them. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(15))

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

bool message_is_shallow(const char *line, size_t n, unsigned depth_max)
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
		if (depth > depth_max)
			return false;
	}
	return true;
}

json_t *message_load(const char *line, size_t n, size_t max, struct control_error *reterr)
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
	if (!message_is_shallow(line, n, DEPTH_MAX)) {
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

int message_give(json_t *root, char **ret, size_t *ret_length)
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

int message_set_id(json_t *root, const struct control_id *id)
{
	switch (id->kind) {
	case CONTROL_ID_NONE: return 0;
	case CONTROL_ID_NUMBER: return json_object_set_new(root, "id", json_integer(id->number));
	case CONTROL_ID_TEXT:
		return json_object_set_new(root, "id", fields_text(id->text, sizeof id->text));
	}
	return -1;
}

bool message_read_id(const json_t *root, struct control_id *ret)
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

bool message_refuse_value(const struct control_id *id, const char *why,
                          struct control_error *reterr)
{
	control_error_make(reterr, CONTROL_BAD_VALUE, id, "%s", why);
	return false;
}

/* Says which foreign @word, a "key" or a "command", is not known; only its beginning is shown. */
static bool refuse_word(enum control_code code, const struct control_id *id, const char *what,
                        const char *word, struct control_error *reterr)
{
	char quoted[170];

	control_error_make(reterr, code, id, "the %s %s is not known here", what,
	                   log_quote(word, strnlen(word, 40), quoted, sizeof quoted));
	return false;
}

static bool speaks_version(const json_t *root, int ours, const char *protocol,
                           const struct control_id *id, struct control_error *reterr)
{
	const json_t *version = json_object_get(root, "v");

	if (!json_is_integer(version)) {
		control_error_make(
			reterr, CONTROL_BAD_VALUE, id,
			"the key \"v\" must hold the protocol's version: %d is spoken here",
			ours);
		return false;
	}
	if (json_integer_value(version) != ours) {
		control_error_make(
			reterr, CONTROL_BAD_VERSION, id,
			"version %lld of the %s protocol is not spoken here, only %d",
			(long long)json_integer_value(version), protocol, ours);
		return false;
	}
	return true;
}

/* The version comes first: a later one may have keys and commands that mean nothing here. */
bool message_begin(const json_t *root, int ours, const char *protocol, struct control_id *ret_id,
                   struct control_error *reterr)
{
	if (message_read_id(root, ret_id))
		return speaks_version(root, ours, protocol, ret_id, reterr);
	control_error_make(reterr, CONTROL_BAD_VALUE, NULL,
	                   "an \"id\" is an integer or a string of at most %d bytes",
	                   CONTROL_ID_MAX);
	return false;
}

bool message_read_command(const json_t *root, const char *const *commands, unsigned n,
                          const struct control_id *id, unsigned *ret, struct control_error *reterr)
{
	const char *name = json_string_value(json_object_get(root, "cmd"));

	if (!name)
		return message_refuse_value(id, "the key \"cmd\" must hold a command's name",
		                            reterr);
	for (unsigned i = 0; i < n; i++)
		if (strcmp(commands[i], name) == 0) {
			*ret = i;
			return true;
		}
	return refuse_word(CONTROL_UNKNOWN_COMMAND, id, "command", name, reterr);
}

static bool is_of_any_request(const char *key)
{
	return strcmp(key, "v") == 0 || strcmp(key, "id") == 0 || strcmp(key, "cmd") == 0;
}

bool message_knows_keys(json_t *root, const struct field *arguments, const struct control_id *id,
                        struct control_error *reterr)
{
	for (void *at = json_object_iter(root); at; at = json_object_iter_next(root, at)) {
		const char *key = json_object_iter_key(at);

		if (!is_of_any_request(key) && !fields_have(arguments, key))
			return refuse_word(CONTROL_UNKNOWN_KEY, id, "key", key, reterr);
	}
	return true;
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
		if (strcmp(code, control_code_name((enum control_code)i)) == 0)
			refusal.code = (enum control_code)i;
	for (size_t i = 0; text[i] && i < sizeof refusal.text - 1; i++)
		refusal.text[i] = (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	if (!message_read_id(root, &refusal.id))
		refusal.id.kind = CONTROL_ID_NONE;
	*reterr = refusal;
	return CONTROL_REFUSED;
}

enum control_outcome message_open_reply(const json_t *root, int ours, const char *key,
                                        const json_t **ret_data, struct control_error *reterr)
{
	const json_t *ok = json_object_get(root, "ok");
	const json_t *version = json_object_get(root, "v");
	const json_t *data = json_object_get(root, key);

	if (!json_is_integer(version) || !json_is_boolean(ok)) {
		control_error_make(reterr, CONTROL_BAD_VALUE, NULL,
		                   "the keys \"v\" and \"ok\" are not as they should be");
		return CONTROL_GARBAGE;
	}
	/* A refusal is understood in every version: it is how a daemon names the ones it speaks. */
	if (json_is_false(ok))
		return take_refusal(root, reterr);
	if (json_integer_value(version) != ours) {
		control_error_make(reterr, CONTROL_BAD_VERSION, NULL,
		                   "it speaks version %lld of the protocol, not %d",
		                   (long long)json_integer_value(version), ours);
		return CONTROL_GARBAGE;
	}
	if (!data) {
		control_error_make(reterr, CONTROL_BAD_VALUE, NULL,
		                   "the data asked for is missing");
		return CONTROL_GARBAGE;
	}
	*ret_data = data;
	return CONTROL_ANSWERED;
}

int message_give_reply(int ours, const struct control_id *id, const char *key, json_t *data,
                       char **ret, size_t *ret_length)
{
	json_t *root = json_pack("{s:i}", "v", ours);

	if (!root || message_set_id(root, id) != 0 ||
	    json_object_set_new(root, "ok", json_true()) != 0 ||
	    json_object_set(root, key, data) != 0) {
		json_decref(root);
		root = NULL;
	}
	json_decref(data);
	return message_give(root, ret, ret_length);
}
