/* SPDX-License-Identifier: Apache-2.0 */

/*
 * settings_refclock.c - the directive refclock
 */

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "guestd/settings_table.h"
#include "guestd/settings_values.h"

static const char *const DRIVERS[] = {
	[REFCLOCK_PHC] = "PHC", [REFCLOCK_SHM] = "SHM", [REFCLOCK_SOCK] = "SOCK",
	[REFCLOCK_PPS] = "PPS", [REFCLOCK_RTC] = "RTC", NULL,
};
_Static_assert(COUNT(DRIVERS) == REFCLOCK_RTC + 2, "a name for each driver");

static void *refclock_open(void *target)
{
	struct settings_builder *b = target;

	b->draft = (struct refclock_draft){ .source = SOURCE_CONF_DEFAULT };
	return &b->draft;
}

/* What a driver option behind the device's path comes to. */
enum driver_option {
	OPTION_UNKNOWN,
	OPTION_NO_PRECISE, /* PTP_SYS_OFFSET_PRECISE is not to be used          */
	OPTION_PULSES,     /* the source would be a pin of the device, not its clock */
	OPTION_OF_PULSES,  /* says more about that pin                          */
};

static enum driver_option driver_option_of(struct slice word)
{
	struct slice value = word, name = slice_cut(&value, '=');
	int64_t number;

	if (slice_equals(word, "nocrossts"))
		return OPTION_NO_PRECISE;
	if (slice_equals(word, "extpps"))
		return OPTION_PULSES;
	if (slice_equals(word, "clear"))
		return OPTION_OF_PULSES;
	if ((slice_equals(name, "pin") || slice_equals(name, "channel")) &&
	    slice_to_int(value, &number))
		return OPTION_OF_PULSES;
	return OPTION_UNKNOWN;
}

/*
 * Reads what stands behind the device's path.  Returns 0 or what conf_refuse gave; *@ret_is_usable
 * is false for a refclock that this version cannot read.
 */
static int read_driver_options(struct slice rest, struct conf_reader *reader,
			       struct refclock_settings *clock, bool *ret_is_usable)
{
	bool has_pulses = false, has_pin = false;
	char quote[80];

	while (rest.n) {
		struct slice word = slice_cut(&rest, ':');

		switch (driver_option_of(word)) {
		case OPTION_UNKNOWN:
			return conf_refuse(reader,
					   "refclock PHC: expected nocrossts behind the "
					   "device, got %s",
					   log_quote(word.p, word.n, quote, sizeof quote));
		case OPTION_NO_PRECISE: clock->is_precise_off = true; break;
		case OPTION_PULSES:
			has_pulses = true;
			break;
		case OPTION_OF_PULSES:
			has_pin = true;
			break;
		}
	}
	if (has_pulses)
		conf_warn(reader, "refclock PHC extpps: pulses on a pin are not read by this "
		                  "version; the line is ignored");
	else if (has_pin)
		conf_warn(reader, "refclock PHC: pin, channel and clear have no meaning without "
		                  "extpps and are ignored");
	*ret_is_usable = !has_pulses;
	return 0;
}

/* The first three letters of the driver and the number of the line, as chrony does. */
static uint32_t assigned_refid(const struct settings_builder *b)
{
	const char *driver = DRIVERS[b->draft.driver];

	return (uint32_t)driver[0] << 24 | (uint32_t)driver[1] << 16 | (uint32_t)driver[2] << 8 |
	       (uint32_t)('0' + b->n_refclocks_seen % 10);
}

/* Keeps @clock, the draft's, unless it is one too many or one that is there already. */
static int keep_refclock(struct settings_builder *b, const struct refclock_settings *clock,
			 struct conf_reader *reader)
{
	struct settings *s = &b->settings;
	char quote[80];

