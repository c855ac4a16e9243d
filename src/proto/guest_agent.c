/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/guest_agent.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/fields.h"

#define DUMP_FLAGS JSON_ENSURE_ASCII

struct command {
	const char *name;
	const char *argument; /* the one that it takes; NULL: none, or the host channel's */
	bool needs_it;
	const char *of_host; /* its name in the host's channel */
};

static const struct command COMMANDS[GUEST_AGENT_COMMANDS] = {
	[GUEST_AGENT_PING] = { "guest-ping", NULL, false, NULL },
	[GUEST_AGENT_SYNC] = { "guest-sync", "id", true, NULL },
	[GUEST_AGENT_SYNC_DELIMITED] = { "guest-sync-delimited", "id", true, NULL },
	[GUEST_AGENT_INFO] = { "guest-info", NULL, false, NULL },
	[GUEST_AGENT_GET_TIME] = { "guest-get-time", NULL, false, NULL },
	[GUEST_AGENT_SET_TIME] = { "guest-set-time", "time", false, NULL },
	[GUEST_AGENT_HOST_NUDGE] = { "vmtime-nudge", NULL, false, "nudge" },
	[GUEST_AGENT_HOST_STATUS] = { "vmtime-status", NULL, false, "status" },
	[GUEST_AGENT_HOST_QUALITY] = { "vmtime-host-quality", NULL, false, "host-quality" },
};

static bool fail(struct guest_agent_error *reterr, const char *format, ...) printf_like(2, 3);

static bool fail(struct guest_agent_error *reterr, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reterr->text, sizeof reterr->text, format, args);
	va_end(args);
	return false;
}

void guest_agent_error_make(struct guest_agent_error *ret, const struct guest_agent_request *request,
                      const char *format, ...)
{
	va_list args;

	*ret = (struct guest_agent_error){ .is_unknown_command = false };
	if (request)
		memcpy(ret->id, request->id, sizeof ret->id);
	va_start(args, format);
	vsnprintf(ret->text, sizeof ret->text, format, args);
	va_end(args);
}

/* --- Requests --- */

static bool read_id(const json_t *root, char id[GUEST_AGENT_ID_MAX], struct guest_agent_error *reterr)
{
	const json_t *given = json_object_get(root, "id");
	size_t n;

	if (!given)
		return true;
	n = json_dumpb(given, id, GUEST_AGENT_ID_MAX, DUMP_FLAGS | JSON_ENCODE_ANY | JSON_COMPACT);
	if (n == 0 || n >= GUEST_AGENT_ID_MAX) {
		id[0] = '\0';
		return fail(reterr, "The id is longer than %d bytes", GUEST_AGENT_ID_MAX - 1);
	}
	id[n] = '\0';
	memcpy(reterr->id, id, n + 1);
	return true;
}

/* What any request is made of. */
static bool check_members(json_t *root, struct guest_agent_error *reterr)
{
	const json_t *execute = json_object_get(root, "execute");
	const json_t *arguments = json_object_get(root, "arguments");
	const char *key;
	json_t *value;

	json_object_foreach(root, key, value)
		if (strcmp(key, "execute") != 0 && strcmp(key, "arguments") != 0 &&
		    strcmp(key, "id") != 0)
			return fail(reterr, "QMP input member '%.64s' is unexpected", key);
	if (!execute)
		return fail(reterr, "QMP input lacks member 'execute'");
	if (!json_is_string(execute))
		return fail(reterr, "QMP input member 'execute' must be a string");
	if (arguments && !json_is_object(arguments))
		return fail(reterr, "QMP input member 'arguments' must be an object");
	return true;
}

static bool find_command(const json_t *root, enum guest_agent_command *ret, struct guest_agent_error *reterr)
{
	const char *name = json_string_value(json_object_get(root, "execute"));

	for (unsigned i = 0; i < GUEST_AGENT_COMMANDS; i++)
		if (strcmp(COMMANDS[i].name, name) == 0) {
			*ret = (enum guest_agent_command)i;
			return true;
		}
	reterr->is_unknown_command = true;
	/* Answered as by qemu-ga, but for the one by which vmtime-hostd tells them apart through libvirt. */
	if (strcmp(name, "guest-get-host-name") == 0)
		return fail(reterr, "The command %.64s has not been found in vmtimed", name);
	return fail(reterr, "The command %.64s has not been found", name);
}

static bool read_number(const struct command *c, json_t *arguments, bool *ret_has, int64_t *ret,
                        struct guest_agent_error *reterr)
{
	const json_t *given = c->argument ? json_object_get(arguments, c->argument) : NULL;
	const char *key;
	json_t *value;

	*ret_has = given != NULL;
	if (c->needs_it && !given)
		return fail(reterr, "Parameter '%s' is missing", c->argument);
	if (given && !json_is_integer(given))
		return fail(reterr, "Invalid parameter type for '%s', expected: integer",
		            c->argument);
	json_object_foreach(arguments, key, value)
		if (!c->argument || strcmp(key, c->argument) != 0)
			return fail(reterr, "Parameter '%.64s' is unexpected", key);
	if (given)
		*ret = json_integer_value(given);
	return true;
}

/* As a message of the host's channel: whatever that refuses is refused here. */
static bool read_host(const struct command *c, const json_t *arguments, struct host_request *ret,
                      struct guest_agent_error *reterr)
{
	struct control_error error;
	json_t *message = arguments ? json_copy((json_t *)(uintptr_t)arguments) : json_object();
	char *text = NULL;
	bool is_good = false;

