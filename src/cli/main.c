/* SPDX-License-Identifier: Apache-2.0 */

/*
 * vmtime - asks vmtimed how the clock is doing, and shows the answer
 *
 * Exit status: 0 the answer was shown, 1 there was none or it could not be
 * written, 2 the command line is wrong.
 */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "cli/ask.h"
#include "cli/status.h"
#include "cli/table.h"
#include "cli/watch/watch.h"
#include "cli/words.h"
#include "os/descriptors.h"
#include "proto/control.h"

#define DEFAULT_SOCKET "/run/vmtime/vmtimed.sock"

enum { EXIT_SHOWN = 0, EXIT_NO_ANSWER = 1, EXIT_USAGE = 2 };

struct options {
	const char *socket;
	bool is_verbose;
	bool is_json;
	bool wants_help;
	bool wants_version;
};

static void show_status(const struct report_status *report, const struct options *options)
{
	const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
	bool is_plain = (no_colour && no_colour[0]) || (terminal && strcmp(terminal, "dumb") == 0);

	(void)options;
	status_print(stdout, report, !is_plain && isatty(STDOUT_FILENO));
}

static void show_sources(const struct report_status *report, const struct options *options)
{
	table_sources(stdout, &report->sources, options->is_verbose);
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
	bool takes_verbose;
	void (*show)(const struct report_status *report, const struct options *options);
	const char *usage, *help;
	int (*run)(const struct options *options); /* it asks by itself; then the rest is not used */
} COMMANDS[] = {
	{ "status",      CONTROL_STATUS,      false, show_status,      "status",
	  "is the clock right, how right, according to whom (the default)", NULL },
	{ "sources",     CONTROL_SOURCES,     true,  show_sources,     "sources [-v]",
	  "the table of sources; -v explains it and each source", NULL     },
	{ "sourcestats", CONTROL_SOURCESTATS, false, show_sourcestats, "sourcestats",
	  "what the readings of each source say about its rate", NULL      },
	{ "tracking",    CONTROL_TRACKING,    false, show_tracking,    "tracking",
	  "how the system clock follows its source", NULL                  },
	{ .name = "watch", .run = run_watch, .usage = "watch",
	  .help = "all of it, live: the error as a line over time; q ends it"      },
};

static const struct option_row {
	struct option option;
	const char *usage, *help;
} OPTIONS[] = {
	{ { "json",    no_argument,       NULL, 'j' }, "--json",            "print the reply's data as JSON" },
	{ { "socket",  required_argument, NULL, 's' }, "-s, --socket PATH", "where vmtimed listens; default " DEFAULT_SOCKET },
	{ { "verbose", no_argument,       NULL, 'v' }, "-v, --verbose",     "with sources: explain them" },
	{ { "help",    no_argument,       NULL, 'h' }, "-h, --help",        "print this text" },
	{ { "version", no_argument,       NULL, 'V' }, "-V, --version",     "print the version" },
};
/* clang-format on */

static void print_help(void)
{
	printf("Usage: vmtime [COMMAND] [OPTION]...\n\n"
	       "Asks vmtimed how this machine's clock is doing.\n\nCommands:\n");
	for (size_t i = 0; i < COUNT(COMMANDS); i++)
		printf("  %-18s %s\n", COMMANDS[i].usage, COMMANDS[i].help);
	printf("\nOptions:\n");
	for (size_t i = 0; i < COUNT(OPTIONS); i++)
		printf("  %-18s %s\n", OPTIONS[i].usage, OPTIONS[i].help);
	printf("\nExit status: 0 shown, 1 no answer or nowhere to write it, 2 wrong command line.\n");
}

static int usage_error(const char *what, const char *word)
{
	char safe[WORDS_SAFE_MAX];

	fprintf(stderr, "vmtime: %s '%s'; `vmtime --help` lists what there is\n", what,
	        words_safe(word, safe, sizeof safe));
	return EXIT_USAGE;
}

