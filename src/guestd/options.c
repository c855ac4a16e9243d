/* SPDX-License-Identifier: Apache-2.0 */
#include "guestd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/slice.h"

const char OPTIONS_HELP_TEXT[] =
	"Usage: vmtimed [OPTION]... [DIRECTIVE]...\n"
	"\n"
	"Keeps the clock of this guest right by its host's.\n"
	"\n"
	"  -f FILE     configuration (default /etc/vmtime/vmtime.conf; none is fine)\n"
	"  -d          stay in the foreground, log to standard error\n"
	"  -n          stay in the foreground, log to the system log\n"
	"  -q          set the clock once and exit\n"
	"  -Q          print the offset of the clock once and exit; set nothing\n"
	"  -x          observe: never touch the clock\n"
	"  -s          set the clock from the RTC at the start if nothing better answers\n"
	"  -t SECONDS  exit after this time\n"
	"  -u USER     become this user: a name, UID, or UID:GID (default vmtime)\n"
	"  -L LEVEL    log level: -1 debug, 0 informational, 1 warnings, 2 errors\n"
	"  -p          print the configuration as understood and exit\n"
	"  -v          print the version and exit\n"
	"  --conf-reference  print every directive with its meaning and exit\n"
	"  --restore-clock   end a slew that a killed daemon left behind and exit\n"
	"\n"
	"DIRECTIVEs are read as lines of the configuration, instead of the default file.\n";

enum { OPTION_REFERENCE = 256, OPTION_RESTORE };

static const struct option LONG_OPTIONS[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ "conf-reference", no_argument, NULL, OPTION_REFERENCE },
	{ "restore-clock", no_argument, NULL, OPTION_RESTORE },
	{ NULL, 0, NULL, 0 },
};

static bool read_level(const char *text, enum log_level *ret)
{
	int64_t level;

	if (!slice_to_int(slice_of(text), &level) || level < -1 || level > 3)
		return false;
	/* chrony's levels: 3 is "fatal" there, which for us is an error like any other. */
	*ret = level < 0 ? LOG_LEVEL_DEBUG
	     : level == 0 ? LOG_LEVEL_INFO
	     : level == 1 ? LOG_LEVEL_WARN
	                  : LOG_LEVEL_ERR;
	return true;
}

static bool read_timeout(const char *text, vt_span *ret)
{
	double s;

	if (!slice_to_double(slice_of(text), &s) || !(s > 0 && s <= 1e9))
		return false;
	*ret = vt_span_from_ns(s * 1e9);
	return true;
}

/* One option.  False where its argument is none. */
static bool take(struct options *o, int letter, const char *argument)
{
	switch (letter) {
	case 'd': o->is_foreground = o->logs_to_stderr = true; return true;
	case 'n': o->is_foreground = true; return true;
	case 'f': o->file = argument; return true;
	case 'u': o->user = argument; return true;
	case 'x': o->is_observing = true; return true;
	case 's': o->sets_from_rtc = true; return true;
	case 'q': o->mode = OPTIONS_SET_ONCE; return true;
	case 'Q': o->mode = OPTIONS_PRINT_OFFSET; return true;
	case 'p': o->mode = OPTIONS_PRINT_CONF; return true;
	case 'v': o->mode = OPTIONS_VERSION; return true;
	case 'h': o->mode = OPTIONS_HELP; return true;
	case OPTION_REFERENCE: o->mode = OPTIONS_REFERENCE; return true;
	case OPTION_RESTORE: o->mode = OPTIONS_RESTORE_CLOCK; return true;
	case 'L': return read_level(argument, &o->log_level);
	case 't': o->is_timed = true; return read_timeout(argument, &o->timeout);
	default: return false;
	}
}

static void complete(struct options *o)
{
	if (o->mode == OPTIONS_PRINT_OFFSET)
		o->is_observing = true;
	if (o->mode != OPTIONS_RUN)
		o->is_foreground = o->logs_to_stderr = true;
}

int options_parse(int argc, char *const *argv, struct options *ret, char *text, size_t size,
                  const char **reterr)
{
	struct options o = { .log_level = LOG_LEVEL_INFO };
	int letter;

	opterr = 0;
	optind = 1;
	while ((letter = getopt_long(argc, argv, "+:df:nqQxst:u:L:pvh", LONG_OPTIONS, NULL)) != -1) {
		if (letter == '?' || letter == ':') {
			/* A long option leaves its word, a short one its letter. */
			if (optopt > 0 && optopt < 128)
				snprintf(text, size, letter == ':' ? "option -%c needs an argument"
				                                   : "unknown option -%c", optopt);
			else
				snprintf(text, size, "unknown option %.60s", argv[optind - 1]);
			*reterr = text;
			return -EINVAL;
		}
		if (!take(&o, letter, optarg)) {
			snprintf(text, size, "option -%c: \"%.60s\" is out of range or no number", letter,
			         optarg ? optarg : "");
			*reterr = text;
			return -EINVAL;
		}
	}
	o.directives = (const char *const *)argv + optind;
	o.n_directives = (size_t)(argc - optind);
	complete(&o);
	*ret = o;
	return 0;
}
