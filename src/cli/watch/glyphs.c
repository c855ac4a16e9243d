/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch/glyphs.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const struct glyphs SETS[] = {
	[GLYPHS_ASCII] = {
		.across = 1, .down = 1, .band = '.', .zero = '-', .mark = '!', .dash = ':',
		.axis = '|', .tick = '+', .corner = '+', .time_axis = '-', .time_tick = '+',
		.bullet = '*', .cross = 'x',
	},
	[GLYPHS_BLOCKS] = {
		.across = 1, .down = 2, .band = 0x2591, .zero = 0x2500, .mark = '!', .dash = ':',
		.axis = 0x2502, .tick = 0x2524, .corner = 0x2514, .time_axis = 0x2500,
		.time_tick = 0x2534, .bullet = '*', .cross = 'x',
	},
	[GLYPHS_BRAILLE] = {
		.across = 2, .down = 4, .band = 0x2591, .zero = 0x2500, .mark = 0x25bc, .dash = 0x250a,
		.axis = 0x2502, .tick = 0x2524, .corner = 0x2514, .time_axis = 0x2500,
		.time_tick = 0x2534, .bullet = 0x25cf, .cross = 0x2717,
	},
};

/* "UTF-8", "utf8": after the dot of a locale's name. */
static bool is_utf8(const char *locale)
{
	const char *dot = strchr(locale, '.');

	return dot &&
	       (strncasecmp(dot + 1, "utf-8", 5) == 0 || strncasecmp(dot + 1, "utf8", 4) == 0);
}

enum glyphs_kind glyphs_choose(const char *term, const char *lc_all, const char *lc_ctype,
                               const char *lang)
{
	const char *locale = lc_all && *lc_all ? lc_all : lc_ctype && *lc_ctype ? lc_ctype : lang;

	if (!locale || !is_utf8(locale))
		return GLYPHS_ASCII;
	return term && strcmp(term, "linux") == 0 ? GLYPHS_BLOCKS : GLYPHS_BRAILLE;
}

const struct glyphs *glyphs_of(enum glyphs_kind kind)
{
	return &SETS[kind];
}

/* Unicode counts the dots of Braille down the columns, and added the lowest row later. */
static uint32_t braille(unsigned dots)
{
	static const unsigned char bits[8] = { 0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80 };
	uint32_t glyph = 0x2800;

	for (unsigned i = 0; i < 8; i++)
		if (dots & 1u << i)
			glyph |= bits[i];
	return glyph;
}

uint32_t glyphs_dots(enum glyphs_kind kind, unsigned dots)
{
	static const uint32_t blocks[] = { ' ', 0x2580, 0x2584, 0x2588 };

	if (!dots)
		return ' ';
	switch (kind) {
	case GLYPHS_ASCII: return '*';
	case GLYPHS_BLOCKS: return blocks[dots & 3];
	case GLYPHS_BRAILLE: return braille(dots);
	}
	return '*';
}