/* 0, or EXIT_USAGE after a sentence.  Commands and options may come in any order. */
static int parse_options(int argc, char **argv, struct options *ret)
{
	struct option long_options[COUNT(OPTIONS) + 1] = { 0 };
	int c;

	for (size_t i = 0; i < COUNT(OPTIONS); i++)
		long_options[i] = OPTIONS[i].option;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":s:vhV", long_options, NULL)) != -1)
		switch (c) {
		case 'j': ret->is_json = true; break;
		case 's': ret->socket = optarg; break;
		case 'v': ret->is_verbose = true; break;
		case 'h': ret->wants_help = true; break;
		case 'V': ret->wants_version = true; break;
		case ':': return usage_error("a value is missing for the option", argv[optind - 1]);
		default:
			/* A letter in the middle of "-xyz" is known only by itself. */
			if (optopt > 0 && optopt < 128 && argv[optind - 1][1] != '-')
				return usage_error("unknown option",
				                   (char[]){ '-', (char)optopt, '\0' });
			return usage_error("unknown option", argv[optind - 1]);
		}
	return 0;
}

/* 0, or EXIT_USAGE after a sentence. */
static int find_command(char *const *words, const struct options *options,
                        const struct command **ret)
{
	const struct command *found = words[0] ? NULL : &COMMANDS[0];

	for (size_t i = 0; words[0] && i < COUNT(COMMANDS); i++)
		if (strcmp(words[0], COMMANDS[i].name) == 0)
			found = &COMMANDS[i];
	if (!found)
		return usage_error("unknown command", words[0]);
	if (words[0] && words[1])
		return usage_error("one command at a time, not also", words[1]);
	if (options->is_verbose && !found->takes_verbose)
		return usage_error("there is no -v for", found->name);
	if (options->is_json && found->run)
		return usage_error("there is no --json for", found->name);
	*ret = found;
	return 0;
}

/* Everything written so far has arrived, or EXIT_NO_ANSWER. */
static int finish_output(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout) && fclose(stdout) == 0)
		return EXIT_SHOWN;
	/* Whoever closed the pipe knows that he did. */
	if (errno != EPIPE)
		fprintf(stderr, "vmtime: cannot write the answer: %s\n",
		        errno ? strerror(errno) : "output error");
	return EXIT_NO_ANSWER;
}

static int complain(const char *sentence)
{
	fprintf(stderr, "vmtime: %s\n", sentence);
	return EXIT_NO_ANSWER;
}

/* Shows the reply in @line; 0 or EXIT_NO_ANSWER after a sentence. */
static int show(const struct command *command, const struct options *options, const char *line,
                size_t length)
{
	struct report_status report = { .state = REPORT_STARTING };
	char sentence[ASK_SENTENCE_MAX], *json = NULL;
	struct control_error error;
	enum control_outcome outcome;

	if (options->is_json)
		outcome = control_pretty(line, length, command->request, &json, &error);
	else
		outcome = control_decode_reply(line, length, command->request, &report, &error);
	if (outcome != CONTROL_ANSWERED) {
		ask_explain(outcome, options->socket, &error, sentence);
		return complain(sentence);
	}
	if (json)
		fputs(json, stdout);
	else
		command->show(&report, options);
	free(json);
	return finish_output();
}

int main(int argc, char **argv)
{
	struct options options = { .socket = DEFAULT_SOCKET };
	char sentence[ASK_SENTENCE_MAX], *line;
	const struct command *command = NULL;
	size_t length;
	int r;

	if (descriptors_fill() < 0)
		return EXIT_NO_ANSWER;
	/* A closed pipe is an output error as any other, not a death without an exit status. */
	signal(SIGPIPE, SIG_IGN);

	r = parse_options(argc, argv, &options);
	if (r)
		return r;
	if (options.wants_help || options.wants_version) {
		if (options.wants_help)
			print_help();
		else
			printf("vmtime %s\n", VMTIME_VERSION);
		return finish_output();
	}
	r = find_command(argv + optind, &options, &command);
	if (r)
		return r;
	if (command->run)
		return command->run(&options);
	if (ask_line(options.socket, command->request, &line, &length, sentence))
		return complain(sentence);
	r = show(command, &options, line, length);
	free(line);
	return r;
}
