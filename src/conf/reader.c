/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct conf_reader {
	const struct conf_table *table;
	void *target;
	const struct conf_loader *loader;
	struct conf_notes *notes;
	struct conf_error *error;
	bool has_failed;

	unsigned n_files;
	unsigned depth;
	const char *open_files[CONF_DEPTH_MAX]; /* from the outermost to the one being read */

	/* The line being read. */
	unsigned line;
	const char *line_start;
};

/* A sentence has room for this much of a foreign word, quoted. */
#define QUOTE_MAX 80

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

printf_like(3, 4) static int refuse_at(struct conf_reader *r, const char *at, const char *format,
				       ...)
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

void conf_warn(struct conf_reader *r, const char *format, ...)
{
	struct conf_note note;
	va_list args;

	va_start(args, format);
	vsnprintf(note.text, sizeof note.text, format, args);
	va_end(args);
	if (is_noted(r->notes, note.text))
		return;
	if (r->notes->n == CONF_NOTES_MAX) {
		r->notes->n_lost++;
		return;
	}
	place_at(r, NULL, &note.place);
	r->notes->list[r->notes->n++] = note;
}

/* @s quoted into @to of QUOTE_MAX bytes; what a line lacks is told as its end. */
static const char *quoted(struct slice s, char *to)
{
	return s.n ? log_quote(s.p, s.n, to, QUOTE_MAX) : "the end of the line";
}

static const struct conf_row *find_row(const struct conf_table *table, struct slice name)
{
	for (size_t i = 0; i < table->n; i++)
		if (slice_equals_nocase(name, table->rows[i].name))
			return &table->rows[i];
	return NULL;
}

/* @owner is the directive that @row is an option of, or NULL. */
static int read_values(struct conf_reader *r, const char *owner, const struct conf_row *row,
		       struct slice *rest, void *target)
{
	char quote[QUOTE_MAX], expected[160];

	for (const struct conf_value *value = row->values; value->kind != CONF_NONE; value++) {
		struct slice word = slice_word(rest);

		if (conf_value_read(value, word, target))
			continue;
		conf_value_expected(value, expected, sizeof expected);
		return refuse_at(r, word.p, "%s%s%s: expected %s%s%s, got %s", owner ? owner : "",
				 owner ? " " : "", row->name, value->name ? value->name : "",
				 value->name ? ", " : "", expected, quoted(word, quote));
	}
	if (row->given)
		*(bool *)((char *)target + (row->given - 1)) = true;
	return 0;
}

static int read_options(struct conf_reader *r, const struct conf_row *owner, struct slice *rest,
			void *target)
{
	char quote[QUOTE_MAX];
	int err = 0;

	while (!err) {
		struct slice word = slice_word(rest);
		const struct conf_row *row = find_row(owner->options, word);

		if (!word.n)
			return 0;
		if (!row)
			return refuse_at(r, word.p, "%s: expected the name of an option, got %s",
					 owner->name, quoted(word, quote));
		err = read_values(r, owner->name, row, rest, target);
		if (!err && row->act == CONF_IGNORE)
			conf_warn(r, "%s %s: %s", owner->name, row->name, row->help);
	}
	return err;
}

static int read_directive(struct conf_reader *r, const struct conf_row *row, struct slice rest)
{
	void *target = row->open ? row->open(r->target) : r->target;
	char quote[QUOTE_MAX];
	struct slice word;
	int err = read_values(r, NULL, row, &rest, target);

	if (!err && row->options)
		err = read_options(r, row, &rest, target);
	if (err)
		return err;
	word = slice_word(&rest);
	if (word.n)
		return refuse_at(r, word.p, "%s: expected the end of the line, got %s", row->name,
				 quoted(word, quote));
	return row->close ? row->close(r->target, r) : 0;
}

static int read_lines(struct conf_reader *r, unsigned first_line, struct slice text);

