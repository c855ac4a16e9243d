/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

/*
 * options.h - the command line of vmtime, without its commands
 *
 * Commands and options may come in any order.  Which command takes which option
 * is a bit mask of the command's.
 */

#include <stdbool.h>

#include "base/attr.h"
#include "base/units.h"

#define OPTIONS_DEFAULT_SOCKET "/run/vmtime/vmtimed.sock"

enum { EXIT_SHOWN = 0, EXIT_NO_ANSWER = 1, EXIT_USAGE = 2 };

enum option_bit {
	OPTION_VERBOSE      = 1 << 0,
	OPTION_JSON         = 1 << 1,
	OPTION_COUNT        = 1 << 2,
	OPTION_FOLLOW       = 1 << 3,
	OPTION_AFTER_RESUME = 1 << 4,
	OPTION_TIMEOUT      = 1 << 5,
	OPTION_REASON       = 1 << 6,
	OPTION_EXEC         = 1 << 7,
	OPTION_EXEC_TIMEOUT = 1 << 8,
	OPTION_HOST         = 1 << 9,
	OPTION_GUEST        = 1 << 10,
	OPTION_ROOT         = 1 << 11,
	OPTION_EXPLAIN      = 1 << 12,
	OPTION_WAIT         = 1 << 13,
	OPTION_DRY_RUN      = 1 << 14,
	OPTION_YES          = 1 << 15,
	OPTION_PREFER       = 1 << 16,
	OPTION_LIST         = 1 << 17,
	OPTION_ALL          = 1 << 20,
	OPTION_WATCH        = 1 << 21,
};

struct options {
	const char *socket;   /* NULL: as the command says */
	unsigned given;       /* of enum option_bit */
	unsigned count;       /* -n                 */
	vt_span timeout;
	const char *reason;   /* as written         */
	const char *exec;     /* a folder           */
	vt_span exec_timeout;
	const char *root;     /* a folder           */
	const char *explain;  /* a finding's id     */
	vt_span wait;
	const char *prefer;   /* as written         */
	bool wants_help;
	bool wants_version;
	char *const *words;   /* the command and its arguments; NULL ends them */
};

/* 0, or EXIT_USAGE after a sentence on standard error. */
int options_parse(int argc, char **argv, struct options *ret) must_check;

/* False, after a sentence, where an option was given that is not among @taken of @command. */
bool options_fit(const struct options *options, const char *command, unsigned taken) must_check;

/* "vmtime: @what '@word'; ..." on standard error; returns EXIT_USAGE. */
int options_usage_error(const char *what, const char *word);

void options_print_help(void);

/* Seconds as people write them, "10" or "0.5": false for anything else, and for negative ones. */
bool options_read_seconds(const char *word, vt_span *ret) must_check;

#endif
