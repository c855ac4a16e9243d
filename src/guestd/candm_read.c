/* SPDX-License-Identifier: Apache-2.0 */

/*
 * candm_read.c - vmtimed's state as chronyc wants to see it
 *
 * The sign of an offset is the only thing to look out for.  A report's is that
 * of the correction, positive where our clock is behind.  So is the correction in
 * TRACKING; but all other offsets of chrony's are positive where our clock is ahead.
 */

#include "core/select.h"
#include "guestd/candm_rules.h"
#include "guestd/daemon.h"
#include "guestd/report.h"

/* In seconds: how far our clock is ahead, by a report's offset. */
static double ahead(vt_span offset)
{
	return offset.ns == 0 ? 0 : -vt_span_seconds(offset);
}

static uint32_t whole_seconds(vt_span span)
{
	return span.ns < 0 ? 0 : (uint32_t)(span.ns / 1000000000);
}

static uint32_t since_sample(const struct report_source *s)
{
	return s->has_sample ? whole_seconds(s->since_sample) : CANDM_NEVER;
}

/* Fills in the report on the source that the request asks for; its place, or -1. */
static int find_source(const struct candm_turn *t, struct report_source *ret)
{
	int place = report_place_of(t->daemon, t->request->data.index);

	if (place >= 0)
		report_source(t->daemon, place, t->now, ret);
	return place;
}

enum candm_status candm_read_n_sources(const struct candm_turn *t)
{
	t->reply->data.n_sources = report_count_sources(t->daemon);
	return CANDM_SUCCESS;
}

static enum candm_source_state state_of(enum report_selection selection)
{
	switch (selection) {
	case REPORT_SELECTED: return CANDM_SELECTED;
	case REPORT_UNUSABLE: return CANDM_NOT_SELECTABLE;
	case REPORT_FALSETICKER: return CANDM_FALSETICKER;
	case REPORT_JITTERY: return CANDM_JITTERY;
	case REPORT_COMBINED: return CANDM_COMBINED;
	case REPORT_NOT_COMBINED: return CANDM_SELECTABLE;
	}
	return CANDM_NOT_SELECTABLE;
}

enum candm_status candm_read_source(const struct candm_turn *t)
{
	struct report_source s;
	struct candm_source_data *data = &t->reply->data.source;

	if (find_source(t, &s) < 0)
		return CANDM_NO_SUCH_SOURCE;
	*data = (struct candm_source_data){
		.address.family = CANDM_IPV4,
		.poll = (int16_t)s.poll,
		.stratum = (uint16_t)s.stratum,
		.state = (uint16_t)state_of(s.selection),
		.mode = CANDM_MODE_REFCLOCK,
		.reach = (uint16_t)s.reach,
		.since_sample = since_sample(&s),
		.measured = ahead(s.measured_offset),
		.adjusted = ahead(s.adjusted_offset),
		.error = vt_span_seconds(s.error),
	};
	candm_put_u32(data->address.bytes, s.refid);
	return CANDM_SUCCESS;
}

enum candm_status candm_read_sourcestats(const struct candm_turn *t)
{
	struct report_source s;

	if (find_source(t, &s) < 0)
		return CANDM_NO_SUCH_SOURCE;
	t->reply->data.sourcestats = (struct candm_sourcestats){
		.refid = s.refid,
		.samples = s.samples,
		.runs = s.runs,
		.span = whole_seconds(s.span),
		.standard_deviation = vt_span_seconds(s.standard_deviation),
		.residual_ppm = s.frequency_ppm,
		.skew_ppm = s.frequency_skew_ppm,
		.offset = ahead(s.estimated_offset),
		.offset_error = vt_span_seconds(s.error),
	};
	return CANDM_SUCCESS;
}

/* The letter of selectdata. */
static uint8_t letter_of(const struct daemon *d, const struct source_conf *conf,
			 const struct report_source *s)
{
	int selected = d->discipline.selected;

	if (conf->noselect)
		return 'N';
	if (!s->has_sample)
		return 'M';
	switch (s->selection) {
	case REPORT_SELECTED: return '*';
	case REPORT_UNUSABLE: return 'S';
	case REPORT_FALSETICKER: return 'x';
	case REPORT_JITTERY: return '~';
	case REPORT_COMBINED: return '+';
	case REPORT_NOT_COMBINED: break;
	}
	/* Usable, but `require` asks for another one, or `prefer` for the one that is followed. */
	if (selected == SELECT_NONE)
		return 'W';
	return d->discipline.sources[selected].conf.prefer && !conf->prefer ? 'P' : '-';
}