	if (message &&
	    json_object_set_new(message, "v", json_integer(HOST_CHANNEL_VERSION)) == 0 &&
	    json_object_set_new(message, "cmd", json_string(c->of_host)) == 0)
		text = json_dumps(message, JSON_COMPACT);
	if (!text)
		fail(reterr, "out of memory");
	else if (host_channel_decode(text, strlen(text), ret, &error) < 0)
		fail(reterr, "%s", error.text);
	else
		is_good = true;
	free(text);
	json_decref(message);
	return is_good;
}

static bool read_request(json_t *root, struct guest_agent_request *r, struct guest_agent_error *reterr)
{
	json_t *arguments = json_object_get(root, "arguments");
	int64_t number = 0;
	bool has;

	if (!read_id(root, r->id, reterr) || !check_members(root, reterr) ||
	    !find_command(root, &r->command, reterr))
		return false;
	if (COMMANDS[r->command].of_host)
		return read_host(&COMMANDS[r->command], arguments, &r->host, reterr);
	if (!read_number(&COMMANDS[r->command], arguments, &has, &number, reterr))
		return false;
	r->sync = number;
	r->has_time = has && r->command == GUEST_AGENT_SET_TIME;
	r->time = (vt_real){ number };
	return true;
}

int guest_agent_decode(struct slice text, struct guest_agent_request *ret, struct guest_agent_error *reterr)
{
	struct guest_agent_error error = { .is_unknown_command = false };
	struct guest_agent_request r = { .command = GUEST_AGENT_PING };
	json_error_t why;
	json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why);
	bool is_good = false;

	/* The library's own sentence quotes foreign bytes. */
	if (!root && json_error_code(&why) == json_error_duplicate_key)
		fail(&error, "JSON parse error, duplicate key");
	else if (!root)
		fail(&error, "JSON parse error near byte %d", why.position);
	else if (!json_is_object(root))
		fail(&error, "QMP input must be a JSON object");
	else
		is_good = read_request(root, &r, &error);
	json_decref(root);
	if (!is_good) {
		*reterr = error;
		return -EINVAL;
	}
	*ret = r;
	return 0;
}

/* --- Replies --- */

static json_t *make_info(void)
{
	json_t *list = json_array();

	for (unsigned i = 0; list && i < GUEST_AGENT_COMMANDS; i++)
		if (json_array_append_new(list, json_pack("{s:b,s:s,s:b}", "enabled", 1, "name",
		                                          COMMANDS[i].name, "success-response",
		                                          1)) < 0) {
			json_decref(list);
			list = NULL;
		}
	return list ? json_pack("{s:s,s:o}", "version", VMTIME_VERSION, "supported_commands", list)
	            : NULL;
}

/* What the host's channel would answer, without its envelope. */
static json_t *make_host(const struct guest_agent_request *request, const struct guest_agent_answer *answer)
{
	json_t *root, *inner = NULL;
	char *line;
	size_t length;

	if (host_channel_encode(&request->host, &answer->host, &line, &length) < 0)
		return NULL;
	root = json_loadb(line, length, 0, NULL);
	if (root)
		inner = json_incref(json_object_get(root, COMMANDS[request->command].of_host));
	json_decref(root);
	free(line);
	return inner;
}

static json_t *make_return(const struct guest_agent_request *request, const struct guest_agent_answer *answer)
{
	switch (request->command) {
	case GUEST_AGENT_SYNC:
	case GUEST_AGENT_SYNC_DELIMITED: return json_integer(request->sync);
	case GUEST_AGENT_INFO: return make_info();
	case GUEST_AGENT_GET_TIME: return json_integer(answer->shows.ns);
	case GUEST_AGENT_HOST_NUDGE:
	case GUEST_AGENT_HOST_STATUS:
	case GUEST_AGENT_HOST_QUALITY: return make_host(request, answer);
	case GUEST_AGENT_PING:
	case GUEST_AGENT_SET_TIME:
	case GUEST_AGENT_COMMANDS: break;
	}
	return json_object();
}

/* Consumes @value; NULL stands for "it could not be made". */
static int give(const char *key, json_t *value, const char *id, bool is_delimited, char **ret,
                size_t *ret_length)
{
	json_t *root = value ? json_pack("{s:o}", key, value) : NULL;
	char *text = NULL, *out = NULL;

	if (root && (!*id || json_object_set_new(root, "id",
	                                         json_loads(id, JSON_DECODE_ANY, NULL)) == 0))
		text = json_dumps(root, DUMP_FLAGS);
	json_decref(root);
	if (text && (out = malloc(strlen(text) + 3)))
		*ret_length = (size_t)sprintf(out, "%s%s\n", is_delimited ? "\xff" : "", text);
	free(text);
	if (!out)
		return -ENOMEM;
	*ret = out;
	return 0;
}

int guest_agent_encode(const struct guest_agent_request *request, const struct guest_agent_answer *answer, char **ret,
                 size_t *ret_length)
{
	return give("return", make_return(request, answer), request->id,
	            request->command == GUEST_AGENT_SYNC_DELIMITED, ret, ret_length);
}

int guest_agent_encode_error(const struct guest_agent_error *error, char **ret, size_t *ret_length)
{
	json_t *text = fields_text(error->text, sizeof error->text);

	return give("error",
	            text ? json_pack("{s:s,s:o}", "class",
	                             error->is_unknown_command ? "CommandNotFound" : "GenericError",
	                             "desc", text)
	                 : NULL,
	            error->id, false, ret, ret_length);
}
