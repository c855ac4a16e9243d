/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/fleet_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/fields.h"
#include "proto/fleet_text.h"
#include "proto/fleet_words.h"
#include "proto/message.h"
#include "proto/report_json.h"

#define FLEET_VERSION 1

/* FIELD_WORD reads and writes an enum as an unsigned. */
_Static_assert(sizeof(enum fleet_state) == sizeof(unsigned), "enums are as wide as unsigned");
_Static_assert(sizeof(enum fleet_agent) == sizeof(unsigned), "enums are as wide as unsigned");
_Static_assert(sizeof(enum fleet_end) == sizeof(unsigned), "enums are as wide as unsigned");
_Static_assert(sizeof(enum host_reason) == sizeof(unsigned), "enums are as wide as unsigned");

/* clang-format off */
#define GUEST(key, kind, member)      FIELD(key, kind, struct fleet_guest, member)
#define DISRUPTION(key, kind, member) FIELD(key, kind, struct fleet_disruption, member)
#define HOST(key, kind, member)       FIELD(key, kind, struct fleet_host, member)

static const struct field DISRUPTION_FIELDS[] = {
	FIELD_OF_WORDS("reason", struct fleet_disruption, reason, HOST_REASON_NAMES),
	FIELD_OF_WORDS("end",    struct fleet_disruption, end,    FLEET_END_NAMES),
	DISRUPTION("at_unix_ns", FIELD_NS, at),
	FIELD_IF("stopped_ns", FIELD_NS, struct fleet_disruption, stopped, has_stopped),
	FIELD_IF("lost_ns",    FIELD_NS, struct fleet_disruption, lost,    has_lost),
	FIELD_IF("took_ns",    FIELD_NS, struct fleet_disruption, took,    has_took),
	FIELDS_END
};

static const struct field GUEST_FIELDS[] = {
	GUEST("name",          FIELD_TEXT,  name),
	GUEST("uuid",          FIELD_TEXT,  uuid),
	GUEST("backend",       FIELD_TEXT,  backend),
	FIELD_OF_WORDS("state", struct fleet_guest, state, FLEET_STATE_NAMES),
	GUEST("is_running",    FIELD_BOOL,  is_running),
	FIELD_IF("offset_ns",      FIELD_NS, struct fleet_guest, offset,      has_offset),
	FIELD_IF("uncertainty_ns", FIELD_NS, struct fleet_guest, uncertainty, has_offset),
	FIELD_IF("offset_age_ns",  FIELD_NS, struct fleet_guest, offset_age,  has_offset),
	FIELD_OF_WORDS("agent", struct fleet_guest, agent, FLEET_AGENT_NAMES),
	GUEST("agent_version", FIELD_TEXT,  agent_version),
	GUEST("has_vmtimed",   FIELD_BOOL,  has_vmtimed),
	GUEST("vmtimed_state", FIELD_TEXT,  vmtimed_state),
	FIELD_OBJECT_IF("last", struct fleet_guest, last, DISRUPTION_FIELDS, last.is_there),
	GUEST("disruptions",   FIELD_COUNT, disruptions),
	GUEST("sets",          FIELD_COUNT, sets),
	GUEST("nudges",        FIELD_COUNT, nudges),
	GUEST("failures",      FIELD_COUNT, failures),
	GUEST("note",          FIELD_TEXT,  note),
	FIELDS_END
};

static const struct field HOST_FIELDS[] = {
	HOST("version",         FIELD_TEXT, version),
	HOST("uptime_ns",       FIELD_NS,   uptime),
	HOST("clocksource",     FIELD_TEXT, clocksource),
	HOST("daemon",          FIELD_TEXT, quality.daemon),
	HOST("is_synchronized", FIELD_BOOL, quality.is_synchronized),
	FIELD_IF("root_distance_ns", FIELD_NS, struct fleet_host, quality.root_distance,
	         quality.has_root_distance),
	FIELD_OF_WORDS("leap", struct fleet_host, quality.leap, REPORT_LEAP_NAMES),
	HOST("threshold_ns",    FIELD_NS,   threshold),
	FIELDS_END
};
/* clang-format on */

/* @object with @value for @key, or NULL, and then neither is left. */
static json_t *with(json_t *object, const char *key, json_t *value)
{
	if (object && json_object_set_new(object, key, value) == 0)
		return object;
	if (!object)
		json_decref(value);
	json_decref(object);
	return NULL;
}

