/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

/*
 * conf.h - what a reader of configuration needs around the parser
 *
 * The parser (conf/table.h) knows a grammar, chrony's: one directive a line, words between blanks,
 * names in any case, lines that begin with one of # ! ; % are comments.  It touches no file: bytes
 * come through a struct conf_loader, so the same code runs over real files (os/conf_files), over
 * the texts of a test, and under a fuzzer.
 *
 * Trouble is told in two ways.  The first error stops the parser and stays, with the file, the
 * line, the column and one sentence that says what was expected.  What can be lived with becomes a
 * note, which the caller pops and logs.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#define CONF_PATH_MAX  256
#define CONF_TEXT_MAX  256
#define CONF_LINE_MAX  2048    /* bytes in a line, without its end              */
#define CONF_FILE_MAX  1048576 /* bytes in a file; a larger one is refused      */
#define CONF_DEPTH_MAX 8       /* files open at once through include, confdir   */
#define CONF_FILES_MAX 256     /* files read altogether                         */
#define CONF_LIST_MAX  128     /* files that one include or confdir may name    */
#define CONF_NOTES_MAX 128

/* File and line of something said about the configuration; line and column count from 1. */
struct conf_place {
	char file[CONF_PATH_MAX]; /* as it was named; "command line" for directives from there */
	unsigned line;            /* 0: about the file as a whole                              */
	unsigned column;          /* 0: about the line as a whole                              */
};

/* Why a configuration was refused.  Foreign text in it is quoted and escaped. */
struct conf_error {
	struct conf_place place;
	char text[CONF_TEXT_MAX]; /* what was expected, and what stood there */
};

/* Writes "FILE:LINE:COLUMN: TEXT", without the parts that are 0.  Always terminated.  Returns @to.
 */
const char *conf_error_format(const struct conf_error *error, char *to, size_t size);

/* A warning. */
struct conf_note {
	struct conf_place place;
	char text[CONF_TEXT_MAX];
};

/* Warnings in the order of the text, each sentence once; what does not fit is counted. */
struct conf_notes {
	unsigned n, next;
	unsigned n_lost;
	struct conf_note list[CONF_NOTES_MAX];
};

void conf_notes_init(struct conf_notes *notes);

/* Takes the oldest note.  False, and *@ret untouched, when there is none left. */
bool conf_notes_pop(struct conf_notes *notes, struct conf_note *ret);

/* As conf_error_format. */
const char *conf_note_format(const struct conf_note *note, char *to, size_t size);

/*
 * How the parser reaches files.  All three return 0 or -errno; @context is the loader's own.
 * A search hands each path to @found, in the order of the names, byte for byte; what that returns
 * other than 0 ends it and is its result.
 */
struct conf_loader {
	void *context;

	/*
	 * Reads the whole file @path into @to.  -EFBIG where it holds more than @size bytes,
	 * -EOPNOTSUPP where it is no regular file, so that nothing waits on a FIFO.
	 */
	int (*read)(void *context, const char *path, char *to, size_t size, size_t *ret_n);

	/* Finds the existing files that @pattern (with * ? [...]) names.  None: 0. */
	int (*expand)(void *context, const char *pattern,
		      int (*found)(void *list, const char *path), void *list);

	/*
	 * Finds DIRECTORY/NAME for each name in @directory that ends in @suffix.  -ENOENT where
	 * there is no such directory.
	 */
	int (*list)(void *context, const char *directory, const char *suffix,
		    int (*found)(void *list, const char *path), void *list);
};

#endif
