/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_DOC_EXAMPLES_H
#define UNIT_DOC_EXAMPLES_H

/*
 * doc_examples.h - the fenced blocks of a protocol's document, one after the other
 *
 *     ```KIND REST
 *     an example, broken into lines for reading
 *     ```
 *
 * Needs cmocka.h before it.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"

struct doc_example {
	struct slice kind, rest;
	char text[16384]; /* as it is on the wire: one line with its LF */
};

/* Fills @to, of @size bytes, with the document, terminated.  False: not there, empty, or too large. */
static inline bool doc_read(const char *path, char *to, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t n;

	if (!file)
		return false;
	n = fread(to, 1, size - 1, file);
	fclose(file);
	to[n] = '\0';
	return n > 0 && n < size - 1;
}

/* An example as it is on the wire: the lines of a fenced block, without their indentation. */
static inline void doc_join(struct slice *rest, char *to, size_t size)
{
	size_t used = 0;

	for (;;) {
		assert_true(rest->n > 0);

		struct slice line = slice_trim(slice_cut(rest, '\n'));

		if (slice_equals(line, "```"))
			break;
		assert_true(used + line.n + 2 < size);
		memcpy(to + used, line.p, line.n);
		used += line.n;
	}
	memcpy(to + used, "\n", 2);
}

/* The next block of what is left of a document.  False: there is none. */
static inline bool doc_next(struct slice *rest, struct doc_example *ret)
{
	while (rest->n) {
		struct slice line = slice_cut(rest, '\n');

		if (line.n < 4 || memcmp(line.p, "```", 3) != 0)
			continue;
		line = (struct slice){ line.p + 3, line.n - 3 };
		ret->kind = slice_word(&line);
		ret->rest = slice_trim(line);
		doc_join(rest, ret->text, sizeof ret->text);
		return true;
	}
	return false;
}

#endif
