/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_CHECK_JSON_H
#define PROTO_CHECK_JSON_H

/*
 * check_json.h - what `vmtime check --json` prints
 *
 * One object: "version" 1, "machine", "worst" (null, "note", "warning" or "broken"), "findings",
 * worst first, and "not_looked_at".  All strings are borrowed and printable ASCII.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct check_finding {
	const char *id, *severity, *evidence, *reason, *remedy;
	const char *subject, *advice; /* "" becomes null */
};

struct check_unread {
	const char *what, *why;
	bool needs_root;
};

struct check_report {
	const char *name, *id, *release, *kernel, *hypervisor; /* "" becomes null */
	bool is_guest, is_host, is_container;
	const char *worst; /* NULL: nothing was found */
	const struct check_finding *findings;
	size_t n_findings;
	const struct check_unread *unread;
	size_t n_unread;
};

/* The text, with its last newline, to be freed by the caller; NULL where memory is short. */
char *check_json(const struct check_report *report) must_check;

#endif
