/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/report_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/fields.h"

const char *const REPORT_STATE_NAMES[] = {
	[REPORT_STARTING] = "starting",   [REPORT_OK] = "ok",
	[REPORT_HOLDOVER] = "holdover",   [REPORT_DISRUPTED] = "disrupted",
	[REPORT_CONTESTED] = "contested",
};
const char *const REPORT_LEAP_NAMES[] = {
	[REPORT_LEAP_NORMAL] = "normal",
	[REPORT_LEAP_INSERT] = "insert-second",
	[REPORT_LEAP_DELETE] = "delete-second",
	[REPORT_LEAP_UNSYNCHRONISED] = "not-synchronised",
};
static const char *const SELECTIONS[] = {
	[REPORT_SELECTED] = "selected",       [REPORT_UNUSABLE] = "unusable",
	[REPORT_FALSETICKER] = "falseticker", [REPORT_JITTERY] = "jittery",
	[REPORT_COMBINED] = "combined",       [REPORT_NOT_COMBINED] = "not-combined",
};

static const char *const ENDS[] = {
	[REPORT_END_OPEN] = "open",       [REPORT_END_STEPPED] = "stepped",
	[REPORT_END_SLEWED] = "slewed",   [REPORT_END_NOTHING] = "nothing",
	[REPORT_END_LEFT] = "left-alone", [REPORT_END_HELD] = "held",
	[REPORT_END_UNFINISHED] = "unfinished",
};
_Static_assert(COUNT(ENDS) == REPORT_ENDS, "every end has a word");
static const char *const HAPPENINGS[] = {
	[REPORT_HAPPENING_STATE] = "state",
	[REPORT_HAPPENING_OPENED] = "opened",
	[REPORT_HAPPENING_CLOSED] = "closed",
	[REPORT_HAPPENING_RENAMED] = "renamed",
};
_Static_assert(COUNT(HAPPENINGS) == REPORT_HAPPENINGS, "every happening has a word");

/* By the number of the bit; core/evidence.c has the same, and a test compares them. */
static const char *const EVIDENCE[REPORT_EVIDENCE_BITS] = {
	"readings",      "marker",        "generation",   "suspend",       "nudge",
	"clock-set",     "late",          "host-paused",  "host-restored", "host-migrated",
	"host-stepped",  "second-agrees", "contradicted", "rtc",           "leap",
	"told",
};

const char *report_state_name(enum report_state state)
{
	return REPORT_STATE_NAMES[state];
}

const char *report_end_name(enum report_end end)
{
	return ENDS[end];
}

const char *report_happening_name(enum report_happening what)
{
	return HAPPENINGS[what];
}

const char *report_evidence_name(unsigned bit)
{
	return EVIDENCE[bit];
}

/* FIELD_WORD reads and writes an enum as an unsigned. */
_Static_assert(sizeof(enum report_state) == sizeof(unsigned), "enums are as wide as unsigned");
_Static_assert(sizeof(enum report_leap) == sizeof(unsigned), "enums are as wide as unsigned");
_Static_assert(sizeof(enum report_selection) == sizeof(unsigned), "enums are as wide as unsigned");
_Static_assert(sizeof(enum report_end) == sizeof(unsigned), "enums are as wide as unsigned");
_Static_assert(sizeof(enum report_happening) == sizeof(unsigned), "enums are as wide as unsigned");
_Static_assert(sizeof(uint32_t) == sizeof(unsigned), "a refid is an unsigned");

/* clang-format off */
#define SOURCE(key, kind, member)   FIELD(key, kind, struct report_source, member)
#define TRACKING(key, kind, member) FIELD(key, kind, struct report_tracking, member)
#define EVENT(key, kind, member)    FIELD(key, kind, struct report_event, member)
#define STATUS(key, kind, member)   FIELD(key, kind, struct report_status, member)