	for (unsigned i = 0; i < s->n_refclocks; i++)
		if (strcmp(s->refclocks[i].device, clock->device) == 0)
			return conf_refuse(reader,
					   "refclock PHC: expected each device once, got %s again",
					   log_quote(clock->device, strlen(clock->device), quote,
						     sizeof quote));
	if (s->n_refclocks == SETTINGS_REFCLOCKS_MAX)
		return conf_refuse(reader, "refclock: expected at most %d reference clocks",
				   SETTINGS_REFCLOCKS_MAX);
	s->refclocks[s->n_refclocks] = *clock;
	s->refclocks[s->n_refclocks++].source = b->draft.source;
	return 0;
}

static int refclock_close(void *target, struct conf_reader *reader)
{
	struct settings_builder *b = target;
	struct source_conf *source = &b->draft.source;
	struct slice rest = slice_of(b->draft.parameter), device = slice_cut(&rest, ':');
	struct refclock_settings clock = { .device = "" };
	bool is_usable = false;
	char quote[80];
	int err;

	if (b->draft.driver != REFCLOCK_PHC) {
		b->n_refclocks_seen++;
		conf_warn(reader,
			  "refclock %s: this driver is not available in this version; the "
			  "line is ignored",
			  DRIVERS[b->draft.driver]);
		return 0;
	}
	if (device.n && device.p[0] != '/') {
		b->n_refclocks_seen++;
		conf_warn(reader, "refclock PHC %s: a clock is found by its device, not by its "
				  "network interface, in this version; the line is ignored",
			  log_quote(device.p, device.n, quote, sizeof quote));
		return 0;
	}
	if (device.n < 2 ||
	    !slice_copy(device, clock.device, sizeof clock.device))
		return conf_refuse(reader,
				   "refclock PHC: expected the path of a device, such as "
				   "/dev/ptp0, got %s",
				   log_quote(device.p, device.n, quote, sizeof quote));
	err = read_driver_options(rest, reader, &clock, &is_usable);
	if (err)
		return err;
	if (!source->refid)
		source->refid = assigned_refid(b);
	b->n_refclocks_seen++;
	/* As chrony: a source is read at least as often as it is reported. */
	if (source->dpoll > source->poll)
		source->dpoll = source->poll;
	return is_usable ? keep_refclock(b, &clock, reader) : 0;
}

static const void *refclock_element(void *target, unsigned i)
{
	struct settings_builder *b = target;
	const struct refclock_settings *clock = &b->settings.refclocks[i];

	if (i >= b->settings.n_refclocks)
		return NULL;
	b->draft = (struct refclock_draft){ .driver = REFCLOCK_PHC, .source = clock->source };
	snprintf(b->draft.parameter, sizeof b->draft.parameter, "%s%s", clock->device,
		 clock->is_precise_off ? ":nocrossts" : "");
	return &b->draft;
}

#define IN_DRAFT(member) CONF_AT(struct refclock_draft, member)

#define UNUSED_OPTION "it has no meaning in this version"

