/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/fleet_control.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/fields.h"
#include "proto/fleet_json.h"
#include "proto/fleet_words.h"
#include "proto/message.h"

static const char *const COMMANDS[] = {
	[FLEET_COMMAND_GUESTS] = "guests",
	[FLEET_COMMAND_HOST] = "host",
	[FLEET_COMMAND_SYNC] = "sync",
};
_Static_assert(COUNT(COMMANDS) == FLEET_COMMANDS, "every command has a name");
_Static_assert(sizeof(((struct fleet_sync *)0)->name) == FLEET_NAME_MAX, "a name is a name");
_Static_assert(sizeof(((struct fleet_guest *)0)->name) == FLEET_NAME_MAX, "a name is a name");

/* clang-format off */
static const struct field CURSOR_FIELDS[] = {
	FIELD("name",    FIELD_TEXT, struct fleet_cursor, name),
	FIELD("backend", FIELD_TEXT, struct fleet_cursor, backend),
	FIELDS_END
};
static const struct field GUESTS_ARGUMENTS[] = {
	FIELD_OBJECT_IF("after", struct fleet_request, after, CURSOR_FIELDS, has_after),
	FIELDS_END
};
static const struct field HOST_ARGUMENTS[] = { FIELDS_END };
static const struct field SYNC_ARGUMENTS[] = {
	FIELD_IF("all",        FIELD_BOOL,   struct fleet_request, is_all,  has_all),
	FIELD_IF("timeout_ns", FIELD_LENGTH, struct fleet_request, timeout, has_timeout),
	FIELDS_END
};
/* The same, and the list, which no kind of field holds. */
static const struct field SYNC_KEYS[] = {
	{ .key = "all" }, { .key = "timeout_ns" }, { .key = "guests" }, FIELDS_END
};
static const struct {
	const struct field *fields, *keys;
} ARGUMENTS[] = {
	[FLEET_COMMAND_GUESTS] = { GUESTS_ARGUMENTS, GUESTS_ARGUMENTS },
	[FLEET_COMMAND_HOST] = { HOST_ARGUMENTS, HOST_ARGUMENTS },
	[FLEET_COMMAND_SYNC] = { SYNC_ARGUMENTS, SYNC_KEYS },
};
_Static_assert(COUNT(ARGUMENTS) == FLEET_COMMANDS, "every command has its arguments");

static const struct field PAGE_FIELDS[] = {
	FIELD("total", FIELD_UNSIGNED, struct fleet_page, total),
	FIELD_OBJECT_IF("next", struct fleet_page, next, CURSOR_FIELDS, has_next),
	FIELDS_END
};
static const struct field SYNCED_FIELDS[] = {
	FIELD("verified", FIELD_UNSIGNED, struct fleet_synced, verified),
	FIELD("failed",   FIELD_UNSIGNED, struct fleet_synced, failed),
	FIELD("pending",  FIELD_UNSIGNED, struct fleet_synced, pending),
	FIELDS_END
};
static const struct field SYNC_FIELDS[] = {
	FIELD("name",        FIELD_TEXT, struct fleet_sync, name),
	FIELD("is_verified", FIELD_BOOL, struct fleet_sync, is_verified),
	FIELD_OF_WORDS("end", struct fleet_sync, end, FLEET_END_NAMES),
	FIELD_IF("offset_ns",      FIELD_NS, struct fleet_sync, offset,      has_offset),
	FIELD_IF("uncertainty_ns", FIELD_NS, struct fleet_sync, uncertainty, has_offset),
	FIELD("note",        FIELD_TEXT, struct fleet_sync, note),
	FIELDS_END
};
/* clang-format on */

const char *fleet_command_name(enum fleet_command command)
{
	return COMMANDS[command];
}

/* --- Requests --- */

/* False: the list is not one of names, or too long. */
static bool read_names(const json_t *list, struct fleet_request *ret)
{
	if (!json_is_array(list) || json_array_size(list) > FLEET_NAMES_MAX)
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *name = json_array_get(list, i);
		const size_t n = json_string_length(name);

		/* A name that were cut could be another guest's. */
		if (n == 0 || n >= FLEET_NAME_MAX)
			return false;
		fields_copy_text(json_string_value(name), n, ret->names[ret->n_names++],
		                 FLEET_NAME_MAX);
	}
	return ret->n_names > 0;
}