static const struct field TRACKING_FIELDS[] = {
	TRACKING("refid",              FIELD_UNSIGNED, refid),
	TRACKING("name",               FIELD_TEXT,     name),
	TRACKING("stratum",            FIELD_INT,      stratum),
	TRACKING("ref_time_unix_ns",   FIELD_NS,       ref_time),
	TRACKING("system_offset_ns",   FIELD_NS,       system_offset),
	TRACKING("last_offset_ns",     FIELD_NS,       last_offset),
	TRACKING("rms_offset_ns",      FIELD_NS,       rms_offset),
	TRACKING("frequency_ppm",      FIELD_DOUBLE,   frequency_ppm),
	TRACKING("residual_ppm",       FIELD_DOUBLE,   residual_ppm),
	TRACKING("skew_ppm",           FIELD_DOUBLE,   skew_ppm),
	TRACKING("root_delay_ns",      FIELD_NS,       root_delay),
	TRACKING("root_dispersion_ns", FIELD_NS,       root_dispersion),
	TRACKING("update_interval_ns", FIELD_NS,       update_interval),
	FIELD_OF_WORDS("leap", struct report_tracking, leap, REPORT_LEAP_NAMES),
	FIELDS_END
};

static const struct field SAMPLE_FIELDS[] = {
	SOURCE("since_sample_ns",    FIELD_NS, since_sample),
	SOURCE("adjusted_offset_ns", FIELD_NS, adjusted_offset),
	SOURCE("measured_offset_ns", FIELD_NS, measured_offset),
	SOURCE("error_ns",           FIELD_NS, error),
	SOURCE("bracket_ns",         FIELD_NS, bracket),
	FIELDS_END
};

static const struct field SOURCE_FIELDS[] = {
	SOURCE("name",                FIELD_TEXT,     name),
	SOURCE("refid",               FIELD_UNSIGNED, refid),
	SOURCE("device",              FIELD_TEXT,     device),
	SOURCE("clock_name",          FIELD_TEXT,     clock_name),
	SOURCE("method",              FIELD_TEXT,     method),
	SOURCE("trouble",             FIELD_TEXT,     trouble),
	SOURCE("is_host",             FIELD_BOOL,     is_host),
	FIELD_OF_WORDS("selection", struct report_source, selection, SELECTIONS),
	SOURCE("stratum",             FIELD_INT,      stratum),
	SOURCE("poll_log2_s",         FIELD_INT,      poll),
	SOURCE("reach",               FIELD_UNSIGNED, reach),
	SOURCE("reading_interval_ns", FIELD_NS,       reading_interval),
	SOURCE("readings",            FIELD_COUNT,    readings),
	SOURCE("failures",            FIELD_COUNT,    failures),
	SOURCE("outliers",            FIELD_COUNT,    outliers),
	FIELD_GROUP_IF("last_sample", struct report_source, SAMPLE_FIELDS, has_sample),
	FIELDS_END
};

static const struct field SOURCESTATS_FIELDS[] = {
	SOURCE("name",                  FIELD_TEXT,     name),
	SOURCE("refid",                 FIELD_UNSIGNED, refid),
	SOURCE("samples",               FIELD_UNSIGNED, samples),
	SOURCE("runs",                  FIELD_UNSIGNED, runs),
	SOURCE("span_ns",               FIELD_NS,       span),
	SOURCE("frequency_ppm",         FIELD_DOUBLE,   frequency_ppm),
	SOURCE("frequency_skew_ppm",    FIELD_DOUBLE,   frequency_skew_ppm),
	SOURCE("estimated_offset_ns",   FIELD_NS,       estimated_offset),
	SOURCE("standard_deviation_ns", FIELD_NS,       standard_deviation),
	FIELDS_END
};

