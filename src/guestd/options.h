/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTD_OPTIONS_H
#define GUESTD_OPTIONS_H

/*
 * options.h - vmtimed's command line, which is chronyd's
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/log.h"
#include "base/units.h"

enum options_mode {
	OPTIONS_RUN,
	OPTIONS_SET_ONCE,      /* -q                                              */
	OPTIONS_PRINT_OFFSET,  /* -Q                                              */
	OPTIONS_PRINT_CONF,    /* -p                                              */
	OPTIONS_REFERENCE,     /* --conf-reference                                */
	OPTIONS_RESTORE_CLOCK, /* --restore-clock, for the unit's ExecStopPost    */
	OPTIONS_VERSION,
	OPTIONS_HELP,
};

struct options {
	enum options_mode mode;
	const char *file;          /* NULL: the default one, where it exists */
	const char *user;          /* NULL: as configured */
	bool is_foreground;        /* -d, -n, and all modes but RUN */
	bool logs_to_stderr;       /* -d, likewise */
	bool is_observing;         /* -x, -Q */
	bool sets_from_rtc;        /* -s */
	bool is_timed;
	vt_span timeout;           /* -t */
	enum log_level log_level;  /* -L */
	const char *const *directives; /* borrowed from argv */
	size_t n_directives;
};

/* 0, or -EINVAL with one sentence in *@reterr (a constant or @text). */
int options_parse(int argc, char *const *argv, struct options *ret, char *text, size_t size,
                  const char **reterr) must_check;

/* What --help prints. */
extern const char OPTIONS_HELP_TEXT[];

#endif
