/* SPDX-License-Identifier: Apache-2.0 */

/* edit_shell.c - the changes of edit.h in files of shell variables */

#include <stdio.h>
#include <string.h>

#include "audit/augeas_edit.h"
#include "audit/edit.h"
#include "audit/kernel_words.h"
#include "audit/shell_file.h"

#define LENS     "Shellvars.lns"
#define LINE_MAX_HERE 4096

/* What a text says about a variable, and where. */
struct variable {
	struct shell_assignment last;
	unsigned n;              /* assignments to it, outside of anything else */
	bool is_plain;
	char value[LINE_MAX_HERE];
};

static enum edit_end refuse(struct edit_reason *why, const char *text)
{
	snprintf(why->text, sizeof why->text, "%s", text);
	return EDIT_REFUSED;
}

static bool look(struct slice text, const char *name, struct variable *ret)
{
	struct shell_file file = { text, 0, 1 };
	struct shell_assignment a;

	*ret = (struct variable){ .is_plain = true };
	while (shell_file_next(&file, &a)) {
		if (!slice_equals(a.name, name))
			continue;
		ret->last = a;
		ret->n++;
	}
	shell_file_value(text, name, ret->value, sizeof ret->value, &ret->is_plain);
	return ret->n > 0;
}

/* May a line stand behind it?  Not within a quote, and not behind a line that goes on. */
static bool is_complete(struct slice text)
{
	struct shell_file file = { text, 0, 1 };
	struct shell_assignment a;

	while (shell_file_next(&file, &a))
		if (a.is_unterminated)
			return false;
	while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	return !text.n || text.p[text.n - 1] != '\\';
}

static const char *complain(struct slice text)
{
	if (text.n && memchr(text.p, '\0', text.n))
		return "it is no text";
	if (text.n && memchr(text.p, '\r', text.n))
		return "its lines end in CR LF, and a shell takes the CR for a part of the values";
	return is_complete(text) ? NULL : "a quote in it is not closed, or its last line goes on";
}

static bool says(struct slice text, const char *name, const char *value)
{
	char there[LINE_MAX_HERE];

	shell_file_value(text, name, there, sizeof there, NULL);
	return strcmp(there, value) == 0;
}

static size_t count_lines(struct slice raw)
{
	size_t n = 1;

	for (size_t i = 0; i < raw.n; i++)
		n += raw.p[i] == '\n';
	return n;
}

/* By Augeas: the last assignment, or a new one at the end.  Proven by reading it again. */
static bool assign_by_augeas(struct slice before, const struct variable *v, const char *name,
			     const char *raw, const char *value, struct text *after,
			     struct edit_reason *why)
{
	char path[128];
	struct augeas_change change = { path, raw };
	size_t from = after->n;

	if (v->n && (v->last.is_append || v->last.is_exported)) {
		snprintf(why->text, sizeof why->text, "it is assigned in a way that is left alone");
		return false;
	}
	snprintf(path, sizeof path, v->n ? "%s[last()]" : "%s", name);
	if (augeas_edit(LENS, before, &change, 1, v->n ? count_lines(v->last.raw) : 1, after,
	                why->text, sizeof why->text) != AUGEAS_EDITED)
		return false;
	if (says((struct slice){ after->p + from, after->n - from }, name, value))
		return true;
	after->n = from;
	snprintf(why->text, sizeof why->text, "what Augeas made of it is read otherwise");
	return false;
}

/* A line of its own, which counts more than all before it. */
static enum edit_end append(struct slice before, const char *name, const char *raw,
			    const char *value, struct text *after, struct edit_reason *why)
{
	size_t from = after->n;

	text_add(after, before);
	text_addf(after, "%s%s=%s\n", before.n && before.p[before.n - 1] != '\n' ? "\n" : "", name, raw);
	if (!after->has_failed &&
	    says((struct slice){ after->p + from, after->n - from }, name, value))
		return EDIT_APPENDED;
	after->n = after->has_failed ? 0 : from;
	return refuse(why, "a line at its end would not be read as one");
}

static enum edit_end assign(struct slice before, const struct variable *v, const char *name,
			    const char *raw, const char *value, struct text *after,
			    struct edit_reason *why)
{
	if (v->is_plain &&
	    assign_by_augeas(before, v, name, raw, value, after, why))
		return EDIT_DONE;
	return append(before, name, raw, value, after, why);
}

