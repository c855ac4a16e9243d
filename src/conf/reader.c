/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static void place_at(const struct conf_reader *r, const char *at, struct conf_place *place)
{
	const char *file = r->depth ? r->open_files[r->depth - 1] : "";

	*place = (struct conf_place){ .line = r->line };
	snprintf(place->file, sizeof place->file, "%s", file);
	if (at && r->line)
		place->column = (unsigned)(at - r->line_start) + 1;
}

/* The first error stays; those that follow from it are dropped.  @at: the word meant, or NULL. */
printf_like(3, 0) static int refuse_v(struct conf_reader *r, const char *at, const char *format,
				      va_list args)
{
	if (r->has_failed)
		return -EINVAL;
	r->has_failed = true;
	place_at(r, at, &r->error->place);
	vsnprintf(r->error->text, sizeof r->error->text, format, args);
	return -EINVAL;
}

int conf_refuse_at(struct conf_reader *r, const char *at, const char *format, ...)
{
	va_list args;
	int err;

	va_start(args, format);
	err = refuse_v(r, at, format, args);
	va_end(args);
	return err;
}

int conf_refuse(struct conf_reader *r, const char *format, ...)
{
	va_list args;
	int err;

	va_start(args, format);
	err = refuse_v(r, NULL, format, args);
	va_end(args);
	return err;
}

static bool is_noted(const struct conf_notes *notes, const char *text)
{
	for (unsigned i = 0; i < notes->n; i++)
		if (strcmp(notes->list[i].text, text) == 0)
			return true;
	return false;
}

static void add_note(struct conf_notes *notes, const struct conf_note *note)
{
	if (is_noted(notes, note->text))
		return;
	if (notes->n == CONF_NOTES_MAX)
		notes->n_lost++;
	else
		notes->list[notes->n++] = *note;
}

void conf_where(const struct conf_reader *r, struct conf_place *ret)
{
	place_at(r, NULL, ret);
}

void conf_warn(struct conf_reader *r, const char *format, ...)
{
	struct conf_note note;
	va_list args;

	va_start(args, format);
	vsnprintf(note.text, sizeof note.text, format, args);
	va_end(args);
	place_at(r, NULL, &note.place);
	add_note(r->notes, &note);
}

void conf_forgive(struct conf_reader *r)
{
	struct conf_note note = { .place = r->error->place };

	snprintf(note.text, sizeof note.text, "left out: %.200s", r->error->text);
	add_note(r->notes, &note);
	r->has_failed = false;
}

const char *conf_quoted(struct slice s, char *to)
{
	return s.n ? log_quote(s.p, s.n, to, CONF_QUOTE_MAX) : "the end of the line";
}

const struct conf_row *conf_row_at(const struct conf_table *table, size_t i)
{
	for (; table; table = table->next) {
		if (i < table->n)
			return &table->rows[i];
		i -= table->n;
	}
	return NULL;
}

static const struct conf_row *find_row(const struct conf_table *table, struct slice name)
{
	const struct conf_row *row;

	for (size_t i = 0; (row = conf_row_at(table, i)); i++)
		if (slice_equals_nocase(name, row->name))
			return row;
	return NULL;
}

/* @owner is the directive that @row is an option of, or NULL. */
static int read_value(struct conf_reader *r, const char *owner, const struct conf_row *row,
		      const struct conf_value *value, struct slice word, void *target)
{
	char quote[CONF_QUOTE_MAX], expected[160];

	if (conf_value_read(value, word, target))
		return 0;
	conf_value_expected(value, expected, sizeof expected);
	return conf_refuse_at(r, word.p, "%s%s%s: expected %s%s%s, got %s", owner ? owner : "",
			      owner ? " " : "", row->name, value->name ? value->name : "",
			      value->name ? ", " : "", expected, conf_quoted(word, quote));
}

static int read_values(struct conf_reader *r, const char *owner, const struct conf_row *row,
		       struct slice *rest, void *target)
{
	int err = 0;

	for (const struct conf_value *v = row->values; v->kind != CONF_NONE && !err; v++)
		err = read_value(r, owner, row, v, slice_word(rest), target);
	if (!err && row->given)
		*(bool *)((char *)target + (row->given - 1)) = true;
	return err;
}

/* The words that may be many, or none. */
static int read_rest(struct conf_reader *r, const struct conf_row *row, struct slice *rest,
		     void *target)
{
	int err = 0;

	for (unsigned n = 0; !err && (!row->rest_max || n < row->rest_max); n++) {
		struct slice word = slice_word(rest);

		if (!word.n && n >= row->rest_min)
			return 0;
		err = read_value(r, NULL, row, row->rest, word, target);
	}
	return err;
}

static int read_options(struct conf_reader *r, const struct conf_row *owner, struct slice *rest,
			void *target)
{
	char quote[CONF_QUOTE_MAX];
	int err = 0;

	while (!err) {
		struct slice word = slice_word(rest);
		const struct conf_row *row = find_row(owner->options, word);

		if (!word.n)
			return 0;
		if (!row)
			return conf_refuse_at(r, word.p, "%s: expected the name of an option, got %s",
					      owner->name, conf_quoted(word, quote));
		err = read_values(r, owner->name, row, rest, target);
		if (!err && row->act == CONF_IGNORE)
			conf_warn(r, "%s %s: %s; it is ignored", owner->name, row->name, row->help);
	}
	return err;
}