static bool read_sync(const json_t *root, struct fleet_request *request, struct control_error *reterr)
{
	const json_t *list = json_object_get(root, "guests");
	char why[96];

	if (list && !read_names(list, request)) {
		snprintf(why, sizeof why, "\"guests\" must hold 1 to %d names, each below %d bytes",
		         FLEET_NAMES_MAX, FLEET_NAME_MAX);
		return message_refuse_value(&request->id, why, reterr);
	}
	if (!request->has_all)
		request->is_all = false;
	if (request->is_all == (list != NULL))
		return message_refuse_value(&request->id, "say either \"guests\" or \"all\":true",
		                            reterr);
	if (!request->has_timeout)
		request->timeout = FLEET_SYNC_TIMEOUT;
	if (request->timeout.ns > CONTROL_TIMEOUT_MAX.ns)
		return message_refuse_value(&request->id, "the value of \"timeout_ns\" is out of range",
		                            reterr);
	return true;
}

static bool read_request(json_t *root, struct fleet_request *request, struct control_error *reterr)
{
	char why[200];
	unsigned command;

	if (!message_begin(root, FLEET_CONTROL_VERSION, "control", &request->id, reterr) ||
	    !message_read_command(root, COMMANDS, FLEET_COMMANDS, &request->id, &command, reterr) ||
	    !message_knows_keys(root, ARGUMENTS[command].keys, &request->id, reterr))
		return false;
	request->command = (enum fleet_command)command;
	if (fields_decode(ARGUMENTS[command].fields, root, request, why, sizeof why))
		return message_refuse_value(&request->id, why, reterr);
	return command != FLEET_COMMAND_SYNC || read_sync(root, request, reterr);
}

int fleet_control_decode(const char *line, size_t length, struct fleet_request *ret,
                         struct control_error *reterr)
{
	struct fleet_request request = { .command = FLEET_COMMAND_GUESTS };
	json_t *root = message_load(line, length, CONTROL_REQUEST_MAX, reterr);
	bool is_good;

	if (!root)
		return -EINVAL;
	is_good = read_request(root, &request, reterr);
	json_decref(root);
	if (!is_good)
		return -EINVAL;
	*ret = request;
	return 0;
}