/* clang-format off */
static const struct conf_row OPTIONS[] = {
	{ "poll", CONF_SET, { WHOLE("N", IN_DRAFT(source.poll), -7, 24) }, .initial = "4",
	  .help = "Interval of the reports in sources, as a power of two of a second. "
	          "It delays no correction." },
	{ "dpoll", CONF_SET, { WHOLE("N", IN_DRAFT(source.dpoll), -7, 24) }, .initial = "0",
	  .given = IN_DRAFT(source.is_dpoll_given),
	  .help = "Longest time between two readings, as a power of two of a second; where it is "
	          "written, also the shortest. Never longer than poll." },
	{ "refid", CONF_SET, { REFID(IN_DRAFT(source.refid)) },
	  .help = "Name in reports; without it PHC0, PHC1 and so on in the order of the file." },
	{ "offset", CONF_SET, { SECONDS("SECONDS", IN_DRAFT(source.offset), -DECADES, DECADES) },
	  .initial = "0", .help = "Added to the time that the clock gives." },
	{ "delay", CONF_SET, { SECONDS("SECONDS", IN_DRAFT(source.delay), 0, DECADES) },
	  .initial = "0.000000001",
	  .help = "Assumed round trip to the clock; half of it counts as error." },
	{ "precision", CONF_SET, { SECONDS("SECONDS", IN_DRAFT(source.precision), 0, DECADES) },
	  .initial = "0",
	  .help = "No reading is taken for more exact than this; 0 takes each as it was read." },
	{ "stratum", CONF_SET, { WHOLE("N", IN_DRAFT(source.stratum), 0, 15) }, .initial = "0",
	  .help = "Stratum of the clock." },
	{ "filter", CONF_SET, { { CONF_COUNT, "N", IN_DRAFT(source.filter), 1, INT32_MAX, NULL } },
	  .initial = "64", .help = "How many brackets one reading may use." },
	{ "prefer", CONF_SET, .given = IN_DRAFT(source.prefer),
	  .help = "Prefer this source to others that can be followed too." },
	{ "noselect", CONF_SET, .given = IN_DRAFT(source.noselect),
	  .help = "Read and report this source, never follow it." },
	{ "require", CONF_SET, .given = IN_DRAFT(source.require),
	  .help = "Follow no source unless this one can be followed." },
	{ "trust", CONF_SET, .given = IN_DRAFT(source.trust),
	  .help = "Take this source for right where others disagree with it.  No effect yet: nothing is "
	          "voted on without NTP sources." },
	{ "tai", CONF_SET, .given = IN_DRAFT(source.is_tai),
	  .help = "The clock gives TAI instead of UTC, as a network card on a PTP host does; "
	          "what a vmclock gives is found out without it." },

	{ "lock", CONF_IGNORE, { REFID(0) }, .help = UNUSED_OPTION },
	{ "rate", CONF_IGNORE, { WHOLE("N", 0, 1, INT32_MAX) },
	  .help = UNUSED_OPTION },
	{ "maxlockage", CONF_IGNORE, { WHOLE("N", 0, 0, INT32_MAX) },
	  .help = UNUSED_OPTION },
	{ "width", CONF_IGNORE, { SECONDS("SECONDS", 0, 0, DECADES) },
	  .help = UNUSED_OPTION },
	{ "pps", CONF_IGNORE, .help = UNUSED_OPTION },
	{ "maxdispersion", CONF_IGNORE, { SECONDS("SECONDS", 0, 0, DECADES) },
	  .help = UNUSED_OPTION },
	{ "local", CONF_IGNORE, .help = UNUSED_OPTION },
	{ "minsamples", CONF_IGNORE, { WHOLE("N", 0, 0, INT32_MAX) },
	  .help = UNUSED_OPTION },
	{ "maxsamples", CONF_IGNORE, { WHOLE("N", 0, 0, INT32_MAX) },
	  .help = UNUSED_OPTION },
	{ "maxunreach", CONF_IGNORE, { WHOLE("N", 0, 0, INT32_MAX) },
	  .help = UNUSED_OPTION },
};
static const struct conf_table OPTION_TABLE = CONF_TABLE(OPTIONS);

static const struct conf_row ROWS[] = {
	{ "refclock", CONF_SET,
	  { CHOICE("DRIVER", IN_DRAFT(driver), DRIVERS),
	    TEXT("DEVICE[:nocrossts]", IN_DRAFT(parameter), REFCLOCK_PARAMETER_MAX) },
	  .options = &OPTION_TABLE,
	  .open = refclock_open, .close = refclock_close, .element = refclock_element,
	  .help = "A reference clock to follow. Only the driver PHC, with the path of a device, is "
	          "available in this version; with nocrossts it is never read by "
	          "PTP_SYS_OFFSET_PRECISE." },
};
/* clang-format on */

const struct conf_table SETTINGS_REFCLOCK_TABLE = { ROWS, COUNT(ROWS), &SETTINGS_NTP_TABLE };