static int read_directive(struct conf_reader *r, const struct conf_row *row, struct slice rest)
{
	void *target = row->open ? row->open(r->target) : r->target;
	char quote[CONF_QUOTE_MAX];
	struct slice word;
	int err;

	if (row->words)
		return row->words(row, target, slice_trim(rest), r);
	err = read_values(r, NULL, row, &rest, target);
	if (!err && row->options)
		err = read_options(r, row, &rest, target);
	if (!err && row->rest)
		err = read_rest(r, row, &rest, target);
	if (err)
		return err;
	word = slice_word(&rest);
	if (word.n)
		return conf_refuse_at(r, word.p, "%s: expected the end of the line, got %s",
				      row->name, conf_quoted(word, quote));
	return row->close ? row->close(r->target, r) : 0;
}

static int read_lines(struct conf_reader *r, unsigned first_line, struct slice text);

int conf_read_named(struct conf_reader *r, const char *name, unsigned first_line,
		      struct slice text)
{
	unsigned line = r->line;
	const char *line_start = r->line_start;
	int err;

	r->open_files[r->depth++] = name;
	err = read_lines(r, first_line, text);
	r->depth--;
	r->line = line;
	r->line_start = line_start;
	return err;
}

/* Without effect is no licence: what chrony would refuse is refused. */
static int read_ignored(struct conf_reader *r, const struct conf_row *row, struct slice rest)
{
	int err = read_directive(r, row, rest);

	if (!err)
		conf_warn(r, "%s: %s; it is ignored", row->name, row->help);
	return err;
}

static int read_row(struct conf_reader *r, const struct conf_row *row, struct slice rest)
{
	switch (row->act) {
	case CONF_SET: return read_directive(r, row, rest);
	case CONF_IGNORE: return read_ignored(r, row, rest);
	case CONF_INCLUDE: return conf_read_include(r, row, rest);
	case CONF_CONFDIR:
	case CONF_SOURCEDIR: return conf_read_folders(r, row, rest);
	}
	return -EINVAL;
}

/* A configuration is text: nothing below a blank but what separates words. */
static const char *find_control(struct slice line)
{
	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if (c == 0x7f || (c < ' ' && !(c >= '\t' && c <= '\r')))
			return line.p + i;
	}
	return NULL;
}

static bool is_comment(struct slice name)
{
	return name.n && memchr("#!;%", name.p[0], 4);
}

static int read_line(struct conf_reader *r, struct slice line)
{
	struct slice rest = slice_trim(line);
	struct slice name = slice_word(&rest);
	const struct conf_row *row;
	char quote[CONF_QUOTE_MAX];
	const char *bad;

	if (line.n > CONF_LINE_MAX)
		return conf_refuse(r, "expected a line of at most %d bytes, got %zu", CONF_LINE_MAX,
				   line.n);
	bad = is_comment(name) ? memchr(line.p, '\0', line.n) : find_control(line);
	if (bad)
		return conf_refuse_at(r, bad, "expected text, got the byte %s",
				 log_quote(bad, 1, quote, sizeof quote));
	if (!name.n || is_comment(name))
		return 0;
	row = find_row(r->table, name);
	if (!row && r->is_scan)
		return 0;
	if (!row)
		return conf_refuse_at(r, name.p, "expected a directive, got %s", conf_quoted(name, quote));
	return read_row(r, row, rest);
}

static int read_lines(struct conf_reader *r, unsigned first_line, struct slice text)
{
	int err = 0;

	for (r->line = first_line; text.n && !err; r->line++) {
		struct slice line = slice_cut(&text, '\n');

		r->line_start = line.p;
		err = read_line(r, line);
		if (err && r->is_lenient) {
			conf_forgive(r);
			err = 0;
		}
	}
	return err;
}

int conf_read_file(const struct conf_table *table, void *target, const struct conf_loader *loader,
		   const char *path, struct conf_notes *notes, struct conf_error *reterr)
{
	struct conf_reader r = {
		.table = table, .target = target, .loader = loader, .notes = notes, .error = reterr
	};

	return conf_read_whole(&r, path);
}

int conf_scan_file(const struct conf_table *table, void *target, const struct conf_loader *loader,
		   const char *path, struct conf_notes *notes, struct conf_error *reterr)
{
	struct conf_reader r = {
		.table = table, .target = target, .loader = loader, .notes = notes, .error = reterr,
		.is_scan = true, .is_lenient = true,
	};

	return conf_read_whole(&r, path);
}

int conf_read_text(const struct conf_table *table, void *target, const struct conf_loader *loader,
		   const char *name, unsigned first_line, struct slice text,
		   struct conf_notes *notes, struct conf_error *reterr)
{
	struct conf_reader r = {
		.table = table, .target = target, .loader = loader, .notes = notes, .error = reterr
	};

	return conf_read_named(&r, name, first_line, text);
}