static const struct field EVENT_FIELDS[] = {
	EVENT("number",            FIELD_COUNT, number),
	EVENT("cause",             FIELD_TEXT,  cause),
	FIELD_OF_WORDS("end", struct report_event, end, ENDS),
	FIELD_OF_BITS("evidence", struct report_event, evidence, EVIDENCE),
	EVENT("source",            FIELD_TEXT,  source),
	EVENT("noticed_unix_ns",   FIELD_NS,    noticed),
	EVENT("at_unix_ns",        FIELD_NS,    at),
	EVENT("size_ns",           FIELD_NS,    size),
	EVENT("is_repaired",       FIELD_BOOL,  is_repaired),
	EVENT("noticed_after_ns",  FIELD_NS,    noticed_after),
	EVENT("repaired_after_ns", FIELD_NS,    repaired_after),
	EVENT("wrong_for_ns",      FIELD_NS,    wrong_for),
	EVENT("boot",              FIELD_TEXT,  boot),
	FIELDS_END
};

static const struct field EVENTS_FIELDS[] = {
	FIELD("path",       FIELD_TEXT,  struct report_events, path),
	FIELD("trouble",    FIELD_TEXT,  struct report_events, trouble),
	FIELD("unreadable", FIELD_COUNT, struct report_events, unreadable),
	FIELDS_END
};

static const struct field NOTICE_FIELDS[] = {
	FIELD_OF_WORDS("what", struct report_notice, what, HAPPENINGS),
	FIELD_OF_WORDS("state", struct report_notice, state, REPORT_STATE_NAMES),
	FIELD("reason",       FIELD_TEXT, struct report_notice, reason),
	FIELD("now_unix_ns",  FIELD_NS,   struct report_notice, at),
	FIELD_IF("bound_ns",  FIELD_NS,   struct report_notice, bound, has_bound),
	FIELD_OBJECT_IF("event", struct report_notice, event, EVENT_FIELDS, event.is_there),
	FIELDS_END
};

static const struct field WAIT_FIELDS[] = {
	FIELD("is_met",       FIELD_BOOL, struct report_wait, is_met),
	FIELD_OF_WORDS("state", struct report_wait, state, REPORT_STATE_NAMES),
	FIELD("reason",       FIELD_TEXT, struct report_wait, reason),
	FIELD_OBJECT("tracking", struct report_wait, tracking, TRACKING_FIELDS),
	FIELDS_END
};

static const struct field NUDGE_FIELDS[] = {
	FIELD("is_delayed", FIELD_BOOL, struct report_nudge, is_delayed),
	FIELDS_END
};

static const struct field HOST_QUALITY_FIELDS[] = {
	STATUS("age_ns",          FIELD_NS,   host_quality_age),
	STATUS("daemon",          FIELD_TEXT, host_quality.daemon),
	STATUS("is_synchronized", FIELD_BOOL, host_quality.is_synchronized),
	FIELD_IF("root_distance_ns", FIELD_NS, struct report_status, host_quality.root_distance,
	         host_quality.has_root_distance),
	FIELD_OF_WORDS("leap", struct report_status, host_quality.leap, REPORT_LEAP_NAMES),
	FIELDS_END
};

static const struct field SENSES_FIELDS[] = {
	STATUS("vmclock",          FIELD_TEXT, senses.vmclock),
	STATUS("hears_generation", FIELD_BOOL, senses.hears_generation),
	STATUS("sees_clock_set",   FIELD_BOOL, senses.sees_clock_set),
	STATUS("sees_sleep",       FIELD_BOOL, senses.sees_sleep),
	FIELDS_END
};

static const struct field CHANNEL_FIELDS[] = {
	STATUS("port",         FIELD_UNSIGNED, channel.port),
	STATUS("is_listening", FIELD_BOOL,     channel.is_listening),
	STATUS("nudges",       FIELD_COUNT,    channel.nudges),
	STATUS("requests",     FIELD_COUNT,    channel.requests),
	STATUS("refused",      FIELD_COUNT,    channel.refused),
	FIELDS_END
};

