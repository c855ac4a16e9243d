/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_READER_H
#define CONF_READER_H

/*
 * reader.h - the parser at work, shared by its two halves
 *
 * Private to conf/: reader.c reads lines, includes.c reads the files that lines name.
 */

#include "base/slice.h"
#include "conf/table.h"

struct conf_reader {
	const struct conf_table *table;
	void *target;
	const struct conf_loader *loader;
	struct conf_notes *notes;
	struct conf_error *error;
	bool has_failed;
	bool is_scan;    /* names that are not in the table are passed over           */
	bool is_lenient; /* a line in error becomes a note, and the next one is read */

	unsigned n_files;
	unsigned depth;
	const char *open_files[CONF_DEPTH_MAX]; /* from the outermost to the one being read */

	/* The line being read. */
	unsigned line;
	const char *line_start;
};

/* A sentence has room for this much of a foreign word, quoted. */
#define CONF_QUOTE_MAX 80

/* @s quoted into @to of CONF_QUOTE_MAX bytes; what a line lacks is told as its end. */
const char *conf_quoted(struct slice s, char *to);

/* As conf_refuse; @at: the word meant, or NULL. */
int conf_refuse_at(struct conf_reader *r, const char *at, const char *format, ...)
	printf_like(3, 4);

/* Turns the error into a note, as if there had been none. */
void conf_forgive(struct conf_reader *r);

/* Reads @text as the file @name, and comes back to the line that was being read. */
int conf_read_named(struct conf_reader *r, const char *name, unsigned first_line,
		    struct slice text) must_check;

/* Reads the whole file. */
int conf_read_whole(struct conf_reader *r, const char *file) must_check;

/* What a row of the kinds INCLUDE, CONFDIR and SOURCEDIR asks for; @rest: the words behind it. */
int conf_read_include(struct conf_reader *r, const struct conf_row *row,
		      struct slice rest) must_check;
int conf_read_folders(struct conf_reader *r, const struct conf_row *row,
		      struct slice rest) must_check;

#endif
