/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/settings_table.h"

#include <string.h>

#include "guestd/settings_values.h"

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

/* In the order of the bits of enum settings_log. */
static const char *const LOGS[] = {
	"measurements",    "statistics", "tracking", "refclocks",
	"rawmeasurements", "selection",  "rtc",      "tempcomp", NULL,
};

_Static_assert(COUNT(OWNER_RULES) == CLOCK_OWNER_IGNORE + 2, "a name for each rule");
_Static_assert(COUNT(RESUME_RULES) == STEP_RESUME_IGNORE + 2, "a name for each rule");

_Static_assert(SETTINGS_LOG_TEMPCOMP == 1 << (COUNT(LOGS) - 2), "a name for each log");

/* Why a log that chrony has stays empty here; NULL: it does not. */
static const char *why_empty(unsigned flag)
{
	switch (flag) {
	case SETTINGS_LOG_MEASUREMENTS:
	case SETTINGS_LOG_RAW_MEASUREMENTS: return "it tells of NTP sources, which are not built yet";
	case SETTINGS_LOG_SELECTION: return "which source is followed is in the system log";
	case SETTINGS_LOG_RTC: return "the kernel keeps the RTC by rtcsync";
	case SETTINGS_LOG_TEMPCOMP: return "no temperature is compensated for";
	default: return NULL;
	}
}

static int log_close(void *target, struct conf_reader *reader)
{
	const struct settings_builder *b = target;

	for (unsigned i = 0; LOGS[i]; i++)
		if ((b->settings.logs >> i & 1) && why_empty(1u << i))
			conf_warn(reader, "log %s: %s; nothing is written", LOGS[i],
				  why_empty(1u << i));
	return 0;
}

static int agent_close(void *target, struct conf_reader *reader)
{
	struct settings_builder *b = target;
	struct slice where = slice_of(b->settings.agent);
	int64_t port;

	b->settings.agent_port = 0;
	if (slice_equals(where, "off") || slice_equals(where, "auto"))
		return 0;
	if (strncmp(where.p, "/dev/", 5) == 0 && where.n > 5)
		return 0;
	if (slice_equals(slice_cut(&where, ':'), "vsock") && slice_to_int(where, &port) &&
	    port >= CONF_PORT_MIN && port < UINT32_MAX) {
		b->settings.agent_port = (unsigned)port;
		return 0;
	}
	return conf_refuse(reader, "agent: expected off, auto, a device below /dev, or vsock:PORT with "
			   "a port of at least %d", CONF_PORT_MIN);
}

/* What the kernel can slew by ticks; chronyd takes larger numbers, too, and keeps to it. */
#define MAX_SLEW_PPM      100000
#define MAX_SLEW_READ_PPM 1000000000

static int slew_close(void *target, struct conf_reader *reader)
{
	struct settings_builder *b = target;

	if (b->settings.max_slew_rate.ppb <= MAX_SLEW_PPM * 1e3)
		return 0;
	b->settings.max_slew_rate.ppb = MAX_SLEW_PPM * 1e3;
	conf_warn(reader, "maxslewrate: %d ppm is the most that the clock can be slewed by",
		  MAX_SLEW_PPM);
	return 0;
}

#define IN_SETTINGS(member) CONF_AT(struct settings_builder, settings.member)

/* clang-format off */
static const struct conf_value MORE_LOGS = {
	CONF_FLAGS, "NAME", IN_SETTINGS(logs), 0, 0, LOGS
};

static const struct conf_row DRIFTFILE_OPTIONS[] = {
	{ "interval", CONF_SET, { SECONDS("SECONDS", IN_SETTINGS(drift_interval), 1, DECADES) },
	  .initial = "3600", .help = "How often the file is written." },
};
static const struct conf_table DRIFTFILE_TABLE = CONF_TABLE(DRIFTFILE_OPTIONS);

