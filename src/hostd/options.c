/* SPDX-License-Identifier: Apache-2.0 */
#include "hostd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/slice.h"

const char OPTIONS_HELP_TEXT[] =
	"Usage: vmtime-hostd [OPTION]... [DIRECTIVE]...\n"
	"\n"
	"Puts the clocks of this host's guests right after each pause, restore and migration.\n"
	"\n"
	"  -f FILE     configuration (default /etc/vmtime/vmtime-hostd.conf; none is fine)\n"
	"  -d          stay in the foreground, log to standard error\n"
	"  -n          stay in the foreground, log to the system log\n"
	"  -t SECONDS  exit after this time\n"
	"  -L LEVEL    log level: -1 debug, 0 informational, 1 warnings, 2 errors\n"
	"  -p          print the configuration as understood and exit\n"
	"  -v          print the version and exit\n"
	"  --conf-reference  print every directive with its meaning and exit\n"
	"\n"
	"DIRECTIVEs are read as lines of the configuration, instead of the default file.\n";

enum { OPTION_REFERENCE = 256 };

static const struct option LONG_OPTIONS[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ "conf-reference", no_argument, NULL, OPTION_REFERENCE },
	{ NULL, 0, NULL, 0 },
};

static bool read_level(const char *text, enum log_level *ret)
{
	int64_t level;

	if (!slice_to_int(slice_of(text), &level) || level < -1 || level > 2)
		return false;
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
	case 'p': o->mode = OPTIONS_PRINT_CONF; return true;
	case 'v': o->mode = OPTIONS_VERSION; return true;
	case 'h': o->mode = OPTIONS_HELP; return true;
	case OPTION_REFERENCE: o->mode = OPTIONS_REFERENCE; return true;
	case 'L': o->has_level = true; return read_level(argument, &o->log_level);
	case 't': o->is_timed = true; return read_timeout(argument, &o->timeout);
	default: return false;
	}
}

/* What getopt could not make anything of. */
static const char *explain(int letter, char *const *argv, char *text, size_t size)
{
	/* A long option leaves its word, a short one its letter. */
	if (optopt > 0 && optopt < 128)
		snprintf(text, size, letter == ':' ? "option -%c needs an argument"
		                                   : "unknown option -%c", optopt);
	else
		snprintf(text, size, "unknown option %.60s", argv[optind - 1]);
	return text;
}

int options_parse(int argc, char *const *argv, struct options *ret, char *text, size_t size,
		  const char **reterr)
{
	struct options o = { .log_level = LOG_LEVEL_INFO };
	int letter;

	opterr = 0;
	optind = 1;
	while ((letter = getopt_long(argc, argv, "+:df:nt:L:pvh", LONG_OPTIONS, NULL)) != -1) {
		if (letter == '?' || letter == ':') {
			*reterr = explain(letter, argv, text, size);
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
	if (o.mode != OPTIONS_RUN)
		o.is_foreground = o.logs_to_stderr = true;
	*ret = o;
	return 0;
}