/* @array with @value behind the others, or NULL, and then neither is left. */
static json_t * and (json_t * array, json_t *value)
{
	if (array && json_array_append_new(array, value) == 0)
		return array;
	if (!array)
		json_decref(value);
	json_decref(array);
	return NULL;
}

json_t *fleet_json_guest(const struct fleet_guest *guest)
{
	return fields_encode(GUEST_FIELDS, guest);
}

json_t *fleet_json_host(const struct fleet_host *host)
{
	json_t *alerts = json_array();

	for (unsigned i = 0; i < host->n_alerts && i < FLEET_ALERTS_MAX; i++)
		alerts = and(alerts, fields_text(host->alerts[i], sizeof host->alerts[i]));
	return with(fields_encode(HOST_FIELDS, host), "alerts", alerts);
}

static json_t *encode_guests(const struct fleet_report *report)
{
	json_t *guests = json_array();

	for (unsigned i = 0; guests && i < report->n; i++)
		guests = and(guests, fleet_json_guest(&report->guests[i]));
	return guests;
}

json_t *fleet_json_report(const struct fleet_report *report)
{
	json_t *data = with(json_object(), "host", fleet_json_host(&report->host));

	return with(data, "guests", encode_guests(report));
}

/* How many guests are in each state. */
static json_t *encode_states(const struct fleet_report *report)
{
	json_t *states = json_object();
	unsigned n[FLEET_STATES] = { 0 };

	for (unsigned i = 0; i < report->n; i++)
		n[report->guests[i].state]++;
	for (unsigned s = 0; s < FLEET_STATES; s++)
		states = with(states, FLEET_STATE_NAMES[s], json_integer(n[s]));
	return states;
}

int fleet_text(const struct fleet_report *report, const char *name, vt_real now, bool with_guests,
               char **ret, size_t *ret_length)
{
	json_t *root = with(json_object(), "v", json_integer(FLEET_VERSION));

	root = with(root, "name", fields_text(name, strlen(name) + 1));
	root = with(root, "now_unix_ns", json_integer(now.ns));
	root = with(root, "states", encode_states(report));
	root = with(root, "host", fleet_json_host(&report->host));
	if (with_guests)
		root = with(root, "guests", encode_guests(report));
	return message_give(root, ret, ret_length);
}

static int refuse(char *reterr_text, size_t text_size, const char *why)
{
	snprintf(reterr_text, text_size, "%s", why);
	return -EINVAL;
}

static int read_host(const json_t *object, struct fleet_host *ret, char *reterr_text,
                     size_t text_size)
{
	const json_t *alerts = json_object_get(object, "alerts");

	if (!json_is_object(object) || !json_is_array(alerts))
		return refuse(reterr_text, text_size, "the host or its alerts are missing");
	if (fields_decode(HOST_FIELDS, object, ret, reterr_text, text_size))
		return -EINVAL;
	ret->n_alerts = 0;
	for (size_t i = 0; i < json_array_size(alerts) && i < FLEET_ALERTS_MAX; i++) {
		const json_t *alert = json_array_get(alerts, i);

		if (!json_is_string(alert))
			return refuse(reterr_text, text_size, "an alert is no text");
		fields_copy_text(json_string_value(alert), json_string_length(alert),
		                 ret->alerts[ret->n_alerts++], sizeof ret->alerts[0]);
	}
	return 0;
}

static int read_guests(const json_t *array, struct fleet_guest *to, char *reterr_text,
                       size_t text_size)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *guest = json_array_get(array, i);

		if (!json_is_object(guest))
			return refuse(reterr_text, text_size, "a guest is no object");
		if (fields_decode(GUEST_FIELDS, guest, &to[i], reterr_text, text_size))
			return -EINVAL;
	}
	return 0;
}

int fleet_json_read(const json_t *data, struct fleet_report *ret, char *reterr_text,
                    size_t text_size)
{
	const json_t *guests = json_object_get(data, "guests");
	const size_t n = json_array_size(guests);
	struct fleet_report report = { .n = (unsigned)n };
	int r;

	if (!json_is_array(guests) || n > FLEET_GUESTS_MAX)
		return refuse(reterr_text, text_size, "the list of guests is missing or too long");
	report.guests = calloc(n ? n : 1, sizeof *report.guests);
	if (!report.guests)
		return -ENOMEM;
	r = read_host(json_object_get(data, "host"), &report.host, reterr_text, text_size);
	if (r == 0)
		r = read_guests(guests, report.guests, reterr_text, text_size);
	if (r) {
		free(report.guests);
		return r;
	}
	*ret = report;
	return 0;
}
