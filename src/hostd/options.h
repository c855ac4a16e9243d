/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOSTD_OPTIONS_H
#define HOSTD_OPTIONS_H

/*
 * options.h - vmtime-hostd's command line: vmtimed's, as far as it makes sense
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/log.h"
#include "base/units.h"

enum options_mode {
	OPTIONS_RUN,
	OPTIONS_PRINT_CONF, /* -p               */
	OPTIONS_REFERENCE,  /* --conf-reference */
	OPTIONS_VERSION,
	OPTIONS_HELP,
};

struct options {
	enum options_mode mode;
	const char *file;              /* NULL: the default one, where it exists      */
	bool is_foreground;            /* -d, -n, and all modes but RUN               */
	bool logs_to_stderr;           /* -d, likewise                                */
	bool is_timed;
	vt_span timeout;               /* -t                                          */
	bool has_level;
	enum log_level log_level;      /* -L; else as configured                      */
	const char *const *directives; /* borrowed from argv                          */
	size_t n_directives;
};

/* 0, or -EINVAL with one sentence in *@reterr (a constant or @text). */
int options_parse(int argc, char *const *argv, struct options *ret, char *text, size_t size,
		  const char **reterr) must_check;

/* What --help prints. */
extern const char OPTIONS_HELP_TEXT[];

#endif
