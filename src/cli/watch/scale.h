/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCH_SCALE_H
#define CLI_WATCH_SCALE_H

/*
 * scale.h - from nanoseconds to a height, so that 20 ns and 10 s can both be seen
 *
 * The height is asinh(x / linear): in proportion below `linear`, by decades
 * above it, and odd, so that behind and ahead look alike.  Nothing in it jumps
 * where a logarithm would: at zero.
 */

#include <stddef.h>

#include "base/units.h"

#define SCALE_LABEL_MAX 16

struct scale {
	vt_span linear; /* up to here heights are in proportion; a power of ten of nanoseconds */
	vt_span top;    /* the largest that can be shown: a round figure                       */
};

/*
 * A scale that shows @largest, and in which @typical can be told from zero.  Magnitudes; signs
 * are ignored.
 */
struct scale scale_fit(vt_span largest, vt_span typical);

/* From -1 (ahead by @top or more) over 0 to 1 (behind by it or more). */
double scale_height(const struct scale *s, vt_span offset);

/*
 * The values that deserve a label, most important first: the top, then the round figures beneath
 * it in falling order, down to `linear`.  Returns how many of @max were written; zero is not among
 * them.
 */
size_t scale_ticks(const struct scale *s, vt_span *ret, size_t max);

/* "+20 us", "0", "-5 min", of a round figure.  Returns @to. */
const char *scale_label(char to[SCALE_LABEL_MAX], vt_span value);

#endif
