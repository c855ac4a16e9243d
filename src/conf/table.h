/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

/*
 * table.h - a grammar as a table: what reads, prints and explains a configuration
 *
 * A daemon describes its directives once, one row each; the parser, the printer of `-p`, the
 * reference of `--conf-reference` and the check of the manual page all walk those rows.  The
 * options that may follow a directive's arguments are a table of the same kind.
 *
 * Values go straight into the daemon's own struct, at the offsets that the rows give.  A directive
 * that may come several times has an `open` hook, which returns a fresh element to fill, and a
 * `close` hook, which checks it and keeps it.  The parser changes the target as it goes: read into
 * a scratch copy and keep it only when 0 comes back.
 */

#include "base/slice.h"
#include "conf/conf.h"
#include "conf/value.h"

#define CONF_VALUES_MAX 3

struct conf_reader; /* the parser at work, for a hook to speak through */

enum conf_act {
	CONF_SET,       /* store the values                                              */
	CONF_IGNORE,    /* known, without effect: checked, then told, with `help` as why */
	CONF_INCLUDE,   /* read the files that the argument names                        */
	CONF_CONFDIR,   /* read the *.conf files of the directories                      */
	CONF_SOURCEDIR, /* read their *.sources files, by the grammar of `lines`         */
};

/* clang-format off */
struct conf_row {
	const char *name;
	enum conf_act act;
	struct conf_value values[CONF_VALUES_MAX + 1]; /* all required; ends with CONF_NONE */
	size_t given;                     /* CONF_AT a bool that says "was written", or 0   */
	const struct conf_table *options; /* name-value pairs after the values, or NULL     */
	const struct conf_value *rest;    /* what each further word is, or NULL             */
	unsigned rest_min, rest_max;      /* how many of these words there are; 0: no limit */
	const struct conf_table *lines;   /* CONF_SOURCEDIR: what its files may hold        */

	/* Reads the words instead of values, options and rest; 0, or what conf_refuse gave. */
	int (*words)(const struct conf_row *row, void *target, struct slice words,
		     struct conf_reader *reader);

	/* For directives that may come several times.  Without the others, `close` may check a line. */
	void *(*open)(void *target);                            /* an element with its defaults  */
	int (*close)(void *target, struct conf_reader *reader); /* 0, or what conf_refuse gave   */
	const void *(*element)(void *target, unsigned i);       /* to print; NULL past the last  */

	const char *initial; /* the default as -p prints it; NULL: none                      */
	const char *help;    /* full sentences; CONF_IGNORE: half of one, "the kernel does it" */
};
/* clang-format on */

/* Rows, and those of further tables behind them. */
struct conf_table {
	const struct conf_row *rows;
	size_t n;
	const struct conf_table *next; /* NULL: the last */
};

/* Of an array of rows, with nothing behind it. */
#define CONF_TABLE(rows) { rows, COUNT(rows), NULL }

/* Row @i, counted through all tables from @table on; NULL past the last. */
const struct conf_row *conf_row_at(const struct conf_table *table, size_t i);

/*
 * Reads the file @path, and what it includes, into @target.  Notes are added to @notes.  Returns 0,
 * -EINVAL, or the error of a file that cannot be read; @target is then half filled, and *@reterr
 * says why.
 */
int conf_read_file(const struct conf_table *table, void *target, const struct conf_loader *loader,
		   const char *path, struct conf_notes *notes,
		   struct conf_error *reterr) must_check;

/*
 * As conf_read_file, for who looks at a few directives of somebody else's file: other names are
 * passed over, and a line in error, or a file that it names and that cannot be read, becomes a note.
 */
int conf_scan_file(const struct conf_table *table, void *target, const struct conf_loader *loader,
		   const char *path, struct conf_notes *notes,
		   struct conf_error *reterr) must_check;

/* As conf_read_file, from memory: for the file's name stands @name, lines count from @first_line.
 */
int conf_read_text(const struct conf_table *table, void *target, const struct conf_loader *loader,
		   const char *name, unsigned first_line, struct slice text,
		   struct conf_notes *notes, struct conf_error *reterr) must_check;

/* For hooks: the first refusal stays.  Returns -EINVAL. */
int conf_refuse(struct conf_reader *reader, const char *format, ...) printf_like(2, 3);

/* For hooks: where the line stands that is being read. */
void conf_where(const struct conf_reader *reader, struct conf_place *ret);

/* For hooks: adds a note. */
void conf_warn(struct conf_reader *reader, const char *format, ...) printf_like(2, 3);

/*
 * Write into @to as snprintf does: always terminated, and the length that all of it needs is
 * returned.  conf_print writes what @target holds, a directive a line, so that reading it again
 * gives the same; @target is changed only by its `element` hooks.
 */
size_t conf_print(const struct conf_table *table, void *target, char *to, size_t size);
size_t conf_reference(const struct conf_table *table, char *to, size_t size);

#endif