static uint16_t options_of(const struct source_conf *conf)
{
	return (uint16_t)((conf->noselect ? CANDM_OPTION_NOSELECT : 0) |
			  (conf->prefer ? CANDM_OPTION_PREFER : 0) |
			  (conf->trust ? CANDM_OPTION_TRUST : 0) |
			  (conf->require ? CANDM_OPTION_REQUIRE : 0));
}

enum candm_status candm_read_select_data(const struct candm_turn *t)
{
	struct report_source s;
	int place = find_source(t, &s);
	const struct source_conf *conf;

	if (place < 0)
		return CANDM_NO_SUCH_SOURCE;
	conf = &t->daemon->discipline.sources[place].conf;
	t->reply->data.select_data = (struct candm_select_data){
		.refid = s.refid,
		.state = letter_of(t->daemon, conf, &s),
		.leap = s.has_sample ? CANDM_LEAP_NORMAL : CANDM_LEAP_UNSYNCHRONISED,
		.configured = options_of(conf),
		.effective = options_of(conf),
		.since_sample = since_sample(&s),
		.score = 1, /* chrony's for a source that is compared with none */
		.low = ahead(vt_span_add(s.adjusted_offset, s.error)),
		.high = ahead(vt_span_sub(s.adjusted_offset, s.error)),
	};
	return CANDM_SUCCESS;
}

static enum candm_leap leap_of(enum report_leap leap)
{
	switch (leap) {
	case REPORT_LEAP_NORMAL: return CANDM_LEAP_NORMAL;
	case REPORT_LEAP_INSERT: return CANDM_LEAP_INSERT;
	case REPORT_LEAP_DELETE: return CANDM_LEAP_DELETE;
	case REPORT_LEAP_UNSYNCHRONISED: break;
	}
	return CANDM_LEAP_UNSYNCHRONISED;
}

enum candm_status candm_read_tracking(const struct candm_turn *t)
{
	struct report_tracking r;

	report_tracking(t->daemon, t->now, &r);
	t->reply->data.tracking = (struct candm_tracking){
		.refid = r.refid,
		.stratum = (uint16_t)r.stratum,
		.leap = (uint16_t)leap_of(r.leap),
		.ref_time = r.ref_time,
		.correction = vt_span_seconds(r.system_offset),
		.last_offset = ahead(r.last_offset),
		.rms_offset = vt_span_seconds(r.rms_offset),
		.frequency_ppm = r.frequency_ppm,
		.residual_ppm = r.residual_ppm,
		.skew_ppm = r.skew_ppm,
		.root_delay = vt_span_seconds(r.root_delay),
		.root_dispersion = vt_span_seconds(r.root_dispersion),
		.update_interval = vt_span_seconds(r.update_interval),
	};
	return CANDM_SUCCESS;
}

/*
 * Reference clocks are neither online nor offline, with chronyd as well.  NTP sources have no
 * address as long as nobody asks for it.
 */
enum candm_status candm_read_activity(const struct candm_turn *t)
{
	t->reply->data.activity = (struct candm_activity){
		.unresolved = (int32_t)t->daemon->settings.n_ntp,
	};
	return CANDM_SUCCESS;
}

/* There is no NTP server, so of its counters none has counted. */
enum candm_status candm_read_server_stats(const struct candm_turn *t)
{
	t->reply->data.server_stats = (struct candm_server_stats){
		.commands_received = t->daemon->candm.received,
		.commands_dropped = t->daemon->candm.dropped,
	};
	return CANDM_SUCCESS;
}

/* Nobody can enter a time by hand, so nobody has. */
enum candm_status candm_read_manual_list(const struct candm_turn *t)
{
	t->reply->data.manual_list = (struct candm_manual_list){ 0 };
	return CANDM_SUCCESS;
}
