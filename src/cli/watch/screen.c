/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch/screen.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t count(const struct screen *s)
{
	return (size_t)s->columns * (size_t)s->rows;
}

static int within(int n, int max)
{
	return n < 1 ? 1 : n > max ? max : n;
}

int screen_resize(struct screen *s, int columns, int rows)
{
	struct screen resized = {
		.columns = within(columns, SCREEN_COLUMNS_MAX),
		.rows = within(rows, SCREEN_ROWS_MAX),
	};

	resized.cells = calloc(count(&resized), sizeof *resized.cells);
	if (!resized.cells)
		return -ENOMEM;
	screen_fini(s);
	*s = resized;
	return 0;
}

void screen_fini(struct screen *s)
{
	free(s->cells);
	*s = SCREEN_INIT;
}

void screen_clear(struct screen *s)
{
	for (size_t i = 0; i < count(s); i++)
		s->cells[i] = (struct cell){ ' ', STYLE_PLAIN };
}

void screen_forget(struct screen *s)
{
	if (s->cells)
		memset(s->cells, 0, count(s) * sizeof *s->cells);
}

void screen_copy(struct screen *s, const struct screen *from)
{
	assert(s->columns == from->columns && s->rows == from->rows);
	memcpy(s->cells, from->cells, count(s) * sizeof *s->cells);
}

struct cell *screen_at(const struct screen *s, int column, int row)
{
	if (column < 0 || row < 0 || column >= s->columns || row >= s->rows)
		return NULL;
	return &s->cells[(size_t)row * (size_t)s->columns + (size_t)column];
}

void screen_put(struct screen *s, int column, int row, uint32_t glyph, enum screen_style style)
{
	struct cell *cell = screen_at(s, column, row);

	if (cell)
		*cell = (struct cell){ glyph, (uint8_t)style };
}

int screen_text(struct screen *s, int column, int row, int end, enum screen_style style,
                const char *text)
{
	for (; *text && column < end; text++, column++)
		screen_put(s, column, row, (unsigned char)*text, style);
	return column;
}