/* Files of settings have NAME=1 where nothing needs quotes. */
static bool quote_where_needed(const char *value, char *to, size_t size)
{
	static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

	if (value[0] && !value[strspn(value, PLAIN)])
		return snprintf(to, size, "%s", value) < (int)size;
	return shell_quote(value, to, size);
}

enum edit_end edit_shell(struct slice before, const char *name, const char *value,
			 struct text *after, struct edit_reason *why)
{
	const char *complaint = complain(before);
	struct variable v;
	char raw[LINE_MAX_HERE];

	if (complaint)
		return refuse(why, complaint);
	if (look(before, name, &v) && v.is_plain && strcmp(v.value, value) == 0)
		return EDIT_NOTHING;
	if (!quote_where_needed(value, raw, sizeof raw))
		return refuse(why, "the value is too long");
	return assign(before, &v, name, raw, value, after, why);
}

/*
 * The value as it was written, with @argument put before the closing quote: so line ends and quotes
 * within stay.  False where that is not what @value says.
 */
static bool put_in_place(const struct variable *v, const char *argument, const char *value,
			 char *to, size_t size)
{
	struct slice raw = v->last.raw;
	char text[LINE_MAX_HERE + 16];
	char quote = raw.n >= 2 ? raw.p[0] : '\0';

	if ((quote != '"' && quote != '\'') || raw.p[raw.n - 1] != quote)
		return false;
	if (snprintf(to, size, "%.*s%s%s%c", (int)raw.n - 1, raw.p, v->value[0] ? " " : "", argument,
	             quote) >= (int)size)
		return false;
	return snprintf(text, sizeof text, "x=%s\n", to) < (int)sizeof text &&
	       says(slice_of(text), "x", value);
}

/* A value that a shell computes: it is taken up and added to. */
static enum edit_end add_to_computed(struct slice before, const struct variable *v,
				     const char *name, const char *argument, struct text *after,
				     struct edit_reason *why)
{
	char raw[LINE_MAX_HERE], value[LINE_MAX_HERE];

	if (snprintf(raw, sizeof raw, "\"$%s %s\"", name, argument) >= (int)sizeof raw ||
	    snprintf(value, sizeof value, "%s %s", v->value, argument) >= (int)sizeof value)
		return refuse(why, "the value is too long");
	snprintf(why->text, sizeof why->text, "a shell computes the value of %s", name);
	return append(before, name, raw, value, after, why);
}

/* Nothing contradicts it; but a value that is computed is only ever added to. */
static bool is_done(const struct variable *v, const char *argument, bool is_removal)
{
	struct slice line = slice_of(v->value);
	bool has_it = kernel_words_have(line, argument);
	bool has_another = kernel_words_contradict(line, argument);

	if (is_removal)
		return !has_it && !has_another;
	return v->is_plain ? has_it && !has_another : kernel_words_end_in(line, argument);
}

enum edit_end edit_kernel_line(struct slice before, const char *name, const char *argument,
			       bool is_removal, struct text *after, struct edit_reason *why)
{
	const char *complaint = complain(before);
	struct text wanted = { 0 };
	enum edit_end end;
	struct variable v;
	char raw[LINE_MAX_HERE];

	if (complaint)
		return refuse(why, complaint);
	look(before, name, &v);
	if (is_done(&v, argument, is_removal))
		return EDIT_NOTHING;
	if (!kernel_words_are_whole(slice_of(v.value)))
		return refuse(why, "a quote in the kernel's command line is not closed");
	if (!v.is_plain)
		return is_removal ? refuse(why, "a shell computes the value")
		                  : add_to_computed(before, &v, name, argument, after, why);
	(is_removal ? kernel_words_drop : kernel_words_put)(slice_of(v.value), argument, &wanted);
	text_add(&wanted, (struct slice){ "", 0 });
	if (wanted.has_failed)
		return refuse(why, "there is no memory");
	if ((v.n && put_in_place(&v, argument, wanted.p, raw, sizeof raw)) ||
	    shell_quote(wanted.p, raw, sizeof raw))
		end = assign(before, &v, name, raw, wanted.p, after, why);
	else
		end = refuse(why, "the value is too long");
	text_fini(&wanted);
	return end;
}
