/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCH_PAINTER_H
#define CLI_WATCH_PAINTER_H

/*
 * painter.h - what to write to a terminal so that it shows a screen
 *
 * Only what differs from what it shows already: over a slow line a second costs
 * a few hundred bytes.  ECMA-48 sequences that every terminal since the VT100
 * knows: cursor position, and the colours by their numbers.
 */

#include "cli/watch/screen.h"

/* Enough for any frame of that many cells. */
#define PAINTER_BYTES_MAX(columns, rows) ((size_t)(columns) * (size_t)(rows)*32 + 64)

/*
 * Writes to @to, of @size bytes (PAINTER_BYTES_MAX of the screen's), what turns @shown into
 * @wanted; both have the same size.  Returns how many bytes: 0 where nothing differs.  Afterwards
 * the terminal writes plainly, its cursor anywhere.
 */
size_t painter_write(const struct screen *shown, const struct screen *wanted, bool is_coloured,
                     char *to, size_t size);

#endif