/* Why @file cannot be read, told at the line that names it, or, for the outermost, about itself. */
static int refuse_file(struct conf_reader *r, const char *file, int error)
{
	char quote[QUOTE_MAX];
	const char *why = strerror(-error);

	if (error == -EFBIG)
		why = "it is larger than 1 MiB, the limit for a file of configuration";
	else if (error == -EOPNOTSUPP)
		why = "it is not a regular file";
	if (r->depth == 0) {
		r->has_failed = true;
		r->error->place = (struct conf_place){ 0 };
		snprintf(r->error->place.file, sizeof r->error->place.file, "%s", file);
		snprintf(r->error->text, sizeof r->error->text, "cannot be read: %s", why);
		return error;
	}
	refuse_at(r, NULL, "cannot read %s: %s", quoted(slice_of(file), quote), why);
	return error;
}

/* Reads @text as the file @name, and comes back to the line that was being read. */
static int read_named(struct conf_reader *r, const char *name, unsigned first_line,
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

static int check_nesting(struct conf_reader *r, const char *file)
{
	char quote[QUOTE_MAX];

	for (unsigned i = 0; i < r->depth; i++)
		if (strcmp(r->open_files[i], file) == 0)
			return conf_refuse(r, "%s includes itself", quoted(slice_of(file), quote));
	if (r->depth == CONF_DEPTH_MAX)
		return conf_refuse(r, "files include each other more than %d deep", CONF_DEPTH_MAX);
	if (r->n_files++ == CONF_FILES_MAX)
		return conf_refuse(r, "more than %d files of configuration", CONF_FILES_MAX);
	return 0;
}

/* Memory for the largest file there may be; pages that a small one does not touch cost nothing. */
static int read_file(struct conf_reader *r, const char *file)
{
	int err = check_nesting(r, file);
	char *text;
	size_t n;

	if (err)
		return err;
	text = malloc(CONF_FILE_MAX);
	if (!text)
		return refuse_file(r, file, -ENOMEM);
	err = r->loader->read(r->loader->context, file, text, CONF_FILE_MAX, &n);
	if (err)
		err = refuse_file(r, file, err);
	else
		err = read_named(r, file, 1, (struct slice){ text, n });
	free(text);
	return err;
}

/* What an include or a confdir found. */
struct paths {
	size_t n;
	char path[CONF_LIST_MAX][CONF_PATH_MAX];
};

static int add_path(void *list, const char *path)
{
	struct paths *paths = list;

	if (strlen(path) >= sizeof paths->path[0])
		return -ENAMETOOLONG;
	if (paths->n == CONF_LIST_MAX)
		return -E2BIG;
	strcpy(paths->path[paths->n++], path);
	return 0;
}

static int read_paths(struct conf_reader *r, const struct paths *paths)
{
	int err = 0;

	for (size_t i = 0; i < paths->n && !err; i++)
		err = read_file(r, paths->path[i]);
	return err;
}

static int refuse_listing(struct conf_reader *r, const struct conf_row *row, struct slice word,
			  int error)
{
	char quote[QUOTE_MAX];

	if (error == -E2BIG)
		refuse_at(r, word.p, "%s: expected at most %d files, got more with %s", row->name,
			  CONF_LIST_MAX, quoted(word, quote));
	else
		refuse_at(r, word.p, "%s: cannot look for %s: %s", row->name, quoted(word, quote),
			  strerror(-error));
	return error;
}

/* As chrony: a pattern may name no file at all, a plain path must exist. */
static int read_include(struct conf_reader *r, const struct conf_row *row, struct slice rest)
{
	struct slice word = slice_word(&rest), extra = slice_word(&rest);
	char pattern[CONF_PATH_MAX], quote[QUOTE_MAX];
	struct paths *paths;
	int err;

	if (!word.n || extra.n || !slice_copy(word, pattern, sizeof pattern))
		return refuse_at(r, extra.n ? extra.p : word.p,
				 "%s: expected one path of at most %d bytes, got %s", row->name,
				 CONF_PATH_MAX - 1, quoted(extra.n ? extra : word, quote));
	if (!strpbrk(pattern, "*?["))
		return read_file(r, pattern);

	paths = calloc(1, sizeof *paths);
	if (!paths)
		return refuse_listing(r, row, word, -ENOMEM);
	err = r->loader->expand(r->loader->context, pattern, add_path, paths);
	if (err)
		err = refuse_listing(r, row, word, err);
	else
		err = read_paths(r, paths);
	free(paths);
	return err;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Drops from @paths those behind the first @n_before whose file name one of these has already. */
static void drop_shadowed(struct paths *paths, size_t n_before)
{
	size_t kept = n_before;

	for (size_t i = n_before; i < paths->n; i++) {
		const char *name = file_name(paths->path[i]);
		bool is_shadowed = false;

		for (size_t k = 0; k < n_before && !is_shadowed; k++)
			is_shadowed = strcmp(file_name(paths->path[k]), name) == 0;
		if (!is_shadowed && kept++ != i)
			memcpy(paths->path[kept - 1], paths->path[i], sizeof paths->path[i]);
	}
	paths->n = kept;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(file_name(a), file_name(b));
}

/* As chrony: a directory may be missing, and the first one that holds a name has it. */
static int read_confdir(struct conf_reader *r, const struct conf_row *row, struct slice rest)
{
	struct paths *paths = calloc(1, sizeof *paths);
	struct slice word = slice_word(&rest);
	char directory[CONF_PATH_MAX], quote[QUOTE_MAX];
	int err = 0;

	if (!paths)
		return refuse_listing(r, row, word, -ENOMEM);
	if (!word.n)
		err = refuse_at(r, word.p, "%s: expected a directory, got the end of the line",
				row->name);
	for (; word.n && !err; word = slice_word(&rest)) {
		size_t n_before = paths->n;

		if (!slice_copy(word, directory, sizeof directory)) {
			err = refuse_at(r, word.p,
					"%s: expected a path of at most %d bytes, got %s",
					row->name, CONF_PATH_MAX - 1, quoted(word, quote));
			break;
		}
		err = r->loader->list(r->loader->context, directory, ".conf", add_path, paths);
		if (err == -ENOENT)
			err = 0;
		else if (err)
			err = refuse_listing(r, row, word, err);
		drop_shadowed(paths, n_before);
	}
	if (!err) {
		qsort(paths->path, paths->n, sizeof paths->path[0], compare_names);
		err = read_paths(r, paths);
	}
	free(paths);
	return err;
}

static int read_row(struct conf_reader *r, const struct conf_row *row, struct slice rest)
{
	switch (row->act) {
	case CONF_SET: return read_directive(r, row, rest);
	case CONF_IGNORE: conf_warn(r, "%s: %s", row->name, row->help); return 0;
	case CONF_INCLUDE: return read_include(r, row, rest);
	case CONF_CONFDIR: return read_confdir(r, row, rest);
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
	char quote[QUOTE_MAX];
	const char *bad;

	if (line.n > CONF_LINE_MAX)
		return conf_refuse(r, "expected a line of at most %d bytes, got %zu", CONF_LINE_MAX,
				   line.n);
	bad = is_comment(name) ? memchr(line.p, '\0', line.n) : find_control(line);
	if (bad)
		return refuse_at(r, bad, "expected text, got the byte %s",
				 log_quote(bad, 1, quote, sizeof quote));
	if (!name.n || is_comment(name))
		return 0;
	row = find_row(r->table, name);
	if (!row)
		return refuse_at(r, name.p, "expected a directive, got %s", quoted(name, quote));
	return read_row(r, row, rest);
}

static int read_lines(struct conf_reader *r, unsigned first_line, struct slice text)
{
	int err = 0;

	for (r->line = first_line; text.n && !err; r->line++) {
		struct slice line = slice_cut(&text, '\n');

		r->line_start = line.p;
		err = read_line(r, line);
	}
	return err;
}

int conf_read_file(const struct conf_table *table, void *target, const struct conf_loader *loader,
		   const char *path, struct conf_notes *notes, struct conf_error *reterr)
{
	struct conf_reader r = {
		.table = table, .target = target, .loader = loader, .notes = notes, .error = reterr
	};

	return read_file(&r, path);
}

int conf_read_text(const struct conf_table *table, void *target, const struct conf_loader *loader,
		   const char *name, unsigned first_line, struct slice text,
		   struct conf_notes *notes, struct conf_error *reterr)
{
	struct conf_reader r = {
		.table = table, .target = target, .loader = loader, .notes = notes, .error = reterr
	};

	return read_named(&r, name, first_line, text);
}
