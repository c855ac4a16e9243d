/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCH_SCREEN_H
#define CLI_WATCH_SCREEN_H

/*
 * screen.h - a grid of characters in memory
 *
 * Whoever draws, draws here and never to a terminal: what does not fit is cut,
 * and nothing that is drawn can do more than stand in a cell.  The painter
 * compares two of them and writes what differs; tests print them as text.
 *
 * Styles say what a cell means; which colour that is, is the painter's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define SCREEN_COLUMNS_MAX 500
#define SCREEN_ROWS_MAX    200

enum screen_style {
	STYLE_PLAIN,
	STYLE_FAINT, /* axes, captions               */
	STYLE_TITLE, /* what is to be read first     */
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_BAND, /* how wrong the clock can be   */
	STYLE_MARK, /* something happened here      */
	STYLES,     /* how many there are           */
};

struct cell {
	uint32_t glyph; /* a character of Unicode that is one column wide; 0: not known */
	uint8_t style;
};

struct screen {
	int columns, rows;
	struct cell *cells; /* columns * rows of them, or NULL */
};

#define SCREEN_INIT ((struct screen){ 0 })

/*
 * Makes it @columns by @rows, within 1 and the maxima, with every cell not known.  -ENOMEM: as it
 * was.
 */
int screen_resize(struct screen *s, int columns, int rows) must_check;

/* Safe after SCREEN_INIT, and twice. */
void screen_fini(struct screen *s);

/* Blanks everywhere. */
void screen_clear(struct screen *s);

/* Nothing is known of what is shown any more: the next painting writes every cell. */
void screen_forget(struct screen *s);

/* Takes over the cells of @from, which has the same size. */
void screen_copy(struct screen *s, const struct screen *from);

/* The cell, or NULL beyond the edges. */
struct cell *screen_at(const struct screen *s, int column, int row);

/* Nothing beyond the edges. */
void screen_put(struct screen *s, int column, int row, uint32_t glyph, enum screen_style style);

/*
 * Writes @text, which is printable ASCII, as far as @end (a column, not written to); returns the
 * column behind it.
 */
int screen_text(struct screen *s, int column, int row, int end, enum screen_style style,
                const char *text);

#endif
