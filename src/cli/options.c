/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdint.h>

#include "base/slice.h"
#include "cli/words.h"
#include "proto/report.h"

/* clang-format off */
static const struct option_row {
	struct option option;
	unsigned bit; /* 0: every command takes it */
	const char *usage, *help;
} OPTIONS[] = {
	{ { "json",         no_argument,       NULL, 'j' }, OPTION_JSON,         "--json",            "print the reply's data as JSON" },
	{ { "socket",       required_argument, NULL, 's' }, 0,                   "-s, --socket PATH", "where the daemon listens; default " OPTIONS_DEFAULT_SOCKET },
	{ { "verbose",      no_argument,       NULL, 'v' }, OPTION_VERBOSE,      "-v, --verbose",     "with sources and events: explain each" },
	{ { "lines",        required_argument, NULL, 'n' }, OPTION_COUNT,        "-n, --lines N",     "with events: the latest N, at most 256; default 20" },
	{ { "follow",       no_argument,       NULL, 'f' }, OPTION_FOLLOW,       "-f, --follow",      "with events: go on with what happens from now on" },
	{ { "after-resume", no_argument,       NULL, 'a' }, OPTION_AFTER_RESUME, "--after-resume",    "with waitsync: by a reading that began after this call" },
	{ { "timeout",      required_argument, NULL, 't' }, OPTION_TIMEOUT,      "--timeout SECONDS", "with waitsync and sync: give up then" },
	{ { "reason",       required_argument, NULL, 'r' }, OPTION_REASON,       "--reason WORD",     "with nudge: pause, restore, migration, host-step, resume" },
	{ { "exec",         required_argument, NULL, 'x' }, OPTION_EXEC,         "--exec DIR",        "with events -f: run DIR/on-disruption.d and DIR/on-repair.d" },
	{ { "exec-timeout", required_argument, NULL, 'X' }, OPTION_EXEC_TIMEOUT, "--exec-timeout S",  "with --exec: end a program after S seconds; default 30" },
	{ { "host",         no_argument,       NULL, 'H' }, OPTION_HOST,         "--host",            "with check, fix: by the rules for a host, whatever this is" },
	{ { "guest",        no_argument,       NULL, 'G' }, OPTION_GUEST,        "--guest",           "with check, fix: by the rules for a guest" },
	{ { "root",         required_argument, NULL, 'R' }, OPTION_ROOT,         "--root DIR",        "with check, fix, undo: the machine whose files are below DIR" },
	{ { "explain",      required_argument, NULL, 'e' }, OPTION_EXPLAIN,      "--explain ID",      "with check: all about one finding" },
	{ { "wait",         required_argument, NULL, 'w' }, OPTION_WAIT,         "--wait SECONDS",    "with check: watch for stolen time that long" },
	{ { "all",          no_argument,       NULL, 'A' }, OPTION_ALL,          "--all",             "with sync: every guest" },
	{ { "dry-run",      no_argument,       NULL, 'D' }, OPTION_DRY_RUN,      "--dry-run",         "with fix and undo: only show what would be done" },
	{ { "yes",          no_argument,       NULL, 'y' }, OPTION_YES,          "--yes",             "with fix: do it without asking" },
	{ { "prefer",       required_argument, NULL, 'p' }, OPTION_PREFER,       "--prefer DAEMON",   "with fix: chrony or vmtimed follows the host's clock" },
	{ { "list",         no_argument,       NULL, 'l' }, OPTION_LIST,         "--list",            "with undo: what could be taken back" },
	{ { "watch",        no_argument,       NULL, 'W' }, OPTION_WATCH,        "--watch",           "with guests: live; q ends it" },
	{ { "help",         no_argument,       NULL, 'h' }, 0,                   "-h, --help",        "print this text" },
	{ { "version",      no_argument,       NULL, 'V' }, 0,                   "-V, --version",     "print the version" },
};
/* clang-format on */

