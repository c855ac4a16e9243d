/* SPDX-License-Identifier: Apache-2.0 */

/*
 * vmtime - asks vmtimed, or on a host vmtime-hostd, how clocks are doing, and shows the answer
 *
 * Exit status: 0 the answer was shown, 1 there was none or it could not be
 * written, 2 the command line is wrong.  check has one of its own (cli/check.h).
 */

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "cli/ask.h"
#include "cli/check.h"
#include "cli/events.h"
#include "cli/fix.h"
#include "cli/guests.h"
#include "cli/nudge.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/waitsync.h"
#include "cli/watch/watch.h"
#include "cli/words.h"
#include "os/descriptors.h"
#include "proto/control.h"
#include "proto/fleet_control.h"

static void show_status(const struct report_status *report, const struct options *options)
{
	const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
	bool is_plain = (no_colour && no_colour[0]) || (terminal && strcmp(terminal, "dumb") == 0);

	(void)options;
	status_print(stdout, report, !is_plain && isatty(STDOUT_FILENO));
}

static void show_sources(const struct report_status *report, const struct options *options)
{
	table_sources(stdout, &report->sources, (options->given & OPTION_VERBOSE) != 0);
}

static void show_sourcestats(const struct report_status *report, const struct options *options)
{
	(void)options;
	table_sourcestats(stdout, &report->sources);
}

static int run_watch(const struct options *options)
{
	return watch_run(options->socket);
}

static void show_tracking(const struct report_status *report, const struct options *options)
{
	(void)options;
	table_tracking(stdout, &report->tracking);
}

/* clang-format off */
static const struct command {
	const char *name;
	enum control_command request;
	unsigned takes;  /* of enum option_bit */
	void (*show)(const struct report_status *report, const struct options *options);
	const char *usage, *help;
	int (*run)(const struct options *options); /* it asks by itself; then the rest is not used */
	bool takes_words;
	const char *socket; /* where it asks; NULL: OPTIONS_DEFAULT_SOCKET */
} COMMANDS[] = {
	{ .name = "status", .request = CONTROL_STATUS, .takes = OPTION_JSON, .show = show_status,
	  .usage = "status",
	  .help = "is the clock right, how right, according to whom (the default)" },
	{ .name = "sources", .request = CONTROL_SOURCES, .takes = OPTION_JSON | OPTION_VERBOSE,
	  .show = show_sources, .usage = "sources [-v]",
	  .help = "the table of sources; -v explains it and each source" },
	{ .name = "sourcestats", .request = CONTROL_SOURCESTATS, .takes = OPTION_JSON,
	  .show = show_sourcestats, .usage = "sourcestats",
	  .help = "what the readings of each source say about its rate" },
	{ .name = "tracking", .request = CONTROL_TRACKING, .takes = OPTION_JSON,
	  .show = show_tracking, .usage = "tracking",
	  .help = "how the system clock follows its source" },
	{ .name = "events", .run = events_run,
	  .takes = OPTION_JSON | OPTION_VERBOSE | OPTION_COUNT | OPTION_FOLLOW | OPTION_EXEC |
	           OPTION_EXEC_TIMEOUT,
	  .usage = "events [-f]", .help = "what happened to the clock; -f: and what happens" },
	{ .name = "waitsync", .run = waitsync_run, .takes = OPTION_AFTER_RESUME | OPTION_TIMEOUT,
	  .takes_words = true, .usage = "waitsync",
	  .help = "[TRIES [CORRECTION [SKEW [INTERVAL]]]]: until the clock is right" },
	{ .name = "nudge", .run = nudge_run, .takes = OPTION_REASON, .usage = "nudge",
	  .help = "have the sources read now, by root: something happened to this machine" },
	{ .name = "check", .run = check_run,
	  .takes = OPTION_JSON | OPTION_HOST | OPTION_GUEST | OPTION_ROOT | OPTION_EXPLAIN |
	           OPTION_WAIT,
	  .usage = "check", .help = "what is wrong with this machine's time; asks no daemon" },
	{ .name = "fix", .run = fix_run, .takes_words = true,
	  .takes = OPTION_DRY_RUN | OPTION_YES | OPTION_PREFER | OPTION_ROOT | OPTION_HOST |
	           OPTION_GUEST,
	  .usage = "fix [ID...]", .help = "shows what mends that, asks, and does it" },
	{ .name = "undo", .run = undo_run, .takes_words = true,
	  .takes = OPTION_DRY_RUN | OPTION_LIST | OPTION_ROOT,
	  .usage = "undo [N]", .help = "takes back what the latest fix did, or run N" },
	{ .name = "watch", .run = run_watch, .usage = "watch",
	  .help = "all of it, live: the error as a line over time; q ends it" },
	{ .name = "guests", .run = guests_run, .takes = OPTION_JSON | OPTION_WATCH,
	  .socket = FLEET_CONTROL_SOCKET, .usage = "guests",
	  .help = "on a host: its guests' clocks, the worst first" },
	{ .name = "sync", .run = sync_run, .takes = OPTION_ALL | OPTION_TIMEOUT, .takes_words = true,
	  .socket = FLEET_CONTROL_SOCKET, .usage = "sync [GUEST...]",
	  .help = "on a host, by root: have guests' clocks put right now; --all: of all" },
};
/* clang-format on */

