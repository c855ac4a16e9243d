/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Why @file cannot be read, told at the line that names it, or, for the outermost, about itself. */
static int refuse_file(struct conf_reader *r, const char *file, int error)
{
	char quote[CONF_QUOTE_MAX];
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
	conf_refuse_at(r, NULL, "cannot read %s: %s", conf_quoted(slice_of(file), quote), why);
	return error;
}

static int check_nesting(struct conf_reader *r, const char *file)
{
	char quote[CONF_QUOTE_MAX];

	for (unsigned i = 0; i < r->depth; i++)
		if (strcmp(r->open_files[i], file) == 0)
			return conf_refuse(r, "%s includes itself", conf_quoted(slice_of(file), quote));
	if (r->depth == CONF_DEPTH_MAX)
		return conf_refuse(r, "files include each other more than %d deep", CONF_DEPTH_MAX);
	if (r->n_files++ == CONF_FILES_MAX)
		return conf_refuse(r, "more than %d files of configuration", CONF_FILES_MAX);
	return 0;
}

/* Memory for the largest file there may be; pages that a small one does not touch cost nothing. */
int conf_read_whole(struct conf_reader *r, const char *file)
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
		err = conf_read_named(r, file, 1, (struct slice){ text, n });
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

	for (size_t i = 0; i < paths->n && !err; i++) {
		err = conf_read_whole(r, paths->path[i]);
		if (err && r->is_lenient) {
			conf_forgive(r);
			err = 0;
		}
	}
	return err;
}

/*
 * As chrony: the files of a sourcedir are made by programs (DHCP clients) and hold sources only; one
 * that is wrong must not keep the daemon from its start.
 */
static int read_sources(struct conf_reader *r, const struct conf_row *row,
			const struct paths *paths)
{
	const struct conf_table *table = r->table;
	bool is_lenient = r->is_lenient;
	int err;

	r->table = row->lines;
	r->is_lenient = true;
	err = read_paths(r, paths);
	r->is_lenient = is_lenient;
	r->table = table;
	return err;
}

static int refuse_listing(struct conf_reader *r, const struct conf_row *row, struct slice word,
			  int error)
{
	char quote[CONF_QUOTE_MAX];

	if (error == -E2BIG)
		conf_refuse_at(r, word.p, "%s: expected at most %d files, got more with %s",
			       row->name, CONF_LIST_MAX, conf_quoted(word, quote));
	else
		conf_refuse_at(r, word.p, "%s: cannot look for %s: %s", row->name,
			       conf_quoted(word, quote), strerror(-error));
	return error;
}

/* As chrony: a pattern may name no file at all, a plain path must exist. */
int conf_read_include(struct conf_reader *r, const struct conf_row *row, struct slice rest)
{
	struct slice word = slice_word(&rest), extra = slice_word(&rest);
	char pattern[CONF_PATH_MAX], quote[CONF_QUOTE_MAX];
	struct paths *paths;
	int err;

	if (!word.n || extra.n || !slice_copy(word, pattern, sizeof pattern))
		return conf_refuse_at(r, extra.n ? extra.p : word.p,
				      "%s: expected one path of at most %d bytes, got %s",
				      row->name, CONF_PATH_MAX - 1,
				      conf_quoted(extra.n ? extra : word, quote));
	if (!strpbrk(pattern, "*?["))
		return conf_read_whole(r, pattern);

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

/* Adds what @directory holds; as chrony, it may be missing, and the first that has a name has it. */
static int list_folder(struct conf_reader *r, const struct conf_row *row, struct slice word,
		       struct paths *paths)
{
	const char *suffix = row->act == CONF_SOURCEDIR ? ".sources" : ".conf";
	char directory[CONF_PATH_MAX], quote[CONF_QUOTE_MAX];
	size_t n_before = paths->n;
	int err;

	if (!slice_copy(word, directory, sizeof directory))
		return conf_refuse_at(r, word.p, "%s: expected a path of at most %d bytes, got %s",
				      row->name, CONF_PATH_MAX - 1, conf_quoted(word, quote));
	err = r->loader->list(r->loader->context, directory, suffix, add_path, paths);
	if (err && err != -ENOENT)
		return refuse_listing(r, row, word, err);
	drop_shadowed(paths, n_before);
	return 0;
}

int conf_read_folders(struct conf_reader *r, const struct conf_row *row, struct slice rest)
{
	struct slice word = slice_word(&rest);
	struct paths *paths;
	int err = 0;

	if (!word.n)
		return conf_refuse_at(r, word.p, "%s: expected a directory, got the end of the line",
				      row->name);
	paths = calloc(1, sizeof *paths);
	if (!paths)
		return refuse_listing(r, row, word, -ENOMEM);
	for (; word.n && !err; word = slice_word(&rest))
		err = list_folder(r, row, word, paths);
	qsort(paths->path, paths->n, sizeof paths->path[0], compare_names);
	if (!err && row->act == CONF_SOURCEDIR)
		err = read_sources(r, row, paths);
	else if (!err)
		err = read_paths(r, paths);
	free(paths);
	return err;
}
