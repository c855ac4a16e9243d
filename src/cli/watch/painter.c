/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch/painter.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct pen {
	char *to;
	size_t size, used;
	bool is_coloured;
	int column, row; /* where the cursor stands; -1: not known */
	int style;       /* that is set                             */
};

static void emit(struct pen *pen, const char *text, size_t length)
{
	assert(length <= pen->size - pen->used);
	memcpy(pen->to + pen->used, text, length);
	pen->used += length;
}

/* The codes of SGR.  Bold and faint are not colours: they stay without them. */
static const char *codes_of(int style, bool is_coloured)
{
	static const char *const coloured[STYLES] = {
		[STYLE_PLAIN] = "0",     [STYLE_FAINT] = "0;2",   [STYLE_TITLE] = "0;1",
		[STYLE_GOOD] = "0;1;32", [STYLE_WARN] = "0;1;33", [STYLE_BAD] = "0;1;31",
		[STYLE_BAND] = "0;2;36", [STYLE_MARK] = "0;33",
	};
	static const char *const plain[STYLES] = {
		[STYLE_PLAIN] = "0",  [STYLE_FAINT] = "0;2", [STYLE_TITLE] = "0;1",
		[STYLE_GOOD] = "0;1", [STYLE_WARN] = "0;1",  [STYLE_BAD] = "0;1",
		[STYLE_BAND] = "0;2", [STYLE_MARK] = "0",
	};

	return is_coloured ? coloured[style] : plain[style];
}

static void move_to(struct pen *pen, int column, int row)
{
	char text[32];

	if (pen->column == column && pen->row == row)
		return;
	emit(pen, text, (size_t)snprintf(text, sizeof text, "\033[%d;%dH", row + 1, column + 1));
	pen->column = column;
	pen->row = row;
}

static void use_style(struct pen *pen, int style)
{
	char text[32];
	int n;

	if (pen->style == style)
		return;
	n = snprintf(text, sizeof text, "\033[%sm", codes_of(style, pen->is_coloured));
	emit(pen, text, (size_t)n);
	pen->style = style;
}

/* UTF-8, of characters below U+10000. */
static void put_glyph(struct pen *pen, uint32_t glyph)
{
	char text[3];
	size_t n = 0;

	if (glyph < 0x80) {
		text[n++] = (char)glyph;
	} else if (glyph < 0x800) {
		text[n++] = (char)(0xc0 | glyph >> 6);
		text[n++] = (char)(0x80 | (glyph & 0x3f));
	} else {
		text[n++] = (char)(0xe0 | glyph >> 12);
		text[n++] = (char)(0x80 | (glyph >> 6 & 0x3f));
		text[n++] = (char)(0x80 | (glyph & 0x3f));
	}
	emit(pen, text, n);
	pen->column++;
}

/* A blank looks the same in every style that has no background. */
static bool look_alike(const struct cell *a, const struct cell *b)
{
	return a->glyph == b->glyph && (a->style == b->style || a->glyph == ' ');
}

size_t painter_write(const struct screen *shown, const struct screen *wanted, bool is_coloured,
                     char *to, size_t size)
{
	struct pen pen = { .to = to,
		           .size = size,
		           .is_coloured = is_coloured,
		           .column = -1,
		           .row = -1,
		           .style = STYLE_PLAIN };

	assert(shown->columns == wanted->columns && shown->rows == wanted->rows);
	for (int row = 0; row < wanted->rows; row++)
		for (int column = 0; column < wanted->columns; column++) {
			const struct cell *cell = screen_at(wanted, column, row);

			if (look_alike(screen_at(shown, column, row), cell))
				continue;
			move_to(&pen, column, row);
			if (cell->glyph != ' ')
				use_style(&pen, cell->style);
			put_glyph(&pen, cell->glyph ? cell->glyph : ' ');
			/* At the right edge terminals disagree on where the cursor is. */
			if (pen.column == wanted->columns)
				pen.column = -1;
		}
	use_style(&pen, STYLE_PLAIN);
	return pen.used;
}