static void print_help(void)
{
	printf("Usage: vmtime [COMMAND] [OPTION]...\n\n"
	       "Asks vmtimed how this machine's clock is doing.\n\nCommands:\n");
	for (size_t i = 0; i < COUNT(COMMANDS); i++)
		printf("  %-18s %s\n", COMMANDS[i].usage, COMMANDS[i].help);
	options_print_help();
}

/* 0, or EXIT_USAGE after a sentence. */
static int find_command(const struct options *options, const struct command **ret)
{
	char *const *words = options->words;
	const struct command *found = words[0] ? NULL : &COMMANDS[0];

	for (size_t i = 0; words[0] && i < COUNT(COMMANDS); i++)
		if (strcmp(words[0], COMMANDS[i].name) == 0)
			found = &COMMANDS[i];
	if (!found)
		return options_usage_error("unknown command", words[0]);
	if (words[0] && words[1] && !found->takes_words)
		return options_usage_error("one command at a time, not also", words[1]);
	if (!options_fit(options, found->name, found->takes))
		return EXIT_USAGE;
	*ret = found;
	return 0;
}

/* Shows the reply in @line; 0 or EXIT_NO_ANSWER after a sentence. */
static int show(const struct command *command, const struct options *options, const char *line,
                size_t length)
{
	struct report_status report = { .state = REPORT_STARTING };
	struct control_error error;
	char *json = NULL;
	enum control_outcome outcome;

	if (options->given & OPTION_JSON)
		outcome = control_pretty(line, length, command->request, &json, &error);
	else
		outcome = control_decode_reply(line, length, command->request, &report, &error);
	if (outcome != CONTROL_ANSWERED)
		return output_refusal(outcome, options->socket, &error);
	if (json)
		fputs(json, stdout);
	else
		command->show(&report, options);
	free(json);
	return output_finish();
}

static int ask_and_show(const struct command *command, const struct options *options)
{
	const struct control_request request = { .command = command->request };
	char sentence[ASK_SENTENCE_MAX], *line;
	size_t length;
	int r;

	if (ask_line(options->socket, &request, &line, &length, sentence))
		return output_complain(sentence);
	r = show(command, options, line, length);
	free(line);
	return r;
}

/* To who asked for a check 2 would say that the clock is broken. */
static int usage_status(char *const *argv)
{
	for (; *argv; argv++)
		if (strcmp(*argv, "check") == 0)
			return CHECK_BLIND;
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct options options = { .socket = NULL };
	const struct command *command = NULL;
	int r;

	if (descriptors_fill() < 0)
		return EXIT_NO_ANSWER;
	/* A closed pipe is an output error as any other, not a death without an exit status. */
	signal(SIGPIPE, SIG_IGN);

	r = options_parse(argc, argv, &options);
	if (r)
		return usage_status(argv);
	if (options.wants_help || options.wants_version) {
		if (options.wants_help)
			print_help();
		else
			printf("vmtime %s\n", VMTIME_VERSION);
		return output_finish();
	}
	r = find_command(&options, &command);
	if (r)
		return usage_status(argv);
	if (!options.socket)
		options.socket = command->socket ? command->socket : OPTIONS_DEFAULT_SOCKET;
	return command->run ? command->run(&options) : ask_and_show(command, &options);
}