static const struct field STATUS_FIELDS[] = {
	FIELD_OF_WORDS("state", struct report_status, state, REPORT_STATE_NAMES),
	FIELD_IF("state_age_ns",  FIELD_NS, struct report_status, state_age,  has_state_age),
	STATUS("reason",                 FIELD_TEXT,  reason),
	STATUS("version",                FIELD_TEXT,  version),
	STATUS("pid",                    FIELD_INT,   pid),
	STATUS("uptime_ns",              FIELD_NS,    uptime),
	STATUS("user",                   FIELD_TEXT,  user),
	STATUS("is_observing",           FIELD_BOOL,  is_observing),
	STATUS("configuration",          FIELD_TEXT,  configuration),
	STATUS("clocksource",            FIELD_TEXT,  clocksource),
	FIELD_IF("bound_ns",      FIELD_NS, struct report_status, bound,      has_bound),
	FIELD_IF("host_error_ns", FIELD_NS, struct report_status, host_error, has_host_error),
	FIELD_GROUP_IF("host_quality", struct report_status, HOST_QUALITY_FIELDS, has_host_quality),
	FIELD_GROUP_IF("host_channel", struct report_status, CHANNEL_FIELDS, channel.is_there),
	FIELD_GROUP_IF("senses",       struct report_status, SENSES_FIELDS, senses.is_there),
	STATUS("is_kernel_synchronized", FIELD_BOOL,  is_kernel_synchronized),
	STATUS("owner",                  FIELD_TEXT,  owner),
	STATUS("steps",                  FIELD_COUNT, steps),
	STATUS("jumps",                  FIELD_COUNT, jumps),
	FIELD_OBJECT_IF("last_event", struct report_status, last_event, EVENT_FIELDS, last_event.is_there),
	FIELDS_END
};
/* clang-format on */

