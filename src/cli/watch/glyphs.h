/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCH_GLYPHS_H
#define CLI_WATCH_GLYPHS_H

/*
 * glyphs.h - the characters that a terminal can show
 *
 * Braille patterns make eight dots of one cell.  The Linux console has no font
 * for them, but has the blocks that PCs always had.  Anything else gets ASCII.
 */

#include <stdint.h>

#define GLYPHS_DOTS_MAX 4 /* rows, in a cell */

struct glyphs {
	int across, down; /* dots in a cell */
	uint32_t band, zero, mark, dash, axis, tick, corner, time_axis, time_tick, bullet, cross;
};

enum glyphs_kind { GLYPHS_ASCII, GLYPHS_BLOCKS, GLYPHS_BRAILLE };

/*
 * What the terminal @term (as in TERM) can show under a locale of the names @lc_all, @lc_ctype
 * and @lang, the first of which that is not empty counts.  Each may be NULL.
 */
enum glyphs_kind glyphs_choose(const char *term, const char *lc_all, const char *lc_ctype,
                               const char *lang);

const struct glyphs *glyphs_of(enum glyphs_kind kind);

/* The character for @dots: bit `y * across + x` is the dot x from the left, y from the top. */
uint32_t glyphs_dots(enum glyphs_kind kind, unsigned dots);

#endif
