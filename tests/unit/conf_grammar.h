/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_CONF_GRAMMAR_H
#define UNIT_CONF_GRAMMAR_H

/*
 * conf_grammar.h - a grammar with one directive of each kind, for the tests of conf
 */

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "conf/table.h"

enum colour { RED, GREEN, BLUE };
static const char *const COLOURS[] = { "red", "green", "blue", NULL };

struct target {
	int number;
	unsigned count;
	vt_span seconds, span;
	vt_rate ppm, rate;
	char text[9];
	uint32_t refid;
	double decimal;
	char address[CONF_ADDRESS_MAX];
	unsigned colours, kinds;
	bool is_on, has_pair, is_flagged;
	enum colour colour;
	int first, second;

	char trail[256]; /* the order in which "mark" was read */
	char mark[9];
};

static inline void *mark_open(void *target)
{
	return target;
}

static inline int mark_close(void *target, struct conf_reader *reader)
{
	struct target *t = target;
	size_t n = strlen(t->trail);

	if (strcmp(t->mark, "bad") == 0) {
		conf_refuse(reader, "mark: expected a good one");
		return conf_refuse(reader, "mark: the first refusal stays, not this one");
	}
	if (strcmp(t->mark, "odd") == 0)
		conf_warn(reader, "mark: an odd one");
	snprintf(t->trail + n, sizeof t->trail - n, "%s ", t->mark);
	return 0;
}

static inline const void *mark_element(void *target, unsigned i)
{
	(void)target;
	(void)i;
	return NULL;
}

/* A directive that no values describe: what it is given is its trail. */
static inline int words_read(const struct conf_row *row, void *target, struct slice words,
			     struct conf_reader *reader)
{
	struct target *t = target;

	if (!words.n)
		return conf_refuse(reader, "%s: expected some", row->name);
	(void)snprintf(t->trail, sizeof t->trail, "%.*s", (int)words.n, words.p);
	return 0;
}

#define AT(member) CONF_AT(struct target, member)
#define S          CONF_NS_PER_S

static const struct conf_row OPTIONS[] = {
	{ "seconds",
	  CONF_SET,
	  { { CONF_SECONDS, "S", AT(seconds), -S, 10 * S, NULL } },
	  .initial = "0",
	  .help = "Seconds." },
	{ "flag", CONF_SET, .given = AT(is_flagged), .help = "A flag." },
	{ "kind", CONF_SET, { { CONF_FLAGS, "KIND", AT(kinds), 0, 0, COLOURS } }, .help = "Kinds." },
	{ "old", CONF_IGNORE, { { CONF_INT, "N", AT(first), 0, 1, NULL } }, .help = "gone" },
};
static const struct conf_table OPTION_TABLE = CONF_TABLE(OPTIONS);

/* What the files of a "sources" directive may hold. */
static const struct conf_row SOURCE_ROWS[] = {
	{ "mark",
	  CONF_SET,
	  { { CONF_TEXT, "NAME", AT(mark), 0, 8, NULL } },
	  .open = mark_open,
	  .close = mark_close,
	  .element = mark_element,
	  .help = "A mark." },
};
static const struct conf_table SOURCE_LINES = CONF_TABLE(SOURCE_ROWS);

static const struct conf_value MORE_COLOURS = { CONF_FLAGS, "COLOUR", AT(colours), 0, 0, COLOURS };
static const struct conf_value MORE_NUMBERS = { CONF_INT, "N", 0, 0, 9, NULL };

/* Behind the others in a table of their own. */
static const struct conf_row MORE_ROWS[] = {
	{ "decimal",
	  CONF_SET,
	  { { CONF_DECIMAL, "X", AT(decimal), -CONF_DECIMAL_MAX, CONF_DECIMAL_MAX, NULL } },
	  .help = "A decimal number." },
	{ "address",
	  CONF_SET,
	  { { CONF_ADDRESS, "ADDRESS", AT(address), 0, CONF_ADDRESS_MAX - 1, NULL } },
	  .help = "An address." },
	{ "colours", CONF_SET, .rest = &MORE_COLOURS, .help = "Any colours." },
	{ "words", CONF_SET, .words = words_read, .element = mark_element, .help = "Words." },
	{ "sources",
	  CONF_SOURCEDIR,
	  { { CONF_TEXT, "DIRECTORY", 0, 0, 255, NULL } },
	  .lines = &SOURCE_LINES,
	  .help = "." },
	{ "few",
	  CONF_IGNORE,
	  .rest = &MORE_NUMBERS,
	  .rest_min = 1,
	  .rest_max = 2,
	  .help = "few is none" },
};
static const struct conf_table MORE = CONF_TABLE(MORE_ROWS);

static const struct conf_row ROWS[] = {
	{ "number",
	  CONF_SET,
	  { { CONF_INT, "N", AT(number), -7, 24, NULL } },
	  .options = &OPTION_TABLE,
	  .help = "A number." },
	{ "count",
	  CONF_SET,
	  { { CONF_COUNT, "N", AT(count), 0, UINT32_MAX, NULL } },
	  .help = "A count." },
	{ "ppm",
	  CONF_SET,
	  { { CONF_PPM, "PPM", AT(ppm), -1000 * S, 100000 * S, NULL } },
	  .help = "A rate in ppm." },
	{ "span",
	  CONF_SET,
	  { { CONF_SPAN, "SPAN", AT(span), 0, 7200 * S, NULL } },
	  .help = "A span with its unit." },
	{ "rate",
	  CONF_SET,
	  { { CONF_RATE, "RATE", AT(rate), 0, 500 * S, NULL } },
	  .help = "A rate with its unit." },
	{ "text", CONF_SET, { { CONF_TEXT, "TEXT", AT(text), 0, 8, NULL } }, .help = "A word." },
	{ "refid", CONF_SET, { { CONF_REFID, "NAME", AT(refid), 0, 0, NULL } }, .help = "A name." },
	{ "switch",
	  CONF_SET,
	  { { CONF_SWITCH, "SWITCH", AT(is_on), 0, 0, NULL } },
	  .help = "A switch." },
	{ "colour",
	  CONF_SET,
	  { { CONF_CHOICE, "COLOUR", AT(colour), 0, 0, COLOURS } },
	  .help = "A colour." },
	{ "pair",
	  CONF_SET,
	  { { CONF_INT, "FIRST", AT(first), 0, 9, NULL },
	    { CONF_INT, "SECOND", AT(second), 0, 9, NULL } },
	  .given = AT(has_pair),
	  .help = "Two numbers." },
	{ "mark",
	  CONF_SET,
	  { { CONF_TEXT, "NAME", AT(mark), 0, 8, NULL } },
	  .open = mark_open,
	  .close = mark_close,
	  .element = mark_element,
	  .help = "A mark." },
	{ "include", CONF_INCLUDE, { { CONF_TEXT, "PATTERN", 0, 0, 255, NULL } }, .help = "." },
	{ "confdir", CONF_CONFDIR, { { CONF_TEXT, "DIRECTORY", 0, 0, 255, NULL } }, .help = "." },
	{ "gone", CONF_IGNORE, .help = "has no meaning here" },
};
static const struct conf_table TABLE = { ROWS, COUNT(ROWS), &MORE };

static inline struct target fresh_target(void)
{
	struct target t;

	memset(&t, 0, sizeof t);
	return t;
}

#endif
