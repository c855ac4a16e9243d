/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/qmp.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "proto/foreign.h"

static const char *const COMMANDS[] = {
	[QMP_CAPABILITIES] = "qmp_capabilities",
	[QMP_QUERY_STATUS] = "query-status",
	[QMP_QUERY_UUID] = "query-uuid",
	[QMP_QUERY_CHARDEV] = "query-chardev",
	[QMP_RESET_RTC] = "rtc-reset-reinjection",
};
_Static_assert(COUNT(COMMANDS) == QMP_COMMANDS, "every command has a name");

static const char *const EVENTS[] = {
	[QMP_EVENT_OTHER] = "",
	[QMP_EVENT_STOP] = "STOP",
	[QMP_EVENT_RESUME] = "RESUME",
	[QMP_EVENT_SUSPEND] = "SUSPEND",
	[QMP_EVENT_WAKEUP] = "WAKEUP",
	[QMP_EVENT_SHUTDOWN] = "SHUTDOWN",
	[QMP_EVENT_RESET] = "RESET",
	[QMP_EVENT_VSERPORT] = "VSERPORT_CHANGE",
	[QMP_EVENT_MIGRATION] = "MIGRATION",
};
_Static_assert(COUNT(EVENTS) == QMP_EVENTS, "every event has a name");

const char *qmp_command_name(enum qmp_command command)
{
	return COMMANDS[command];
}

size_t qmp_encode(enum qmp_command command, int64_t id, char to[QMP_REQUEST_MAX])
{
	int n = snprintf(to, QMP_REQUEST_MAX, "{\"execute\":\"%s\",\"id\":%lld}\r\n",
	                 COMMANDS[command], (long long)id);

	return (size_t)n;
}

static enum qmp_event find_event(const char *name)
{
	for (unsigned i = QMP_EVENT_OTHER + 1; i < QMP_EVENTS; i++)
		if (strcmp(EVENTS[i], name) == 0)
			return (enum qmp_event)i;
	return QMP_EVENT_OTHER;
}

static void read_return(const json_t *value, struct qmp_message *m)
{
	const json_t *running = json_object_get(value, "running");

	m->kind = QMP_RETURN;
	m->has_status = json_is_boolean(running) && json_object_get(value, "status");
	m->is_running = json_is_true(running);
	foreign_copy(value, "status", m->status, sizeof m->status);
	foreign_copy(value, "UUID", m->uuid, sizeof m->uuid);
}

static bool read_message(const json_t *root, struct qmp_message *m)
{
	const json_t *id = json_object_get(root, "id");
	const char *event = json_string_value(json_object_get(root, "event"));
	const json_t *value = json_object_get(root, "return");

	m->has_id = json_is_integer(id);
	m->id = json_integer_value(id);
	if (event) {
		m->kind = QMP_EVENT;
		m->event = find_event(event);
		return true;
	}
	if (value) {
		read_return(value, m);
		return true;
	}
	m->kind = QMP_ERROR;
	if (foreign_error(root, &m->is_command_unknown, m->text, sizeof m->text))
		return true;
	m->kind = QMP_GREETING;
	return json_is_object(json_object_get(root, "QMP"));
}

int qmp_decode(const char *line, size_t length, struct qmp_message *ret, char *reterr_text,
               size_t text_size)
{
	struct qmp_message m = { .kind = QMP_GREETING };
	json_t *root = foreign_load(line, length, QMP_DEPTH_MAX, reterr_text, text_size);
	bool is_good;

	if (!root)
		return -EINVAL;
	is_good = read_message(root, &m);
	json_decref(root);
	if (!is_good) {
		snprintf(reterr_text, text_size, "a message that is not QMP's");
		return -EINVAL;
	}
	*ret = m;
	return 0;
}

/* "unix:PATH,server=on", with "disconnected:" before it while we are not connected. */
static bool names_socket(const char *file, const char *path)
{
	const char *at = file ? strstr(file, "unix:") : NULL;
	size_t n = strlen(path);

	return at && strncmp(at + 5, path, n) == 0 && (at[5 + n] == '\0' || at[5 + n] == ',');
}

enum qmp_port qmp_find_port(const char *line, size_t length, const char *path)
{
	char text[8];
	json_t *root = foreign_load(line, length, QMP_DEPTH_MAX, text, sizeof text);
	const json_t *list = json_object_get(root, "return");
	enum qmp_port port = QMP_PORT_UNKNOWN;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *device = json_array_get(list, i);

		if (names_socket(json_string_value(json_object_get(device, "filename")), path))
			port = json_is_true(json_object_get(device, "frontend-open"))
			               ? QMP_PORT_OPEN
			               : QMP_PORT_CLOSED;
	}
	json_decref(root);
	return port;
}
