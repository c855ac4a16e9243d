/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/settings_table.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

static const char *const DRIVERS[] = {
	[REFCLOCK_PHC] = "PHC", [REFCLOCK_SHM] = "SHM", [REFCLOCK_SOCK] = "SOCK",
	[REFCLOCK_PPS] = "PPS", [REFCLOCK_RTC] = "RTC", NULL,
};
static const char *const OWNER_RULES[] = {
	[CLOCK_OWNER_REFUSE] = "refuse",
	[CLOCK_OWNER_IGNORE] = "ignore",
	NULL,
};

static const char *const RESUME_RULES[] = {
	[STEP_RESUME_STEP] = "step",
	[STEP_RESUME_SLEW] = "slew",
	[STEP_RESUME_IGNORE] = "ignore",
	NULL,
};

_Static_assert(COUNT(DRIVERS) == REFCLOCK_RTC + 2, "a name for each driver");
_Static_assert(COUNT(OWNER_RULES) == CLOCK_OWNER_IGNORE + 2, "a name for each rule");
_Static_assert(COUNT(RESUME_RULES) == STEP_RESUME_IGNORE + 2, "a name for each rule");

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
	if (device.n < 2 || device.p[0] != '/' ||
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

#define IN_SETTINGS(member) CONF_AT(struct settings_builder, settings.member)
#define IN_DRAFT(member)    CONF_AT(struct refclock_draft, member)

#define WHOLE(name, at, min, max)                  \
	{                                          \
		CONF_INT, name, at, min, max, NULL \
	}
#define SECONDS(name, at, min, max)                                                    \
	{                                                                              \
		CONF_SECONDS, name, at, (min)*CONF_NS_PER_S, (max)*CONF_NS_PER_S, NULL \
	}
#define TEXT(name, at, size)                           \
	{                                              \
		CONF_TEXT, name, at, 0, (size)-1, NULL \
	}
#define REFID(at)                                  \
	{                                          \
		CONF_REFID, "NAME", at, 0, 0, NULL \
	}
#define PATH(at)                                              \
	{                                                     \
		CONF_PATH, "PATH", at, 0, SETTINGS_PATH_MAX - 1, NULL \
	}

#define DECADES INT64_C(1000000000) /* seconds: more than any clock is off */

#define UNUSED_OPTION "has no meaning in this version and is ignored"

/* clang-format off */
static const struct conf_row REFCLOCK_OPTIONS[] = {
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
	{ "filter", CONF_SET, { { CONF_COUNT, "N", IN_DRAFT(source.filter), 1, 64, NULL } },
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
	  .help = "The clock gives TAI instead of UTC, as a network card on a PTP host does." },

	{ "lock", CONF_IGNORE, { REFID(IN_DRAFT(ignored.refid)) }, .help = UNUSED_OPTION },
	{ "rate", CONF_IGNORE, { WHOLE("N", IN_DRAFT(ignored.number), 1, INT32_MAX) },
	  .help = UNUSED_OPTION },
	{ "maxlockage", CONF_IGNORE, { WHOLE("N", IN_DRAFT(ignored.number), 0, INT32_MAX) },
	  .help = UNUSED_OPTION },
	{ "width", CONF_IGNORE, { SECONDS("SECONDS", IN_DRAFT(ignored.span), 0, DECADES) },
	  .help = UNUSED_OPTION },
	{ "pps", CONF_IGNORE, .given = IN_DRAFT(ignored.flag), .help = UNUSED_OPTION },
	{ "maxdispersion", CONF_IGNORE, { SECONDS("SECONDS", IN_DRAFT(ignored.span), 0, DECADES) },
	  .help = UNUSED_OPTION },
	{ "local", CONF_IGNORE, .given = IN_DRAFT(ignored.flag), .help = UNUSED_OPTION },
	{ "minsamples", CONF_IGNORE, { WHOLE("N", IN_DRAFT(ignored.number), 0, INT32_MAX) },
	  .help = UNUSED_OPTION },
	{ "maxsamples", CONF_IGNORE, { WHOLE("N", IN_DRAFT(ignored.number), 0, INT32_MAX) },
	  .help = UNUSED_OPTION },
	{ "maxunreach", CONF_IGNORE, { WHOLE("N", IN_DRAFT(ignored.number), 0, INT32_MAX) },
	  .help = UNUSED_OPTION },
};
static const struct conf_table REFCLOCK_TABLE = { REFCLOCK_OPTIONS, COUNT(REFCLOCK_OPTIONS) };

static const struct conf_row DRIFTFILE_OPTIONS[] = {
	{ "interval", CONF_SET, { SECONDS("SECONDS", IN_SETTINGS(drift_interval), 1, DECADES) },
	  .initial = "3600", .help = "How often the file is written." },
};
static const struct conf_table DRIFTFILE_TABLE = { DRIFTFILE_OPTIONS, COUNT(DRIFTFILE_OPTIONS) };

#define NO_NTP     "NTP is not supported by this version; the line is ignored"
#define NO_SERVER  "this version serves no time to others; the line is ignored"
#define NO_ACCESS  "vmtimed does not answer chronyc in this version; the line is ignored"
#define NO_TUNING  "vmtimed's own estimator and servo do not use it; the line is ignored"
#define NO_LEAPS   "leap seconds are left to the kernel; the line is ignored"
#define NO_LOGS    "vmtimed keeps no such files, it writes to the system log; the line is ignored"
#define NO_RTC     "the kernel keeps the RTC by rtcsync; the line is ignored"
#define NO_PROCESS "vmtimed has no such setting for its process; the line is ignored"

static const struct conf_row ROWS[] = {
	{ "refclock", CONF_SET,
	  { { CONF_CHOICE, "DRIVER", IN_DRAFT(driver), 0, 0, DRIVERS },
	    TEXT("DEVICE[:nocrossts]", IN_DRAFT(parameter), REFCLOCK_PARAMETER_MAX) },
	  .options = &REFCLOCK_TABLE,
	  .open = refclock_open, .close = refclock_close, .element = refclock_element,
	  .help = "A reference clock to follow. Only the driver PHC, with the path of a device, is "
	          "available in this version; with nocrossts it is never read by "
	          "PTP_SYS_OFFSET_PRECISE." },
	{ "hostclock", CONF_SET, { { CONF_SWITCH, "SWITCH", IN_SETTINGS(hostclock), 0, 0, NULL } },
	  .initial = "on",
	  .help = "Find the host's clock, KVM virtual PTP, and follow it even where no refclock "
	          "names it." },
	{ "clockowner", CONF_SET,
	  { { CONF_CHOICE, "RULE", IN_SETTINGS(clock_owner), 0, 0, OWNER_RULES } },
	  .initial = "refuse",
	  .help = "What to do when another program steers the clock already: refuse to start, or "
	          "ignore it." },
	{ "resume", CONF_SET, { { CONF_CHOICE, "RULE", IN_SETTINGS(resume), 0, 0, RESUME_RULES } },
	  .initial = "step",
	  .help = "What to do when the world has jumped (a pause, a restore, a migration, a suspend, a "
	          "step of the host's clock): step the clock, slew it, or ignore the jump and leave it to "
	          "somebody else." },
	{ "makestep", CONF_SET,
	  { SECONDS("THRESHOLD", IN_SETTINGS(makestep_threshold), 0, DECADES),
	    WHOLE("LIMIT", IN_SETTINGS(makestep_limit), INT32_MIN, INT32_MAX) },
	  .given = IN_SETTINGS(is_makestep_given),
	  .help = "Step an offset above THRESHOLD in the first LIMIT updates, always where LIMIT "
	          "is negative. A pause, a restore or a resume is stepped whatever this says." },
	{ "maxslewrate", CONF_SET,
	  { { CONF_PPM, "PPM", IN_SETTINGS(max_slew_rate), CONF_UNITS_PER_PPM / 1000,
	      100000 * CONF_UNITS_PER_PPM, NULL } },
	  .initial = "83333.333", .help = "The fastest slew, in parts per million." },
	{ "maxchange", CONF_SET,
	  { SECONDS("OFFSET", IN_SETTINGS(max_change), 0, DECADES),
	    WHOLE("START", IN_SETTINGS(max_change_start), 0, INT32_MAX),
	    WHOLE("IGNORE", IN_SETTINGS(max_change_ignore), INT32_MIN, INT32_MAX) },
	  .given = IN_SETTINGS(is_max_change_given),
	  .help = "After START updates refuse a correction above OFFSET without a proven cause: "
	          "ignore the first IGNORE of them, then exit; never exit where IGNORE is "
	          "negative." },
	{ "driftfile", CONF_SET, { PATH(IN_SETTINGS(drift_file)) }, .options = &DRIFTFILE_TABLE,
	  .help = "Where the clock's frequency error is kept from one run to the next. Nowhere, "
	          "unless there is no configuration at all: then /var/lib/vmtime/drift." },
	{ "rtcsync", CONF_SET, .given = IN_SETTINGS(is_rtcsync),
	  .help = "Tell the kernel when the clock is in sync, which also lets it keep the RTC." },
	{ "pidfile", CONF_SET, { PATH(IN_SETTINGS(pid_file)) },
	  .initial = "/run/vmtime/vmtimed.pid",
	  .help = "Where the process id is written; / stands for nowhere." },
	{ "user", CONF_SET, { TEXT("NAME", IN_SETTINGS(user), SETTINGS_USER_MAX) },
	  .initial = "vmtime",
	  .help = "The user to run as after the start, by name or number." },
	{ "include", CONF_INCLUDE, { TEXT("PATTERN", 0, CONF_PATH_MAX) },
	  .help = "Read the files that match, sorted by name, in place of this line. A plain path "
	          "must exist." },
	{ "confdir", CONF_CONFDIR, { TEXT("DIRECTORY ...", 0, CONF_PATH_MAX) },
	  .help = "Read the *.conf files of the directory, sorted by name; of several directories "
	          "on the line the first that holds a name has it." },

#define IGNORE(name, reason) { name, CONF_IGNORE, .help = reason }
	IGNORE("server", NO_NTP), IGNORE("pool", NO_NTP), IGNORE("peer", NO_NTP),
	IGNORE("initstepslew", NO_NTP), IGNORE("sourcedir", NO_NTP), IGNORE("keyfile", NO_NTP),
	IGNORE("refresh", NO_NTP), IGNORE("dscp", NO_NTP), IGNORE("maxtxbuffers", NO_NTP),
	IGNORE("acquisitionport", NO_NTP), IGNORE("bindacqaddress", NO_NTP),
	IGNORE("bindacqdevice", NO_NTP), IGNORE("hwtimestamp", NO_NTP),
	IGNORE("hwtstimeout", NO_NTP), IGNORE("ptpport", NO_NTP), IGNORE("ptpdomain", NO_NTP),
	IGNORE("authselectmode", NO_NTP), IGNORE("ntsdumpdir", NO_NTP),
	IGNORE("ntsrefresh", NO_NTP), IGNORE("ntsaeads", NO_NTP),
	IGNORE("ntstrustedcerts", NO_NTP), IGNORE("nocerttimecheck", NO_NTP),
	IGNORE("nosystemcert", NO_NTP),

	IGNORE("port", NO_SERVER), IGNORE("allow", NO_SERVER), IGNORE("deny", NO_SERVER),
	IGNORE("local", NO_SERVER), IGNORE("bindaddress", NO_SERVER),
	IGNORE("binddevice", NO_SERVER), IGNORE("broadcast", NO_SERVER),
	IGNORE("ratelimit", NO_SERVER), IGNORE("ntsratelimit", NO_SERVER),
	IGNORE("clientloglimit", NO_SERVER), IGNORE("noclientlog", NO_SERVER),
	IGNORE("smoothtime", NO_SERVER), IGNORE("ntpsigndsocket", NO_SERVER),
	IGNORE("ntsport", NO_SERVER), IGNORE("ntsservercert", NO_SERVER),
	IGNORE("ntsserverkey", NO_SERVER), IGNORE("ntsprocesses", NO_SERVER),
	IGNORE("ntsrotate", NO_SERVER), IGNORE("ntsntpserver", NO_SERVER),
	IGNORE("ntscachedir", NO_SERVER), IGNORE("maxntsconnections", NO_SERVER),

	IGNORE("bindcmdaddress", NO_ACCESS), IGNORE("bindcmddevice", NO_ACCESS),
	IGNORE("cmdport", NO_ACCESS), IGNORE("cmdallow", NO_ACCESS),
	IGNORE("cmddeny", NO_ACCESS), IGNORE("cmdratelimit", NO_ACCESS),
	IGNORE("opencommands", NO_ACCESS), IGNORE("manual", NO_ACCESS),
	IGNORE("commandkey", NO_ACCESS), IGNORE("generatecommandkey", NO_ACCESS),

	IGNORE("maxupdateskew", NO_TUNING), IGNORE("corrtimeratio", NO_TUNING),
	IGNORE("maxdrift", NO_TUNING), IGNORE("maxclockerror", NO_TUNING),
	IGNORE("fallbackdrift", NO_TUNING), IGNORE("minsources", NO_TUNING),
	IGNORE("minsamples", NO_TUNING), IGNORE("maxsamples", NO_TUNING),
	IGNORE("maxdistance", NO_TUNING), IGNORE("maxjitter", NO_TUNING),
	IGNORE("stratumweight", NO_TUNING), IGNORE("reselectdist", NO_TUNING),
	IGNORE("combinelimit", NO_TUNING), IGNORE("clockprecision", NO_TUNING),
	IGNORE("tempcomp", NO_TUNING), IGNORE("linux_hz", NO_TUNING),
	IGNORE("linux_freq_scale", NO_TUNING),

	IGNORE("leapsectz", NO_LEAPS), IGNORE("leapseclist", NO_LEAPS),
	IGNORE("leapsecmode", NO_LEAPS),

	IGNORE("logdir", NO_LOGS), IGNORE("log", NO_LOGS), IGNORE("logbanner", NO_LOGS),
	IGNORE("logchange", NO_LOGS), IGNORE("mailonchange", NO_LOGS),
	IGNORE("dumpdir", NO_LOGS), IGNORE("dumponexit", NO_LOGS),

	IGNORE("rtcfile", NO_RTC), IGNORE("rtcdevice", NO_RTC), IGNORE("rtconutc", NO_RTC),
	IGNORE("rtcautotrim", NO_RTC), IGNORE("hwclockfile", NO_RTC),

	IGNORE("lock_all", NO_PROCESS), IGNORE("sched_priority", NO_PROCESS),
};
/* clang-format on */

const struct conf_table SETTINGS_TABLE = { ROWS, COUNT(ROWS) };