static const struct conf_row ROWS[] = {
	{ "hostclock", CONF_SET,
	  { { CONF_SWITCH, "SWITCH", IN_SETTINGS(hostclock), 0, 0, NULL } },
	  .initial = "on",
	  .help = "Find the host's clock, KVM virtual PTP, and follow it even where no refclock "
	          "names it; likewise the page of a vmclock that tells the time." },
	{ "hosterror", CONF_SET,
	  { { CONF_SPAN, "DURATION", IN_SETTINGS(host_error), 1, 3600 * CONF_NS_PER_S, NULL } },
	  .given = IN_SETTINGS(is_host_error_given),
	  .help = "How far the host's own clock can be off, as you know it. Without it, and without a "
	          "message of the host itself, that is not known; such a message can make it larger, "
	          "never smaller." },
	{ "vsock", CONF_SET,
	  { { CONF_PORT, "PORT", IN_SETTINGS(vsock_port), SETTINGS_VSOCK_PORT, UINT32_MAX - 1, NULL } },
	  .initial = "on",
	  .help = "Whether the host may tell us of pauses and of its clock's quality, on port 9532 or "
	          "another one of vsock. What it says never sets the clock." },
	{ "agent", CONF_SET, { TEXT("WHERE", IN_SETTINGS(agent), SETTINGS_PATH_MAX) },
	  .close = agent_close,
	  .initial = "off",
	  .help = "Answer as the guest's agent, as far as time goes, so that a host can ask for the time "
	          "and set it without qemu-ga: off; auto, which takes QEMU's port where no qemu-ga is "
	          "installed, and gives it back when one is; the path of a device below /dev; or "
	          "vsock:PORT. Where a source answers, a request to set the clock leads to a reading." },
	{ "clockowner", CONF_SET,
	  { CHOICE("RULE", IN_SETTINGS(clock_owner), OWNER_RULES) },
	  .initial = "refuse",
	  .help = "What to do when another program steers the clock already: refuse to start, or "
	          "ignore it." },
	{ "resume", CONF_SET, { CHOICE("RULE", IN_SETTINGS(resume), RESUME_RULES) },
	  .initial = "step",
	  .help = "What to do when the world has jumped (a pause, a restore, a migration, a suspend, a "
	          "step of the host's clock): step the clock, slew it, or ignore the jump and leave it to "
	          "somebody else." },
	{ "makestep", CONF_SET,
	  { SECONDS("THRESHOLD", IN_SETTINGS(makestep_threshold), 0, DECADES),
	    ANY_WHOLE("LIMIT", IN_SETTINGS(makestep_limit)) },
	  .given = IN_SETTINGS(is_makestep_given),
	  .help = "Step an offset above THRESHOLD in the first LIMIT updates, always where LIMIT "
	          "is negative. A pause, a restore or a resume is stepped whatever this says." },
	{ "maxslewrate", CONF_SET,
	  { { CONF_PPM, "PPM", IN_SETTINGS(max_slew_rate), CONF_UNITS_PER_PPM / 1000,
	      MAX_SLEW_READ_PPM * CONF_UNITS_PER_PPM, NULL } },
	  .initial = "83333.333", .close = slew_close,
	  .help = "The fastest slew, in parts per million; above 100000 it is 100000." },
	{ "maxchange", CONF_SET,
	  { SECONDS("OFFSET", IN_SETTINGS(max_change), 0, DECADES),
	    WHOLE("START", IN_SETTINGS(max_change_start), 0, INT32_MAX),
	    ANY_WHOLE("IGNORE", IN_SETTINGS(max_change_ignore)) },
	  .given = IN_SETTINGS(is_max_change_given),
	  .help = "After START updates refuse a correction above OFFSET without a proven cause: "
	          "ignore the first IGNORE of them, then exit; never exit where IGNORE is "
	          "negative." },
	{ "driftfile", CONF_SET, { PATH(IN_SETTINGS(drift_file)) }, .options = &DRIFTFILE_TABLE,
	  .help = "Where the clock's frequency error is kept from one run to the next. Nowhere, "
	          "unless there is no configuration at all: then /var/lib/vmtime/drift." },
	{ "rtcsync", CONF_SET, .given = IN_SETTINGS(is_rtcsync),
	  .help = "Tell the kernel when the clock is in sync, which also lets it keep the RTC." },
	{ "logdir", CONF_SET, { PATH(IN_SETTINGS(log_dir)) },
	  .help = "The folder that log writes to. It is made where it is missing, and is then the "
	          "user's that vmtimed runs as." },
	{ "log", CONF_SET, .rest = &MORE_LOGS, .close = log_close,
	  .help = "Write these files of records, with chrony's columns: tracking.log, "
	          "statistics.log, refclocks.log. The other names are accepted and nothing is "
	          "written." },
	{ "logbanner", CONF_SET, { ANY_WHOLE("ENTRIES", IN_SETTINGS(log_banner)) },
	  .initial = "32",
	  .help = "After how many lines a file of records tells its columns; 0 is never." },
	{ "logchange", CONF_SET, { SECONDS("SECONDS", IN_SETTINGS(log_change), -DECADES, DECADES) },
	  .initial = "1",
	  .help = "An error of the clock that is larger is told in the system log, also where it is "
	          "slewed." },
	{ "pidfile", CONF_SET, { PATH(IN_SETTINGS(pid_file)) },
	  .initial = "/run/vmtime/vmtimed.pid",
	  .help = "Where the process id is written; / stands for nowhere." },
	{ "user", CONF_SET, { TEXT("NAME", IN_SETTINGS(user), SETTINGS_USER_MAX) },
	  .initial = "vmtime",
	  .help = "The user to run as after the start, by name or number." },
	{ "lock_all", CONF_SET, .given = IN_SETTINGS(is_memory_locked),
	  .help = "Keep all memory of the daemon in RAM." },
	{ "sched_priority", CONF_SET, { WHOLE("PRIORITY", IN_SETTINGS(priority), 0, 99) },
	  .initial = "0",
	  .help = "Run before all ordinary processes, with this priority of SCHED_FIFO; 0 does not. "
	          "Under systemd a drop-in for the unit must say RestrictRealtime=no." },
	{ "include", CONF_INCLUDE, { TEXT("PATTERN", 0, CONF_PATH_MAX) },
	  .help = "Read the files that match, sorted by name, in place of this line. A plain path "
	          "must exist." },
	{ "confdir", CONF_CONFDIR, { TEXT("DIRECTORY ...", 0, CONF_PATH_MAX) },
	  .help = "Read the *.conf files of the directory, sorted by name; of several directories "
	          "on the line the first that holds a name has it." },
	{ "sourcedir", CONF_SOURCEDIR, { TEXT("DIRECTORY ...", 0, CONF_PATH_MAX) },
	  .lines = &SETTINGS_SOURCES_TABLE,
	  .help = "Read the *.sources files of the directory as confdir does; they hold server, "
	          "pool and peer lines, and one that is in error is left out with a warning." },
};
/* clang-format on */

const struct conf_table SETTINGS_GENERAL_TABLE = { ROWS, COUNT(ROWS), &SETTINGS_COMMAND_TABLE };

/* Sources first, then what is done with them, then what has no effect. */
const struct conf_table SETTINGS_TABLE = { NULL, 0, &SETTINGS_REFCLOCK_TABLE };