void options_print_help(void)
{
	printf("\nOptions:\n");
	for (size_t i = 0; i < COUNT(OPTIONS); i++)
		printf("  %-18s %s\n", OPTIONS[i].usage, OPTIONS[i].help);
	printf("\nExit status: 0 shown, 1 no answer or nowhere to write it, 2 wrong command line.\n"
	       "Of check: 0 fine, 1 warnings, 2 broken, 3 could not look.\n"
	       "Of fix and undo: 0 done, 1 not done, or not all of it.\n");
}

int options_usage_error(const char *what, const char *word)
{
	char safe[WORDS_SAFE_MAX];

	fprintf(stderr, "vmtime: %s '%s'; `vmtime --help` lists what there is\n", what,
	        words_safe(word, safe, sizeof safe));
	return EXIT_USAGE;
}

bool options_read_seconds(const char *word, vt_span *ret)
{
	int64_t ns;

	if (!slice_to_scaled(slice_of(word), 9, &ns) || ns < 0)
		return false;
	*ret = (vt_span){ ns };
	return true;
}

static bool read_count(const char *word, unsigned *ret)
{
	int64_t n;

	if (!slice_to_int(slice_of(word), &n) || n < 1 || n > REPORT_EVENTS_MAX)
		return false;
	*ret = (unsigned)n;
	return true;
}

/* 0, or EXIT_USAGE after a sentence. */
static int take(struct options *options, int letter, const char *value)
{
	for (size_t i = 0; i < COUNT(OPTIONS); i++)
		if (OPTIONS[i].option.val == letter)
			options->given |= OPTIONS[i].bit;
	switch (letter) {
	case 's': options->socket = value; return 0;
	case 'r': options->reason = value; return 0;
	case 'h': options->wants_help = true; return 0;
	case 'V': options->wants_version = true; return 0;
	case 'n':
		return read_count(value, &options->count)
		       ? 0 : options_usage_error("-n takes a number from 1 to 256, not", value);
	case 't':
		return options_read_seconds(value, &options->timeout)
		       ? 0 : options_usage_error("--timeout takes seconds, not", value);
	case 'x': options->exec = value; return 0;
	case 'p': options->prefer = value; return 0;
	case 'X':
		return options_read_seconds(value, &options->exec_timeout) && options->exec_timeout.ns > 0
		       ? 0 : options_usage_error("--exec-timeout takes seconds, more than 0, not", value);
	case 'R': options->root = value; return 0;
	case 'e': options->explain = value; return 0;
	case 'w':
		return options_read_seconds(value, &options->wait) && options->wait.ns > 0
		       ? 0 : options_usage_error("--wait takes seconds, more than 0, not", value);
	default: return 0;
	}
}

static int refuse(int c, char *const *argv)
{
	if (c == ':')
		return options_usage_error("a value is missing for the option", argv[optind - 1]);
	/* A letter in the middle of "-xyz" is known only by itself. */
	if (optopt > 0 && optopt < 128 && argv[optind - 1][1] != '-')
		return options_usage_error("unknown option", (char[]){ '-', (char)optopt, '\0' });
	return options_usage_error("unknown option", argv[optind - 1]);
}

int options_parse(int argc, char **argv, struct options *ret)
{
	struct option long_options[COUNT(OPTIONS) + 1] = { 0 };
	int c, r = 0;

	for (size_t i = 0; i < COUNT(OPTIONS); i++)
		long_options[i] = OPTIONS[i].option;
	opterr = 0;
	while (r == 0 && (c = getopt_long(argc, argv, ":s:vn:fhV", long_options, NULL)) != -1)
		r = c == ':' || c == '?' ? refuse(c, argv) : take(ret, c, optarg);
	ret->words = argv + optind;
	return r;
}

bool options_fit(const struct options *options, const char *command, unsigned taken)
{
	char what[64];

	for (size_t i = 0; i < COUNT(OPTIONS); i++) {
		const struct option *o = &OPTIONS[i].option;

		if (!(options->given & OPTIONS[i].bit & ~taken))
			continue;
		if (o->val == 'v' || o->val == 'n')
			snprintf(what, sizeof what, "there is no -%c for", o->val);
		else
			snprintf(what, sizeof what, "there is no --%s for", o->name);
		(void)options_usage_error(what, command);
		return false;
	}
	return true;
}