static json_t *encode_names(const struct fleet_request *request)
{
	json_t *list = json_array();

	for (unsigned i = 0; list && i < request->n_names; i++)
		if (json_array_append_new(list, fields_text(request->names[i], FLEET_NAME_MAX)) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

int fleet_control_request(const struct fleet_request *request, char *to, size_t size)
{
	json_t *root = json_pack("{s:i, s:s}", "v", FLEET_CONTROL_VERSION, "cmd",
	                         COMMANDS[request->command]);
	json_t *arguments = fields_encode(ARGUMENTS[request->command].fields, request);
	size_t n;
	char *line;
	int r;

	if (root && (message_set_id(root, &request->id) != 0 ||
	             json_object_update(root, arguments) != 0 ||
	             (request->n_names > 0 &&
	              json_object_set_new(root, "guests", encode_names(request)) != 0))) {
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

/* --- Replies --- */

/* Whether @guest stands behind @cursor in the list. */
static bool is_behind(const struct fleet_guest *guest, const struct fleet_cursor *cursor)
{
	int order = strcmp(guest->name, cursor->name);

	return order > 0 || (order == 0 && strcmp(guest->backend, cursor->backend) > 0);
}

void fleet_page_cut(const struct fleet_report *all, const struct fleet_cursor *after,
                    struct fleet_page *ret)
{
	unsigned from = 0, n;

	while (after && from < all->n && !is_behind(&all->guests[from], after))
		from++;
	n = all->n - from;
	*ret = (struct fleet_page){ .total = all->n, .has_next = n > FLEET_PAGE_MAX };
	if (ret->has_next) {
		const struct fleet_guest *last = &all->guests[from + FLEET_PAGE_MAX - 1];

		n = FLEET_PAGE_MAX;
		memcpy(ret->next.name, last->name, sizeof ret->next.name);
		memcpy(ret->next.backend, last->backend, sizeof ret->next.backend);
	}
	ret->report.host = all->host;
	ret->report.n = n;
	ret->report.guests = all->guests + from;
}

static json_t *encode_page(const struct fleet_page *page)
{
	json_t *data = fleet_json_report(&page->report);
	json_t *more = fields_encode(PAGE_FIELDS, page);

	if (data && json_object_update(data, more) != 0) {
		json_decref(data);
		data = NULL;
	}
	json_decref(more);
	return data;
}

static json_t *encode_synced(const struct fleet_synced *synced)
{
	json_t *data = fields_encode(SYNCED_FIELDS, synced);
	json_t *list = json_array();

	for (unsigned i = 0; list && i < synced->n; i++)
		if (json_array_append_new(list, fields_encode(SYNC_FIELDS, &synced->list[i])) != 0) {
			json_decref(list);
			list = NULL;
		}
	if (data && json_object_set(data, "guests", list) != 0) {
		json_decref(data);
		data = NULL;
	}
	json_decref(list);
	return data;
}

int fleet_control_encode(const struct fleet_request *request, const void *report, char **ret,
                         size_t *ret_length)
{
	json_t *data = NULL;

	switch (request->command) {
	case FLEET_COMMAND_GUESTS: data = encode_page(report); break;
	case FLEET_COMMAND_HOST: data = fleet_json_host(report); break;
	case FLEET_COMMAND_SYNC: data = encode_synced(report); break;
	case FLEET_COMMANDS: break;
	}
	return message_give_reply(FLEET_CONTROL_VERSION, &request->id, COMMANDS[request->command],
	                          data, ret, ret_length);
}

static int read_page(const json_t *data, struct fleet_page *ret, char *why, size_t size)
{
	struct fleet_page page = { .total = 0 };
	int r = fields_decode(PAGE_FIELDS, data, &page, why, size);

	if (r == 0)
		r = fleet_json_read(data, &page.report, why, size);
	if (r == 0)
		*ret = page;
	return r;
}

static int read_synced(const json_t *data, struct fleet_synced *ret, char *why, size_t size)
{
	const json_t *list = json_object_get(data, "guests");
	struct fleet_synced synced = { .n = 0 };
	int r = fields_decode(SYNCED_FIELDS, data, &synced, why, size);

	if (r == 0 && (!json_is_array(list) || json_array_size(list) > FLEET_PAGE_MAX)) {
		snprintf(why, size, "the list of guests is missing or too long");
		return -EINVAL;
	}
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
		r = fields_decode(SYNC_FIELDS, json_array_get(list, i), &synced.list[synced.n++], why,
		                  size);
	if (r == 0)
		*ret = synced;
	return r;
}

/* The host's object alone: as a report without guests, which fleet_json.h reads. */
static int read_host(const json_t *data, struct fleet_host *ret, char *why, size_t size)
{
	json_t *whole = json_pack("{s:O, s:[]}", "host", data, "guests");
	struct fleet_report report;
	int r = whole ? fleet_json_read(whole, &report, why, size) : -ENOMEM;

	json_decref(whole);
	if (r)
		return r;
	free(report.guests);
	*ret = report.host;
	return 0;
}

static int read_data(const json_t *data, enum fleet_command command, void *ret, char *why,
                     size_t size)
{
	switch (command) {
	case FLEET_COMMAND_GUESTS: return read_page(data, ret, why, size);
	case FLEET_COMMAND_HOST: return read_host(data, ret, why, size);
	case FLEET_COMMAND_SYNC: return read_synced(data, ret, why, size);
	case FLEET_COMMANDS: break;
	}
	return -EINVAL;
}

enum control_outcome fleet_control_read(const char *line, size_t length, enum fleet_command command,
                                        void *ret, struct control_error *reterr)
{
	json_t *root = message_load(line, length, CONTROL_REPLY_MAX, reterr);
	enum control_outcome outcome = CONTROL_GARBAGE;
	const json_t *data;
	char why[200] = "out of memory";

	if (root)
		outcome = message_open_reply(root, FLEET_CONTROL_VERSION, COMMANDS[command], &data,
		                             reterr);
	if (outcome == CONTROL_ANSWERED && read_data(data, command, ret, why, sizeof why) < 0) {
		control_error_make(reterr, CONTROL_BAD_VALUE, NULL, "%s", why);
		outcome = CONTROL_GARBAGE;
	}
	json_decref(root);
	return outcome;
}

int fleet_control_pretty(const struct fleet_report *report, char **ret)
{
	json_t *data = fleet_json_report(report);
	char *text = data ? json_dumps(data, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;
	char *longer = text ? realloc(text, strlen(text) + 2) : NULL;

	json_decref(data);
	if (!longer) {
		free(text);
		return -ENOMEM;
	}
	strcat(longer, "\n");
	*ret = longer;
	return 0;
}
