/* SPDX-License-Identifier: Apache-2.0 */

/*
 * edit_lines.c - the changes of edit.h in files that are a directive a line
 *
 * chronyd reads its file from the top to the bottom, and a directive that can
 * only be said once counts as it was said last: so an appended line always does
 * what it says.
 */

#include <stdio.h>
#include <string.h>

#include "audit/augeas_edit.h"
#include "audit/edit.h"

#define LENS "Chrony.lns"

/* As chronyd: names in any case, and lines that begin with one of these are comments. */
static bool is_comment(struct slice line)
{
	return !line.n || strchr("#!;%", line.p[0]);
}

/* The words of the last line that begins with @name; false where there is none. */
static bool find_last(struct slice text, const char *name, struct slice *ret_rest)
{
	bool is_found = false;

	while (text.n) {
		struct slice line = slice_trim(slice_cut(&text, '\n'));
		struct slice rest = line, word;

		if (is_comment(line))
			continue;
		word = slice_word(&rest);
		if (!slice_equals_nocase(word, name))
			continue;
		*ret_rest = slice_trim(rest);
		is_found = true;
	}
	return is_found;
}

/* Does the last such line say @rest, word by word? */
static bool says(struct slice text, const char *name, const char *rest)
{
	struct slice there, wanted = slice_of(rest), a, b;

	if (!find_last(text, name, &there))
		return false;
	do {
		a = slice_word(&there);
		b = slice_word(&wanted);
		if (a.n != b.n || (a.n && memcmp(a.p, b.p, a.n) != 0))
			return false;
	} while (a.n);
	return true;
}

static enum edit_end append(struct slice before, const char *line, struct text *after)
{
	const char *gap = before.n && before.p[before.n - 1] != '\n' ? "\n" : "";

	text_add(after, before);
	text_addf(after, "%s%s\n", gap, line);
	return EDIT_APPENDED;
}

enum edit_end edit_line(struct slice before, const char *line, struct text *after)
{
	struct slice rest = before;

	while (rest.n)
		if (slice_equals(slice_trim(slice_cut(&rest, '\n')), line))
			return EDIT_NOTHING;
	(void)append(before, line, after);
	return EDIT_DONE;
}

/* By Augeas, or else by a line at the end. */
static enum edit_end change(struct slice before, const struct augeas_change *changes, size_t n,
			    const char *name, const char *rest, struct text *after,
			    struct edit_reason *why)
{
	size_t from = after->n;
	char line[256];

	if (before.n && memchr(before.p, '\0', before.n)) {
		snprintf(why->text, sizeof why->text, "it is no text");
		return EDIT_REFUSED;
	}
	if (says(before, name, rest))
		return EDIT_NOTHING;
	if (augeas_edit(LENS, before, changes, n, 1, after, why->text, sizeof why->text) ==
	    AUGEAS_EDITED) {
		if (says((struct slice){ after->p + from, after->n - from }, name, rest))
			return EDIT_DONE;
		after->n = from;
		snprintf(why->text, sizeof why->text, "what Augeas made of it is read otherwise");
	}
	snprintf(line, sizeof line, "%s%s%s", name, rest[0] ? " " : "", rest);
	return append(before, line, after);
}

enum edit_end edit_refclock(struct slice before, const char *device, struct text *after,
			    struct edit_reason *why)
{
	const struct augeas_change changes[] = {
		{ "refclock[last()+1]/driver", "PHC" },
		{ "refclock[last()]/parameter", device },
		{ "refclock[last()]/poll", "0" },
		{ "refclock[last()]/dpoll", "-2" },
	};
	char rest[128];

	if (snprintf(rest, sizeof rest, "PHC %s poll 0 dpoll -2", device) >= (int)sizeof rest) {
		snprintf(why->text, sizeof why->text, "the device's name is too long");
		return EDIT_REFUSED;
	}
	return change(before, changes, COUNT(changes), "refclock", rest, after, why);
}

enum edit_end edit_makestep(struct slice before, const char *threshold, const char *limit,
			    struct text *after, struct edit_reason *why)
{
	struct slice there;
	bool is_there = find_last(before, "makestep", &there);
	const struct augeas_change changes[] = {
		{ is_there ? "makestep[last()]/threshold" : "makestep/threshold", threshold },
		{ is_there ? "makestep[last()]/limit" : "makestep/limit", limit },
	};
	char rest[64];

	if (snprintf(rest, sizeof rest, "%s %s", threshold, limit) >= (int)sizeof rest) {
		snprintf(why->text, sizeof why->text, "the numbers are too long");
		return EDIT_REFUSED;
	}
	return change(before, changes, COUNT(changes), "makestep", rest, after, why);
}

enum edit_end edit_rtcsync(struct slice before, struct text *after, struct edit_reason *why)
{
	const struct augeas_change changes[] = { { "rtcsync", NULL } };

	return change(before, changes, COUNT(changes), "rtcsync", "", after, why);
}