static json_t *encode_sources(const struct field *table, const struct report_sources *sources)
{
	json_t *array = json_array();

	for (unsigned i = 0; array && i < sources->n && i < REPORT_SOURCES_MAX; i++)
		if (json_array_append_new(array, fields_encode(table, &sources->sources[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

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

static json_t *encode_status(const struct report_status *report)
{
	json_t *status = fields_encode(STATUS_FIELDS, report);

	status = with(status, "tracking", fields_encode(TRACKING_FIELDS, &report->tracking));
	return with(status, "sources", encode_sources(SOURCE_FIELDS, &report->sources));
}

static json_t *encode_events(const struct report_events *events)
{
	json_t *array = json_array();

	for (unsigned i = 0; array && i < events->n && i < REPORT_EVENTS_MAX; i++)
		if (json_array_append_new(array, fields_encode(EVENT_FIELDS, &events->events[i]))) {
			json_decref(array);
			array = NULL;
		}
	return with(fields_encode(EVENTS_FIELDS, events), "events", array);
}

json_t *report_json_encode(enum control_command command, const void *report)
{
	const struct report_status *status = report;

	switch (command) {
	case CONTROL_STATUS: return encode_status(report);
	case CONTROL_SOURCES: return encode_sources(SOURCE_FIELDS, &status->sources);
	case CONTROL_SOURCESTATS:
		return encode_sources(SOURCESTATS_FIELDS, &status->sources);
	case CONTROL_TRACKING: return fields_encode(TRACKING_FIELDS, &status->tracking);
	case CONTROL_EVENTS: return encode_events(report);
	case CONTROL_FOLLOW: return fields_encode(NOTICE_FIELDS, report);
	case CONTROL_WAITSYNC: return fields_encode(WAIT_FIELDS, report);
	case CONTROL_NUDGE: return fields_encode(NUDGE_FIELDS, report);
	case CONTROL_COMMANDS: break;
	}
	return NULL;
}

static int decode_object(const struct field *table, const json_t *object, void *base,
                         char *reterr_text, size_t text_size)
{
	if (!json_is_object(object)) {
		snprintf(reterr_text, text_size, "an object is missing");
		return -EINVAL;
	}
	return fields_decode(table, object, base, reterr_text, text_size);
}

static int decode_sources(const struct field *table, const json_t *array,
                          struct report_sources *sources, char *reterr_text, size_t text_size)
{
	const size_t n = json_array_size(array);

	if (!json_is_array(array) || n > REPORT_SOURCES_MAX) {
		snprintf(reterr_text, text_size, "the list of sources is %s",
		         json_is_array(array) ? "too long" : "missing");
		return -EINVAL;
	}
	memset(sources, 0, sizeof *sources);
	sources->n = (unsigned)n;
	for (size_t i = 0; i < n; i++)
		if (decode_object(table, json_array_get(array, i), &sources->sources[i],
		                  reterr_text, text_size))
			return -EINVAL;
	return 0;
}

static int decode_status(const json_t *status, struct report_status *report, char *reterr_text,
                         size_t text_size)
{
	if (decode_object(STATUS_FIELDS, status, report, reterr_text, text_size) ||
	    decode_object(TRACKING_FIELDS, json_object_get(status, "tracking"), &report->tracking,
	                  reterr_text, text_size) ||
	    decode_sources(SOURCE_FIELDS, json_object_get(status, "sources"), &report->sources,
	                   reterr_text, text_size))
		return -EINVAL;
	return 0;
}

static int decode_events(const json_t *data, struct report_events *events, char *reterr_text,
                         size_t text_size)
{
	const json_t *array = json_object_get(data, "events");
	const size_t n = json_array_size(array);

	if (decode_object(EVENTS_FIELDS, data, events, reterr_text, text_size))
		return -EINVAL;
	if (!json_is_array(array) || n > REPORT_EVENTS_MAX) {
		snprintf(reterr_text, text_size, "the list of events is %s",
		         json_is_array(array) ? "too long" : "missing");
		return -EINVAL;
	}
	memset(events->events, 0, sizeof events->events);
	events->n = (unsigned)n;
	for (size_t i = 0; i < n; i++) {
		events->events[i].is_there = true;
		if (decode_object(EVENT_FIELDS, json_array_get(array, i), &events->events[i],
		                  reterr_text, text_size))
			return -EINVAL;
	}
	return 0;
}

int report_json_decode(enum control_command command, const json_t *data, void *report,
                       char *why, size_t size)
{
	struct report_status *status = report;

	switch (command) {
	case CONTROL_STATUS: return decode_status(data, report, why, size);
	case CONTROL_SOURCES:
		return decode_sources(SOURCE_FIELDS, data, &status->sources, why, size);
	case CONTROL_SOURCESTATS:
		return decode_sources(SOURCESTATS_FIELDS, data, &status->sources, why, size);
	case CONTROL_TRACKING:
		return decode_object(TRACKING_FIELDS, data, &status->tracking, why, size);
	case CONTROL_EVENTS: return decode_events(data, report, why, size);
	case CONTROL_FOLLOW: return decode_object(NOTICE_FIELDS, data, report, why, size);
	case CONTROL_WAITSYNC: return decode_object(WAIT_FIELDS, data, report, why, size);
	case CONTROL_NUDGE: return decode_object(NUDGE_FIELDS, data, report, why, size);
	case CONTROL_COMMANDS: break;
	}
	return -EINVAL;
}

size_t report_json_size(enum control_command command)
{
	switch (command) {
	case CONTROL_STATUS:
	case CONTROL_SOURCES:
	case CONTROL_SOURCESTATS:
	case CONTROL_TRACKING: return sizeof(struct report_status);
	case CONTROL_EVENTS: return sizeof(struct report_events);
	case CONTROL_FOLLOW: return sizeof(struct report_notice);
	case CONTROL_WAITSYNC: return sizeof(struct report_wait);
	case CONTROL_NUDGE: return sizeof(struct report_nudge);
	case CONTROL_COMMANDS: break;
	}
	return 0;
}
